"""FineWeb's rules on the lines of one text (Penedo et al. 2024), the same as datatrove's ``FineWebQualityFilter``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data_curation.quality.lines import Lines
    from data_curation.settings import FineWebSettings


def broken_fineweb(words: int, lines: Lines, settings: FineWebSettings) -> str | None:
    """Return the name of the first rule that a text of so many words breaks, or None.

    A text without words, at which datatrove divides by zero, is "empty".
    """
    if not lines.inked:
        return "empty"
    if lines.terminal() < settings.min_terminal_lines and not (settings.spare_without_marks and lines.terminal() == 0):
        return "line-punct-ratio"
    if short_lines(lines, settings.short_line_length) > settings.max_short_lines:
        return "short-line-ratio"
    if lines.repeated_characters() > settings.max_duplicate_characters:
        return "char-dup-ratio"
    if not words:
        return "empty"
    return "list-ratio" if lines.ends / words > settings.max_lines_per_word else None


def short_lines(lines: Lines, length: int) -> float:
    """Return the share of lines with at most ``length`` characters; there must be lines with more than white space."""
    return sum([len(line) <= length for line in lines.inked]) / len(lines.inked)
