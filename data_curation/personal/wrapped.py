"""Values that a line end breaks in two: a second, small search where a line ends and the next begins like a number.

Only what reaches over the end of a line is taken, so that two rows of a table stay two numbers where each of them is
one; the checksum or the numbering plan has to agree with the whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from data_curation.personal.found import Found

Finder = Callable[[str, str], Iterator[Found]]
"""From text and language to what was found, in any order."""

_BREAK = re.compile(r"\n(?:(?<=[0-9A-Z)]\n)|(?<=[0-9)][ ./-]\n))(?=[ (]?[0-9A-Z])")
_DIGIT_NEAR = re.compile(r"[0-9]")
_BEFORE, _AFTER = 170, 140
"""Characters around a line end: the longest value, and the reach of a word before and after it."""
_CLOSE = 6


def find_wrapped(text: str, language: str, finders: list[Finder]) -> Iterator[Found]:
    """Find values in which a line ends, at places of ``text``."""
    for start, end, breaks in _parts(text):
        part = list(text[start:end])
        for each in breaks:
            part[each - start] = " "
        joined = "".join(part)
        for finder in finders:
            for found in finder(joined, language):
                first, last = found.start + start, found.end + start
                if text.count("\n", first, last) == 1:
                    yield Found(found.kind, first, last, found.rule)


def _parts(text: str) -> Iterator[tuple[int, int, list[int]]]:
    """Yield parts of a text and the ends of lines in each that a value may reach over; parts do not overlap."""
    breaks = list[int]()
    for match in _BREAK.finditer(text):
        at = match.start()
        if not _DIGIT_NEAR.search(text, max(0, at - _CLOSE), at + _CLOSE):
            continue
        if breaks and at - breaks[-1] > _BEFORE + _AFTER:
            yield _part(text, breaks)
            breaks = []
        breaks.append(at)
    if breaks:
        yield _part(text, breaks)


def _part(text: str, breaks: list[int]) -> tuple[int, int, list[int]]:
    return max(0, breaks[0] - _BEFORE), min(len(text), breaks[-1] + _AFTER), breaks
