"""Which documents a vocabulary is learnt from: a whole number of bytes of each language, drawn by digest.

A document's *priority* is the first 8 bytes of SHA-256 over ``herkomst-vocabulary-v1``, NUL, the seed in decimal, NUL
and its id, read as a big-endian number. Of each language the documents of lowest priority are drawn until their text
holds the bytes wanted, so a draw is stated by one number a language, the last priority drawn, and anybody who has the
ids can repeat it. A larger draw contains every smaller one.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_curation.streams import StreamInfo, read_streams
from licensing.merkle import TreeBuilder, leaf_hash

SAMPLED_IDS = "sampled-documents.bin"
"""The ids drawn, 32 bytes each and ascending, beside the tokenizer."""

# Decimal arithmetic is the same on every machine; the power function of a C library is not, in the last bit.
ARITHMETIC = Context(prec=30)
_NONE = -1

Priorities = NDArray[np.uint64]
Sizes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Draw:
    """What is drawn of one language; sizes in bytes of text.

    All ``available`` text is read ``whole`` times, and documents of priority up to ``last`` (-1 for none) once more;
    ``documents`` counts the different ones.
    """

    available: int
    wanted: int
    whole: int
    last: int
    documents: int
    bytes: int

    def times(self, priority: int) -> int:
        """How often a document of this priority is read."""
        return self.whole + (priority <= self.last)

    def values(self) -> dict[str, Any]:
        """The draw as it is signed."""
        last = None if self.last == _NONE else f"{self.last:016x}"
        names = ("available", "wanted", "whole", "documents", "bytes")
        return {name: getattr(self, name) for name in names} | {"last": last}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Draw:
        """The draw that `values` stated."""
        last = _NONE if values["last"] is None else int(values["last"], 16)
        return cls(**{**values, "last": last})


def priority(document: str, seed: int) -> int:
    """The priority of a document id, 0 to 2**64 - 1."""
    return int.from_bytes(hashlib.sha256(f"herkomst-vocabulary-v1\0{seed}\0{document}".encode()).digest()[:8], "big")


def training_streams(corpus: Path) -> list[StreamInfo]:
    """The streams that a vocabulary may be learnt from; held-out text is never among them."""
    return [stream for stream in read_streams(corpus) if stream.use == "train"]


# --- how many bytes of each language


def wanted_bytes(
    sizes: Mapping[str, int],
    total: int,
    temperature: float,
    weights: Mapping[str, Decimal] | None = None,
    most_repeats: int = 1,
) -> dict[str, int]:
    """Share ``total`` bytes out by size ** temperature times weight, in whole bytes, at most the size times repeats.

    Exact arithmetic: every machine shares alike. What a language cannot take goes to the others.
    """
    power = Decimal(repr(float(temperature)))
    shares = {
        name: Fraction(ARITHMETIC.power(Decimal(size), power)) * Fraction((weights or {}).get(name, Decimal(1)))
        for name, size in sizes.items()
        if size
    }
    wanted: dict[str, int] = {}
    while left := shares.keys() - wanted.keys():
        rest, whole = total - sum(wanted.values()), sum(shares[name] for name in left)
        quota = {name: rest * shares[name] / whole for name in sorted(left)}
        full = {name: sizes[name] * most_repeats for name in quota if quota[name] >= sizes[name] * most_repeats}
        wanted |= full or {name: int(share) for name, share in quota.items()}
    return dict(sorted(wanted.items()))


# --- which documents


class _Candidates:
    """The documents of lowest priority of one language that together hold ``most`` bytes; what is beyond is let go."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: list[tuple[Priorities, Sizes]] = []
        self._held = self.bytes = self.documents = 0
        self.priorities: Priorities = np.zeros(0, np.uint64)
        self.ends: Sizes = np.zeros(0, np.int64)

    def add(self, priorities: Priorities, sizes: Sizes) -> None:
        self._parts.append((priorities, sizes))
        size = int(sizes.sum())
        self._held += size
        self.bytes += size
        self.documents += len(sizes)
        if self._held > 2 * self._most:
            self.settle()

    def settle(self) -> None:
        """Put what is held in order of priority and keep what may be drawn."""
        priorities = np.concatenate([part[0] for part in self._parts] or [self.priorities])
        sizes = np.concatenate([part[1] for part in self._parts] or [self.ends])
        order = np.argsort(priorities, kind="stable")
        ends = np.cumsum(sizes[order])
        keep = int(np.searchsorted(ends, self._most)) + 1
        self.priorities, self.ends = priorities[order][:keep], ends[:keep]
        self._parts = [(self.priorities, np.diff(self.ends, prepend=0))]
        self._held = int(self.ends[-1]) if len(self.ends) else 0


class Sampler:
    """Draws from the training text of a corpus; knows sizes and priorities after one pass over ids, without the texts.

    Memory: 16 bytes for each of the documents of lowest priority, of each language as many as hold ``most`` bytes.
    """

    def __init__(self, corpus: Path, seed: int, most: int) -> None:
        self._corpus, self._seed = corpus, seed
        self.streams = training_streams(corpus)
        self._known: dict[str, _Candidates] = {}
        for stream in self.streams:
            known = self._known.setdefault(stream.language, _Candidates(most))
            for ids, sizes in _sizes(corpus / stream.file):
                known.add(np.array([priority(one, seed) for one in ids], np.uint64), sizes)
        for known in self._known.values():
            known.settle()

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of training text of each language."""
        return {name: known.bytes for name, known in sorted(self._known.items())}

    def draw(self, wanted: Mapping[str, int]) -> dict[str, Draw]:
        """Resolve bytes wanted of each language to documents; the last one drawn may go beyond what was wanted."""
        return {name: self._draw(self._known[name], count) for name, count in wanted.items()}

    def _draw(self, known: _Candidates, wanted: int) -> Draw:
        whole, rest = divmod(wanted, known.bytes)
        if not rest:
            return Draw(known.bytes, wanted, whole, _NONE, known.documents if whole else 0, whole * known.bytes)
        place = int(np.searchsorted(known.ends, rest))
        documents = known.documents if whole else place + 1
        size = whole * known.bytes + int(known.ends[place])
        return Draw(known.bytes, wanted, whole, int(known.priorities[place]), documents, size)

    def texts(self, draws: Mapping[str, Draw]) -> Iterator[str]:
        """Yield the drawn texts, stream by stream in the order of ids, each as often as it is to be read."""
        for stream in self.streams:
            draw = draws.get(stream.language)
            if draw is not None:
                yield from _drawn_texts(self._corpus / stream.file, draw, self._seed)

    def ids(self, draws: Mapping[str, Draw]) -> Iterator[str]:
        """Yield the ids drawn, ascending."""
        return drawn_ids(self._corpus, self.streams, draws, self._seed)


def _sizes(path: Path) -> Iterator[tuple[list[str], Sizes]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=["id", "text_bytes"], use_threads=False):
            yield batch.column(0).to_pylist(), batch.column(1).to_numpy(zero_copy_only=False)


def _drawn_texts(path: Path, draw: Draw, seed: int) -> Iterator[str]:
    """Reads the texts of those row groups alone from which something is drawn."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            ids = file.read_row_group(group, columns=["id"]).column(0).to_pylist()
            times = [draw.times(priority(one, seed)) for one in ids]
            if any(times):
                texts = file.read_row_group(group, columns=["text"]).column(0)
                for place, count in enumerate(times):
                    for _ in range(count):
                        yield texts[place].as_py()


def drawn_ids(corpus: Path, streams: Sequence[StreamInfo], draws: Mapping[str, Draw], seed: int) -> Iterator[str]:
    """Yield the ids that ``draws`` take from streams, ascending."""
    return heapq.merge(
        *(
            _drawn_of(corpus / stream.file, draws[stream.language], seed)
            for stream in streams
            if stream.language in draws
        )
    )


def _drawn_of(path: Path, draw: Draw, seed: int) -> Iterator[str]:
    for ids, _ in _sizes(path):
        yield from (one for one in ids if draw.times(priority(one, seed)))


# --- the record of the draw


def write_ids(path: Path, ids: Iterator[str]) -> tuple[str, int]:
    """Write ids (ascending) as 32 bytes each; returns the root of the Merkle tree (RFC 9162) over them and how many."""
    tree = TreeBuilder()
    with path.open("wb") as file:
        for one in ids:
            data = bytes.fromhex(one)
            file.write(data)
            tree.add(leaf_hash(data))
    return tree.root().hex(), tree.size
