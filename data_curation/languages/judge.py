"""The language of a document: what was declared, what is detected, and what follows if the two differ.

Two witnesses are heard: py3langid (`data_curation.languages.detector`) on at most 4,000 characters, a third each from
start, middle and end; and the function words of the whole text. Where these point clearly to one language, the detector
is first asked about 600 characters only, and its answer counts if it is the same and sure; else, and where a
good part of them is of another language that was declared, it reads the whole sample.

The rules, in order:

1. *Sure* (probability at least ``least_confidence``) of a language that is not wanted: remove, ``language-not-wanted``.
2. Sure, and nothing declared: keep under the detected language, ``language-detected``.
3. Sure, and as declared: keep, ``language-agrees``.
4. Sure, and other than declared: remove, ``language-mismatch``; kept under the *detected* language as
   ``language-detected`` where the operator says so. An untranslated English page in a Dutch manual is not Dutch.
5. Not sure, but the declared language is the likeliest of all: keep, ``language-agrees``: two weak signs that agree.
6. Not sure, the text is short, and the declared language is wanted and among the three likeliest: keep as declared,
   ``language-declared``. A list of menu names says little to any detector, and its publisher knows what it is.
7. Otherwise: remove, ``language-unsure``.
8. Of what is kept, paragraphs surely in another language (`data_curation.languages.paragraphs`) are cut; if less than
   ``least_remaining`` of the letters would remain, or the operator removes mixed texts: remove, ``language-mixed``.

A declared language counts by its first part only (``pt_BR`` is ``pt``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from data_curation.languages.blocks import Blocks
from data_curation.languages.detector import Detector
from data_curation.languages.function_words import FunctionWords
from data_curation.languages.paragraphs import ForeignParagraphs, ForeignText, Paragraphs, without
from data_curation.languages.tags import primary
from data_curation.settings import LanguageSettings
from data_curation.words import Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEWEST = 10
"""Function words without which a whole text points to no language."""
_CONTRADICTS = 4
"""How many times those of the declared language they must be to contradict it before the whole sample is read."""


@dataclass(frozen=True, slots=True)
class LanguageResult:
    """The language a document goes on under, how sure that is, what was declared, and the outcome with its reason.

    ``confidence`` is the detector's probability of ``language``. ``foreign`` counts the paragraphs in other languages,
    sorted by language; ``text`` is the text that goes on, without them where they are cut.
    """

    language: str
    confidence: float
    declared: str | None
    outcome: Literal["keep", "remove"]
    reason: str
    text: str
    foreign: tuple[ForeignText, ...] = ()
    cut: bool = False

    def told(self) -> str:
        """The account in a line for the ledger; no word of the text is in it."""
        line = f"{self.language} at {self.confidence:.2f}, declared {self.declared or 'nothing'}"
        parts = (
            f"{one.paragraphs} paragraphs of {one.characters} characters in {one.language}" for one in self.foreign
        )
        return "; ".join((line, *parts))


class Languages:
    """Judges texts; made once a task. ``wanted`` may stay, of the candidates in the settings."""

    def __init__(
        self, settings: LanguageSettings, wanted: Sequence[str], function_words: Mapping[str, Iterable[str]]
    ) -> None:
        self._settings = settings
        self._wanted = frozenset(wanted)
        self._detector = Detector(settings.candidates)
        known = set(settings.candidates)
        self._words = FunctionWords({code: each for code, each in function_words.items() if code in known})
        self._foreign = ForeignParagraphs(self._words, self._detector, settings.paragraphs)

    def judge(self, words: Words, declared: str | None) -> LanguageResult:
        """Settle the language of a text by the rules above, and cut what is in another."""
        blocks = Blocks.of(words.text) if words.text else None
        counts = (
            self._words.count(words.hashes, blocks.words)
            if blocks
            else np.zeros((0, len(self._words.languages)), np.int32)
        )
        found = self._document(words, counts, declared)
        if blocks is None or len(blocks) == 1 or found.outcome == "remove":
            return found
        return self._mixed(found, self._foreign.find(words.text, blocks, counts, found.language))

    def _document(self, words: Words, counts: NDArray[np.int32], declared: str | None) -> LanguageResult:
        stated = primary(declared)
        ranked = self._ranked(words, counts, stated)
        detected, confidence = ranked[0]
        if confidence >= self._settings.least_confidence:
            return LanguageResult(detected, confidence, stated, *self._sure(detected, stated), words.text)
        if stated in self._wanted and stated in dict(ranked[:3]):
            if stated == detected:
                return LanguageResult(stated, confidence, stated, "keep", "language-agrees", words.text)
            if len(words.text) <= self._settings.short_characters:
                return LanguageResult(stated, dict(ranked)[stated], stated, "keep", "language-declared", words.text)
        return LanguageResult(detected, confidence, stated, "remove", "language-unsure", words.text)

    def _sure(self, detected: str, declared: str | None) -> tuple[Literal["keep", "remove"], str]:
        if detected not in self._wanted:
            return "remove", "language-not-wanted"
        if declared == detected:
            return "keep", "language-agrees"
        if declared is None or self._settings.keep_under_detected:
            return "keep", "language-detected"
        return "remove", "language-mismatch"

    def _ranked(self, words: Words, counts: NDArray[np.int32], stated: str | None) -> list[tuple[str, float]]:
        settings = self._settings
        leading = self._leading(len(words), counts, stated)
        if leading and len(words.text) > settings.first_sample_characters:
            ranked = self._detector.ranked(words.text, settings.first_sample_characters)
            if ranked[0][0] == leading and ranked[0][1] >= settings.first_sample_confidence:
                return ranked
        return self._detector.ranked(words.text, settings.sample_characters)

    def _leading(self, words: int, counts: NDArray[np.int32], stated: str | None) -> str | None:
        """The language that the function words of the whole text point to clearly, if any."""
        sums = counts.sum(axis=0)
        first = int(sums.argmax())
        if sums[first] < max(_FEWEST, self._settings.first_sample_function_words * words):
            return None
        rivals = np.delete(sums, first)
        of_stated = sums[self._words.column[stated]] if stated in self._words.column else 0
        leading = self._words.languages[first]
        clear = sums[first] > rivals.max(initial=0) and (stated == leading or sums[first] >= _CONTRADICTS * of_stated)
        return leading if clear else None

    def _mixed(self, found: LanguageResult, paragraphs: Paragraphs) -> LanguageResult:
        if not paragraphs.foreign:
            return found
        told = replace(found, foreign=paragraphs.foreign)
        mixed = self._settings.mixed
        if mixed == "keep":
            return told
        if mixed == "remove" or 1 - paragraphs.share < self._settings.paragraphs.least_remaining:
            return replace(told, outcome="remove", reason="language-mixed")
        return replace(told, text=without(found.text, paragraphs), cut=True)
