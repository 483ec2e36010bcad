"""A SentencePiece BPE vocabulary turned into a fast tokenizer that gives the same ids.

Conversions that look right and are not are common (`transformers` turns an exact ``tokenizer.json`` wrong when the file
beside it names ``LlamaTokenizer``), so the fast tokenizer is built here from the model's own pieces, saved under the
one class that keeps it, and compared with SentencePiece on every document that is packed.

Literal control tokens in a text encode as plain text: no document can inject an end of document. That holds for
whoever opens ``tokenizer.json`` alone, too: its list of special tokens is empty, and those who need to tell them from
text, as `transformers` does, find them in ``tokenizer_config.json``.

Text is not normalised. SentencePiece writes a space as U+2581, so a literal U+2581 would come back as a space; it is
escaped with the control character DLE (U+0010), and DLE with itself, so that every text comes back as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from licensing.errors import HerkomstError
from training.settings import TokenizerSettings

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor
    from tokenizers import Tokenizer

END_OF_DOCUMENT = "<|end_of_document|>"
PADDING = "<|padding|>"
UNKNOWN = "<unk>"
SPECIAL_TOKENS = "special-tokens.json"
"""Beside a tokenizer that was taken over from a base model and has names of its own (`training.special_tokens`)."""
SPACE = "\u2581"
"""How SentencePiece writes a space."""
_ESCAPED = {"\x10": "\x10.", SPACE: "\x10_"}
# In this order when read back, for a DLE that was written as such may stand before any character.
_READ_BACK = {"\x10_": SPACE, "\x10.": "\x10"}
_LONGEST_LINE = 16_384


class TokenizerError(HerkomstError):
    """The vocabulary could not be trained, or the two tokenizers disagree."""


@dataclass(frozen=True, slots=True)
class SpecialIds:
    """The ids that no text encodes to."""

    unknown: int
    end_of_document: int
    padding: int


def train_tokenizer(texts: Iterable[str], settings: TokenizerSettings, folder: Path) -> dict[str, Any]:
    """Train on ``texts`` (one document each) and write both forms into ``folder``.

    What is encoded is what was committed to, byte for byte.

    Returns:
        Figures: vocabulary size, lines and bytes read.

    Raises:
        TokenizerError: the text is too small for the vocabulary.
    """
    import sentencepiece

    counted = {"lines": 0, "bytes": 0}
    model = folder / "tokenizer.model"
    try:
        with model.open("wb") as writer, _rules(_ESCAPED) as escaped, _rules(_READ_BACK) as read_back:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=_lines(texts, counted),
                model_writer=writer,
                model_type="bpe",
                vocab_size=settings.vocabulary_size,
                byte_fallback=True,
                normalization_rule_tsv=escaped,
                denormalization_rule_tsv=read_back,
                add_dummy_prefix=False,
                remove_extra_whitespaces=False,
                allow_whitespace_only_pieces=True,
                split_digits=True,
                num_threads=settings.threads,
                max_sentence_length=4 * _LONGEST_LINE,
                input_sentence_size=0,
                shuffle_input_sentence=False,
                hard_vocab_limit=True,
                bos_id=-1,
                eos_id=1,
                pad_id=2,
                eos_piece=END_OF_DOCUMENT,
                pad_piece=PADDING,
                minloglevel=2,
            )
    except RuntimeError as fault:
        raise TokenizerError(
            f"tokenizer.vocabulary_size {settings.vocabulary_size} cannot be learnt from {counted['bytes']:,} bytes of "
            f"admitted text ({str(fault).strip().splitlines()[-1]}). No tokenizer was made; give a smaller vocabulary "
            "or more text."
        ) from fault
    _forget_paths(model)
    _save_fast(fast_from_sentencepiece(load_sentencepiece(model)), folder)
    return {"vocabulary": settings.vocabulary_size, **counted}


@contextmanager
def _rules(replaced: Mapping[str, str]) -> Iterator[str]:
    """Write SentencePiece's table of replacements (code points in hexadecimal) to a file; yields its path."""
    lines = ("\t".join(" ".join(f"{ord(one):X}" for one in text) for text in pair) for pair in replaced.items())
    with NamedTemporaryFile("w", suffix=".tsv") as file:
        file.write("\n".join(lines))
        file.flush()
        yield file.name


def _forget_paths(model: Path) -> None:
    """Take the paths of the tables out of the model, which holds their content: they differ from run to run."""
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto.FromString(model.read_bytes())
    proto.normalizer_spec.normalization_rule_tsv = proto.denormalizer_spec.normalization_rule_tsv = ""
    model.write_bytes(proto.SerializeToString(deterministic=True))


def _lines(texts: Iterable[str], counted: dict[str, int]) -> Iterator[str]:
    """Cut documents into lines and long lines into pieces; the trainer would silently leave out what is too long."""
    for text in texts:
        for line in text.split("\n"):
            for start in range(0, len(line), _LONGEST_LINE):
                piece = line[start : start + _LONGEST_LINE].replace("\0", "")
                counted["lines"] += 1
                counted["bytes"] += len(piece.encode())
                yield piece


def load_sentencepiece(model: Path) -> SentencePieceProcessor:
    """Open a ``tokenizer.model``."""
    import sentencepiece

    return sentencepiece.SentencePieceProcessor(model_file=str(model))


def fast_from_sentencepiece(processor: SentencePieceProcessor) -> Tokenizer:
    """Build the fast tokenizer from the pieces of a BPE model: merges in the order of the pieces' scores."""
    from tokenizers import Tokenizer, decoders, models, normalizers

    pieces = [processor.id_to_piece(number) for number in range(processor.get_piece_size())]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(
        models.BPE(
            vocab=vocabulary, merges=_merges(processor, pieces), unk_token=UNKNOWN, fuse_unk=True, byte_fallback=True
        )
    )
    before = [normalizers.Replace(text, written) for text, written in (_ESCAPED | {" ": SPACE}).items()]
    after = [decoders.Replace(written, text) for written, text in _READ_BACK.items()]
    tokenizer.normalizer = normalizers.Sequence(before)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), *after]
    )
    return _knowing_specials(tokenizer)


def _knowing_specials(tokenizer: Tokenizer) -> Tokenizer:
    """Have a tokenizer know its special tokens when it decodes, and never find them in a text."""
    from tokenizers import AddedToken

    special = [UNKNOWN, END_OF_DOCUMENT, PADDING]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special])
    tokenizer.encode_special_tokens = True
    return tokenizer


def _merges(processor: SentencePieceProcessor, pieces: list[str]) -> list[tuple[str, str]]:
    """Every way to split a piece into two pieces, in the order in which SentencePiece would merge them."""
    ordinary = {
        piece: processor.get_score(number)
        for number, piece in enumerate(pieces)
        if not (processor.is_control(number) or processor.is_unknown(number) or processor.is_byte(number))
    }
    ranked: list[tuple[float, int, int, tuple[str, str]]] = []
    for piece, score in ordinary.items():
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if left in ordinary and right in ordinary:
                ids = sorted((processor.piece_to_id(left), processor.piece_to_id(right)))
                ranked.append((-score, ids[0], ids[1], (left, right)))
    return [pair for *_, pair in sorted(ranked)]


def _save_fast(tokenizer: Tokenizer, folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=UNKNOWN,
        eos_token=END_OF_DOCUMENT,
        pad_token=PADDING,
        clean_up_tokenization_spaces=False,
        split_special_tokens=True,
    )
    wrapped.save_pretrained(folder)
    _refuse_other_class(folder)
    _forget_specials(folder / "tokenizer.json")


def _forget_specials(path: Path) -> None:
    """Empty the list of special tokens, for most readers of the bare file look for them in the text."""
    values = json.loads(path.read_bytes())
    values["added_tokens"] = []
    path.write_text(json.dumps(values, ensure_ascii=False, indent=2), encoding="utf-8")


def _refuse_other_class(folder: Path) -> None:
    """Stop if the saved files name a class that would rebuild the pipeline with its own normaliser."""
    named = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")).get("tokenizer_class")
    if named not in ("TokenizersBackend", "PreTrainedTokenizerFast"):
        raise TokenizerError(
            f"{folder / 'tokenizer_config.json'}: tokenizer_class is '{named}', which does not keep the pipeline as "
            "built; ids would differ without an error. Use the transformers version in constraints.txt."
        )


def load_fast(folder: Path) -> Tokenizer:
    """Open the fast tokenizer of a run; special tokens in a text stay text."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    if not (folder / SPECIAL_TOKENS).exists():
        return _knowing_specials(tokenizer)
    tokenizer.encode_special_tokens = True
    return tokenizer


def special_ids(tokenizer: Tokenizer) -> SpecialIds:
    """Look up the special ids by name."""
    found = [tokenizer.token_to_id(token) for token in (UNKNOWN, END_OF_DOCUMENT, PADDING)]
    ids = [number for number in found if number is not None]
    if len(ids) < len(found):
        raise TokenizerError(
            "tokenizer.json: a special token is missing; nothing was encoded. Make the tokenizer again."
        )
    return SpecialIds(*ids)


def encode_checked(
    tokenizer: Tokenizer, processor: SentencePieceProcessor, documents: list[tuple[str, str]]
) -> list[list[int]]:
    """Encode (id, text) pairs with both tokenizers and insist on equal ids.

    Raises:
        TokenizerError: they differ on a document, which it names.
    """
    texts = [text for _, text in documents]
    fast = [encoding.ids for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    slow = processor.encode(texts)
    for (name, _), ids, expected in zip(documents, fast, slow, strict=True):
        if ids != expected:
            at = next(
                (i for i, (a, b) in enumerate(zip(ids, expected, strict=False)) if a != b), min(len(ids), len(expected))
            )
            raise TokenizerError(
                f"document {name}: the fast tokenizer and SentencePiece differ from token {at} on; nothing was packed. "
                "Training and use would see different text. Please report the document."
            )
    return fast
