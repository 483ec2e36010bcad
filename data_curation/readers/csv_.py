"""Read tables of text (RFC 4180): CSV, TSV and their kin, plain or compressed; one row one document.

The received bytes of a document are those of its row as they stand in the file, without the newline that ends it (of a
file in UTF-16, as UTF-8). A quote that is never closed would swallow the rest of a file: the row that opens it is a
problem, and reading goes on at the next line.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from pydantic import Field, field_validator

from data_curation.plain_text import Unreadable, decoded, marked_codec
from data_curation.readers.base import Encoding, Hashing, SourceBase, hashed, refused, too_large
from data_curation.readers.columns import Columns, RowProblem, document_of
from data_curation.readers.folder import Found, files_of
from data_curation.readers.lines import CHUNK, Damaged, bounded_lines, breaks, open_lines
from data_curation.readers.table import require_columns
from data_curation.readers.utf16 import AsUtf8
from data_curation.received import Received

ENDINGS = tuple(f".{kind}{packing}" for kind in ("csv", "tsv", "tab") for packing in ("", ".gz", ".bz2", ".xz", ".zst"))
_LONGEST_FIELD = (1 << 31) - 1


class CsvSource(SourceBase):
    """Keys: ``path`` (a file, a folder or a pattern) and ``columns`` (which column of the header holds what).

    ``delimiter`` is one character (left out: a tab in ``.tsv`` and ``.tab``, else a comma), ``quote`` one character or
    empty where fields are never quoted. A quote within a quoted field is doubled. ``encoding`` is that of files without
    a byte order mark. The first row is the header.
    """

    reader: Literal["csv"]
    path: str
    columns: Columns
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    quote: str = Field(default='"', max_length=1)
    encoding: Encoding | None = None

    @field_validator("delimiter", "quote")
    @classmethod
    def _is_no_line_end(cls, sign: str | None) -> str | None:
        if sign and (sign in "\r\n\0" or not sign.isascii()):
            raise ValueError(f"{sign!r} cannot part or quote fields; write one ASCII character such as ; or a tab")
        return sign

    @field_validator("encoding")
    @classmethod
    def _keeps_line_ends(cls, encoding: str | None) -> str | None:
        if encoding and encoding.lower().startswith("utf-16"):
            raise ValueError(f"'{encoding}' is read in tables only by its byte order mark; put the mark in the file")
        return encoding


def read_csv(source: CsvSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document a row; files sorted by name, rows in their order, blank lines left out.

    Problems, besides those of `document_of`: ``bad-quotes``, ``wrong-field-count``, ``not-utf-8``, ``too-large``, and
    for a file as a whole ``bad-header``, ``truncated`` and ``empty-file`` (whatever came before a break is kept).

    Raises:
        SourceError: ``path`` names nothing, a column is missing from a header, or zstandard is not installed.
    """
    csv.field_size_limit(_LONGEST_FIELD)  # Rows are bounded by largest_document; the library's 128 KiB is too little.
    for file in files_of(source, root, source.path, ENDINGS):
        if file.problem:
            yield refused(source, file.name, b"", file.problem, file.detail or file.name)
        else:
            yield from _documents(source, file)


def _documents(source: CsvSource, file: Found) -> Iterator[Received]:
    count = 0
    try:
        with open_lines(file.path) as raw:
            rows = _Rows(source, file.name, _narrowed(raw))
            header = _header(source, file, rows)
            while header and (row := rows.following()):
                count += 1
                yield _document(source, header, row, rows)
        if not count:
            yield _whole(source, file, "empty-file", f"{file.name}: there are no rows in it.")
    except Damaged as fault:
        yield _whole(source, file, "truncated", f"{file.name}: breaks off after {count} documents ({fault}).")
    except RowProblem as fault:
        yield _whole(source, file, fault.problem, f"{file.name}: {fault}.")


def _narrowed(raw: BinaryIO) -> BinaryIO:
    """A file in UTF-16 as UTF-8; any other as it is."""
    stream = cast(Any, raw)
    with breaks():
        start = bytes(stream.peek(4)[:4])
    try:
        return cast(BinaryIO, io.BufferedReader(AsUtf8(raw), CHUNK)) if marked_codec(start) == "utf-16" else raw
    except Unreadable as fault:
        raise RowProblem(fault.problem, str(fault)) from fault


def _header(source: CsvSource, file: Found, rows: _Rows) -> list[str]:
    first = rows.following()
    if first is None:
        return []
    if first.fields is None:
        raise RowProblem("bad-header", f"its first row, which names the columns, cannot be read: {first.what}")
    header = [name.removeprefix("\ufeff").strip() for name in first.fields]
    require_columns(source, source.columns, header, file.name)
    twice = [name for name in source.columns.names() if header.count(name) > 1]
    if twice:
        raise RowProblem("bad-header", f"column {twice[0]} stands twice, so that nobody can tell which is meant")
    return header


def _document(source: CsvSource, header: list[str], row: _Row, rows: _Rows) -> Received:
    if row.fields is None:
        return rows.refused(row)
    if len(row.fields) != len(header):
        told = f"{row.place}: has {len(row.fields)} fields, and the header {len(header)}."
        return refused(source, row.place, row.data, "wrong-field-count", told)
    return document_of(source, source.columns, dict(zip(header, row.fields, strict=True)), row.place, row.data)


def _whole(source: CsvSource, file: Found, problem: str, detail: str) -> Received:
    with file.path.open("rb") as stream:
        return hashed(source, file.name, stream, problem, detail)


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: its bytes, and its fields or what is wrong; ``goes_on`` where the line is longer than is held."""

    place: str
    data: bytes
    fields: list[str] | None
    problem: str = ""
    what: str = ""
    goes_on: bool = False


class _Rows:
    """Rows of a stream, one after the other; lines of a row that came to nothing are read again, but for its first."""

    def __init__(self, source: CsvSource, name: str, stream: BinaryIO) -> None:
        self._source, self._name = source, name
        self._lines = bounded_lines(stream, source.largest_document)
        self._again: deque[tuple[int, bytes, bool]] = deque()
        tabs = {"tsv", "tab"} & set(name.lower().split(".")[-2:])
        self._delimiter = source.delimiter or ("\t" if tabs else ",")

    def following(self) -> _Row | None:
        """The next row that is not blank; None at the end."""
        while True:
            used: list[tuple[int, bytes, bool]] = []
            fields, problem, what = self._fields(used)
            if not used:
                return None
            place = f"{self._name}:{used[0][0]}"
            if fields is None:
                self._again.extendleft(reversed(used[1:]))
                return _Row(place, used[0][1], None, problem, what, used[0][2])
            if fields:
                return _Row(place, b"\n".join(piece for _, piece, _ in used), fields)

    def refused(self, row: _Row) -> Received:
        """The document for a row that cannot be read, whose line is taken to its end."""
        told = f"{row.place}: {row.what}."
        if not row.goes_on:
            return refused(self._source, row.place, row.data, row.problem, told)
        document = Hashing(self._source, row.place)
        document.feed(row.data)
        goes_on = True
        while goes_on and (line := self._line()):
            document.feed(line[1])
            goes_on = line[2]
        return document.received(*too_large(self._source, row.place))

    def _fields(self, used: list[tuple[int, bytes, bool]]) -> tuple[list[str] | None, str, str]:
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self._source.quote else csv.QUOTE_NONE
        reader = csv.reader(
            self._taken(used),
            delimiter=self._delimiter,
            quotechar=self._source.quote or None,
            quoting=quoting,
            strict=True,
        )
        try:
            return next(reader, []), "", ""
        except csv.Error as fault:
            return None, "bad-quotes", f"cannot be parted into fields ({fault})"
        except (RowProblem, Unreadable) as fault:
            return None, fault.problem, str(fault)

    def _taken(self, used: list[tuple[int, bytes, bool]]) -> Iterator[str]:
        size = 0
        while line := self._line():
            used.append(line)
            size += len(line[1])
            if size > self._source.largest_document:
                if len(used) > 1:
                    raise RowProblem("bad-quotes", "opens a quote that is not closed within largest_document bytes")
                raise RowProblem("too-large", f"larger than {self._source.largest_document} bytes")
            yield self._text(line[1]) + "\n"

    def _text(self, line: bytes) -> str:
        try:
            return decoded(line, self._source.encoding, marked=False) if self._source.encoding else line.decode()
        except UnicodeDecodeError as fault:
            raise RowProblem("not-utf-8", f"byte {fault.start} of a line in it is not UTF-8") from fault

    def _line(self) -> tuple[int, bytes, bool] | None:
        return self._again.popleft() if self._again else next(self._lines, None)
