"""Our quality rules against datatrove's filters, rule by rule, on the same words."""

import numpy as np
import pytest
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.filters.gopher_repetition_filter import (
    find_all_duplicate,
    find_duplicates,
    find_top_duplicate,
    get_n_grams,
)
from datatrove.utils.text import TERMINAL_PUNCTUATION
from hypothesis import given, settings
from hypothesis import strategies as st

from data_curation.quality.c4 import broken_c4
from data_curation.quality.fineweb import broken_fineweb
from data_curation.quality.gopher import broken_gopher
from data_curation.quality.grams import Grams
from data_curation.quality.lines import Lines, repeated
from data_curation.quality.repetition import broken_repetition
from data_curation.settings import C4Settings, FineWebSettings, GopherSettings, RepetitionSettings
from data_curation.words import RegexWords, Words

SPLIT = RegexWords()
# Few short words that are each other's beginnings, so that n-grams repeat and joined words can be cut in two ways.
TOKENS = ["a", "ab", "b", "ba", "de", "Één", "9", "12", "1", "lorem", "ipsum", "JavaScript", "een_woord", "___", "é"]
MARKS = [
    " ",
    " ",
    " ",
    "\n",
    "\n\n",
    "\n\n\n",
    ". ",
    ".\n",
    "...\n",
    "…\n",
    "\n- ",
    "\n• ",
    "# ",
    "{",
    "\t",
    "\u2028",
    "\r\n",
    "[1]",
]
texts = st.lists(st.tuples(st.sampled_from(TOKENS), st.sampled_from(MARKS)), max_size=120).map(
    lambda parts: "".join(token + mark for token, mark in parts)
)
repeating = st.tuples(texts, texts, st.integers(1, 6)).map(lambda parts: parts[0] + parts[1] * parts[2] + parts[0])
any_text = texts | repeating | st.text(max_size=200)
shares = st.sampled_from([0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0])


def reason(verdict):
    return None if verdict is True else verdict[1].removeprefix("gopher_").replace("_", "-")


def document(text):
    return Document(text=text, id="1")


@settings(max_examples=150, deadline=None)
@given(any_text, st.integers(1, 12))
def test_ngram_figures_are_datatroves(text, n):
    words = Words.of(text)
    grams = Grams(words, range(1, 11))
    joined = get_n_grams(words.found, n)
    assert grams.top_characters(n) == (find_top_duplicate(joined) if joined else 0)
    assert grams.duplicate_characters(n) == find_all_duplicate(words.found, n)
    for limit in (1.0, 8.0, 30.0, 200.0):
        exact = find_all_duplicate(words.found, n)
        assert grams.duplicate_characters(n, limit) == exact or exact < limit
        told = dict(grams.top_above({n: limit}))
        assert told.get(n, 0) == grams.top_characters(n) or grams.top_characters(n) < limit


@settings(max_examples=100, deadline=None)
@given(any_text, st.permutations([2.0, 9.0, 20.0, 60.0]))
def test_top_ngrams_left_out_are_below_their_limit(text, chosen):
    grams = Grams(Words.of(text))
    limits = dict(zip((2, 3, 4), chosen, strict=False))
    told = dict(grams.top_above(limits))
    for n, limit in limits.items():
        exact = grams.top_characters(n)
        assert told[n] == exact if n in told else exact < limit


@settings(max_examples=100, deadline=None)
@given(any_text, shares, shares, shares)
def test_repetition_gives_datatroves_verdict(text, lines, top, duplicate):
    ours = RepetitionSettings(
        duplicate_lines=lines,
        duplicate_paragraphs=lines,
        duplicate_line_characters=lines,
        duplicate_paragraph_characters=lines,
        top_grams={2: top, 3: top * 0.9, 4: top * 0.8},
        duplicate_grams={n: duplicate * (1 - n / 20) for n in range(5, 11)},
    )
    theirs = GopherRepetitionFilter(
        dup_line_frac=lines,
        dup_para_frac=lines,
        dup_line_char_frac=lines,
        dup_para_char_frac=lines,
        top_n_grams=tuple(ours.top_grams.items()),
        dup_n_grams=tuple(ours.duplicate_grams.items()),
        language=SPLIT,
    )
    words = Words.of(text)
    grams = Grams(words, tuple(ours.duplicate_grams))
    assert broken_repetition(grams, Lines(text), ours) == reason(theirs.filter(document(text)))


@settings(max_examples=100, deadline=None)
@given(any_text, st.integers(1, 30), st.sampled_from([1.5, 2.0, 2.5]), shares, shares, st.integers(0, 3))
def test_gopher_gives_datatroves_verdict(text, least, mean, symbols, lines, stop):
    ours = GopherSettings(
        min_words=least,
        max_words=90,
        min_average_word=mean,
        max_average_word=mean + 1,
        max_symbol_ratio=symbols,
        max_bullet_lines=lines,
        max_ellipsis_lines=lines,
        min_alphabetic=1 - lines / 2,
        min_stop_words=stop,
    )
    stop_words = ["de", "a", "Één"]
    theirs = GopherQualityFilter(
        least, 90, mean, mean + 1, symbols, lines, lines, 1 - lines / 2, stop, stop_words, language=SPLIT
    )
    found = broken_gopher(Words.of(text), Lines(text), frozenset(stop_words), ours)
    assert found == reason(theirs.filter(document(text)))


@settings(max_examples=100, deadline=None)
@given(any_text, shares, shares, shares, st.booleans())
def test_fineweb_gives_datatroves_verdict(text, marks, short, duplicate, spare):
    ours = FineWebSettings(
        min_terminal_lines=marks,
        short_line_length=8,
        max_short_lines=short,
        max_duplicate_characters=duplicate,
        max_lines_per_word=short,
        spare_without_marks=spare,
    )
    theirs = FineWebQualityFilter(
        line_punct_thr=marks,
        line_punct_exclude_zero=spare,
        short_line_thr=short,
        short_line_length=8,
        char_duplicates_ratio=duplicate,
        new_line_ratio=short,
        language=SPLIT,
    )
    words = Words.of(text)
    found = broken_fineweb(len(words), Lines(text), ours)
    if words or not text.strip():
        assert found == reason(theirs.filter(document(text)))
    else:  # datatrove divides by zero where there is no word
        assert found


@settings(max_examples=100, deadline=None)
@given(any_text, st.builds(C4Settings, min_sentences=st.integers(0, 4), min_words_per_line=st.integers(0, 3),
                           longest_word=st.sampled_from([0, 4, 9]), drop_lorem_ipsum=st.booleans(),
                           drop_curly_bracket=st.booleans(), need_terminal_mark=st.booleans(),
                           leave_out_javascript=st.booleans(), leave_out_citations=st.booleans()))  # fmt: skip
def test_c4_gives_datatroves_verdict(text, ours):
    theirs = C4QualityFilter(
        remove_citations=ours.leave_out_citations,
        filter_no_terminal_punct=ours.need_terminal_mark,
        min_num_sentences=ours.min_sentences or -1,
        min_words_per_line=ours.min_words_per_line or -1,
        max_word_length=ours.longest_word or -1,
        filter_lorem_ipsum=ours.drop_lorem_ipsum,
        filter_javascript=ours.leave_out_javascript,
        filter_curly_bracket=ours.drop_curly_bracket,
        filter_policy=False,
        language=SPLIT,
    )
    found = broken_c4(Words.of(text), Lines(text), lambda line: max(1, len(SPLIT.span_tokenize(line))), ours)
    assert found == reason(theirs.filter(document(text)))


@given(st.lists(st.sampled_from(["", "a", "bc", "bc "]), max_size=20))
def test_repeated_parts_are_datatroves(parts):
    assert repeated(parts) == find_duplicates(parts)


def test_datatroves_terminal_marks_are_single_characters():
    assert {len(mark) for mark in TERMINAL_PUNCTUATION} == {1}


def test_words_that_differ_in_one_character_have_codes_far_apart():
    words = Words.of("die Die dia 9ie")
    codes = words.numbers[0]
    assert len(set((codes >> np.uint64(40)).tolist())) == 4
    joined = Grams(Words.of("ab c a bc"))
    assert joined.duplicate_characters(2) == find_all_duplicate(["ab", "c", "a", "bc"], 2) == 3


def test_a_long_text_is_taken_one_size_at_a_time_with_the_same_figures(monkeypatch):
    words = Words.of("de brug is dicht, " * 3 + "want " + "de brug is nog dicht " * 4)
    at_once = Grams(words, range(5, 11))
    figures = [at_once.duplicate_characters(n) for n in range(5, 11)]
    monkeypatch.setattr("data_curation.quality.grams._AT_ONCE", 10)
    one_by_one = Grams(words, range(5, 11))
    assert [one_by_one.duplicate_characters(n) for n in range(5, 11)] == figures
    assert figures == [find_all_duplicate(words.found, n) for n in range(5, 11)] and min(figures) > 0


def test_ngrams_that_overlap_their_own_repetition_are_counted_as_datatrove_counts_them():
    words = Words.of("0:0000:0:0:0:0:1:0000:0:0:0:0")
    assert Grams(words).duplicate_characters(5, 11.25) == find_all_duplicate(words.found, 5) == 16


def test_repeated_phrases_share_is_of_all_phrases():
    assert Grams(Words.of("een twee drie vier vijf een twee drie vier vijf")).repeated_share(5) == pytest.approx(1 / 6)
    assert Grams(Words.of("te kort")).repeated_share(5) == 0
