"""Grouping by equal keys with bounded memory, and the components that verified pairs form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK = 1 << 20


def meetings(
    keys: Path, eligible: NDArray[np.bool_], most: int
) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
    """Yield (keys, rows) of the eligible rows whose key some other one shares; equal keys come in the same piece.

    ``keys`` is a file of little-endian 64-bit keys, evenly spread, one for each row. The space of keys is cut into
    enough ranges that about ``most`` rows are in memory at once, and the file is read once for each range. More than
    ``most`` rows with one and the same key are not cut apart.
    """
    bits = max(0, (len(eligible) - 1) // most).bit_length()
    for part in range(1 << bits):
        found = [_in_range(chunk, eligible[at : at + len(chunk)], bits, part, at) for at, chunk in _chunks(keys)]
        if found:
            shared, rows = _shared(np.concatenate([k for k, _ in found]), np.concatenate([r for _, r in found]))
            if len(rows):
                yield shared, rows


def _chunks(keys: Path) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    with keys.open("rb") as file:
        at = 0
        while len(chunk := np.fromfile(file, "<u8", _CHUNK)):
            yield at, chunk
            at += len(chunk)


def _in_range(
    chunk: NDArray[np.uint64], eligible: NDArray[np.bool_], bits: int, part: int, at: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    if bits:
        eligible = eligible & ((chunk >> np.uint64(64 - bits)) == part)
    rows = np.flatnonzero(eligible)
    return chunk[rows], rows + at


def _shared(keys: NDArray[np.uint64], rows: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    order = np.argsort(keys)
    keys = keys[order]
    same = keys[1:] == keys[:-1]
    twin = np.zeros(len(keys), np.bool_)
    twin[1:] |= same
    twin[:-1] |= same
    return keys[twin], rows[order[twin]]


Same = Callable[["NDArray[np.int64]", "NDArray[np.int64]"], "NDArray[np.bool_]"]


def alike(
    keys: NDArray[np.uint64], members: NDArray[np.int64], same: Same, most_leaders: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], int]]:
    """Yield (leaders, followers, undecided): pairs within a bucket that ``same`` confirms.

    In each bucket the smallest member leads and is compared with all others; those that are not the same as it go on
    with the next leader, ``most_leaders`` times at most. So a bucket of copies costs one comparison each, and a bucket
    of boilerplate does not cost the square of its size. ``undecided`` counts the members that no
    leader's turn came for.
    """
    order = np.lexsort((members, keys))
    keys, members = keys[order], members[order]
    for turn in range(most_leaders):
        first = np.ones(len(keys), np.bool_)
        first[1:] = keys[1:] != keys[:-1]
        leaders, followers = members[first][np.cumsum(first) - 1][~first], members[~first]
        if not len(followers):
            return
        matched = same(leaders, followers)
        keys, members = keys[~first][~matched], members[~first][~matched]
        undecided = len(keys) - len(np.unique(keys)) if turn == most_leaders - 1 else 0
        yield leaders[matched], followers[matched], undecided


class Forest:
    """Components of a growing graph; each component's root is its smallest node. 8 bytes a node."""

    def __init__(self, nodes: int) -> None:
        self._parents = np.arange(nodes, dtype=np.int64)

    def roots(self, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the root of each node, and shorten the way to it.

        Each turn halves the ways, so that a chain of n nodes takes log2(n) turns and not n.
        """
        roots = self._parents[nodes]
        while ((above := self._parents[roots]) != roots).any():
            self._parents[nodes] = above
            roots = self._parents[above]
        self._parents[nodes] = roots
        return roots

    def join(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> None:
        """Add edges between ``left`` and ``right``, pair by pair."""
        left, right = self.roots(left), self.roots(right)
        while (apart := left != right).any():
            low, high = np.minimum(left, right)[apart], np.maximum(left, right)[apart]
            np.minimum.at(self._parents, high, low)
            left, right = self.roots(low), self.roots(high)

    def lower(self) -> NDArray[np.int64]:
        """Return all nodes that are not the root of their component, in order."""
        return np.flatnonzero(self._parents != np.arange(len(self._parents)))
