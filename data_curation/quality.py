"""Heuristic quality: datatrove's own Gopher, repetition, C4 and FineWeb rules, figures and stop words per language.

The rules are datatrove's, called one document at a time; the word splitter and every threshold are ours. English stop
words on Dutch text drop half of it, hence one set of filters for each language in ``configs/quality.yaml``.

Reason codes are stable: ``quality-no-rules``, ``quality-too-short``, ``quality-too-many-symbols``, and
``quality-GROUP-RULE`` where GROUP is ``gopher``, ``repetition``, ``fineweb`` or ``c4`` and RULE is datatrove's own name
(``quality-gopher-enough-stop-words``, ``quality-repetition-dup-line-frac``, ``quality-fineweb-short-line-ratio``, …).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from data_curation.settings import (
    FineWebSettings,
    GopherSettings,
    QualitySettings,
    QualityThresholds,
    RepetitionSettings,
)
from licensing.reading import read_section

TOO_SHORT = "quality-too-short"
NO_RULES = "quality-no-rules"
TOO_MANY_SYMBOLS = "quality-too-many-symbols"


@dataclass(frozen=True, slots=True)
class QualityResult:
    """Whether the text may stay, and if not, the first rule that it broke."""

    keep: bool
    reason: str | None = None


def read_quality(path: Path | None = None) -> QualitySettings:
    """Read quality rules from ``path``, or those that come with Herkomst; an error names file, line and key."""
    if path is None:
        with as_file(files("configs") / "quality.yaml") as own:
            return read_quality(own)
    return read_section(path, QualitySettings)


class Quality:
    """Judges texts by the rules of their language; filters are made once for each language, at its first document."""

    def __init__(self, settings: QualitySettings) -> None:
        from data_curation.words import RegexWords

        self._settings = settings
        self._words = RegexWords()
        self._filters = cache(self._make_filters)

    def judge(self, text: str, language: str) -> QualityResult:
        """Return whether ``text`` may stay as a text of ``language``; the text itself is never changed."""
        from datatrove.data import Document
        from datatrove.utils.text import split_into_words

        rules = self._settings.languages.get(language)
        if rules is None:
            return QualityResult(False, NO_RULES)
        thresholds = rules.thresholds or self._settings.thresholds
        # Through datatrove's cache, so that its filters find the split already made.
        words = split_into_words(text, self._words)
        if _symbols(text, words) > thresholds.max_symbols:
            return QualityResult(False, TOO_MANY_SYMBOLS)
        for group, each in self._filters(language):
            if group == "repetition" and thresholds.repetition and len(words) < thresholds.repetition.min_words:
                continue
            # A document of its own for each filter: C4's writes the lines it liked back into the text.
            verdict = each.filter(Document(text=text, id=""))
            if verdict is not True:
                return QualityResult(False, _reason(group, verdict))
        return QualityResult(True)

    def _make_filters(self, language: str) -> tuple[tuple[str, Any], ...]:
        rules = self._settings.languages[language]
        return tuple(_filters(rules.thresholds or self._settings.thresholds, rules.stop_words, self._words))

    def __getstate__(self) -> QualitySettings:
        return self._settings

    def __setstate__(self, settings: QualitySettings) -> None:
        self.__init__(settings)  # type: ignore[misc]


def _symbols(text: str, words: Sequence[str]) -> float:
    """Share of characters other than white space that belong to no word; 0 for an empty text."""
    visible = sum(map(len, text.split()))
    in_words = sum(map(len, words)) - text.count("_")
    return (visible - in_words) / visible if visible else 0.0


def _filters(thresholds: QualityThresholds, stop_words: tuple[str, ...], words: Any) -> Iterator[tuple[str, Any]]:
    """Make the filters in the order of their cost, cheapest first."""
    if thresholds.gopher:
        yield "gopher", _gopher(thresholds.gopher, stop_words, words)
    if thresholds.fineweb:
        yield "fineweb", _fineweb(thresholds.fineweb, words)
    if thresholds.drop_lorem_ipsum:
        yield "c4", _lorem_ipsum(words)
    if thresholds.repetition:
        yield "repetition", _repetition(thresholds.repetition, words)


def _gopher(settings: GopherSettings, stop_words: tuple[str, ...], words: Any) -> Any:
    from datatrove.pipeline.filters import GopherQualityFilter

    return GopherQualityFilter(
        min_doc_words=settings.min_words,
        max_doc_words=settings.max_words,
        min_avg_word_length=settings.min_average_word,
        max_avg_word_length=settings.max_average_word,
        max_symbol_word_ratio=settings.max_symbol_ratio,
        max_bullet_lines_ratio=settings.max_bullet_lines,
        max_ellipsis_lines_ratio=settings.max_ellipsis_lines,
        max_non_alpha_words_ratio=settings.min_alphabetic,
        min_stop_words=settings.min_stop_words,
        stop_words=list(stop_words),
        language=words,
    )


def _repetition(settings: RepetitionSettings, words: Any) -> Any:
    from datatrove.pipeline.filters import GopherRepetitionFilter

    return GopherRepetitionFilter(
        dup_line_frac=settings.duplicate_lines,
        dup_line_char_frac=settings.duplicate_line_characters,
        dup_para_frac=settings.duplicate_paragraphs,
        dup_para_char_frac=settings.duplicate_paragraph_characters,
        top_n_grams=tuple(sorted(settings.top_grams.items())),
        dup_n_grams=tuple(sorted(settings.duplicate_grams.items())),
        language=words,
    )


def _fineweb(settings: FineWebSettings, words: Any) -> Any:
    from datatrove.pipeline.filters import FineWebQualityFilter

    return FineWebQualityFilter(
        line_punct_thr=settings.min_terminal_lines,
        short_line_thr=settings.max_short_lines,
        short_line_length=settings.short_line_length,
        char_duplicates_ratio=settings.max_duplicate_characters,
        new_line_ratio=settings.max_lines_per_word,
        language=words,
    )


def _lorem_ipsum(words: Any) -> Any:
    from datatrove.pipeline.filters import C4QualityFilter

    return C4QualityFilter(
        remove_citations=False,
        filter_no_terminal_punct=False,
        min_num_sentences=-1,
        min_words_per_line=-1,
        max_word_length=-1,
        filter_javascript=False,
        filter_curly_bracket=False,
        filter_policy=False,
        language=words,
    )


def _reason(group: str, verdict: bool | tuple[bool, str]) -> str:
    rule = verdict[1] if isinstance(verdict, tuple) else "dropped"
    rule = rule.removeprefix("gopher_").replace("_", "-")
    return TOO_SHORT if (group, rule) == ("gopher", "short-doc") else f"quality-{group}-{rule}"
