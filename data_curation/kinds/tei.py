"""TEI editions: the text of the body."""

from __future__ import annotations

from typing import Any

from data_curation.kinds.markup import Markup, names, text_of
from data_curation.kinds.xml_safe import XML
from data_curation.plain_text import Extracted

TEI = "{http://www.tei-c.org/ns/1.0}"

_MARKUP = Markup(
    blocks=names(
        """div div1 div2 div3 head p l lg sp speaker stage ab quote item row cell trailer opener closer label list body
        dateline salute signed castItem argument epigraph byline"""
    ),
    dropped=names("teiHeader note pb fw figDesc del"),
    breaks=names("lb milestone"),
    replaced=names("sic orig abbr"),
)


def from_tei(root: Any) -> Extracted:
    """Read all bodies of an edition; its language is that of the root."""
    bodies = list(root.iter(f"{TEI}body", "body"))
    return Extracted("\n\n".join(tei_text(body) for body in bodies), root.get(f"{XML}lang"))


def tei_text(element: Any) -> str:
    """Text of a TEI element: paragraphs, verse lines and speeches each on a line; notes and page breaks dropped."""
    return text_of(element, _MARKUP)
