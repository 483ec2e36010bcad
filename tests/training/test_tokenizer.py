from __future__ import annotations

import json
import shutil
from dataclasses import astuple
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

ODD = {
    "empty": "",
    "only a space": " ",
    "only spaces": "     ",
    "double spaces": "a  b",
    "leading spaces": "  a",
    "trailing spaces": "a  ",
    "line feed": "a\nb\n\n",
    "carriage return and line feed": "a\r\nb",
    "tab": "\ta\tb",
    "emoji with joiners": "👩\u200d👩\u200d👧\u200d👦",
    "flags": "🇳🇱🇪🇺🇲🇹",
    "composed": "caf\u00e9 \u0151",
    "decomposed": "cafe\u0301 o\u030b",
    "zero-width space": "a\u200bb",
    "zero-width joiner": "a\u200db",
    "byte order mark": "\ufeffa\ufeff",
    "NUL": "a\0b",
    "no-break space": "a\u00a0b\u202fc",
    "control bytes": "\x01\x02\x1b[0m\x7f\x85",
    "Chinese, Japanese, Korean": "汉字かなカナ한글",
    "right to left": "\u202bשלום\u202c مرحبا",
    "combining marks": "Z\u0351\u036b\u0343a\u0328\u0301",
    "ligatures": "ﬁ ﬂ ﬀ ĳ",
    "private use": "\ue000\uf8ff",
    "last private use": "\U0010fffd",
    "three thousand a": "a" * 3000,
    "the mark for a space": "▁▁ a▁b ▁",
    "the sign that escapes": "\x10 \x10_ \x10. ▁\x10▁._\x10\x10",
    "noncharacters": "\ufdd0\ufffe\U0001ffff",
    "replacement character": "\ufffd",
    "digits": "1234567890 ٣٤ ½ ²",
}
"""The kinds in which conversions were found to differ, and those of the escape."""

INJECTED = [
    "</s>", "<s>", "<unk>", "<pad>", "<0x41>", "<0x0A>", "<mask>", "[UNK]", "[PAD]", "[CLS]", END_OF_DOCUMENT, PADDING,
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>", "<|eot_id|>", "[INST]", "<start_of_turn>",
    f" {END_OF_DOCUMENT} ", f"{END_OF_DOCUMENT}{PADDING}", f"a{END_OF_DOCUMENT}b", "</s><0x41><pad>",
    "<|end_of_document|", "< |end_of_document|>",
]  # fmt: skip


@pytest.mark.parametrize("text", [*ODD.values(), *INJECTED])
def test_both_tokenizers_give_the_same_ids_and_the_text_back(tokenizer_folder: Path, text: str) -> None:
    fast, slow = load_fast(tokenizer_folder), load_sentencepiece(tokenizer_folder / "tokenizer.model")
    ids = encode_checked(fast, slow, [("odd", text)])[0]
    assert slow.decode(ids) == text == fast.decode(ids)
    assert fast.decode(ids, skip_special_tokens=False) == text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_the_same_ids_for_any_text(tokenizer_folder: Path, text: str) -> None:
    fast, slow = load_fast(tokenizer_folder), load_sentencepiece(tokenizer_folder / "tokenizer.model")
    encode_checked(fast, slow, [("any", text)])


def _beside_a_llama(folder: Path, place: Path) -> Path:
    """A release as a user has it: the tokenizer beside the configuration of a Llama."""
    shutil.copytree(folder, place)
    (place / "config.json").write_text(json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}))
    return place


def test_no_text_can_inject_a_special_token_however_it_is_opened(tokenizer_folder: Path, tmp_path: Path) -> None:
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    beside = _beside_a_llama(tokenizer_folder, tmp_path / "release")
    slow = load_sentencepiece(tokenizer_folder / "tokenizer.model")
    special = set(astuple(special_ids(load_fast(tokenizer_folder))))
    for text in [*INJECTED, *ODD.values()]:
        ids = slow.encode(text)
        assert not special & set(ids)
        for opened in (load_fast(beside), Tokenizer.from_file(str(beside / "tokenizer.json"))):
            assert opened.encode(text, add_special_tokens=False).ids == ids
    for folder in (tokenizer_folder, beside):
        for loaded in (AutoTokenizer.from_pretrained(folder), PreTrainedTokenizerFast.from_pretrained(folder)):
            for text in [*INJECTED, *ODD.values()]:
                ids = slow.encode(text)
                assert loaded(text)["input_ids"] == loaded.encode(text, add_special_tokens=False) == ids
                assert loaded.decode(ids) == text


def test_those_who_load_it_know_its_special_tokens(tokenizer_folder: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    special = special_ids(load_fast(tokenizer_folder))
    loaded = AutoTokenizer.from_pretrained(_beside_a_llama(tokenizer_folder, tmp_path / "release"))
    assert (loaded.eos_token_id, loaded.pad_token_id) == (special.end_of_document, special.padding)
    assert loaded.eos_token == END_OF_DOCUMENT and loaded.bos_token is None
    ids = [*loaded("de haven")["input_ids"], special.end_of_document, special.padding]
    assert loaded.decode(ids, skip_special_tokens=True) == "de haven"
    assert loaded.decode(ids) == f"de haven{END_OF_DOCUMENT}{PADDING}"
    assert load_fast(tokenizer_folder).decode(ids) == "de haven"


def test_saved_again_it_is_the_same(tokenizer_folder: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    AutoTokenizer.from_pretrained(tokenizer_folder).save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    slow = load_sentencepiece(tokenizer_folder / "tokenizer.model")
    for text in INJECTED:
        assert loaded(text)["input_ids"] == slow.encode(text)


def test_a_difference_stops_the_packing(tokenizer_folder: Path, tmp_path: Path) -> None:
    train_tokenizer(texts("en", 40), TokenizerSettings(vocabulary_size=350), tmp_path)
    with pytest.raises(TokenizerError, match=r"document abc.*differ from token"):
        encode_checked(
            load_fast(tokenizer_folder), load_sentencepiece(tmp_path / "tokenizer.model"), [("abc", texts("nl", 1)[0])]
        )


def test_the_model_names_no_file_of_this_machine(tokenizer_folder: Path) -> None:
    assert b".tsv" not in (tokenizer_folder / "tokenizer.model").read_bytes()


def test_too_little_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="vocabulary_size 5000 cannot be learnt"):
        train_tokenizer(["short"], TokenizerSettings(vocabulary_size=5000), tmp_path)


def test_same_text_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        train_tokenizer(texts("nl", 40), TokenizerSettings(vocabulary_size=350), tmp_path / name)
    for file in ("tokenizer.model", "tokenizer.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
