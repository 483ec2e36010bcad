"""Read JSON lines, plain or compressed: one object a line, one line a document.

The received bytes of a document are those of its line, without the newline that ends it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from data_curation.readers.base import Hashing, SourceBase, hashed, refused, too_large
from data_curation.readers.columns import Columns, RowProblem, document_of
from data_curation.readers.folder import Found, files_of
from data_curation.readers.lines import Damaged, bounded_lines, open_lines
from data_curation.received import Received

ENDINGS = (".jsonl", ".jsonl.gz", ".jsonl.zst")


class JsonlSource(SourceBase):
    """Keys: ``path`` (a file, a folder or a pattern) and ``columns`` (which key of the object holds what)."""

    reader: Literal["jsonl"]
    path: str
    columns: Columns


def read_jsonl(source: JsonlSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document a line; files sorted by name, lines in their order, blank lines left out.

    Problems, besides those of `document_of`: ``not-json``, ``not-utf-8``, ``too-large``, and for a file as a whole
    ``truncated`` and ``empty-file`` (whatever came before a break is kept).

    Raises:
        SourceError: ``path`` names nothing, or zstandard is missing.
    """
    for file in files_of(source, root, source.path, ENDINGS):
        if file.problem:
            yield refused(source, file.name, b"", file.problem, file.detail or file.name)
        else:
            yield from _documents(source, file)


def _documents(source: JsonlSource, file: Found) -> Iterator[Received]:
    count = 0
    try:
        with open_lines(file.path) as stream:
            oversized: Hashing | None = None
            for number, piece, goes_on in bounded_lines(stream, source.largest_document):
                place = f"{file.name}:{number}"
                if goes_on or oversized:
                    oversized = oversized or Hashing(source, place)
                    oversized.feed(piece)
                    if not goes_on:
                        yield oversized.received(*too_large(source, place))
                        oversized = None
                elif piece.strip():
                    yield _document(source, place, piece)
                else:
                    continue
                count += 1
    except Damaged as fault:
        yield _whole(source, file, "truncated", f"{file.name}: breaks off after {count} documents ({fault}).")
        return
    if not count:
        yield _whole(source, file, "empty-file", f"{file.name}: there is nothing in it.")


def _whole(source: JsonlSource, file: Found, problem: str, detail: str) -> Received:
    with file.path.open("rb") as stream:
        return hashed(source, file.name, stream, problem, detail)


def _document(source: JsonlSource, place: str, line: bytes) -> Received:
    try:
        return document_of(source, source.columns, _row(line), place, line)
    except RowProblem as fault:
        return refused(source, place, line, fault.problem, f"{place}: {fault}.")


def _row(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_without_repeats)
    except UnicodeDecodeError as fault:
        raise RowProblem("not-utf-8", f"byte {fault.start} of the line is not UTF-8") from fault
    except (ValueError, RecursionError) as fault:
        what = "nested too deeply" if isinstance(fault, RecursionError) else str(fault)
        raise RowProblem("not-json", f"cannot be read as JSON ({what})") from fault
    if not isinstance(row, dict):
        raise RowProblem("not-json", "is no JSON object")
    return row


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A key given twice would be read by its last value, which could undo a withdrawal."""
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key '{next(name for name in names if names.count(name) > 1)}' stands twice")
    return row
