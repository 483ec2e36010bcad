"""Gopher's repetition rules on one text (Rae et al. 2021, table A1), as datatrove's ``GopherRepetitionFilter``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data_curation.quality.grams import Grams
    from data_curation.quality.lines import Lines
    from data_curation.settings import RepetitionSettings


def broken_repetition(grams: Grams, lines: Lines, settings: RepetitionSettings) -> str | None:
    """Return the name of the first rule that the text breaks, or None; a text of no characters is "empty"."""
    length = len(lines.text)
    return (_repeated_parts(lines, settings) or _repeated_grams(grams, length, settings)) if length else "empty"


def _repeated_parts(lines: Lines, settings: RepetitionSettings) -> str | None:
    length = len(lines.text)
    share, characters = lines.repeated_paragraphs()
    if settings.duplicate_paragraphs and share > settings.duplicate_paragraphs:
        return "dup-para-frac"
    if settings.duplicate_paragraph_characters and characters / length > settings.duplicate_paragraph_characters:
        return "dup-para-char-frac"
    share, characters = lines.repeated_lines()
    if settings.duplicate_lines and share > settings.duplicate_lines:
        return "dup-line-frac"
    if settings.duplicate_line_characters and characters / length > settings.duplicate_line_characters:
        return "dup-line-char-frac"
    return None


def _repeated_grams(grams: Grams, length: int, settings: RepetitionSettings) -> str | None:
    for n, characters in grams.top_above({n: most * length for n, most in settings.top_grams.items()}):
        if characters / length > settings.top_grams[n]:
            return f"top-{n}-gram"
    for n, most in sorted(settings.duplicate_grams.items()):
        if grams.duplicate_characters(n, most * length) / length > most:
            return f"duplicated-{n}-n-grams"
    return None
