"""Text of XML documents, by the root element; `ROOTS` is the table of what is read.

Nothing outside the file is ever read; see `data_curation.kinds.xml_safe` for what is refused.
"""

from __future__ import annotations

from data_curation.extract import loaded
from data_curation.kinds import docbook
from data_curation.kinds.tei import tei_text
from data_curation.kinds.xml_safe import local_name, parse_xml
from data_curation.plain_text import Extracted, Unreadable

__all__ = ["ROOTS", "from_xml", "parse_xml", "tei_text"]

_KINDS = "data_curation.kinds"
ROOTS = {
    "page": f"{_KINDS}.mallard:from_mallard",
    "TEI": f"{_KINDS}.tei:from_tei",
    "TEI.2": f"{_KINDS}.tei:from_tei",
    "alto": f"{_KINDS}.alto:from_alto",
    "PcGts": f"{_KINDS}.page_xml:from_page_xml",
    "open-rechtspraak": f"{_KINDS}.rechtspraak:from_rechtspraak",
    "nitf": f"{_KINDS}.nitf:from_nitf",
    "newsItem": f"{_KINDS}.newsml:from_news_item",
    "newsMessage": f"{_KINDS}.newsml:from_message",
} | dict.fromkeys(sorted(docbook.ROOTS), f"{_KINDS}.docbook:from_docbook")
"""The function that reads a document, by the name of its root element without namespace."""


def from_xml(data: bytes) -> Extracted:
    """Read one document, its kind told by the root element.

    Raises:
        Unreadable: it cannot be parsed, is of no kind that is read, or holds several documents.
    """
    root = parse_xml(data)
    name = local_name(root)
    if name not in ROOTS:
        raise Unreadable("not-xml", f"its root element is <{name}>, which none of the kinds of XML that are read has")
    return loaded(ROOTS[name])(root)
