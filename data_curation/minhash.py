"""MinHash signatures: a few hundred numbers by which two documents' overlap in five-word shingles can be estimated.

A shingle is the polynomial hash of its words' 64-bit hashes, mixed and cut to 32 bits. Permutation *i* of the 32-bit
numbers is ``x -> a_i * x + b_i mod 2^32`` with odd ``a_i`` (Broder et al. 2000 show that such linear permutations serve
well on hashed input); ``a_i`` and ``b_i`` are the first two little-endian 32-bit words of
SHA-256("herkomst-minhash-v1" followed by i as 4 bytes, little-endian), ``a_i`` with its lowest bit set. The signature
is each permutation's least value, so the share of equal places in two signatures estimates the Jaccard index of the
two sets of shingles, with standard error sqrt(J(1-J)/permutations).

Two documents are compared if all places of one band agree, and are duplicates if the estimate reaches
``least_estimate``. With the defaults (256 permutations, 32 bands of 8, 0.75), by computation from
the binomial distribution, banding and estimate taken as independent:

=====================  =====  =====  =====  =====  =====  =====  =====  =====
Jaccard index           0.50   0.60   0.65   0.70   0.75   0.80   0.85   0.90
=====================  =====  =====  =====  =====  =====  =====  =====  =====
bands let them meet    0.118  0.418  0.645  0.850  0.966  0.997  1.000  1.000
counted as duplicates  0.000  0.000  0.000  0.038  0.515  0.976  1.000  1.000
=====================  =====  =====  =====  =====  =====  =====  =====  =====
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from data_curation.settings import DuplicatesSettings

NO_WORDS = np.uint32(0xFFFFFFFF)
"""Every place of the signature of a document without words; it is like no other document."""

_DOMAIN = b"herkomst-minhash-v1"
_BASE = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: Knuth's multiplicative hashing
_MIX = np.uint64(0xD6E8FEB86659FD93)  # Mulvey's 64-bit mixer
_BLOCK = 512  # shingles at once: 256 permutations of them stay in the processor's cache


def signature(word_hashes: NDArray[np.uint64], settings: DuplicatesSettings) -> NDArray[np.uint32]:
    """Return the MinHash signature, shape (permutations,), of a document given as its words' hashes in order.

    A document with fewer words than a shingle has one shingle of all its words.
    """
    multipliers, offsets = _permutations(settings.permutations)
    least = np.full(settings.permutations, NO_WORDS)
    shingles = shingle_hashes(word_hashes, settings.shingle_words)
    for start in range(0, len(shingles), _BLOCK):
        block = np.multiply.outer(multipliers, shingles[start : start + _BLOCK])
        block += offsets[:, None]
        np.minimum(least, block.min(axis=1), out=least)
    return least


def shingle_hashes(word_hashes: NDArray[np.uint64], words: int) -> NDArray[np.uint32]:
    """Return the hashes of all runs of ``words`` words, shape (count - words + 1,); repeats are kept."""
    if not len(word_hashes):
        return np.empty(0, np.uint32)
    words = min(words, len(word_hashes))
    count = len(word_hashes) - words + 1
    rolled = word_hashes[:count].copy()
    for at in range(1, words):
        rolled *= _BASE
        rolled += word_hashes[at : at + count]
    return (mixed(rolled) >> np.uint64(32)).astype(np.uint32)


def band_keys(
    signatures: NDArray[np.uint32], languages: NDArray[np.uint64], settings: DuplicatesSettings
) -> NDArray[np.uint64]:
    """Return one key for each document and band, shape (documents, bands), evenly spread over 64 bits.

    Documents meet in a band if their keys there are equal: the same places, the same band, the same language.
    """
    bands = signatures.reshape(len(signatures), settings.bands, -1)
    keys = mixed(languages)[:, None] + np.arange(1, settings.bands + 1, dtype=np.uint64) * _BASE
    for place in range(bands.shape[2]):
        keys = mixed(keys ^ bands[:, :, place])
    return keys


def estimate(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Estimate the Jaccard index of pairs of documents from their signatures, both of shape (pairs, permutations)."""
    shares: NDArray[np.float64] = np.count_nonzero(left == right, axis=1) / left.shape[1]
    return shares


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread each value over all 64 bits, one to one."""
    for _ in range(2):
        values = (values ^ (values >> np.uint64(32))) * _MIX
    return values ^ (values >> np.uint64(32))


@cache
def _permutations(count: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    digests = b"".join(hashlib.sha256(_DOMAIN + i.to_bytes(4, "little")).digest()[:8] for i in range(count))
    pairs = np.frombuffer(digests, "<u4").reshape(count, 2).astype(np.uint32)
    return pairs[:, 0] | np.uint32(1), pairs[:, 1].copy()
