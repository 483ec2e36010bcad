"""Markdown with front matter: the markdown as written, without the front matter, which describes the page.

A model reads markdown as people do, so that it stays; what stands between the fences is data about the page (slugs,
tags of a site generator), and what of it counts is taken into title, language, author and date.
"""

from __future__ import annotations

from data_curation.kinds.days import day
from data_curation.plain_text import Extracted
from licensing.resolvers.front_matter import description, split

_TITLE = ("title", "titel", "titre", "título", "titolo")
_LANGUAGE = ("lang", "language", "locale", "taal", "sprache")
_AUTHOR = ("author", "authors", "auteur", "autor")
_DATE = ("date", "published", "datum")
_ID = ("id", "identifier", "doi", "uuid")


def from_markdown(text: str) -> Extracted:
    """Read a page; front matter that cannot be read, or that is all there is, is left out all the same.

    The first of the usual names of a field that the front matter has gives title, language, author, date and id.
    """
    head, body = split(text)
    known = description(head, text[:3]) if head else {}

    def first(keys: tuple[str, ...]) -> str | None:
        return next((known[key] for key in keys if known.get(key)), None)

    return Extracted(
        body if head else text,
        first(_LANGUAGE),
        first(_TITLE),
        author=first(_AUTHOR),
        published=day(first(_DATE)),
        native_id=first(_ID),
    )
