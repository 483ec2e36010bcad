"""Records of a WARC file (ISO 28500:2017), plain or one gzip member a record, past whatever is damaged.

Framing is our own: of the two libraries at hand, fastwarc ends at the first damaged gzip member and warcio raises at
it, and neither tells a wrong Content-Length in a file that is not compressed from the page behind it. Here damage costs
one record: reading goes on at the next gzip member, or at the next line that begins a record.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

_PIECE = 64 << 10
_MAGIC = b"\x1f\x8b\x08"
_START = b"WARC/1."
_NEXT = b"\r\n\r\n" + _START
_LONGEST_LINE = 64 << 10
_MOST_LINES = 1000
_MOST_SEARCHES = 1000


@dataclass(slots=True)
class Record:
    """One record: its headers (names in lower case), its block, and what is wrong with it, if so.

    Of a block over the limit only the start is held; ``rest`` yields the remainder and must be taken before the next
    record is.
    """

    headers: dict[str, str] = field(default_factory=dict)
    block: bytes = b""
    problem: str | None = None
    what: str = ""
    rest: Iterator[bytes] | None = None


def records(path: Path, largest: int) -> Iterator[Record]:
    """Yield the records of a file in their order; blocks of at most ``largest`` bytes are held as a whole."""
    with path.open("rb") as file:
        if file.read(2) == _MAGIC[:2]:
            yield from _of_members(file, largest)
        else:
            file.seek(0)
            yield from _of_stream(Window(iter(lambda: file.read(_PIECE), b"")), largest)


def _of_members(file: BinaryIO, largest: int) -> Iterator[Record]:
    """Each gzip member is a stream of its own, in most files of one record."""
    start: int | None = 0
    searches = 0
    while start is not None:
        member = _Member(file, start)
        yield from _vouched(member, largest)
        if member.fault is None:
            start = member.end
        else:
            searches += 1
            start = _next_member(file, start + 1) if searches < _MOST_SEARCHES else None


def _vouched(member: _Member, largest: int) -> Iterator[Record]:
    """The records of a member; its last one waits for the checksum at the member's end, which says if it is whole."""
    last: Record | None = None
    for record in _of_stream(Window(member.pieces()), largest):
        if last:
            yield last
        last = None if record.rest else record
        if record.rest:
            yield record
    if member.fault:
        last = last or Record()
        if last.problem is None:
            last.problem, last.what = "truncated", f"its gzip member is damaged ({member.fault})"
    if last:
        yield last


class _Member:
    """One gzip member; ``fault`` says what broke it, ``end`` where the next one begins (None at the file's end)."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file, self._start = file, start
        self.fault: str | None = None
        self.end: int | None = None

    def pieces(self) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(wbits=31)
        place, waiting = self._start, b""
        try:
            while not unpacker.eof:
                if not waiting:
                    self._file.seek(place)
                    waiting = self._file.read(_PIECE)
                    place += len(waiting)
                if not waiting:
                    self.fault = "it ends before its end"
                    return
                piece = unpacker.decompress(waiting, _PIECE)
                waiting = unpacker.unconsumed_tail
                if piece:
                    yield piece
        except zlib.error as fault:
            self.fault = str(fault)
            return
        self._find_end(place - len(unpacker.unused_data))

    def _find_end(self, place: int) -> None:
        """The next member follows at once, or after zeros that pad; anything else is damage."""
        self._file.seek(place)
        after = self._file.read(_PIECE)
        while after and not after.strip(b"\0"):
            place += len(after)
            after = self._file.read(_PIECE)
        if after:
            self.end = place + len(after) - len(after.lstrip(b"\0"))


def _next_member(file: BinaryIO, place: int) -> int | None:
    """Where the next gzip member that holds a record begins."""
    while True:
        file.seek(place)
        piece = file.read(1 << 20)
        found = piece.find(_MAGIC)
        while found >= 0:
            if _holds_record(piece[found : found + 512]):
                return place + found
            found = piece.find(_MAGIC, found + 1)
        if len(piece) < 1 << 20:
            return None
        # Members whose start may be cut at the end of this piece are looked at again.
        place += len(piece) - 512


def _holds_record(start: bytes) -> bool:
    try:
        return zlib.decompressobj(wbits=31).decompress(start, len(_START)) == _START
    except zlib.error:
        return False


class Window:
    """Bytes that arrive in pieces, to be read by number, by line, and put back."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._held = pieces, bytearray()

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; fewer at the end only."""
        while len(self._held) < size and self._more():
            pass
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def line(self) -> bytes:
        """The next line with its end, cut at 64 KiB; empty at the end."""
        searched = 0
        while (end := self._held.find(b"\n", searched)) < 0 and len(self._held) < _LONGEST_LINE:
            searched = len(self._held)
            if not self._more():
                break
        return self.read(min(end + 1, _LONGEST_LINE) if end >= 0 else min(len(self._held), _LONGEST_LINE))

    def back(self, data: bytes) -> None:
        """Put bytes back before those that come next."""
        self._held[:0] = data

    def skip_to(self, wanted: bytes) -> Iterator[bytes]:
        """Take all before the next ``wanted`` in pieces, or all there is."""
        while (found := self._held.find(wanted)) < 0:
            ready = len(self._held) - len(wanted)
            if ready > 0:
                yield self.read(ready)
            if not self._more():
                yield self.read(len(self._held))
                return
        yield self.read(found)

    def _more(self) -> bool:
        piece = next(self._pieces, b"")
        self._held += piece
        return bool(piece)


def _of_stream(window: Window, largest: int) -> Iterator[Record]:
    while (line := _first_line(window)) is not None:
        if not line.startswith(_START):
            yield _rubble(window, {}, line, largest, "not-warc", "no record begins here")
            continue
        headers, fault = _headers(window)
        if fault is None:
            yield _record(window, headers, int(headers["content-length"]), largest)
        else:
            yield _rubble(window, headers, b"", largest, "not-warc", fault)


def _first_line(window: Window) -> bytes | None:
    while line := window.line():
        if line.strip():
            return line
    return None


def _headers(window: Window) -> tuple[dict[str, str], str | None]:
    """Headers up to the blank line, those that go on on a second line joined; and what is wrong with them."""
    found: dict[str, str] = {}
    last = ""
    for _ in range(_MOST_LINES):
        line = window.line()
        if line in (b"\r\n", b"\n"):
            length = found.get("content-length", "")
            usable = length.isascii() and length.isdecimal() and len(length) < 16
            return found, None if usable else f"its Content-Length is '{length[:40]}'"
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if line[:1] in (b" ", b"\t") and last:
            found[last] += " " + line.decode("utf-8", "replace").strip()
        elif colon and line.endswith(b"\n"):
            last = name.strip().lower()
            found.setdefault(last, value.strip())
        else:
            break
    return found, "its headers break off or cannot be read"


def _record(window: Window, headers: dict[str, str], length: int, largest: int) -> Record:
    block = window.read(min(length, largest + 1))
    if len(block) > largest:
        rest = _remainder(window, length - len(block))
        return Record(headers, block, "too-large", f"larger than {largest} bytes", rest)
    after = window.read(4)
    if len(block) == length and (after in (b"\r\n\r\n", b"", b"\r\n", b"\n\n") or after.strip() == b""):
        return Record(headers, block)
    whole = block + after
    found = whole.find(_NEXT)
    if found >= 0:
        window.back(whole[found:])
        return Record(headers, whole[:found], "wrong-length", _wrong(length, found))
    if len(block) < length:
        return Record(headers, block, "truncated", f"ends after {len(block)} of {length} bytes")
    return _rubble(window, headers, whole, largest, "wrong-length", _wrong(length, None))


def _wrong(said: int, found: int | None) -> str:
    more = "there are more" if found is None else f"the next record begins after {found}"
    return f"its Content-Length is {said}, and {more}"


def _remainder(window: Window, left: int) -> Iterator[bytes]:
    while left and (piece := window.read(min(left, _PIECE))):
        left -= len(piece)
        yield piece


def _rubble(window: Window, headers: dict[str, str], data: bytes, largest: int, problem: str, what: str) -> Record:
    """What stands before the next record that can be told, however long it is."""
    window.back(data)
    pieces = window.skip_to(b"\n" + _START)
    held = b""
    for piece in pieces:
        held += piece
        if len(held) > largest:
            return Record(headers, held, problem, what, pieces)
    return Record(headers, held, problem, what)
