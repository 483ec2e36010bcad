"""Repeated word n-grams, exactly as datatrove counts them, on arrays instead of joined strings.

Every n-gram gets a 64-bit code of its characters in a few numpy operations (the code of joined words follows from those
of the words: Karp and Rabin 1987). Equal n-grams have equal codes, so that an n-gram whose code occurs once can be left
alone; only the others are joined and compared as strings. A collision of codes costs time and changes no result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from data_curation.vocabulary import BASE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from data_curation.words import Words

_BASE, _INVERSE = np.uint64(BASE), np.uint64(pow(BASE, -1, 1 << 64))
_BLANK = np.uint64(ord(" ") * BASE % (1 << 64))
_MOST_SIZES = 16
_AT_ONCE = 1 << 16
"""Words up to which the n-grams of all sizes are sorted in one call; beyond, one size at a time to spare memory."""


class Grams:
    """The n-grams of the words of one text; figures are in characters of the words (and blanks, where told).

    ``sizes`` are those n whose duplicates will be asked for, best in a row. ``parted`` tells that no word holds a
    blank, as in our own split: then an n-gram joined by blanks occurs no more often than its first words do.
    """

    def __init__(self, words: Words, sizes: Sequence[int] = (), parted: bool = True) -> None:
        self._found = words.found
        self._numbers = words.numbers
        self._ends = _summed(words.lengths)
        self._word = int(words.lengths.max()) if len(words) else 0
        self._sums: tuple[NDArray[np.uint64], NDArray[np.uint64]] | None = None
        self._sizes = range(min(sizes), max(sizes) + 1) if sizes else range(0)
        self._parted = parted
        self._repeats: dict[int, Repeats] = {}

    def top_above(self, limits: dict[int, float]) -> Iterator[tuple[int, int]]:
        """Yield (n, `top_characters`) for each n of ``limits`` where it may be ``limits[n]`` or more, in order of n."""
        sizes = [n for n in sorted(limits) if n <= len(self._found)]
        longest = self._longest(sizes[-1]) if sizes else 0
        least = {n: max(1, int(limits[n] / (min(longest, n * self._word) + n - 1))) for n in sizes}
        codes = _Blanks(*self._numbers[:2])
        for n in sizes:
            ordered, times = np.sort(codes.of(n)), least.pop(n)
            if _has_run(ordered, times) and _has_run(ordered, self._least(n, limits[n])):
                yield n, self.top_characters(n)
            if self._parted and least and not _has_run(ordered, min(least.values())):
                return

    def _least(self, n: int, limit: float) -> int:
        """How often an n-gram must occur at least for `top_characters` to reach ``limit``."""
        return max(1, int(limit / (self._longest(n) + n - 1)))

    def top_characters(self, n: int) -> int:
        """Return length times count of the most frequent n-gram, joined by blanks; the first of those as frequent.

        0 where there is no n-gram. Source: Rae et al. 2021, table A1, "top n-gram character fraction", as datatrove's
        ``find_top_duplicate``.
        """
        if n > len(self._found):
            return 0
        positions = Repeats.each(_Blanks(*self._numbers[:2]).of(n)[None])[0].all_positions()
        grams = Counter([" ".join(self._found[at : at + n]) for at in positions])
        gram, times = grams.most_common(1)[0] if grams else ("", 0)
        return times * len(gram) if times > 1 else len(" ".join(self._found[:n]))

    def duplicate_characters(self, n: int, limit: float = -1.0) -> int:
        """Return the characters in n-grams that occurred before, joined without blanks, each character counted once.

        Read from the left; a repeated n-gram is counted and skipped as a whole. 0 also where the figure is surely less
        than ``limit``, which is quicker to tell. Source: Rae et al. 2021, table A1, "duplicate n-gram character
        fraction", as datatrove's ``find_all_duplicate``.
        """
        if n >= len(self._found):
            return 0
        repeats = self._repeats_of(n)
        if not repeats.count or repeats.count * n * self._word < limit or self._covered(n) < limit:
            return 0
        return self._greedy(n)

    def repeated_share(self, n: int) -> float:
        """Return the share of n-grams that occurred before; 0 where there is none."""
        return self._repeats_of(n).count / (len(self._found) - n + 1) if n < len(self._found) else 0.0

    def _longest(self, n: int) -> int:
        """Characters of the longest n-gram without blanks; there must be one."""
        return int((self._ends[n:] - self._ends[:-n]).max())

    def _covered(self, n: int) -> int:
        """Characters of all words in n-grams that may repeat an earlier one."""
        starts = np.sort(self._repeats_of(n).later())
        ends = starts + n
        np.minimum(ends[:-1], starts[1:], out=ends[:-1])
        return int((self._ends[ends] - self._ends[starts]).sum())

    def _greedy(self, n: int) -> int:
        seen: set[str] = set()
        characters = free = 0
        for at in self._repeats_of(n).all_positions():
            if at < free:
                continue
            gram = "".join(self._found[at : at + n])
            if gram in seen:
                characters += len(gram)
                free = at + n
            else:
                seen.add(gram)
        return characters

    def _repeats_of(self, n: int) -> Repeats:
        if n not in self._repeats:
            alone = n not in self._sizes or len(self._found) > _AT_ONCE or len(self._sizes) > _MOST_SIZES
            together = range(n, n + 1) if alone else self._sizes[: len(self._found) - self._sizes[0]]
            self._repeats.update(zip(together, Repeats.each(self._codes(together)), strict=True))
        return self._repeats[n]

    def _codes(self, sizes: range) -> NDArray[np.uint64]:
        """Codes of the n-grams joined without blanks, shape (sizes, words - least size + 1).

        What stands in a row after its last n-gram is the code of no text, and different each time.
        """
        self._sums = sums, back = self._sums or _shifted(*self._numbers)
        count, beyond = len(back) - sizes[0] + 1, len(sizes) - 1
        padded = np.concatenate([sums, np.cumsum(np.full(beyond, _INVERSE))]) if beyond else sums
        shape, strides = (len(sizes), count), (padded.itemsize, padded.itemsize)
        later = np.ndarray(shape, np.uint64, padded, sizes[0] * padded.itemsize, strides)
        codes: NDArray[np.uint64] = later - sums[:count]
        codes *= back[:count]
        return codes


class _Blanks:
    """Codes of n-grams with a blank after each word, shape (words - n + 1,), each n from the one before."""

    def __init__(self, codes: NDArray[np.uint64], powers: NDArray[np.uint64]) -> None:
        self._codes, self._powers = codes + powers * _BLANK, powers * _BASE
        self._joined, self._n = self._codes, 1

    def of(self, n: int) -> NDArray[np.uint64]:
        """Return the codes; ``n`` may not fall from call to call."""
        for size in range(self._n, n):
            self._joined = (
                self._codes[: len(self._joined) - 1] + self._powers[: len(self._joined) - 1] * self._joined[1:]
            )
            self._n = size + 1
        return self._joined


class Repeats:
    """Which positions of a row of codes hold a code that an earlier position holds, and how many (``count``)."""

    def __init__(self, keys: NDArray[np.uint64], same: NDArray[np.bool_], low: np.uint64, count: int) -> None:
        self._keys, self._same, self._low = keys, same, low
        self.count = count

    @classmethod
    def each(cls, codes: NDArray[np.uint64]) -> list[Repeats]:
        """Return those of each row of ``codes``, uint64 of shape (rows, positions), which is written over.

        The lowest bits of a code make way for the position, so that one sort gives both.
        """
        size = codes.shape[1]
        low = np.uint64((1 << size.bit_length()) - 1)
        codes &= ~low
        codes |= np.arange(size, dtype=np.uint64)
        codes.sort(axis=1)
        same = (codes[:, 1:] ^ codes[:, :-1]) <= low
        counts = np.add.reduce(same, axis=1, dtype=np.intp).tolist()
        return [cls(codes[at], same[at], low, count) for at, count in enumerate(counts)]

    def later(self) -> NDArray[np.int64]:
        """Return the positions of all but the first of each repeated code, in no order."""
        return self._positions(self._keys[1:][self._same])

    def all_positions(self) -> list[int]:
        """Return the positions of repeated codes, the first ones too, in order."""
        marked = np.zeros(len(self._keys), bool)
        marked[self.later()] = True
        marked[self._positions(self._keys[:-1][self._same])] = True
        return list(np.flatnonzero(marked).tolist())

    def _positions(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        return (keys & self._low).astype(np.int64)


def _shifted(
    codes: NDArray[np.uint64], powers: NDArray[np.uint64], inverses: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the running sum of the codes, each shifted by the characters before it (words + 1,), and the way back."""
    up, back = np.ones((2, len(codes)), np.uint64)
    np.cumprod(powers[:-1], out=up[1:])
    np.cumprod(inverses[:-1], out=back[1:])
    up *= codes
    return _summed(up), back


def _summed(values: NDArray[Any]) -> NDArray[Any]:
    """Return the sum of all values before each position, and of all: shape (values + 1,)."""
    sums = np.zeros(len(values) + 1, values.dtype)
    np.cumsum(values, out=sums[1:])
    return sums


def _has_run(ordered: NDArray[np.uint64], length: int) -> bool:
    """Whether some value occurs at least ``length`` times."""
    reach = length - 1
    return len(ordered) > reach and bool((ordered[reach:] == ordered[: len(ordered) - reach]).any())
