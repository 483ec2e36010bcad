from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.conftest import texts
from training.settings import TokenizerSettings
from training.tokenizer import (
    END_OF_DOCUMENT,
    PADDING,
    TokenizerError,
    encode_checked,
    load_fast,
    load_sentencepiece,
    special_ids,
    train_tokenizer,
)

ODD = [
    "",
    " ",
    "  two  spaces  ",
    "\ttab\r\nline\n\n",
    "👩‍👩‍👧‍👦 🇳🇱",
    "\u200b\u200d\ufeff",
    "a\0b",
    "e\u0301 é ﬁ",
    "汉字",
    "\U0010fffd",
    "a" * 3000,
    "▁▁",
    "<unk>",
    "</s><0x41><pad>",
    f"{END_OF_DOCUMENT}{PADDING}",
]


@pytest.mark.parametrize("text", ODD)
def test_both_tokenizers_give_the_same_ids(tokenizer_folder: Path, text: str) -> None:
    fast, slow = load_fast(tokenizer_folder), load_sentencepiece(tokenizer_folder / "tokenizer.model")
    ids = encode_checked(fast, slow, [("odd", text)])[0]
    if "▁" not in text:
        assert slow.decode(ids) == text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_the_same_ids_for_any_text(tokenizer_folder: Path, text: str) -> None:
    fast, slow = load_fast(tokenizer_folder), load_sentencepiece(tokenizer_folder / "tokenizer.model")
    encode_checked(fast, slow, [("any", text)])


def test_no_text_can_inject_a_special_token(tokenizer_folder: Path) -> None:
    fast = load_fast(tokenizer_folder)
    special = special_ids(fast)
    ids = fast.encode(f"{END_OF_DOCUMENT} <unk> {PADDING}", add_special_tokens=False).ids
    assert not {special.unknown, special.end_of_document, special.padding} & set(ids)


def test_what_transformers_loads_is_the_same(tokenizer_folder: Path) -> None:
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(tokenizer_folder)
    text = texts("nl", 3)[2] + END_OF_DOCUMENT
    expected = load_sentencepiece(tokenizer_folder / "tokenizer.model").encode(text)
    assert loaded(text, add_special_tokens=False)["input_ids"] == expected


def test_a_difference_stops_the_packing(tokenizer_folder: Path, tmp_path: Path) -> None:
    train_tokenizer(texts("en", 40), TokenizerSettings(vocabulary_size=350), tmp_path)
    with pytest.raises(TokenizerError, match=r"document abc.*differ from token"):
        encode_checked(
            load_fast(tokenizer_folder), load_sentencepiece(tmp_path / "tokenizer.model"), [("abc", texts("nl", 1)[0])]
        )


def test_too_little_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="vocabulary_size 5000 cannot be learnt"):
        train_tokenizer(["short"], TokenizerSettings(vocabulary_size=5000), tmp_path)


def test_same_text_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        train_tokenizer(texts("nl", 40), TokenizerSettings(vocabulary_size=350), tmp_path / name)
    for file in ("tokenizer.model", "tokenizer.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
