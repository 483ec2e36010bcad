"""Our own rule on symbol soup: the share of a text's characters that belong to no word."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data_curation.words import Words


def symbol_share(words: Words) -> float:
    """Return the share of characters other than blanks and line feeds that belong to no word; 0 for an empty text.

    Underscores count as symbols. Tabs and rarer white space count too, so that the share is never less than that of
    `visible_symbol_share`, and much quicker to tell.
    """
    return _share(words, len(words.text) - words.text.count(" ") - words.text.count("\n"))


def too_many_symbols(words: Words, share: float, most: float) -> bool:
    """Return whether more than ``most`` of the visible characters are symbols; ``share`` is `symbol_share`."""
    return share > most and visible_symbol_share(words) > most


def visible_symbol_share(words: Words) -> float:
    """Return the share of characters other than white space that belong to no word; 0 for an empty text."""
    return _share(words, sum(map(len, words.text.split())))


def _share(words: Words, visible: int) -> float:
    in_words = words.characters - words.text.count("_")
    return (visible - in_words) / visible if visible else 0.0
