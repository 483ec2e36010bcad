"""A made table of document ends, as large as one likes: where each document stops in one long stream of tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ENDS, LENGTHS, WANTED = "ends.bin", "lengths.bin", "wanted.npy"
SEQUENCE = 4096
# Tokens of a document: 1,000 in the mean, so that 10^9 documents are 244 million sequences of 4,096.
_MEAN = 1000
_BLOCK = 10_000_000


def make_table(folder: Path, documents: int) -> int:
    """Write the ends (8 bytes a document) and lengths (2 bytes); returns how many sequences there are."""
    drawn, end = np.random.default_rng(1), 0
    with (folder / ENDS).open("wb") as ends, (folder / LENGTHS).open("wb") as lengths:
        for begin in range(0, documents, _BLOCK):
            size = drawn.integers(1, 2 * _MEAN, min(_BLOCK, documents - begin), dtype=np.uint16)
            place = np.cumsum(size, dtype=np.uint64) + np.uint64(end)
            size.tofile(lengths)
            place.tofile(ends)
            end = int(place[-1])
    return -(-end // SEQUENCE)


def wanted_documents(documents: int, count: int) -> NDArray[np.int64]:
    """The places of a partner's documents, scattered over the stream as digests scatter them; rising."""
    return np.unique(np.random.default_rng(2).integers(0, documents, count))


def sequences_of(folder: Path, places: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The sequences that hold a token of these documents, each once."""
    ends = np.memmap(folder / ENDS, dtype=np.uint64, mode="r")
    last = (ends[places] - np.uint64(1)) // np.uint64(SEQUENCE)
    begin = np.where(places > 0, ends[np.maximum(places - 1, 0)], np.uint64(0)).astype(np.uint64)
    first = begin // np.uint64(SEQUENCE)
    # No document is longer than a sequence, so that it lies in one or two.
    return np.unique(np.concatenate([first, last]))


def blocks(path: Path, dtype: type[np.generic], size: int = _BLOCK) -> Iterator[NDArray[np.generic]]:
    """Read a file of numbers a block at a time."""
    with path.open("rb") as file:
        while (part := np.fromfile(file, dtype=dtype, count=size)).size:
            yield part
