"""Function words as a cheap witness of a language: ``the``, ``of`` and ``and`` are a third of English, none of Dutch.

The lists are those of the quality rules (``configs/quality.yaml``), joined with ``configs/function-words.yaml``. Each
list is a column of one table, looked up with the hashes that `data_curation.words.Words` has already made. A word that
several languages share counts for each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_curation.settings import FunctionWordSettings, QualitySettings
from data_curation.words import word_hashes
from licensing.reading import read_section

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SLOT_BITS = 16


def read_function_words(quality: QualitySettings, path: Path | None = None) -> dict[str, tuple[str, ...]]:
    """Return the function words of each language: the quality rules' stop words and those in ``path`` (our own)."""
    if path is None:
        with as_file(files("configs") / "function-words.yaml") as own:
            return read_function_words(quality, own)
    more = read_section(path, FunctionWordSettings).languages
    stop = {code: rules.stop_words for code, rules in quality.languages.items()}
    return {code: tuple(dict.fromkeys((*stop.get(code, ()), *more.get(code, ())))) for code in sorted({*stop, *more})}


class FunctionWords:
    """Counts the function words of every language in many texts at once."""

    def __init__(self, lists: Mapping[str, Iterable[str]]) -> None:
        self.languages = sorted(lists)
        self.column = {code: number for number, code in enumerate(self.languages)}
        words = sorted({word for each in lists.values() for word in each})
        place = {word: number for number, word in enumerate(words, start=1)}
        # Row 0 is that of a word in no list.
        self._rows = np.zeros((len(words) + 1, len(self.languages)), np.int32)
        for code, each in lists.items():
            self._rows[[place[word] for word in each], self.column[code]] = 1
        hashes = word_hashes(words)
        order = np.argsort(hashes)
        self._keys, self._places = hashes[order], order + 1
        # Nearly all words that are in no list fall on an empty slot, which is faster than a binary search.
        self._taken = np.zeros(1 << _SLOT_BITS, np.bool_)
        self._taken[_slots(hashes)] = True

    def count(self, hashes: NDArray[np.uint64], bounds: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return how many function words of each language the words of each part have, shape (parts, languages).

        ``bounds`` (shape (parts + 1,)) are the places in ``hashes`` at which parts begin, and the end of the last.
        """
        maybe = np.flatnonzero(self._taken[_slots(hashes)])
        at = np.minimum(np.searchsorted(self._keys, hashes[maybe]), len(self._keys) - 1)
        sure = self._keys[at] == hashes[maybe]
        sums = np.zeros((int(sure.sum()) + 1, len(self.languages)), np.int32)
        np.cumsum(self._rows[self._places[at[sure]]], axis=0, out=sums[1:])
        edges = sums[np.searchsorted(maybe[sure], bounds)]
        counted: NDArray[np.int32] = edges[1:] - edges[:-1]
        return counted


def _slots(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return hashes >> np.uint64(64 - _SLOT_BITS)
