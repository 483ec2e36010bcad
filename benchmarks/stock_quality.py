"""datatrove's own quality filters with our thresholds, for the benchmarks that compare with them."""

from __future__ import annotations

from typing import Any

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)

from data_curation.quality.splitters import stock_splitter
from data_curation.settings import C4Settings, FineWebSettings, GopherSettings, QualitySettings, RepetitionSettings
from licensing.errors import HerkomstError

Filters = tuple[tuple[str, Any], ...]


def comparable(settings: QualitySettings) -> QualitySettings:
    """Our rules without those that datatrove does not have: all symbols pass, and short texts are asked everything."""
    common = settings.thresholds
    repetition = (common.repetition or RepetitionSettings()).model_copy(update={"min_words": 1})
    thresholds = common.model_copy(update={"max_symbols": 1.0, "repetition": repetition})
    languages = {code: rules.model_copy(update={"thresholds": None}) for code, rules in settings.languages.items()}
    return settings.model_copy(update={"thresholds": thresholds, "languages": languages})


def with_stock_splitter(settings: QualitySettings) -> list[str]:
    """Languages with rules for which datatrove's own splitter is installed here."""
    found = []
    for language in settings.languages:
        try:
            stock_splitter(language).word_tokenize("a b")
            found.append(language)
        except (HerkomstError, ImportError):
            continue
    return found


def filters(settings: QualitySettings, language: str, words: Any) -> Filters:
    """datatrove's filters in our order; ``words`` is a splitter, or a language code for its own."""
    common, stop_words = settings.thresholds, settings.languages[language].stop_words
    return (
        ("gopher", gopher(common.gopher or GopherSettings(), stop_words, words)),
        ("fineweb", fineweb(common.fineweb or FineWebSettings(), words)),
        ("c4", c4(common.c4 or C4Settings(), words)),
        ("repetition", repetition(common.repetition or RepetitionSettings(), words)),
    )


def verdict(text: str, chain: Filters) -> str | None:
    """The reason code of the first filter that drops ``text``, or None."""
    for group, each in chain:
        # A document of its own for each filter: C4's writes the lines it liked back into the text.
        found = each.filter(Document(text=text, id=""))
        if found is not True:
            rule = found[1].removeprefix("gopher_").replace("_", "-")
            return "quality-too-short" if (group, rule) == ("gopher", "short-doc") else f"quality-{group}-{rule}"
    return None


def gopher(settings: GopherSettings, stop_words: tuple[str, ...], words: Any) -> GopherQualityFilter:
    """GopherQualityFilter with our thresholds."""
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


def repetition(settings: RepetitionSettings, words: Any) -> GopherRepetitionFilter:
    """GopherRepetitionFilter with our thresholds."""
    return GopherRepetitionFilter(
        dup_line_frac=settings.duplicate_lines,
        dup_line_char_frac=settings.duplicate_line_characters,
        dup_para_frac=settings.duplicate_paragraphs,
        dup_para_char_frac=settings.duplicate_paragraph_characters,
        top_n_grams=tuple(sorted(settings.top_grams.items())),
        dup_n_grams=tuple(sorted(settings.duplicate_grams.items())),
        language=words,
    )


def fineweb(settings: FineWebSettings, words: Any) -> FineWebQualityFilter:
    """FineWebQualityFilter with our thresholds."""
    return FineWebQualityFilter(
        line_punct_thr=settings.min_terminal_lines,
        line_punct_exclude_zero=settings.spare_without_marks,
        short_line_thr=settings.max_short_lines,
        short_line_length=settings.short_line_length,
        char_duplicates_ratio=settings.max_duplicate_characters,
        new_line_ratio=settings.max_lines_per_word,
        language=words,
    )


def c4(settings: C4Settings, words: Any) -> C4QualityFilter:
    """C4QualityFilter with our thresholds."""
    return C4QualityFilter(
        remove_citations=settings.leave_out_citations,
        filter_no_terminal_punct=settings.need_terminal_mark,
        min_num_sentences=settings.min_sentences or -1,
        min_words_per_line=settings.min_words_per_line or -1,
        max_word_length=settings.longest_word or -1,
        filter_lorem_ipsum=settings.drop_lorem_ipsum,
        filter_javascript=settings.leave_out_javascript,
        filter_curly_bracket=settings.drop_curly_bracket,
        filter_policy=settings.leave_out_policy,
        language=words,
    )
