"""Items of a news file one after the other; what has been read is freed, so that a file may be of any size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree

from data_curation.extract import checked
from data_curation.kinds.newsml import ITEMS, from_news_item
from data_curation.kinds.nitf import from_nitf
from data_curation.kinds.xml_safe import OPTIONS, local_name, parse_xml, refuse_undefined
from data_curation.plain_text import Extracted, Unreadable
from licensing.resolvers.xml import declared_in
from licensing.rights import Declared

_PIECE = 64 << 10


class Broken(Exception):
    """A file that cannot be read any further; the items before are good."""

    def __init__(self, problem: str, what: str) -> None:
        super().__init__(what)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its bytes, what it says, and its element, which is freed when the next one is taken."""

    data: bytes
    found: Extracted
    element: Any

    @property
    def version(self) -> str | None:
        """The version that a NewsML-G2 item names."""
        version: str | None = self.element.get("version") if local_name(self.element) in ITEMS else None
        return version

    @property
    def why_empty(self) -> str:
        """A sentence for an item without text."""
        if local_name(self.element) not in ("newsItem", "nitf"):
            return f"a <{local_name(self.element)}> tells of other items and has no text of its own."
        return "no text in it; a picture, or text that is stored elsewhere."

    def declared(self, where: str) -> tuple[Declared, ...]:
        """What the item declares of its rights, each with line and element."""
        return declared_in(self.element, where)


def items(path: Path, largest: int) -> Iterator[Item]:
    """Yield the items of a file; one that is a single item, and no larger than ``largest`` bytes, as it stands.

    Raises:
        Broken: no well-formed XML of news, entities, or an item larger than ``largest`` bytes.
    """
    try:
        if path.stat().st_size <= largest:
            yield from _of_small_file(path.read_bytes())
        else:
            with path.open("rb") as stream:
                yield from _streamed(stream, largest)
    except Unreadable as fault:
        raise Broken(fault.problem, str(fault)) from fault
    except (etree.LxmlError, ValueError) as fault:
        raise Broken("not-xml", f"not well-formed XML ({fault})") from fault


def _of_small_file(data: bytes) -> Iterator[Item]:
    try:
        root = parse_xml(data)
    except Unreadable as fault:
        if fault.problem != "not-xml":
            raise
        # What came before the break is good.
        yield from _streamed(_Pieces(data), len(data) + 1)
        raise
    if local_name(root) == "newsMessage":
        found = [element for element in root.iter() if _is_item(element)]
        yield from (_item(element, _canonical(element)) for element in found)
        if not found:
            raise Unreadable("not-xml", "a <newsMessage> without an item")
    elif local_name(root) in ITEMS or local_name(root) == "nitf":
        yield _item(root, data)
    else:
        raise Unreadable("not-xml", f"its root element is <{local_name(root)}>; NewsML-G2 and NITF are read")


class _Pieces:
    """Bytes in memory, read like a file."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)

    def read(self, size: int) -> bytes:
        piece, self._data = self._data[:size], self._data[size:]
        return bytes(piece)


def _streamed(stream: BinaryIO | _Pieces, largest: int) -> Iterator[Item]:
    """Feed the parser piece by piece, so that an item that never ends is noticed before it fills the memory."""
    tags = [f"{{*}}{name}" for name in (*sorted(ITEMS), "nitf")]
    parser = etree.XMLPullParser(events=("start", "end"), tag=tags, **OPTIONS)
    current = _Current()
    while piece := stream.read(_PIECE):
        try:
            parser.feed(piece)
        except etree.XMLSyntaxError:
            yield from current.finished(parser)
            raise
        yield from current.finished(parser)
        current.size += len(piece)
        if current.size > largest + _PIECE:
            raise Unreadable("too-large", f"an item, or what stands before one, is larger than {largest} bytes")
    parser.close()
    if not current.any:
        raise Unreadable("not-xml", "no item of NewsML-G2 and no NITF story in it")


class _Current:
    """Where the parser is: the item that is open, and the bytes that were fed since the last one ended."""

    def __init__(self) -> None:
        self.size = 0
        self.any = False
        self._open: Any = None

    def finished(self, parser: Any) -> Iterator[Item]:
        for event, element in parser.read_events():
            if not self.any:
                _refuse_definitions(element)
                self.any = True
            if event == "start":
                self._open = element if self._open is None and _is_item(element) else self._open
            elif element is self._open:
                refuse_undefined(parser.feed_error_log)
                yield _item(element, _canonical(element))
                self._open, self.size = None, 0
                _free(element)


def _item(element: Any, data: bytes) -> Item:
    found = from_nitf(element) if local_name(element) == "nitf" else from_news_item(element)
    return Item(data, checked("item", found), element)


def _is_item(element: Any) -> bool:
    """An item that stands in no other; a NITF story within an item is that item's text."""
    name = local_name(element)
    if name == "nitf":
        return not any(local_name(above) in ITEMS for above in element.iterancestors())
    return name in ITEMS and local_name(element.getparent()) in ("", "itemSet")


def _refuse_definitions(root: Any) -> None:
    own = root.getroottree().docinfo.internalDTD
    if own is None:
        return
    if any(True for _ in own.iterentities()) or any(True for one in own.iterelements() for _ in one.iterattributes()):
        raise Unreadable("entities-refused", "defines entities or attributes in its DTD, which are never expanded")


def _canonical(element: Any) -> bytes:
    try:
        data: bytes = etree.tostring(element, method="c14n", with_tail=False)
    except etree.C14NError:
        # Canonical XML knows no relative names of namespaces.
        data = etree.tostring(element, encoding="utf-8", with_tail=False)
    return data


def _free(element: Any) -> None:
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]
