"""The numbers by which repeats are found: one for each paragraph, and fingerprints for runs of words.

A run of *k* words has the polynomial hash of its words' 64-bit hashes, mixed. Of these, two kinds are kept:

* *winnowed* (Schleimer, Wilkerson and Aiken 2003): the least of every *w* in a row. Two texts that share a run of
  k + w - 1 words or more share a fingerprint in it, and all of the run but fewer than w words at each end lies in
  shared fingerprints;
* *anchored*: the run that starts with each unit (``data_curation.repeats.layout``) and the one that ends with it. They
  close the gaps at the ends, so that units in a row that have k + w - 1 words and more together, and stand word for
  word in another text with the same bounds, are covered wholly.

About 0.3 fingerprints a word with the defaults, 8 bytes each. Paragraphs are compared in Unicode form NFKC, case folded
and with white space as one blank. Two unequal ones have the same key with probability 2^-64 a pair: among 10^9
paragraphs, 0.03 pairs are expected.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import xxhash

from data_curation.minhash import mixed
from data_curation.repeats.layout import Layout
from data_curation.repeats.settings import RunRepeats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]
    Places = NDArray[np.int64]

_BASE = 0x9E3779B97F4A7C15  # as in data_curation.minhash
_AGAIN = np.uint64(0xA0761D6478BD642F)  # the least of many are small numbers; spread once more, they are even


def folded_key(paragraph: str) -> int:
    """The key of one paragraph."""
    folded = " ".join(unicodedata.normalize("NFKC", paragraph).casefold().split())
    return xxhash.xxh3_64_intdigest(folded.encode("utf-8", "surrogatepass"))


def paragraph_keys(text: str, layout: Layout, least_words: int) -> tuple[Keys, Places]:
    """Keys and numbers of the paragraphs that have ``least_words`` words or more."""
    long = np.flatnonzero(layout.paragraph_words() >= least_words)
    spans = layout.paragraph_spans()[long].tolist()
    return np.fromiter((folded_key(text[start:end]) for start, end in spans), np.uint64, len(long)), long


def run_keys(hashes: Keys, words: int) -> Keys:
    """The key of every run of ``words`` words, shape (count - words + 1,); empty for a shorter text."""
    if len(hashes) < words:
        return np.empty(0, np.uint64)
    return mixed(mixed(_rolled(hashes, words)) ^ _AGAIN)


def fingerprints(hashes: Keys, documents: Places, units: Places, settings: RunRepeats) -> tuple[Keys, Places]:
    """The keys that stand for documents, and the number of the document of each; a key may come more than once.

    ``hashes`` are the words of all documents one after another, ``documents`` (documents + 1,) where each begins and
    ``units`` (units, 2) first word and end of each unit. What a document gets does not depend on its neighbours.
    """
    size, window = settings.fingerprint_words, settings.window
    if len(hashes) < size:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    grams = mixed(_rolled(hashes, size))
    owner = np.repeat(np.arange(len(documents) - 1), np.diff(documents))
    ends = documents[1:][owner]
    found = [_winnowed(grams, window, np.arange(len(hashes)) + (size + window - 1) <= ends)]
    starts, stops = units[units[:, 1] > units[:, 0]].T
    starts = starts[starts + size <= ends[starts]]
    stops = stops[stops - size >= documents[:-1][owner[stops - 1]]]
    found += [(grams[starts], starts), (grams[stops - size], stops - size)]
    keys, places = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return mixed(keys ^ _AGAIN), owner[places]


def _winnowed(grams: Keys, window: int, whole: NDArray[np.bool_]) -> tuple[Keys, Places]:
    """The least of each window that lies in one document (``whole``, by the window's first word), and that word."""
    if len(grams) < window:
        return grams[:0], np.empty(0, np.int64)
    least = _least_of(grams, window)
    whole = whole[: len(least)]
    fresh = np.append(True, (least[1:] != least[:-1]) | ~whole[:-1])
    at = np.flatnonzero(whole & fresh)
    return least[at], at


def _rolled(hashes: Keys, words: int) -> Keys:
    """Polynomial hashes of all runs of ``words`` words, put together from runs of 1, 2, 4, … words."""
    block, size, whole, done = hashes, 1, None, 0
    while True:
        if words & size:
            whole, done = (block, size) if whole is None else (_joined(whole, done, block, size), done + size)
        if done == words:
            return whole if whole is not None else block
        block, size = _joined(block, size, block, size), 2 * size


def _joined(left: Keys, size: int, right: Keys, right_size: int) -> Keys:
    """Hashes of runs of ``size + right_size`` words from those of both parts."""
    power = np.uint64(pow(_BASE, right_size, 1 << 64))
    count = len(left) - right_size
    joined = left[:count] * power
    joined += right[size : size + count]
    return joined


def _least_of(values: Keys, window: int) -> Keys:
    """The least of every ``window`` values in a row, in a few passes over windows of 1, 2, 4, … values."""
    size = 1
    while size < window:
        step = min(size, window - size)
        values = np.minimum(values[: len(values) - step], values[step:])
        size += step
    return values
