"""Where words, sentences and paragraphs stand in a text, found for all characters at once instead of one by one.

A *unit* is the least that is ever cut, so that no half sentence stays behind:

* paragraphs are parted by blank lines, and a paragraph's end ends a unit;
* within a line, a sentence ends in ``!``, ``?``, ``…``, or in a full stop after five letters or digits or more, and the
  next one starts with a capital. ``z. B.``, ``Art. 5``, ``bzw.`` and ``Prof. Dr.`` end nothing; what is missed makes
  a unit longer, so that less is cut, never half;
* a line end parts units after a sentence end, a colon or a semicolon, before a bullet or other mark, and after a short
  line (a heading, a verse, a cell), but never before a small letter. A long line without such an end is taken for
  one that an editor broke.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from data_curation.words import every_character

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.int64]
    Marks = NDArray[np.bool_]

_WORD, _SPACE, _SMALL, _CAPITAL, _END, _STOP, _HALF, _AFTER, _BEFORE = (np.uint16(1 << bit) for bit in range(9))
_WORDS = re.compile("[\\w\u0300-\u036f\u00ad]+")  # as data_curation.words
_WITH_CASE = 0x1F000  # no script has capitals above
GAP = "\n\n"
"""Put between texts, it keeps words, units and paragraphs of one from those of the other."""

_LETTERS_BEFORE_STOP = 5
_SHORT_LINE = 60


@dataclass(frozen=True, slots=True)
class Layout:
    """Places in characters of one text; all arrays int64.

    ``words`` (words, 2) and ``units`` (units, 2) hold start and end, ``paragraphs`` (paragraphs + 1,) the number of
    each paragraph's first unit, with the count of units at the end.
    """

    words: NDArray[np.int64]
    units: NDArray[np.int64]
    paragraphs: NDArray[np.int64]

    @classmethod
    def of(cls, text: str) -> Layout:
        """Find them; a text of white space has none."""
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
        kinds = _table()[codes]
        words = _runs((kinds & _WORD) != 0)
        tokens = _runs((kinds & _SPACE) == 0)
        if not len(tokens):
            return cls(words, tokens, np.zeros(1, np.int64))
        lines = np.flatnonzero(codes == ord("\n"))
        blank, starts = _boundaries(kinds, tokens, lines)
        first = np.flatnonzero(starts)
        units = np.column_stack([tokens[first, 0], tokens[np.append(first[1:], len(tokens)) - 1, 1]])
        return cls(words, units, np.append(np.flatnonzero(blank[first]), len(first)))

    @classmethod
    def of_many(cls, texts: Sequence[str]) -> list[Layout]:
        """The layout of each text, all found at once: short texts by themselves cost several times as much."""
        whole = cls.of(GAP.join(texts))
        starts = np.cumsum([0, *(len(text) + len(GAP) for text in texts)])
        words = np.searchsorted(whole.words[:, 0], starts).tolist()
        units = np.searchsorted(whole.units[:, 0], starts).tolist()
        paragraphs = np.searchsorted(whole.paragraphs[:-1], units).tolist()
        found = []
        for at, start in enumerate(starts[:-1].tolist()):
            first, end = units[at : at + 2]
            own = np.append(whole.paragraphs[paragraphs[at] : paragraphs[at + 1]], end) - first
            found.append(cls(whole.words[words[at] : words[at + 1]] - start, whole.units[first:end] - start, own))
        return found

    def unit_words(self) -> NDArray[np.int64]:
        """First word and end (exclusive) of each unit, shape (units, 2)."""
        return np.searchsorted(self.words[:, 0], self.units)

    def paragraph_words(self) -> NDArray[np.int64]:
        """How many words each paragraph has, shape (paragraphs,)."""
        first = self.unit_words()[self.paragraphs[:-1], 0]
        counts: NDArray[np.int64] = np.diff(np.append(first, len(self.words)))
        return counts

    def paragraph_spans(self) -> NDArray[np.int64]:
        """Start and end of each paragraph in characters, shape (paragraphs, 2)."""
        first, end = self.paragraphs[:-1], self.paragraphs[1:]
        return np.column_stack([self.units[first, 0], self.units[end - 1, 1]])


def _runs(inside: Marks) -> Places:
    """Start and end of each run of True, shape (runs, 2)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).view(np.int8)))
    return edges.reshape(-1, 2).astype(np.int64, copy=False)


def _boundaries(kinds: NDArray[np.uint16], tokens: Places, lines: Places) -> tuple[Marks, Marks]:
    """Which tokens (parts between white space) start a paragraph, and which a unit."""
    before, after = tokens[:-1], tokens[1:]
    passed = np.searchsorted(lines, after[:, 0])
    line_ends = passed - np.searchsorted(lines, before[:, 1])
    head = kinds[_skip(kinds, after[:, 0], after[:, 1] - 1, _BEFORE, 1)]
    last = _skip(kinds, before[:, 1] - 1, before[:, 0], _AFTER, -1)
    tail = kinds[last]
    sentence = ((tail & _END) != 0) | (((tail & _STOP) != 0) & _long_word_before(kinds, last))
    blank = line_ends >= 2
    within = (line_ends == 0) & sentence & ((head & _CAPITAL) != 0)
    line = (line_ends == 1) & ((head & _SMALL) == 0) & (
        sentence | _closed(kinds, last) | ((head & _WORD) == 0) | _short(lines, before[:, 1])
    )  # fmt: skip
    return np.append(True, blank), np.append(True, blank | within | line)


def _skip(kinds: NDArray[np.uint16], at: Places, limit: Places, kind: np.uint16, step: int) -> Places:
    """Go past up to three quotation marks or brackets, not beyond ``limit``."""
    at = at.copy()
    for _ in range(3):
        at += step * (((kinds[at] & kind) != 0) & (at != limit))
    return at


def _long_word_before(kinds: NDArray[np.uint16], at: Places) -> Marks:
    enough = at >= _LETTERS_BEFORE_STOP
    for back in range(1, _LETTERS_BEFORE_STOP + 1):
        enough &= (kinds[np.maximum(at - back, 0)] & _WORD) != 0
    return enough


def _closed(kinds: NDArray[np.uint16], last: Places) -> Marks:
    """Whether a line ends in a full stop, colon or semicolon: at its end even an abbreviation's stop counts."""
    closed: Marks = (kinds[last] & (_STOP | _HALF)) != 0
    return closed


def _short(lines: Places, ends: Places) -> Marks:
    """Whether the line that ends at ``ends`` is short."""
    number = np.searchsorted(lines, ends)
    begins = np.append(-1, lines)[number] + 1
    short: Marks = ends - begins < _SHORT_LINE
    return short


@cache
def _table() -> NDArray[np.uint16]:
    """What each code point is, as bits."""
    table = np.zeros(0x110000, np.uint16)
    everything = every_character()
    for match in _WORDS.finditer(everything):
        table[match.start() : match.end()] |= _WORD
    for match in re.finditer(r"\s+", everything):
        table[match.start() : match.end()] |= _SPACE
    small, upper, title = (
        np.fromiter(map(test, everything[:_WITH_CASE]), np.bool_, _WITH_CASE)
        for test in (str.islower, str.isupper, str.istitle)
    )
    table[:_WITH_CASE][small] |= _SMALL
    table[:_WITH_CASE][~small & (upper | title)] |= _CAPITAL
    for marks, kind in (("!?…", _END), (".", _STOP), (":;", _HALF), ("\"'”»’)]“", _AFTER), ("\"'„“«‘([»¿¡", _BEFORE)):
        for mark in marks:
            table[ord(mark)] |= kind
    return table
