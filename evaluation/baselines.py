"""What a model has to beat: a table of token frequencies, and a general-purpose compressor."""

from __future__ import annotations

import lzma
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from training.pack import PackedCorpus, PackedStream

_CHUNK = 1 << 22


def unigram(packed: PackedCorpus, trained: Iterable[PackedStream]) -> NDArray[np.float64]:
    """Natural logarithms of token probabilities, estimated on training streams; shape [vocabulary].

    Add-one smoothing (Laplace): (count + 1) / (tokens + vocabulary). Without training text all tokens are as likely.
    """
    counts = np.zeros(packed.vocabulary_size, dtype=np.int64)
    for stream in trained:
        tokens = packed.open(stream, 1).tokens
        for begin in range(0, len(tokens), _CHUNK):
            counts += np.bincount(tokens[begin : begin + _CHUNK], minlength=packed.vocabulary_size)
    smoothed: NDArray[np.float64] = np.log(counts + 1.0) - np.log(counts.sum() + packed.vocabulary_size)
    return smoothed


def xz_bytes(texts: Iterable[str]) -> int:
    """Size in bytes of the texts, one after the other, as ``xz -9e`` would write them: a file with headers."""
    compressor = lzma.LZMACompressor(preset=9 | lzma.PRESET_EXTREME)
    size = sum(len(compressor.compress(text.encode())) for text in texts)
    return size + len(compressor.flush())
