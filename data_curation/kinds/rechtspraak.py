"""Judgments and opinions of the Dutch courts, as the open data of the Rechtspraak gives them (``open-rechtspraak``).

The text is that of ``uitspraak`` or ``conclusie``; the summary (``inhoudsindicatie``) is written by the court's editors
and is left out. Names that were made anonymous stay as they are. Elements: technical documentation Open Data van de
Rechtspraak 1.15; what it leaves out follows the DocBook names that the files use.
"""

from __future__ import annotations

from typing import Any

from data_curation.kinds.days import day
from data_curation.kinds.markup import Markup, names, plain, text_of
from data_curation.kinds.xml_safe import local_name
from data_curation.plain_text import Extracted

_TERMS = "{http://purl.org/dc/terms/}"
_BODIES = frozenset(("uitspraak", "conclusie"))
_MARKUP = Markup(
    blocks=names(
        """uitspraak conclusie uitspraak.info conclusie.info section title subtitle bridgehead para parablock paragroup
        simplesect listitem itemizedlist orderedlist informaltable table row footnote blockquote alinea al lijst li
        kop tussenkop"""
    ),
    dropped=names("mediaobject inlinemediaobject imageobject imagedata footnote-ref colspec"),
    listings=names("literallayout programlisting"),
    cells=names("entry"),
)


def from_rechtspraak(root: Any) -> Extracted:
    """Read one decision: its id is the ECLI, its author the court, its date that of publication, else of the decision.

    A file of metadata alone (many decisions are published without their text) has an empty text.
    """
    bodies = [child for child in root if local_name(child) in _BODIES]
    terms = [one for one in root.iter(f"{_TERMS}*") if one.tag != f"{_TERMS}creator"]
    identifiers = _values(terms, "identifier")
    return Extracted(
        "\n\n".join(text_of(body, _MARKUP) for body in bodies),
        next((one.get("lang") for one in bodies if one.get("lang")), None) or _first(_values(terms, "language")),
        _first(_values(terms, "title")),
        author=_first([plain(one) for one in root.iter(f"{_TERMS}creator")]),
        published=_day([*_values(terms, "issued"), *_values(terms, "date")]),
        native_id=_first([one for one in identifiers if one.startswith("ECLI:")]),
        url=_first([one for one in identifiers if one.startswith("http")]),
    )


def _values(terms: list[Any], name: str) -> list[str]:
    return [plain(one) for one in terms if local_name(one) == name]


def _first(values: list[str]) -> str | None:
    return next((value for value in values if value), None)


def _day(values: list[str]) -> str | None:
    return next((found for value in values if (found := day(value))), None)
