"""How good a text is that broke no rule: one figure, to choose among duplicates; never a reason for removal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_curation.quality.gopher import alphabetic

if TYPE_CHECKING:
    from data_curation.quality.grams import Grams
    from data_curation.quality.lines import Lines
    from data_curation.settings import ScoreSettings
    from data_curation.words import Words

_PHRASE = 5


def score(words: Words, lines: Lines, grams: Grams, symbols: float, weights: ScoreSettings) -> int:
    """Return 0..1000, higher is better: the weighted mean of four shares, each 1 at best, rounded down.

    The shares are: phrases of five words that did not occur before in the text, lines that end in a terminal
    punctuation mark, words with a letter, and visible characters that belong to a word (``symbols`` is what is missing
    from this one to 1). A text without words has 0.
    """
    if not words:
        return 0
    good = weights.phrases * (1 - grams.repeated_share(_PHRASE)) + weights.lines * lines.terminal()
    good += weights.letters * alphabetic(words) + weights.symbols * (1 - max(0.0, min(1.0, symbols)))
    return int(1000 * good / weights.total)
