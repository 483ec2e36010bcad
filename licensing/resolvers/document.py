"""What one file declares of itself, by the kind of the file."""

from __future__ import annotations

from licensing.resolvers import front_matter, html, xml
from licensing.resolvers.spdx_tags import tags_at_top
from licensing.rights import Declared

_PAGES = (".html", ".htm", ".xhtml")
_MARKUP = (".xml", ".tei", ".page", ".dbk", ".docbook", ".nitf", ".newsml", ".alto")
_TOP = 64 << 10


def declared(name: str, data: bytes) -> tuple[Declared, ...]:
    """Return the statements in a file, each with its place; ``name`` tells the kind by its ending.

    Pages by `html`, TEI, Mallard, DocBook and news by `xml`, other text by its front matter and attributes; SPDX
    tags in all of them.
    """
    lower = name.lower()
    if lower.endswith(_PAGES):
        return tuple(dict.fromkeys((*html.declared(data, name), *_tags(data, name))))
    if lower.endswith(_MARKUP):
        return tuple(dict.fromkeys((*xml.declared(data, name), *_tags(data, name))))
    return front_matter.declared(_whole(data), name)


def _tags(data: bytes, name: str) -> tuple[Declared, ...]:
    top = data[:_TOP]
    return tags_at_top(top.decode("utf-8", "replace"), name) if b"SPDX-License" in top else ()


def _whole(data: bytes) -> str:
    """Enough of a file for front matter that is parsed, and all of it where the front matter is longer than that."""
    top = data[: 4 * _TOP]
    fenced = top.lstrip(b"\xef\xbb\xbf")[:3] in (b"---", b"+++")
    return (data if fenced else top).decode("utf-8", "replace")
