"""Recognised text of a scanned page, as ALTO and PAGE give it: lines in reading order, divided words made whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from data_curation.kinds.page_languages import code_of
from data_curation.plain_text import Extracted

_DIVIDED = re.compile(r"\w[-\u00ad\u00ac\u2e17]$")
PARAGRAPH = ""
"""An empty line between blocks."""


@dataclass(slots=True)
class PageText:
    """What is collected of one page; ``confidences`` are from 0 to 1, one a word (or a line, where words have none)."""

    lines: list[str] = field(default_factory=list)
    languages: Counter[str] = field(default_factory=Counter)
    confidences: list[float] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Add a line; blank ones are left out."""
        if line := " ".join(line.split()):
            self.lines.append(line)

    def close_block(self) -> None:
        """End a block of text."""
        if self.lines and self.lines[-1] != PARAGRAPH:
            self.lines.append(PARAGRAPH)

    def speaks(self, language: str | None, weight: int) -> None:
        """Count a language, by its code or its English name, for so many lines."""
        if language:
            self.languages[code_of(language)] += weight

    def trust(self, confidence: str | None) -> None:
        """Count a confidence as written; one that is no number from 0 to 1 does not count."""
        try:
            value = float(confidence or "nan")
        except ValueError:
            return
        if 0 <= value <= 1:
            self.confidences.append(value)

    def extracted(self, native_id: str | None) -> Extracted:
        """The page as a document, in the language of most of its lines."""
        count = len(self.confidences)
        return Extracted(
            "\n".join(self.lines).strip("\n"),
            most_common(self.languages.items()),
            native_id=native_id,
            confidence=sum(self.confidences) / count if count else None,
            words=count,
        )


def most_common(counts: Iterable[tuple[str, int]]) -> str | None:
    """The most frequent, of equals the first by the alphabet."""
    return min(counts, key=lambda one: (-one[1], one[0]), default=(None, 0))[0]


def joined(lines: Iterable[str]) -> Iterator[str]:
    """Bring the two halves of a divided word together on the line where it begins.

    A hyphen, ``¬`` or ``⸗`` at the end of a line divides a word where the next line goes on with a small letter. Some
    of these hyphens belong to the word; in running print, far more do not.
    """
    waiting: list[str] = []
    for line in lines:
        if waiting and line[:1].islower():
            head, _, rest = line.partition(" ")
            waiting[-1] = waiting[-1][:-1]
            waiting.append(head)
            if not rest and _is_divided(head):
                continue
            yield "".join(waiting)
            waiting = []
            if not rest:
                continue
            line = rest
        elif waiting:
            yield "".join(waiting).replace("\u00ad", "-")
            waiting = []
        if _is_divided(line):
            waiting = [line]
        else:
            yield line
    if waiting:
        yield "".join(waiting).replace("\u00ad", "-")


def _is_divided(line: str) -> bool:
    return bool(_DIVIDED.search(line[-2:]))
