"""``SPDX-License-Identifier`` lines (SPDX 2.3 annex E) at the top of a file or in the ``.license`` file beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from licensing.resolvers.values import plain, prose, statement
from licensing.rights import Declared

TOP_LINES = 20
"""Lines in which a tag is looked for: further down, a text may well quote one."""

_NAME = "SPDX-License-Identifier:"
_TOP = 16 << 10
_TAG = re.compile(r"^[^\w]*(?:rem |dnl )?SPDX-License-Identifier:[ \t]*(?P<value>[^\r\n]*)$")
_CLOSERS = re.compile(r"(?:\*/|-->|--%>|\*\)|#\}|%\}|\"\"\"|''')\s*$")
_FENCE = re.compile(r"^\s*(?:```|~~~|----)")


def tags_at_top(text: str, where: str, skipped: int = 0) -> tuple[Declared, ...]:
    """Return the tags in the first lines after ``skipped`` ones (front matter), up to a fenced example."""
    if _NAME not in text:
        return ()
    return tuple(_tags(_lines(text, skipped, TOP_LINES), where))


def side_file(data: bytes, where: str) -> tuple[Declared, ...]:
    """Return what a ``NAME.license`` file declares for ``NAME`` (REUSE 3.3); one without a tag is prose."""
    text = data[: 1 << 20].decode("utf-8", "replace")
    found = tuple(_tags(enumerate(text.splitlines(), 1), where))
    return found or (prose(text if plain(text) else "(empty licence file)", f"{where}:1"),)


def _lines(text: str, skipped: int, most: int) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(_split(text, skipped + most), 1):
        if number <= skipped:
            continue
        if _FENCE.match(line):
            return
        yield number, line


def _split(text: str, most: int) -> Iterator[str]:
    start = 0
    for _ in range(most):
        end = text.find("\n", start)
        if end < 0:
            yield text[start : start + _TOP]
            return
        yield text[start : min(end, start + _TOP)]
        start = end + 1


def _tags(lines: Iterator[tuple[int, str]], where: str) -> Iterator[Declared]:
    for number, line in lines:
        found = _TAG.match(line)
        if found:
            value = _CLOSERS.sub("", found["value"]).strip()
            one = statement(value, f"{where}:{number} SPDX-License-Identifier")
            yield one or prose("(SPDX-License-Identifier without a licence)", f"{where}:{number}")
