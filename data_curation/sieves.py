"""Look numbers and digests up among known ones, where nearly all that is asked about is not among them.

A *sieve* is a table small enough to stay near the processor that lets all that is known pass and little else; a search
in what is known, which waits for memory at every turn, is needed for the few that pass only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from data_curation.minhash import mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.int64]

_MOST_SLOTS: Final = 24  # as a power of two: one sieve is never larger than 16 MiB
_BITS = np.left_shift(1, np.arange(8)).astype(np.uint8)


class Sieve:
    """A bit for each value of the leading bits of numbers that are spread evenly: lets all known pass, few others."""

    def __init__(self, known: NDArray[np.uint64]) -> None:
        slots = min(_MOST_SLOTS, max(10, (32 * len(known)).bit_length()))
        self._shift = np.uint64(64 - slots)
        self._table = np.zeros(1 << slots, dtype=np.uint8)
        np.bitwise_or.at(self._table, (known >> self._shift).astype(np.int64), self._bit(known))

    def _bit(self, numbers: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """Which of its slot's eight bits a number has: the three below those that number the slot."""
        return _BITS[((numbers >> (self._shift - np.uint64(3))) & np.uint64(7)).astype(np.int64)]

    def passes(self, numbers: NDArray[np.uint64]) -> Places:
        """The places of those that may be known."""
        slots = self._table[(numbers >> self._shift).view(np.int64)]
        taken: Places = np.flatnonzero(slots)
        known: NDArray[np.bool_] = (slots[taken] & self._bit(numbers[taken])) != 0
        return taken[known]


class Digests:
    """Digests of 32 bytes, found again among any number of others; ``places`` are those in the array given.

    They come as 32 bytes each, shape (documents,), or as four big-endian numbers each, shape (documents, 4).
    """

    def __init__(self, digests: NDArray[Any]) -> None:
        # The first of equal ones, as unique gives it.
        self._sorted, self._first = np.unique(as_bytes(digests), return_index=True)
        self._sieve = Sieve(_heads(self._sorted))

    def __len__(self) -> int:
        return len(self._sorted)

    def places_of(self, digests: NDArray[Any]) -> Places:
        """The place of every one of ``digests`` among those known, -1 where it is none of them."""
        places = np.full(len(digests), -1, dtype=np.int64)
        passed = self._sieve.passes(_heads(digests))
        asked = as_bytes(digests[passed])
        at = np.searchsorted(self._sorted, asked)
        inside = np.flatnonzero(at < len(self._sorted))
        known = inside[self._sorted[at[inside]] == asked[inside]]
        places[passed[known]] = self._first[at[known]]
        return places


def as_bytes(digests: NDArray[Any]) -> NDArray[np.bytes_]:
    """Digests as 32 bytes each, shape (documents,)."""
    if digests.ndim == 1:
        return digests
    return np.ascontiguousarray(digests, dtype=">u8").view("S32").reshape(-1)


def _heads(digests: NDArray[Any]) -> NDArray[np.uint64]:
    numbers = digests.view(">u8").reshape(-1, 4) if digests.ndim == 1 else digests
    return mixed(numbers[:, 0].astype(np.uint64))
