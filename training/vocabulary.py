"""Draw the text that the vocabulary is learnt from, and measure what the vocabulary costs each language."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data_curation.shards import read_shard
from data_curation.streams import StreamInfo, read_streams
from data_curation.words import RegexWords
from training.settings import TokenizerSettings
from training.tokenizer import TokenizerError, load_fast, train_tokenizer

_MEASURED_BYTES = 400_000


def make_tokenizer(corpus: Path, settings: TokenizerSettings, seed: int, folder: Path) -> dict[str, Any]:
    """Train on a sample of the training streams, drawn by language; held-out text is never in it.

    Returns:
        Figures, with the share of each language's documents that was drawn.

    Raises:
        TokenizerError: there is no text, or too little for the vocabulary.
    """
    streams = [stream for stream in read_streams(corpus) if stream.use == "train"]
    if not streams:
        raise TokenizerError(
            f"{corpus}: no document was both admitted and kept, so there is nothing to train on. The ledger says why "
            "for each document; `herkomst check CONFIG` says what the policy makes of each source."
        )
    shares = _shares(streams, settings)
    figures = train_tokenizer(_sample(corpus, streams, shares, seed), settings, folder)
    return figures | {"sampled_share": {name: round(share, 4) for name, share in sorted(shares.items())}}


def _shares(streams: list[StreamInfo], settings: TokenizerSettings) -> dict[str, float]:
    """The share of each language's text to draw: proportional to size ** temperature, within the bytes allowed."""
    sizes: Counter[str] = Counter()
    for stream in streams:
        sizes[stream.language] += stream.bytes
    weights = {name: size**settings.temperature for name, size in sizes.items()}
    total = sum(weights.values())
    wanted = {name: settings.sample_bytes * weight / total for name, weight in weights.items()}
    return {name: min(1.0, wanted[name] / sizes[name]) for name in sizes}


def _sample(corpus: Path, streams: list[StreamInfo], shares: dict[str, float], seed: int) -> Iterator[str]:
    for stream in streams:
        for row in read_shard(corpus / stream.file, ["id", "text"]):
            drawn = hashlib.sha256(f"herkomst-vocabulary-v1\0{seed}\0{row['id']}".encode()).digest()
            if int.from_bytes(drawn[:8], "big") < shares[stream.language] * 2**64:
                yield row["text"]


def fertility(corpus: Path, tokenizer: Path) -> dict[str, dict[str, float]]:
    """Tokens per word and bytes per token by language, on up to 400 kB of held-out text (else of training text).

    A word is what ``data_curation.words`` calls one, so figures are comparable within a run and not with fertilities
    measured on words parted by white space.
    """
    fast, splitter = load_fast(tokenizer), RegexWords()
    found: dict[str, Counter[str]] = {}
    for stream in sorted(read_streams(corpus), key=lambda stream: (stream.use != "held-out", stream.name)):
        counts = found.setdefault(stream.language, Counter())
        for row in read_shard(corpus / stream.file, ["text", "text_bytes"]):
            if counts["bytes"] >= _MEASURED_BYTES:
                break
            counts["bytes"] += row["text_bytes"]
            counts["words"] += len(splitter.word_tokenize(row["text"]))
            counts["tokens"] += len(fast.encode(row["text"], add_special_tokens=False).ids)
    return {
        name: {
            **counts,
            "tokens_per_word": round(counts["tokens"] / max(1, counts["words"]), 3),
            "bytes_per_token": round(counts["bytes"] / max(1, counts["tokens"]), 3),
        }
        for name, counts in sorted(found.items())
    }
