"""Units are whole sentences and lines, and words stand where the one split finds them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_curation.repeats.layout import Layout
from data_curation.words import Words


def units(text: str) -> list[str]:
    return [text[start:end] for start, end in Layout.of(text).units.tolist()]


@settings(deadline=None)
@given(st.text(st.sampled_from('aZé9_-.!?:"»( \t\n\r\u00a0\u0301\u00ad中😀'), max_size=60))
def test_words_stand_where_the_split_finds_them_and_units_hold_all_of_the_text(text: str) -> None:
    layout = Layout.of(text)
    assert layout.words.tolist() == Words.of(text).spans().tolist()
    assert "".join("".join(units(text)).split()) == "".join(text.split())
    assert layout.paragraph_words().sum() == len(layout.words)
    assert layout.unit_words().reshape(-1).tolist() == sorted(layout.unit_words().reshape(-1).tolist())


def test_many_texts_at_once_are_laid_out_as_each_by_itself() -> None:
    texts = ["One. Two here.\n\nThree", "", " \n ", "…", "Anfang. Ende", "a\n", "\n\nb c. D\n\n\n", "Letzte."]
    for text, together in zip(texts, Layout.of_many(texts), strict=True):
        alone = Layout.of(text)
        assert together.words.tolist() == alone.words.tolist()
        assert together.units.tolist() == alone.units.tolist()
        assert together.paragraphs.tolist() == alone.paragraphs.tolist()
    assert Layout.of_many([]) == []


def test_every_letter_of_every_script_belongs_to_the_same_word_as_in_the_one_split() -> None:
    text = " ".join(chr(code) for code in range(0x30000) if not 0xD800 <= code < 0xE000)
    assert Layout.of(text).words.tolist() == Words.of(text).spans().tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The first sentence. The second one? Third", ["The first sentence.", "The second one?", "Third"]),
        ("Dies gilt z. B. für Art. 5 bzw. Satz 2 nicht.", ["Dies gilt z. B. für Art. 5 bzw. Satz 2 nicht."]),
        ("It said «Enough.» Then it left.", ["It said «Enough.»", "Then it left."]),
        ("Er wartete… Dann ging er. er", ["Er wartete…", "Dann ging er. er"]),
        ("Heading\nThe text of it", ["Heading", "The text of it"]),
        ("Menu:\n- one\n- two", ["Menu:", "- one", "- two"]),
        ("a line that goes on\nin the next", ["a line that goes on\nin the next"]),
        (
            "Eine lange Zeile, die der Schreiber nach etwa siebzig Zeichen vor dem Wort\nBundesrat brach.",
            ["Eine lange Zeile, die der Schreiber nach etwa siebzig Zeichen vor dem Wort\nBundesrat brach."],
        ),
        ("one\n\ntwo\n \nthree", ["one", "two", "three"]),
        ("Wait: Now", ["Wait: Now"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_units(text: str, expected: list[str]) -> None:
    assert units(text) == expected


def test_paragraphs_are_parted_by_blank_lines_only() -> None:
    layout = Layout.of("One. Two here. Three\nfour\n\nFive six\n\n\n seven")
    assert layout.paragraph_spans().tolist() == [[0, 25], [27, 35], [39, 44]]
    assert layout.paragraph_words().tolist() == [5, 2, 1]
