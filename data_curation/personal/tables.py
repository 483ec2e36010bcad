"""Heads of columns: in a table the word that tells what a number is stands at the top, not beside the number.

A table is a block of lines with the same number of the same sign (``|``, tab or semicolon); its first line is the head.
"""

from __future__ import annotations

from functools import lru_cache

_SIGNS = "|\t;"
_WIDEST, _MOST_ROWS = 400, 25
"""Characters of a line and rows below the head; so that a look at one value takes a bounded time."""


@lru_cache(maxsize=64)
def column_head(text: str, at: int) -> tuple[int, int] | None:
    """Return the place of the head of the column in which ``at`` stands, None where there is no table above it."""
    first = _line_start(text, at)
    sign = _sign(text, first) if first is not None else None
    if first is None or sign is None:
        return None
    head = _head(text, first, sign)
    return _cell(text, head, sign, text.count(sign, first, at)) if head < first else None


def _line_start(text: str, at: int) -> int | None:
    """Return where the line of ``at`` begins, None where that is too far."""
    start = text.rfind("\n", max(0, at - _WIDEST), at) + 1
    return None if not start and at > _WIDEST else start


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start, start + _WIDEST)
    return end if end >= 0 else min(len(text), start + _WIDEST)


def _sign(text: str, first: int) -> str | None:
    last = _line_end(text, first)
    return next((sign for sign in _SIGNS if text.find(sign, first, last) >= 0), None)


@lru_cache(maxsize=64)
def _head(text: str, first: int, sign: str) -> int:
    """Return where the first line of the table begins that has a row at ``first``."""
    count, head = text.count(sign, first, _line_end(text, first)), first
    for _ in range(_MOST_ROWS):
        above = _line_start(text, head - 1) if head else None
        if above is None or text.count(sign, above, head - 1) != count:
            break
        head = above
    return head


def _cell(text: str, first: int, sign: str, column: int) -> tuple[int, int]:
    start, last = first, _line_end(text, first)
    for _ in range(column):
        start = text.find(sign, start, last) + 1
    end = text.find(sign, start, last)
    return start, end if end >= 0 else last
