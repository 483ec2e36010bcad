"""One stream of tokens on disk: documents in the order of their ids, each followed by an end-of-document token.

Four files: ``tokens.bin`` (little-endian uint16, uint32 above 65,536 ids), ``ids.bin`` (32 bytes a document, sorted),
``ends.bin`` (uint64, the position after each document's end-of-document token) and ``bytes.bin`` (uint32, UTF-8 bytes
of each document). All are memory-mapped: opening a stream costs nothing, and a document is found by binary search.

A document that is withdrawn after training keeps its place, so that every other document keeps its own and the
training order stays what it was; its tokens are overwritten with padding. ``withdrawn-001.bin`` (uint64, rising) lists
the places that were taken out the first time, and so on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

TOKENS, IDS, ENDS, BYTES = "tokens.bin", "ids.bin", "ends.bin", "bytes.bin"
WITHDRAWN = "withdrawn-{:03d}.bin"
_EVERY_WITHDRAWN = "withdrawn-*.bin"


def token_dtype(vocabulary_size: int) -> np.dtype[Any]:
    """The narrowest type that holds every id."""
    return np.dtype("<u2" if vocabulary_size <= 1 << 16 else "<u4")


@dataclass
class StreamWriter:
    """Appends documents, which must come in the order of their ids; ``folder`` must exist."""

    folder: Path
    dtype: np.dtype[Any]
    end_of_document: int
    documents: int = 0
    tokens: int = 0
    _files: dict[str, BinaryIO] = field(default_factory=dict)
    _last: bytes = b""

    def __enter__(self) -> StreamWriter:
        self._files = {name: (self.folder / name).open("wb") for name in (TOKENS, IDS, ENDS, BYTES)}
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def add(self, document_id: str, ids: list[int], text_bytes: int) -> tuple[int, int]:
        """Append one document; returns its first token and how many tokens it has, without the end-of-document token.

        Raises:
            ValueError: the id does not come after the one before.
        """
        key = bytes.fromhex(document_id)
        if key <= self._last:
            raise ValueError(f"{self.folder}: document {document_id} is out of order; a stream stands in order of ids.")
        first = self.tokens
        self._files[TOKENS].write(np.array([*ids, self.end_of_document], dtype=self.dtype).tobytes())
        self.tokens += len(ids) + 1
        self.documents += 1
        self._files[IDS].write(key)
        self._files[ENDS].write(self.tokens.to_bytes(8, "little"))
        self._files[BYTES].write(min(text_bytes, 0xFFFFFFFF).to_bytes(4, "little"))
        self._last = key
        return first, len(ids)


class TokenStream:
    """A stream opened for reading; ``length`` is the sequence length L into which it is cut."""

    def __init__(self, folder: Path, dtype: np.dtype[Any], length: int, padding: int) -> None:
        self.folder, self.length, self.padding = folder, length, padding
        self.tokens: NDArray[Any] = _mapped(folder / TOKENS, dtype)
        self.ends: NDArray[np.uint64] = _mapped(folder / ENDS, np.dtype("<u8"))
        self.text_bytes: NDArray[np.uint32] = _mapped(folder / BYTES, np.dtype("<u4"))
        self._ids: NDArray[Any] = _mapped(folder / IDS, np.dtype("V32"))
        self.withdrawn = self.taken_out(1)

    @property
    def documents(self) -> int:
        """How many documents the stream has places for, withdrawn ones included."""
        return len(self.ends)

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of every document, shape [documents], without the end-of-document token; 0 for a withdrawn one."""
        ends: NDArray[np.int64] = np.asarray(self.ends, dtype=np.int64)
        lengths: NDArray[np.int64] = ends - np.concatenate([np.zeros(1, dtype=np.int64), ends])[:-1] - 1
        lengths[self.withdrawn.astype(np.int64)] = 0
        return lengths

    def taken_out(self, time: int) -> NDArray[np.uint64]:
        """Places of documents withdrawn the ``time``-th time (from 1) that anything was taken out, or later; rising."""
        files = sorted(self.folder.glob(_EVERY_WITHDRAWN))
        late = [np.fromfile(file, dtype="<u8") for file in files if file.name >= WITHDRAWN.format(time)]
        return np.sort(np.concatenate([np.zeros(0, dtype="<u8"), *late])).astype(np.uint64)

    def time_of(self, document: int) -> int:
        """At which taking out (from 1) a withdrawn document went; 0 for one that is there."""
        for file in sorted(self.folder.glob(_EVERY_WITHDRAWN)):
            places = np.fromfile(file, dtype="<u8")
            at = int(np.searchsorted(places, document))
            if at < len(places) and int(places[at]) == document:
                return int(file.stem.rpartition("-")[2])
        return 0

    def is_withdrawn(self, document: int) -> bool:
        """Whether the document at a place was withdrawn, so that only padding stands there."""
        at = int(np.searchsorted(self.withdrawn, document))
        return at < len(self.withdrawn) and int(self.withdrawn[at]) == document

    @property
    def sequences(self) -> int:
        """How many sequences of length L; the last one is filled up with padding."""
        return -(-len(self.tokens) // self.length)

    def id_of(self, document: int) -> str:
        """The id of the document at a place in the stream."""
        return bytes(self._ids[document].tobytes()).hex()

    def place_of(self, document_id: str) -> int | None:
        """The place of a document in the stream, or None."""
        key = bytes.fromhex(document_id)
        low, high = 0, self.documents
        while low < high:
            middle = (low + high) // 2
            if self._ids[middle].tobytes() < key:
                low = middle + 1
            else:
                high = middle
        return low if low < self.documents and self._ids[low].tobytes() == key else None

    def span(self, document: int) -> tuple[int, int]:
        """First token and the position after the last, without the end-of-document token; empty for a withdrawn one."""
        first = int(self.ends[document - 1]) if document else 0
        return first, first if self.is_withdrawn(document) else int(self.ends[document]) - 1

    def former_span(self, document: int) -> tuple[int, int]:
        """`span` as it was before a document was withdrawn."""
        return int(self.ends[document - 1]) if document else 0, int(self.ends[document]) - 1

    def sequences_of(self, document: int) -> tuple[int, int]:
        """The range of sequences that hold at least one token of the document's own."""
        first, end = self.span(document)
        return (first // self.length, -(-end // self.length)) if end > first else (0, 0)

    def sequence(self, number: int) -> NDArray[np.int64]:
        """The tokens of one sequence, shape [L]; padding at the end of the last one."""
        cut = np.asarray(self.tokens[number * self.length : (number + 1) * self.length], dtype=np.int64)
        if len(cut) < self.length:
            cut = np.concatenate([cut, np.full(self.length - len(cut), self.padding, dtype=np.int64)])
        return cut

    def documents_in(self, number: int) -> list[int]:
        """The places of the documents that have at least one token of their own in a sequence."""
        begin, end = number * self.length, min((number + 1) * self.length, len(self.tokens))
        first = int(np.searchsorted(self.ends, begin, side="right"))
        last = int(np.searchsorted(self.ends, end, side="left"))
        places = range(first, min(last, self.documents - 1) + 1)
        spans = ((place, *self.span(place)) for place in places)
        return [place for place, first, last in spans if max(first, begin) < min(last, end)]


def blank(before: TokenStream, documents: Sequence[int], time: int, out: Path) -> int:
    """Copy a stream to ``out`` with some documents withdrawn; returns how many positions became blank.

    ``documents`` are rising places, ``time`` (from 1) counts the times that anything was taken out. End-of-document
    tokens stay: each opens the document behind it. What does not change is linked, not copied.
    """
    link(before.folder, out, leave_out=(TOKENS, BYTES))
    for name in (TOKENS, BYTES):
        shutil.copyfile(before.folder / name, out / name)
    tokens = np.memmap(out / TOKENS, dtype=before.tokens.dtype, mode="r+")
    sizes = np.memmap(out / BYTES, dtype="<u4", mode="r+")
    blanked = 0
    for place in documents:
        first, end = before.former_span(place)
        tokens[first:end] = before.padding
        sizes[place] = 0
        blanked += end - first
    for written in (tokens, sizes):
        written.flush()
    np.asarray(documents, dtype="<u8").tofile(out / WITHDRAWN.format(time))
    return blanked


def link(before: Path, after: Path, leave_out: Sequence[str] = ()) -> None:
    """Make a folder ``after`` with the files of a stream, by hard links."""
    after.mkdir(parents=True)
    for path in sorted(before.iterdir()):
        if path.name not in leave_out:
            os.link(path, after / path.name)


def _mapped(path: Path, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Map a file read-only; an empty file cannot be mapped and is an empty array."""
    if path.stat().st_size == 0:
        return np.zeros(0, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r")
