"""Words near a value that make it personal data; looked for only around a value that passed its own check."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache

from data_curation.personal.found import in_placeholder
from data_curation.personal.tables import column_head

_LONGEST_WORD = 50
_SHORT = 2
_DIRECTLY = 12
_ARTICLE = r"[^\w\n]{0,3}\n?(?:[^\W\d_]{1,3}[^\w\n]{1,2})?\Z"
_BRACKET = re.compile(r"\s?[(\[]\s?")
_LONGEST_CELL = 80


class ContextWords:
    """A set of words, any of which must stand within reach of a value.

    Whole words in capitals or small letters; ``*`` stands for further letters. A word of one or two letters ("nn",
    "f.") counts only directly before the value or an article, directly after it in brackets, or in the head of its
    column of a table, for such letters are everywhere.
    """

    def __init__(self, words: Iterable[str], reach: int) -> None:
        every = tuple(dict.fromkeys(word.lower().rstrip(".") for word in words))
        long = [word for word in every if _letters(word) > _SHORT]
        self._reach = reach
        self._pieces = _fewest(_longest_piece(word) for word in long)
        self._text, self._starts = "", list[int]()
        self._long = _pattern(long, "")
        short = [word for word in every if _letters(word) <= _SHORT]
        self._short = _pattern(short, _ARTICLE)
        self._any = _pattern([*long, *short], "")
        self._short_pieces = tuple(before + word + after for word in short for before in " (\n" for after in " .:(")

    def near(self, text: str, start: int, end: int) -> bool:
        """Say whether a word stands within reach before ``start`` or after ``end``, or at the head of the column."""
        return self.before(text, start) or self.after(text, end) or self.labels(text, start, end)

    def labels(self, text: str, start: int, end: int) -> bool:
        """Say whether a word is the head of the column of ``start``, or stands in brackets directly after ``end``."""
        return self._in_brackets(text, end) or self._at_head(text, start)

    def _in_brackets(self, text: str, end: int) -> bool:
        bracket = _BRACKET.match(text, end)
        return bracket is not None and self._any.match(text, bracket.end()) is not None

    def _at_head(self, text: str, start: int) -> bool:
        cell = column_head(text, start)
        if cell is None or cell[1] - cell[0] > _LONGEST_CELL:
            return False
        return any(True for _ in _real(self._any, text, *cell))

    def before(self, text: str, start: int, floor: int = 0) -> bool:
        """Say whether a word stands within reach before ``start`` and not before ``floor``."""
        first = max(floor, start - self._reach - _LONGEST_WORD)
        if any(start - end <= self._reach for _, end in self._places(text, first, start)):
            return True
        return any(True for _ in _real(self._short, text, max(floor, start - _DIRECTLY), start))

    def after(self, text: str, end: int, stop: int = -1) -> bool:
        """Say whether a word of more than two letters stands within reach after ``end``, and not behind ``stop``."""
        last = end + self._reach + _LONGEST_WORD
        last = last if stop < 0 else min(last, stop)
        return any(start - end <= self._reach for start, _ in self._places(text, end, last))

    def any_in(self, text: str, start: int, end: int) -> bool:
        """Say, quickly and at times wrongly, whether a word stands within reach before ``start`` or up to ``end``."""
        if self._text is not text:
            self._text, self._starts = text, sorted(_starts(text, self._pieces))
        at = bisect_left(self._starts, start - self._reach - _LONGEST_WORD)
        return at < len(self._starts) and self._starts[at] < end

    def possible(self, text: str, start: int, end: int) -> bool:
        """Say, quickly and at times wrongly, whether a word stands near; never wrongly that there is none."""
        # Here a look at the surroundings is faster than a list for the whole text: a rule asks but seldom.
        far = self._reach + _LONGEST_WORD
        window = _lowered(text)[max(0, start - far) : end + far]
        for piece in self._pieces:
            if piece in window:
                return True
        if self.labels(text, start, end):
            return True
        return bool(self._short_pieces) and self._short.search(text, max(0, start - _DIRECTLY), start) is not None

    def _places(self, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        # Most values have no word near: a list of where words may begin in a text is many times as fast as the pattern.
        if self.any_in(text, max(0, start) + self._reach + _LONGEST_WORD, end):
            yield from _real(self._long, text, max(0, start), min(len(text), end))


def _letters(word: str) -> int:
    return sum(map(str.isalpha, word)) + ("*" in word)


@lru_cache(maxsize=2)
def _lowered(text: str) -> str:
    """The text in small letters, of the same length (İ alone would become two characters)."""
    return text.replace("İ", "I").lower()


def _starts(text: str, pieces: Iterable[str]) -> Iterator[int]:
    lowered = _lowered(text)
    for piece in pieces:
        at = lowered.find(piece)
        while at >= 0:
            yield at
            at = lowered.find(piece, at + 1)


def _longest_piece(word: str) -> str:
    """The longest piece that stands in a text as it is: of "date of birth" the rarest too."""
    return max(re.split(r"[* ]+", word), key=len)


def _fewest(pieces: Iterable[str]) -> tuple[str, ...]:
    """Leave out each piece that contains another: where it is found, the other is."""
    kept = list[str]()
    for piece in sorted(set(pieces), key=lambda piece: (len(piece), piece)):
        if not any(each in piece for each in kept):
            kept.append(piece)
    return tuple(kept)


def _pattern(words: list[str], tail: str) -> re.Pattern[str]:
    if not words:
        return re.compile(r"(?!)")
    # Longest first, so that a match reaches as near to the value as it can.
    alternatives = "|".join(map(_alternative, sorted(words, key=lambda word: (-len(word), word))))
    return re.compile(rf"(?<![^\W\d_])(?:{alternatives})(?![^\W\d_]){tail}", re.IGNORECASE)


def _alternative(word: str) -> str:
    return re.escape(word).replace(r"\*", r"\w{0,20}").replace(r"\ ", r"[\s-]{1,2}")


def _real(pattern: re.Pattern[str], text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    return (each.span() for each in pattern.finditer(text, start, end) if not in_placeholder(text, *each.span()))
