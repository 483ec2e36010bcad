"""A base model's own tokenizer, taken over as it is, and the proof that it is used as the base's users would use it.

Its end-of-sequence token ends documents. Padding is its padding token; where it has none (or the same as the end of
sequence, which must be scored and padding must not): its unknown token if every text can be spelled in bytes, else the
first other special token, else its beginning of sequence, which nothing here puts before a text.
"""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.base_model import CONFIG, tokenizer_files
from training.special_tokens import SpecialTokens, special_tokens, vocabulary_size
from training.tokenizer import SPECIAL_TOKENS, TokenizerError, encode_checked, load_fast, load_sentencepiece

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_NOTHING = "nothing was encoded"


def take_tokenizer(base: Path, folder: Path) -> dict[str, Any]:
    """Copy the tokenizer of the base model in ``base`` to ``folder`` and find its special tokens.

    Returns:
        Figures: vocabulary size, the tokens chosen and why.

    Raises:
        TokenizerError: it has no end of sequence, no room for padding, more ids than the embedding has rows, or turns
            literal text into one of its special tokens.
    """
    for path in tokenizer_files(base):
        shutil.copyfile(path, folder / path.name)
    tokenizer = _open(folder / "tokenizer.json")
    if tokenizer.truncation or tokenizer.padding:
        # Meant for short inputs; documents are packed whole.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.save(str(folder / "tokenizer.json"))
    found, why = _chosen(tokenizer, _named(folder), base)
    _refuse_more_ids(tokenizer, base)
    _refuse_injection(tokenizer, found, base)
    found.write(folder)
    return {
        "vocabulary": vocabulary_size(tokenizer),
        "from_base_model": True,
        "end_of_document": found.end_of_document,
        "padding": found.padding,
        "padding_is": why,
    }


def _open(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True
    return tokenizer


def _named(folder: Path) -> dict[str, str]:
    """The tokens that the files name by what they are for: ``eos_token``, ``pad_token`` and so on."""
    values: dict[str, Any] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        path = folder / name
        values |= json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    named = {key: values.get(f"{key}_token") for key in ("eos", "pad", "unk", "bos")}
    texts = {key: one["content"] if isinstance(one, dict) else one for key, one in named.items()}
    return {key: text for key, text in texts.items() if isinstance(text, str)}


def _chosen(tokenizer: Tokenizer, named: dict[str, str], base: Path) -> tuple[SpecialTokens, str]:
    end = named.get("eos")
    if end is None or tokenizer.token_to_id(end) is None:
        raise TokenizerError(
            f"{base / 'tokenizer_config.json'}: names no end-of-sequence token (eos_token) that the vocabulary has; "
            f"{_NOTHING}. Documents could not be told apart."
        )
    taken = {end, named.get("bos"), named.get("unk")}
    added = sorted(tokenizer.get_added_tokens_decoder().items())
    others = [token.content for _, token in added if token.special and token.content not in taken]
    spelled = json.loads(tokenizer.to_str())["model"].get("byte_fallback", False)
    candidates = [
        (named.get("pad"), "its padding token"),
        (named.get("unk") if spelled else None, "its unknown token, which no text needs"),
        (others[0] if others else None, "its first other special token"),
        (named.get("bos"), "its beginning of sequence, which is put before no text"),
    ]
    for token, why in candidates:
        number = tokenizer.token_to_id(token) if token else None
        if token and number is not None and token != end:
            return SpecialTokens(end, _id(tokenizer, end), token, number, named.get("unk")), why
    raise TokenizerError(
        f"{base}: the tokenizer has no special token besides its end of sequence, so nothing can stand for padding; "
        f"{_NOTHING}. Add a padding token to it."
    )


def _id(tokenizer: Tokenizer, token: str) -> int:
    return int(tokenizer.token_to_id(token) or 0)


def _refuse_more_ids(tokenizer: Tokenizer, base: Path) -> None:
    rows = json.loads((base / CONFIG).read_bytes()).get("vocab_size", 0)
    if vocabulary_size(tokenizer) > rows:
        raise TokenizerError(
            f"{base}: the tokenizer has ids up to {vocabulary_size(tokenizer) - 1} and the embedding {rows} rows; "
            f"{_NOTHING}. They do not belong together."
        )


def _refuse_injection(tokenizer: Tokenizer, found: SpecialTokens, base: Path) -> None:
    """No document may end itself, or hide behind padding, by writing the token's name."""
    for token, number in (
        (found.end_of_document, found.end_of_document_id),
        (found.padding, found.padding_id),
    ):
        if number in tokenizer.encode(f"a {token} b{token}", add_special_tokens=False).ids:
            raise TokenizerError(
                f"{base / 'tokenizer.json'}: the literal text '{token}' becomes that special token, so that a document "
                f"could end itself; {_NOTHING}. Mark the token as special in added_tokens."
            )


# ---- encoding, checked


@dataclass(frozen=True, slots=True)
class CheckedEncoder:
    """``encode`` turns (id, text) pairs into ids; ``vocabulary_size`` is one more than the largest."""

    encode: Callable[[list[tuple[str, str]]], list[list[int]]]
    special: SpecialTokens
    vocabulary_size: int


def checked_encoder(folder: Path) -> CheckedEncoder:
    """Open the fast tokenizer in ``folder`` so that it is compared with its second form on every document.

    That is SentencePiece for a vocabulary trained here, and what `transformers` makes of the files for a base model's.
    """
    fast = load_fast(folder)
    special = special_tokens(folder, fast)
    if (folder / SPECIAL_TOKENS).exists():
        encode = partial(encode_as_base, fast, load_auto(folder), special)
    else:
        encode = partial(encode_checked, fast, load_sentencepiece(folder / "tokenizer.model"))
    return CheckedEncoder(encode, special, vocabulary_size(fast))


def load_auto(folder: Path) -> Any:
    """The tokenizer as `transformers` opens it, which is how the base's users and vLLM do."""
    from transformers import AutoTokenizer

    auto = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    # Documents are cut after they are encoded, so that a warning about their length would mislead.
    auto.model_max_length = 10**30
    return auto


def encode_as_base(
    fast: Tokenizer, auto: Any, special: SpecialTokens, documents: list[tuple[str, str]]
) -> list[list[int]]:
    """Encode and insist on equal ids, on text that comes back, and on no special token within a document.

    Text comes back up to its normal form (NFC, which some tokenizers apply) and the literal U+2581, which others use
    for a space.

    Raises:
        TokenizerError: one of these does not hold for a document, which it names.
    """
    texts = [text for _, text in documents]
    encoded = [encoding.ids for encoding in fast.encode_batch_fast(texts, add_special_tokens=False)]
    expected = auto(texts, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    back = fast.decode_batch(encoded, skip_special_tokens=False)
    never = {special.end_of_document_id, special.padding_id}
    for (name, text), ids, others, decoded in zip(documents, encoded, expected, back, strict=True):
        if ids != others:
            raise _refused(name, "tokenizer.json and what `transformers` makes of the files give different ids")
        if never.intersection(ids):
            raise _refused(name, "its text encodes to a special token")
        if _plain(decoded) != _plain(text):
            raise _refused(name, "the tokenizer does not give its text back")
    return encoded


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).replace("\N{LOWER ONE EIGHTH BLOCK}", " ")


def _refused(name: str, problem: str) -> TokenizerError:
    return TokenizerError(
        f"document {name}: {problem}; nothing was packed. Training and use would see different text. Leave the "
        "document out, or choose a base model with another tokenizer."
    )
