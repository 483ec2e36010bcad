"""Items of a news file one after the other; what has been read is freed, so that a file may be of any size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree

from data_curation.extract import checked
from data_curation.kinds import newsml, nitf
from data_curation.kinds.newsml import ITEMS, from_news_item
from data_curation.kinds.nitf import from_nitf
from data_curation.kinds.xml_safe import OPTIONS, local_name, parse_xml, refuse_definitions_in, refuse_undefined
from data_curation.plain_text import Extracted, Unreadable
from licensing.resolvers.xml import declared_in
from licensing.rights import Declared

_PIECE = 64 << 10
_HEAD = 256 << 10
"""Bytes within which the root element must begin."""


class Broken(Exception):
    """A file that cannot be read any further; the items before are good."""

    def __init__(self, problem: str, what: str) -> None:
        super().__init__(what)
        self.problem = problem


@dataclass(frozen=True)
class Item:
    """One item: its element, which is freed when the next one is taken, and the file's bytes where it is all of it."""

    element: Any
    file: bytes | None = None

    @cached_property
    def found(self) -> Extracted:
        """What the item says."""
        return checked("item", from_nitf(self.element) if self._is_story else from_news_item(self.element))

    @cached_property
    def data(self) -> bytes:
        """The bytes that it came in: those of the file, or its canonical XML (C14N 1.0)."""
        return _canonical(self.element) if self.file is None else self.file

    @property
    def taken_back(self) -> str | None:
        """The id under which an item that may not be used came; None where it may, or has no id."""
        module = nitf if self._is_story else newsml
        return self.found.native_id if module.is_taken_back(self.element) else None

    @property
    def _is_story(self) -> bool:
        return local_name(self.element) == "nitf"

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
        yield from map(Item, found)
        if not found:
            raise Unreadable("not-xml", "a <newsMessage> without an item")
    elif local_name(root) in ITEMS or local_name(root) == "nitf":
        yield Item(root, data)
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
    piece = stream.read(_HEAD)
    refuse_definitions_in(piece)
    while piece:
        try:
            parser.feed(piece)
        except etree.XMLSyntaxError:
            yield from current.finished(parser)
            raise
        yield from current.finished(parser)
        current.size += len(piece)
        if current.size > largest + _HEAD:
            raise Unreadable("too-large", f"an item, or what stands before one, is larger than {largest} bytes")
        piece = stream.read(_PIECE)
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
            self.any = True
            if event == "start":
                self._open = element if self._open is None and _is_item(element) else self._open
            elif element is self._open:
                refuse_undefined(parser.feed_error_log)
                yield Item(element)
                self._open, self.size = None, 0
                _free(element)


def _is_item(element: Any) -> bool:
    """An item that stands in no other; a NITF story within an item is that item's text."""
    name = local_name(element)
    if name == "nitf":
        return not any(local_name(above) in ITEMS for above in element.iterancestors())
    return name in ITEMS and local_name(element.getparent()) in ("", "itemSet")


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
