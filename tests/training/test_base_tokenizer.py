"""A base model's own tokenizer: its special tokens by what they are for, and text that cannot inject one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from evaluation.harness import opening_tokenizer
from tests.training.base_models import write_base, write_byte_tokenizer
from training.base_tokenizer import checked_encoder, take_tokenizer
from training.pack import pack, read_packed
from training.special_tokens import special_tokens
from training.tokenizer import END_OF_DOCUMENT, PADDING, UNKNOWN, TokenizerError

ODD = [
    "",
    "</s>",
    "een </s> midden <s>en",
    "  twee  spaties\r\n\ttab\u00a0nbsp",
    "e\u0301 é ﬁ 👩‍👩‍👧 🇳🇱 \u200d\ufeff\x00 ▁ Ελλάδα",
    "0123456789" * 30,
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base"))


def taken(base: Path, folder: Path) -> Path:
    folder.mkdir()
    take_tokenizer(base, folder)
    return folder


def test_its_end_of_sequence_ends_documents_and_something_else_is_padding(base: Path, tmp_path: Path) -> None:
    special = special_tokens(taken(base, tmp_path / "taken"))
    assert (special.end_of_document, special.end_of_document_id) == ("</s>", 1)
    assert (special.padding, special.padding_id) == ("<s>", 0)


@pytest.mark.parametrize(
    ("extra", "named", "padding"),
    [
        ((), {"pad_token": "<pad>"}, "<pad>"),
        ((), {"unk_token": "<unk>"}, "<s>"),
        (("<reserved>",), {"unk_token": "<unk>"}, "<reserved>"),
    ],
)
def test_padding_by_what_there_is(tmp_path: Path, extra: tuple[str, ...], named: dict[str, str], padding: str) -> None:
    base = write_base(tmp_path / "base", vocab_size=500)
    write_byte_tokenizer(base, extra, **named)
    assert special_tokens(taken(base, tmp_path / "taken")).padding == padding


@pytest.mark.parametrize("padding", [PADDING, None])
def test_a_tokenizer_in_the_manner_of_sentencepiece(
    tmp_path: Path, tokenizer_folder: Path, padding: str | None
) -> None:
    folder = taken(from_sentencepiece(tmp_path / "base", tokenizer_folder, pad_token=padding), tmp_path / "taken")
    # Where it has no padding token, the unknown token is never needed by a text that can be spelled in bytes.
    assert special_tokens(folder).padding == (padding or UNKNOWN)
    texts = [text for text in ODD if END_OF_DOCUMENT not in text]
    assert len(checked_encoder(folder).encode([(str(number), text) for number, text in enumerate(texts)])) == len(texts)


def from_sentencepiece(base: Path, tokenizer: Path, **changes: str | None) -> Path:
    """A base whose tokenizer was made from a SentencePiece model."""
    write_base(base, vocab_size=500)
    shutil.copyfile(tokenizer / "tokenizer.json", base / "tokenizer.json")
    values = json.loads((tokenizer / "tokenizer_config.json").read_text()) | changes
    (base / "tokenizer_config.json").write_text(json.dumps(values))
    return base


def test_an_end_of_sequence_is_never_padding(tmp_path: Path) -> None:
    write_base(tmp_path / "base")
    path = tmp_path / "base" / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pad_token": "</s>", "bos_token": None}))
    special = special_tokens(taken(tmp_path / "base", tmp_path / "taken"))
    assert special.padding == "<s>"


def test_odd_text_comes_back_and_injects_nothing(base: Path, tmp_path: Path) -> None:
    encode = checked_encoder(taken(base, tmp_path / "taken")).encode
    for ids in encode([(str(number), text) for number, text in enumerate(ODD)]):
        assert not {0, 1}.intersection(ids)


def test_a_token_that_text_can_write_is_refused(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base")
    path = base / "tokenizer.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    for token in values["added_tokens"]:
        token["special"] = False
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(TokenizerError, match="a document could end itself"):
        taken(base, tmp_path / "taken")


def test_text_that_does_not_come_back_is_refused_by_its_document(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base")
    path = base / "tokenizer.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    for kind, refused in (("NFC", False), ("NFKC", True)):
        path.write_text(json.dumps(values | {"normalizer": {"type": kind}}), encoding="utf-8")
        encode = checked_encoder(taken(base, tmp_path / kind)).encode
        if refused:
            with pytest.raises(TokenizerError, match="document second: the tokenizer does not give its text back"):
                encode([("first", "plain"), ("second", "ﬁjn")])
        else:
            assert encode([("first", "e\u0301"), ("second", "ﬁjn")])


def test_ids_that_transformers_would_not_give_are_refused(tmp_path: Path, tokenizer_folder: Path) -> None:
    # This class builds the pipeline anew in its own way and leaves the file's aside, without a word.
    base = from_sentencepiece(tmp_path / "base", tokenizer_folder, tokenizer_class="LlamaTokenizer")
    encode = checked_encoder(taken(base, tmp_path / "taken")).encode
    with pytest.raises(TokenizerError, match=r"document one: .*different ids"):
        encode([("one", "de haven ligt stil")])


def test_more_ids_than_rows_do_not_belong_together(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base", vocab_size=300)
    with pytest.raises(TokenizerError, match="300 rows"):
        taken(base, tmp_path / "taken")


def test_packing_and_evaluation_go_by_its_tokens(base: Path, tmp_path: Path, corpus: Path) -> None:
    folder = taken(base, tmp_path / "taken")
    list(pack(corpus, folder, tmp_path / "tokens", 1))
    packed = read_packed(tmp_path / "tokens")
    assert (packed.end_of_document, packed.padding, packed.vocabulary_size) == (1, 0, 395)
    stream = packed.trained()[0]
    tokens = packed.open(stream, 1).tokens
    assert int((tokens == 1).sum()) == stream.documents and not (tokens == 0).any()
    # Not the base's own opening, which its tokenizer would put there.
    assert opening_tokenizer(folder).encode("de haven", add_special_tokens=True)[0] == 1
