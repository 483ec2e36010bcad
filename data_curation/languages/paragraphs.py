"""Paragraphs that are surely in another language than their document, and the text without them.

Two witnesses must agree. The first are function words, counted for all paragraphs at once: a paragraph speaks another
language if it has several of that language's, a good share of its words, and clearly more than of the document's own.
Lists of names, numbers and code have none and stay. Then all paragraphs of one document that speak the same other
language are put together, since translated manuals leave short sentences untranslated between others, and if they are
long enough the detector is asked about them once. Languages in scripts other than Latin, Greek and Cyrillic have no
lists; there the script is the first witness.

What is foreign in less than ``quoted_share`` of the text counts as quotation: a letter in French stays in a German
novel. A foreign sentence within a paragraph always stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data_curation.languages.blocks import Blocks
from data_curation.languages.detector import Detector
from data_curation.languages.function_words import FunctionWords
from data_curation.settings import ParagraphSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ELSEWHERE = -2
_OWN = -1


@dataclass(frozen=True, slots=True)
class ForeignText:
    """How many paragraphs and characters of a document are surely in ``language``."""

    language: str
    paragraphs: int
    characters: int


@dataclass(frozen=True, slots=True)
class Paragraphs:
    """The foreign paragraphs of one text: their places among its blocks, the figures, and their share of letters."""

    blocks: Blocks
    places: NDArray[np.int64]
    foreign: tuple[ForeignText, ...]
    share: float


class ForeignParagraphs:
    """Finds paragraphs in other languages than their document's."""

    def __init__(self, words: FunctionWords, detector: Detector, settings: ParagraphSettings) -> None:
        self._words, self._detector, self._settings = words, detector, settings

    def find(self, text: str, blocks: Blocks, counts: NDArray[np.int32], language: str) -> Paragraphs:
        """Return the paragraphs of ``text`` that are not in ``language``; ``counts`` are function words by block."""
        seems = self._seems(blocks, counts, language)
        places: list[NDArray[np.int64]] = []
        foreign: list[ForeignText] = []
        for column in np.unique(seems[seems != _OWN]).tolist():
            alike = np.flatnonzero(seems == column)
            found = self._confirmed(
                text, blocks, alike, None if column == _ELSEWHERE else self._words.languages[column]
            )
            if found not in (None, language):
                characters = int((blocks.ends[alike] - blocks.starts[alike]).sum())
                foreign.append(ForeignText(str(found), len(alike), characters))
                places.append(alike)
        every = np.sort(np.concatenate(places)) if places else np.zeros(0, np.int64)
        share = int(blocks.letters[every].sum()) / max(1, int(blocks.letters.sum()))
        if share < self._settings.quoted_share:
            return Paragraphs(blocks, every[:0], (), 0.0)
        return Paragraphs(blocks, every, tuple(sorted(foreign, key=lambda item: item.language)), share)

    def _seems(self, blocks: Blocks, counts: NDArray[np.int32], language: str) -> NDArray[np.int64]:
        """The column of the language that each block seems to be in; `_OWN` where nothing speaks against its own."""
        settings = self._settings
        own = self._words.column.get(language)
        others = counts.copy()
        if own is not None:
            others[:, own] = 0
        best = others.argmax(axis=1)
        most = others[np.arange(len(best)), best]
        mine = counts[:, own] if own is not None else np.zeros(len(blocks), np.int32)
        words = np.diff(blocks.words)
        prose = (blocks.letters >= settings.least_letters) & (
            blocks.symbols <= settings.most_symbols * (blocks.symbols + blocks.letters)
        )
        speaks = (
            (most >= settings.least_function_words)
            & (most >= settings.function_word_share * words)
            & (most >= settings.dominance * mine)
        )
        elsewhere = 2 * blocks.elsewhere > blocks.letters
        return np.where(prose & elsewhere, _ELSEWHERE, np.where(prose & speaks, best, _OWN))

    def _confirmed(self, text: str, blocks: Blocks, alike: NDArray[np.int64], expected: str | None) -> str | None:
        """The detector's word on blocks that seem to be in one language; None where it is unsure or differs."""
        settings = self._settings
        if blocks.letters[alike].sum() < settings.joined_letters:
            return None
        joined = "\n".join(_texts(text, blocks, alike))
        found, confidence = self._detector.ranked(joined, settings.sample_characters)[0]
        sure = confidence >= settings.least_confidence and expected in (None, found)
        return found if sure else None


def _texts(text: str, blocks: Blocks, places: NDArray[np.int64]) -> Iterable[str]:
    for start, end in zip(blocks.starts[places].tolist(), blocks.ends[places].tolist(), strict=True):
        yield text[start:end]


def without(text: str, found: Paragraphs) -> str:
    """Return ``text`` without the paragraphs found; the others keep the blank lines that follow them."""
    stays = np.ones(len(found.blocks), np.bool_)
    stays[found.places] = False
    starts, ends = found.blocks.starts.tolist(), found.blocks.ends.tolist()
    kept = np.flatnonzero(stays).tolist()
    pieces = [text[starts[place] : starts[place + 1]] for place in kept[:-1]]
    return "".join((*pieces, *(text[starts[place] : ends[place]] for place in kept[-1:])))
