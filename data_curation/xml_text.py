"""Text of XML documents: Mallard help pages and the body of TEI editions.

Nothing outside the file is ever read: a document that names an outside DTD or defines entities is refused, for its
text would depend on what they stand for (and XML bombs are made of them).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from data_curation.html_text import declared_charset
from data_curation.plain_text import Extracted, Unreadable, decoded, tidy


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TEI = "{http://www.tei-c.org/ns/1.0}"
XML = "{http://www.w3.org/XML/1998/namespace}"

_MALLARD_DROPPED = frozenset(("info", "credit", "include", "comment"))
_MALLARD_BLOCKS = frozenset(("page", "section", "title", "subtitle", "p", "item", "screen", "td", "th", "tr", "desc"))
_MALLARD_LISTINGS = frozenset(("screen", "code"))
_TEI_DROPPED = frozenset(("teiHeader", "note", "pb", "fw", "figDesc", "del"))
_TEI_REPLACED = frozenset(("sic", "orig", "abbr"))
_TEI_BLOCKS = _words(
    """div div1 div2 div3 head p l lg sp speaker stage ab quote item row cell trailer opener closer label list body
    dateline salute signed castItem argument epigraph byline"""
)
_TEI_BREAKS = frozenset(("lb", "milestone"))


def parse_xml(data: bytes) -> Any:
    """Parse safely: no network, no entities, no huge trees; returns the root element.

    Raises:
        Unreadable: wrong bytes, not well-formed, nested deeper than 256, or with entities or an outside DTD.
    """
    decoded(data, declared_charset(data))
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        raise Unreadable("not-xml", f"not well-formed XML ({fault})") from fault
    _refuse_entities(root.getroottree().docinfo)
    return root


def from_xml(data: bytes) -> Extracted:
    """Read a Mallard page or a TEI edition, told apart by the root element.

    Raises:
        Unreadable: it cannot be parsed, or is of another kind.
    """
    root = parse_xml(data)
    language = root.get(f"{XML}lang")
    kind = _local(root)
    if kind == "page":
        return Extracted(block_text(root, _MALLARD_DROPPED, _MALLARD_BLOCKS), language, _mallard_title(root))
    if kind in ("TEI", "TEI.2"):
        bodies = list(root.iter(f"{TEI}body", "body"))
        return Extracted("\n\n".join(tei_text(body) for body in bodies), language)
    raise Unreadable("not-xml", f"its root element is <{kind}>; Mallard <page> and <TEI> are read")


def tei_text(element: Any) -> str:
    """Text of a TEI element: paragraphs, verse lines and speeches each on a line; notes and page breaks dropped."""
    return block_text(element, _TEI_DROPPED, _TEI_BLOCKS, _TEI_BREAKS)


def block_text(
    element: Any, dropped: frozenset[str], blocks: frozenset[str], breaks: frozenset[str] = frozenset()
) -> str:
    """Join what stands in an element, each block on a line of its own and white space inside it as one space."""
    pieces = "".join(_pieces(element, dropped, blocks, breaks))
    lines = (" ".join(line.split()) for line in pieces.split("\v"))
    return tidy("\n".join(line for line in lines if line))


def _pieces(element: Any, dropped: frozenset[str], blocks: frozenset[str], breaks: frozenset[str]) -> Iterator[str]:
    """Walk in document order; a vertical tab, which XML 1.0 cannot hold, marks the edge of a block."""
    name = _local(element)
    if not name or name in dropped or (name in _TEI_REPLACED and _local(element.getparent()) == "choice"):
        return
    if name in _MALLARD_LISTINGS:
        edge = "\v" if name == "screen" else ""
        yield edge + "".join(element.itertext()).replace("\n", "\v") + edge
        return
    edge = "\v" if name in blocks or (name in breaks and element.get("break") != "no") else ""
    yield edge + (element.text or "")
    for child in element:
        yield from _pieces(child, dropped, blocks, breaks)
        yield child.tail or ""
    yield edge


def _local(element: Any) -> str:
    """Name without namespace; empty for what is no element."""
    return element.tag.rpartition("}")[2] if element is not None and isinstance(element.tag, str) else ""


def _mallard_title(root: Any) -> str | None:
    for child in root:
        if _local(child) == "title":
            return " ".join("".join(child.itertext()).split()) or None
    return None


def _refuse_entities(docinfo: Any) -> None:
    if docinfo.system_url:
        raise Unreadable("entities-refused", f"names an outside DTD ('{docinfo.system_url}'), which is never read")
    if docinfo.internalDTD is not None and any(True for _ in docinfo.internalDTD.iterentities()):
        raise Unreadable("entities-refused", "defines entities, which are never expanded")
