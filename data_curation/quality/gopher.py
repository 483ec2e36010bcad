"""Gopher's quality rules on the words and lines of one text (Rae et al. 2021, section A.1.1).

Rule by rule the same as datatrove's ``GopherQualityFilter``, with its names and in its order; a threshold of 0 switches
its rule off, as there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from data_curation.vocabulary import LETTER, VISIBLE

if TYPE_CHECKING:
    from data_curation.quality.lines import Lines
    from data_curation.settings import GopherSettings
    from data_curation.words import Words


def broken_gopher(words: Words, lines: Lines, stop_words: frozenset[str], settings: GopherSettings) -> str | None:
    """Return the name of the first rule that the text breaks, or None."""
    return _size(words, settings) or _signs(lines, len(words), settings) or _language(words, stop_words, settings)


def _size(words: Words, settings: GopherSettings) -> str | None:
    count, mean = visible_words(words)
    if count < settings.min_words:
        return "short-doc"
    if count > settings.max_words:
        return "long-doc"
    if mean < settings.min_average_word:
        return "below-avg-threshold"
    return "above-avg-threshold" if mean > settings.max_average_word else None


def visible_words(words: Words) -> tuple[int, float]:
    """Return how many words are more than punctuation, and their mean length in characters (0 for none)."""
    visible = words.flags & VISIBLE
    count = int(np.count_nonzero(visible))
    if count == len(words):
        return count, words.characters / count if count else 0.0
    return count, int(words.lengths[visible != 0].sum()) / count if count else 0.0


def _signs(lines: Lines, words: int, settings: GopherSettings) -> str | None:
    text, count, dots = lines.text, len(lines.all), ellipses(lines.text)
    if settings.max_symbol_ratio and text.count("#") / words > settings.max_symbol_ratio:
        return "too-many-hashes"
    if settings.max_symbol_ratio and dots / words > settings.max_symbol_ratio:
        return "too-many-ellipsis"
    # No more lines can start or end with a sign than there are signs; most texts need no look at each line.
    most = settings.max_bullet_lines
    if most and (text.count("-") + text.count("•")) / count > most and bullets(lines.all) / count > most:
        return "too-many-bullets"
    most = settings.max_ellipsis_lines
    if most and dots / count > most and trailing(lines.all) / count > most:
        return "too-many-end-ellipsis"
    return None


def ellipses(text: str) -> int:
    """Return how often an ellipsis occurs, as one character or as three full stops."""
    return text.count("...") + text.count("…")


def bullets(lines: Sequence[str]) -> int:
    """Return how many lines start with a bullet or hyphen after white space."""
    return sum(line.lstrip().startswith(("•", "-")) for line in lines)


def trailing(lines: Sequence[str]) -> int:
    """Return how many lines end with an ellipsis before white space."""
    return sum(line.rstrip().endswith(("...", "…")) for line in lines)


def _language(words: Words, stop_words: frozenset[str], settings: GopherSettings) -> str | None:
    if settings.min_alphabetic and alphabetic(words) < settings.min_alphabetic:
        return "below-alpha-threshold"
    return None if _has(words.found, stop_words, settings.min_stop_words) else "enough-stop-words"


def alphabetic(words: Words) -> float:
    """Return the share of words with at least one letter; there must be words."""
    return int(np.count_nonzero(words.flags & LETTER)) / len(words)


def _has(found: Iterable[str], stop_words: frozenset[str], least: int) -> bool:
    """Whether ``least`` different stop words occur, as written; stops at the last one needed."""
    missing = set(stop_words)
    needed = len(missing) - least
    for word in found:
        if len(missing) <= needed:
            break
        missing.discard(word)
    return len(missing) <= needed
