"""Judges texts by the quality rules of their language: datatrove's rules and names, our thresholds and stop words.

The rules and their order within a group are datatrove's; on the same words each verdict and each figure is the same as
its filters', at many times their speed (``benchmarks/curation_quality.py``, ``benchmarks/curation_parity.py``). English
stop words on Dutch text drop half of it, hence stop words for each language in ``configs/quality.yaml``.

Reason codes are stable: ``quality-no-rules``, ``quality-too-short``, ``quality-too-many-symbols``, and
``quality-GROUP-RULE`` where GROUP is ``gopher``, ``repetition``, ``fineweb`` or ``c4`` and RULE is datatrove's own name
(``quality-gopher-enough-stop-words``, ``quality-repetition-dup-line-frac``, ``quality-fineweb-short-line-ratio``, …).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path

from data_curation.quality.c4 import broken_c4
from data_curation.quality.fineweb import broken_fineweb
from data_curation.quality.gopher import broken_gopher
from data_curation.quality.grams import Grams
from data_curation.quality.lines import Lines
from data_curation.quality.repetition import broken_repetition
from data_curation.quality.score import score
from data_curation.quality.splitters import stock_splitter
from data_curation.quality.symbols import symbol_share, too_many_symbols
from data_curation.settings import QualitySettings, QualityThresholds
from data_curation.words import RegexWords, Words
from licensing.reading import read_section

TOO_SHORT = "quality-too-short"
NO_RULES = "quality-no-rules"
TOO_MANY_SYMBOLS = "quality-too-many-symbols"


@dataclass(frozen=True, slots=True)
class QualityResult:
    """Whether the text may stay, and if not, the first rule that it broke; if so, how good it is.

    ``score`` runs from 0 to 1000, higher is better, and is 0 for a text that may not stay; see `score.score`.
    """

    keep: bool
    reason: str | None = None
    score: int = 0


def read_quality(path: Path | None = None) -> QualitySettings:
    """Read quality rules from ``path``, or those that come with Herkomst; an error names file, line and key."""
    if path is None:
        with as_file(files("configs") / "quality.yaml") as own:
            return read_quality(own)
    return read_section(path, QualitySettings)


class Quality:
    """Judges texts by the rules of their language."""

    def __init__(self, settings: QualitySettings) -> None:
        self._settings = settings
        self._stop_words = {code: frozenset(rules.stop_words) for code, rules in settings.languages.items()}
        self._sentences = RegexWords()

    def judge(self, words: Words, language: str) -> QualityResult:
        """Return whether the text of ``words`` may stay as a text of ``language``; the text is never changed.

        ``words`` are our own split, by which symbols are told; with ``words: datatrove`` in the settings the other
        rules are asked on datatrove's split of the same text.
        """
        rules = self._settings.languages.get(language)
        if rules is None:
            return QualityResult(False, NO_RULES)
        thresholds = rules.thresholds or self._settings.thresholds
        symbols, lines = symbol_share(words), Lines(words.text)
        if too_many_symbols(words, symbols, thresholds.max_symbols):
            return QualityResult(False, TOO_MANY_SYMBOLS)
        asked = self._asked(words, language)
        reason = self._first_broken(words, asked, lines, language, thresholds)
        if reason:
            return QualityResult(False, reason)
        grams = Grams(asked, _sizes(thresholds), parted=asked is words)
        if thresholds.repetition and len(asked) >= thresholds.repetition.min_words:
            broken = broken_repetition(grams, lines, thresholds.repetition)
            if broken:
                return QualityResult(False, f"quality-repetition-{broken}")
        return QualityResult(True, None, score(asked, lines, grams, symbols, self._settings.score))

    def _first_broken(
        self, own: Words, words: Words, lines: Lines, language: str, thresholds: QualityThresholds
    ) -> str | None:
        """The rules in the order of their cost, cheapest first."""
        if thresholds.gopher:
            broken = broken_gopher(words, lines, self._stop_words[language], thresholds.gopher)
            if broken:
                return TOO_SHORT if broken == "short-doc" else f"quality-gopher-{broken}"
        if thresholds.fineweb:
            broken = broken_fineweb(len(words), lines, thresholds.fineweb)
            if broken:
                return f"quality-fineweb-{broken}"
        if thresholds.c4:
            broken = broken_c4(own, lines, partial(self._count_sentences, language), thresholds.c4)
            return f"quality-c4-{broken}" if broken else None
        return None

    def _asked(self, words: Words, language: str) -> Words:
        if self._settings.words == "unicode":
            return words
        return Words(words.text, stock_splitter(language).word_tokenize(words.text))

    def _count_sentences(self, language: str, line: str) -> int:
        splitter = self._sentences if self._settings.words == "unicode" else stock_splitter(language)
        return max(1, len(splitter.span_tokenize(line)))


def _sizes(thresholds: QualityThresholds) -> tuple[int, ...]:
    return tuple(thresholds.repetition.duplicate_grams) if thresholds.repetition else ()
