"""What is known about each word as written, worked out once a process: natural language repeats its words.

Looking a word up costs 40 ns; hashing it and asking each of its characters costs two microseconds. Everything kept is a
pure function of the word, so that the memory changes the speed and never a result. It is bounded: a full vocabulary is
left behind for a new one between two texts.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import xxhash
from datatrove.utils.text import PUNCTUATION_SET

if TYPE_CHECKING:
    from numpy.typing import NDArray

LETTER: Final = 1
"""Flag of a word with at least one letter."""
VISIBLE: Final = 2
"""Flag of a word with at least one character that is no punctuation in datatrove's sense."""
FILLER: Final = 4
"""Flag of a word in which "ipsum" occurs, in any case."""
BASE: Final = 0x9E3779B97F4A7C15
"""Base of `code`: odd, so that no power of it is zero modulo 2^64 (the golden ratio's digits, as in Knuth 6.4)."""

_INVERSE: Final = pow(BASE, -1, 1 << 64)
_MOST_WORDS = 1 << 18
_FEW = 1 << 12
"""Powers that are kept: no more are needed for the new words of a text of usual length."""


class Vocabulary(dict[str, int]):
    """Words and their rows in six columns of facts, each of shape (capacity,).

    ``hashes`` (uint64) XXH3-64 of the lower case; ``codes`` (uint64) the characters as digits of a number in `BASE`
    modulo 2^64, times `BASE` once more (else words that differ in one character would differ in low bits alone);
    ``powers`` and ``inverses`` (uint64) `BASE` to the word's length and one divided by it,
    by which the code of joined words follows from those of the words (Karp and Rabin 1987); ``lengths`` (int64)
    characters; ``flags`` (uint8).
    """

    def __init__(self, capacity: int = 1 << 12) -> None:
        super().__init__()
        self._new: list[str] = []
        self.hashes, self.codes, self.powers, self.inverses = (np.zeros(capacity, np.uint64) for _ in range(4))
        self.lengths, self.flags = np.zeros(capacity, np.int64), np.zeros(capacity, np.uint8)

    def rows(self, words: Sequence[str]) -> NDArray[np.intp]:
        """Return the row of each word, shape (words,); the columns then hold it."""
        rows = np.fromiter(map(self.__getitem__, words), np.intp, len(words))
        if self._new:
            self._learn()
        return rows

    def __missing__(self, word: str) -> int:
        row = self[word] = len(self)
        self._new.append(word)
        return row

    def _learn(self) -> None:
        new, stop = self._new, len(self)
        if stop > len(self.flags):
            self._grow(stop)
        here = slice(stop - len(new), stop)
        lowered = [word.lower() for word in new]
        self.hashes[here] = np.fromiter(map(_hash, lowered), np.uint64, len(new))
        self.flags[here] = np.fromiter(map(_flags, new, lowered), np.uint8, len(new))
        self.lengths[here] = np.fromiter(map(len, new), np.int64, len(new))
        self.codes[here], self.powers[here], self.inverses[here] = _codes(new, self.lengths[here])
        self._new = []

    def _grow(self, least: int) -> None:
        more = max(2 * len(self.flags), least)
        for name in ("hashes", "codes", "powers", "inverses", "lengths", "flags"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros(more - len(column), column.dtype)]))


def _hash(lowered: str) -> int:
    try:
        return xxhash.xxh3_64_intdigest(lowered)
    except UnicodeEncodeError:  # a lone surrogate, as JSON may carry it
        return xxhash.xxh3_64_intdigest(lowered.encode("utf-8", "surrogatepass"))


def _flags(word: str, lowered: str) -> int:
    letter = word.isalpha() or any(map(str.isalpha, word))
    visible = not PUNCTUATION_SET.issuperset(word)
    return LETTER * letter | VISIBLE * visible | FILLER * ("ipsum" in lowered)


def _codes(words: Sequence[str], lengths: NDArray[np.int64]) -> tuple[NDArray[np.uint64], ...]:
    """Codes, powers and inverses of ``words``, all at once: differences of one running sum over their characters."""
    characters = np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    up, down = (_powers(base, len(characters) + 1) for base in (BASE, _INVERSE))
    sums = np.zeros(len(characters) + 1, np.uint64)
    np.cumsum(characters * up[1:], out=sums[1:])
    ends = np.cumsum(lengths)
    starts = ends - lengths
    return (sums[ends] - sums[starts]) * down[starts], up[lengths], down[lengths]


def _powers(base: int, count: int) -> NDArray[np.uint64]:
    return _first_powers(base)[:count] if count <= _FEW else _made_powers(base, count)


@cache
def _first_powers(base: int) -> NDArray[np.uint64]:
    return _made_powers(base, _FEW)


def _made_powers(base: int, count: int) -> NDArray[np.uint64]:
    factors = np.full(count, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors)


_memory = threading.local()


def vocabulary() -> Vocabulary:
    """Return this thread's vocabulary; one that is full is left to the texts that use it, and a new one begun."""
    known: Vocabulary | None = getattr(_memory, "vocabulary", None)
    if known is None or len(known) > _MOST_WORDS:
        known = _memory.vocabulary = Vocabulary()
    return known
