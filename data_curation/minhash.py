"""MinHash signatures: some numbers by which two documents' overlap in five-word shingles can be estimated.

A shingle is the polynomial hash of its words' 64-bit hashes, mixed, cut to its highest 32 bits and made odd.
Permutation *i* of the odd 32-bit numbers is ``x -> a_i * x mod 2^32`` with odd ``a_i``: the first little-endian 32-bit
word of SHA-256("herkomst-minhash-v2" followed by i as 4 bytes, little-endian) with its lowest bit set. Broder et al.
2000 show that linear permutations serve well on hashed input; odd numbers have no fixed point under them (0 would stay
0, and two documents with that shingle would agree everywhere), so that nothing need be added. 31 bits tell shingles
apart well enough: of two documents of 10^6 words with nothing in common, one shingle in 2,000 is taken for common. The
signature is each permutation's least value, so the share of equal places in two signatures estimates the Jaccard index
of the two sets of shingles, with standard error sqrt(J(1-J)/permutations).

Two documents are compared if all places of one band agree, and are duplicates if the estimate reaches
``least_estimate``. By computation from the binomial distribution, banding and estimate taken as independent, with the
defaults (140 permutations, 20 bands of 7, 0.72), and beside them the defaults up to version 1 (256, 32 of 8, 0.75), at
1.8 times the work and space, and those of datatrove 0.10.1 (112, 14 of 8, whoever meets is a duplicate):

=====================  =====  =====  =====  =====  =====  =====  =====  =====
Jaccard index           0.50   0.60   0.65   0.70   0.75   0.80   0.85   0.90
=====================  =====  =====  =====  =====  =====  =====  =====  =====
bands let them meet    0.145  0.433  0.634  0.821  0.943  0.991  1.000  1.000
counted as duplicates  0.000  0.001  0.028  0.268  0.765  0.982  1.000  1.000
version 1              0.000  0.000  0.000  0.038  0.515  0.976  1.000  1.000
datatrove 0.10.1       0.053  0.211  0.365  0.565  0.772  0.924  0.988  1.000
=====================  =====  =====  =====  =====  =====  =====  =====  =====

Nearly all of the time goes into the multiplications, one for each shingle and permutation; one-permutation hashing
would spare them in long documents, but for pages of some hundred words it needs as many steps to fill its empty places.
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

_DOMAIN = b"herkomst-minhash-v2"
_BASE = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: Knuth's multiplicative hashing
_MIX = np.uint64(0xD6E8FEB86659FD93)  # Mulvey's 64-bit mixer
_HALF = np.uint64(32)
_BLOCK = 256  # shingles at once: their values under 140 permutations (140 kB) stay in the processor's second cache


def signature(word_hashes: NDArray[np.uint64], settings: DuplicatesSettings) -> NDArray[np.uint32]:
    """Return the MinHash signature, shape (permutations,), of a document given as its words' hashes in order.

    A document with fewer words than a shingle has one shingle of all its words.
    """
    multipliers = _multipliers(settings.permutations)
    least = np.full(settings.permutations, NO_WORDS)
    shingles = shingle_hashes(word_hashes, settings.shingle_words)[:, None]
    values = np.empty((min(_BLOCK, len(shingles)), settings.permutations), np.uint32)
    for start in range(0, len(shingles), _BLOCK):
        block = shingles[start : start + _BLOCK]
        # The permutations lie side by side in memory, so that the least of each is found by whole vectors.
        made = np.multiply(block, multipliers, out=values[: len(block)])
        np.minimum(least, np.minimum.reduce(made, axis=0), out=least)
    return least


def shingle_hashes(word_hashes: NDArray[np.uint64], words: int) -> NDArray[np.uint32]:
    """Return the hashes, odd, of all runs of ``words`` words, shape (count - words + 1,); repeats are kept."""
    if not len(word_hashes):
        return np.empty(0, np.uint32)
    words = min(words, len(word_hashes))
    count = len(word_hashes) - words + 1
    rolled = word_hashes[:count].copy()
    for at in range(1, words):
        rolled *= _BASE
        rolled += word_hashes[at : at + count]
    rolled ^= rolled >> _HALF
    rolled *= _MIX
    rolled >>= _HALF
    shingles = rolled.astype(np.uint32)
    shingles |= np.uint32(1)
    return shingles


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


def standard_error(similarity: NDArray[np.float64], settings: DuplicatesSettings) -> NDArray[np.float64]:
    """The standard error of estimates, sqrt(J(1-J)/permutations), any shape."""
    errors: NDArray[np.float64] = np.sqrt(similarity * (1 - similarity) / settings.permutations)
    return errors


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread each value over all 64 bits, one to one."""
    for _ in range(2):
        values = (values ^ (values >> np.uint64(32))) * _MIX
    return values ^ (values >> np.uint64(32))


@cache
def _multipliers(count: int) -> NDArray[np.uint32]:
    digests = b"".join(hashlib.sha256(_DOMAIN + i.to_bytes(4, "little")).digest()[:4] for i in range(count))
    return np.frombuffer(digests, "<u4").astype(np.uint32) | np.uint32(1)
