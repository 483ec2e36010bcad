"""The texts of all evaluation items as arrays in which a document's words are looked up.

A text that several items share is held once. Its *n-grams* are the runs of ``ngram`` words, or the whole text where it
is shorter; each counts by one over the number of texts that hold it, so that what all items of a set are made from says
little about any of them. Texts shorter than ``least_words`` are left out, and an item without another one is *not
testable*: it is counted, and nobody may call it clean.

The index is made once for a run and read by every task: all sets of ``../shared/data/evaluation`` take 6 s to make and
0.3 s to open.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data_curation.contamination.items import read_items
from data_curation.contamination.settings import ContaminationSettings
from data_curation.words import Words
from licensing.errors import HerkomstError
from licensing.files import atomic_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]
    Places = NDArray[np.int64]

_BASE = np.uint64(0x9E3779B97F4A7C15)  # as in data_curation.minhash


@dataclass(frozen=True, slots=True)
class Index:
    """All that is known of the evaluation sets; texts are numbered in the order in which they first came.

    ``words`` are the word hashes of all texts and ``bounds`` (texts + 1,) where each begins. ``keys`` are different
    n-grams, sorted; those from ``starts[i]`` to ``starts[i + 1]`` of ``holders`` are the texts with the i-th. The same
    for ``near_``, with the place in the text. ``totals`` is the weight of all n-grams of a text. ``link_items`` and
    ``link_weights`` name the items of a text, from ``link_starts`` on, and the share of the item's words that are in
    this text.
    """

    words: Keys
    bounds: Places
    keys: Keys
    starts: Places
    holders: Places
    totals: NDArray[np.float64]
    near_keys: Keys
    near_starts: Places
    near_holders: Places
    near_places: Places
    link_starts: Places
    link_items: Places
    link_weights: NDArray[np.float64]
    items: list[tuple[str, str]]
    lengths: tuple[int, ...]
    counts: dict[str, dict[str, int]]

    def write(self, folder: Path, settings: ContaminationSettings) -> None:
        """Write it as a folder that appears whole or not at all."""
        with atomic_folder(folder) as new:
            for name in _arrays():
                np.save(new / f"{name}.npy", getattr(self, name))
            form = {"settings": _form(settings), "items": self.items, "lengths": self.lengths, "counts": self.counts}
            (new / "form.json").write_text(json.dumps(form, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def open(cls, folder: Path, settings: ContaminationSettings) -> Index:
        """Read it; raises HerkomstError where it is not there, or was made with other settings."""
        try:
            form = json.loads((folder / "form.json").read_text(encoding="utf-8"))
            # Mapped, so that workers on one machine share the pages.
            arrays = {name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in _arrays()}
        except (OSError, ValueError) as fault:
            raise HerkomstError(
                f"{folder}: no readable index of evaluation sets ({fault}), so the corpus cannot be checked; start "
                "curation again"
            ) from fault
        if form["settings"] != _form(settings):
            raise HerkomstError(f"{folder}: made for other evaluation sets or settings; start curation again")
        items = [(name, item) for name, item in form["items"]]
        return cls(**arrays, items=items, lengths=tuple(form["lengths"]), counts=form["counts"])


def make_index(settings: ContaminationSettings, root: Path) -> Index:
    """Read all sets of ``settings``; their relative paths start at ``root``.

    Raises:
        HerkomstError: a set cannot be read, or all together have more n-grams than ``most_ngrams``.
    """
    texts, items = _Texts(), _Items()
    for one in settings.sets:
        for item in read_items(one, root):
            hashes = [Words.of(text).hashes for text in item.texts]
            items.add(
                item.set, item.id, [texts.number(words) for words in hashes if len(words) >= settings.least_words]
            )
            if texts.size > settings.most_ngrams:
                raise HerkomstError(
                    f"evaluation set '{one.name}' brings the sets to more than {settings.most_ngrams} n-grams, which "
                    "every worker would hold in memory: name fewer sets, or raise most_ngrams"
                )
    words, bounds = texts.arrays()
    lengths = np.diff(bounds)
    wanted = np.minimum(lengths, settings.ngram)
    keys, holders, _ = _grams(words, bounds, wanted)
    near = _grams(words, bounds, np.minimum(lengths, settings.near_ngram))
    grouped = _Grouped.of(*_once(keys, holders))
    weights = np.repeat(1.0 / np.diff(grouped.starts), np.diff(grouped.starts))
    nearby = _Grouped.of(*near)
    links = items.links(lengths)
    return Index(
        words=words,
        bounds=bounds,
        keys=grouped.keys,
        starts=grouped.starts,
        holders=grouped.values[0],
        totals=np.bincount(grouped.values[0], weights, len(lengths)).astype(np.float64),
        near_keys=nearby.keys,
        near_starts=nearby.starts,
        near_holders=nearby.values[0],
        near_places=nearby.values[1],
        link_starts=links[0],
        link_items=links[1],
        link_weights=links[2],
        items=items.names,
        lengths=tuple(sorted({int(length) for length in wanted})),
        counts=items.counts,
    )


def gram_keys(words: Keys, lengths: tuple[int, ...]) -> Iterator[tuple[int, Keys]]:
    """Yield (length, keys of all runs of so many words) for each of ``lengths``, which are sorted and differ.

    The words' hashes are even over 64 bits, so their polynomials are too and need no mixing.
    """
    rolled, size = words, 1
    for length in lengths:
        if length > len(words):
            return
        while size < length:
            # Two runs of the same size make one of twice that; a word at a time makes the rest of the way.
            step = size if 2 * size <= length else 1
            joined = rolled[: len(rolled) - step] * _power(step)
            joined += rolled[size:] if step == size else words[size:]
            rolled, size = joined, size + step
        yield length, rolled + np.uint64(length)


@cache
def _power(words: int) -> np.uint64:
    return np.uint64(pow(int(_BASE), words, 1 << 64))


class _Texts:
    """Different texts, each once."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self.size = 0

    def number(self, words: Keys) -> int:
        key = words.tobytes()
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers)
            self.size += len(words)
        return self._numbers[key]

    def arrays(self) -> tuple[Keys, Places]:
        parts = [np.frombuffer(key, np.uint64) for key in self._numbers]
        bounds = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        return np.concatenate([np.empty(0, np.uint64), *parts]), bounds


class _Items:
    """Items by number, and which texts belong to each."""

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []
        self.counts: dict[str, dict[str, int]] = {}
        self._pairs: list[tuple[int, int]] = []

    def add(self, set: str, id: str, texts: list[int]) -> None:
        counts = self.counts.setdefault(set, {"items": 0, "not_testable": 0})
        counts["items"] += 1
        counts["not_testable"] += not texts
        self._pairs += [(text, len(self.names)) for text in dict.fromkeys(texts)]
        self.names.append((set, id))

    def links(self, lengths: Places) -> tuple[Places, Places, NDArray[np.float64]]:
        """For each text, its items and which share of the item's words it has."""
        texts, items = np.array(sorted(self._pairs), np.int64).reshape(-1, 2).T
        sizes = np.bincount(items, lengths[texts], len(self.names))
        return np.searchsorted(texts, np.arange(len(lengths) + 1)), items, lengths[texts] / sizes[items]


@dataclass(frozen=True, slots=True)
class _Grouped:
    """Values under different keys; those of the i-th key from ``starts[i]`` on."""

    keys: Keys
    starts: Places
    values: tuple[Places, ...]

    @classmethod
    def of(cls, keys: Keys, *values: Places) -> _Grouped:
        order = np.lexsort((*values[::-1], keys))
        different, starts = np.unique(keys[order], return_index=True)
        return cls(different, np.append(starts, len(keys)), tuple(value[order] for value in values))


def _grams(words: Keys, bounds: Places, sizes: Places) -> tuple[Keys, Places, Places]:
    """Keys, texts and places of all runs of words in texts; text ``i`` is cut into runs of ``sizes[i]``."""
    owner = np.repeat(np.arange(len(sizes)), np.diff(bounds))
    found = []
    for length, keys in gram_keys(words, tuple(sorted({int(size) for size in sizes}))):
        at = np.arange(len(keys))
        inside = np.flatnonzero((sizes[owner[at]] == length) & (at + length <= bounds[1:][owner[at]]))
        found.append((keys[inside], owner[inside], inside - bounds[owner[inside]]))
    nothing = (np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64))
    keys, texts, places = (np.concatenate(parts) for parts in zip(nothing, *found, strict=True))
    return keys, texts, places


def _once(keys: Keys, texts: Places) -> tuple[Keys, Places]:
    """Each pair of key and text once, however often the text has it."""
    order = np.lexsort((texts, keys))
    keys, texts = keys[order], texts[order]
    fresh = np.append(True, (keys[1:] != keys[:-1]) | (texts[1:] != texts[:-1]))[: len(keys)]
    return keys[fresh], texts[fresh]


def _arrays() -> list[str]:
    return [field.name for field in fields(Index) if field.name not in ("items", "lengths", "counts")]


def _form(settings: ContaminationSettings) -> dict[str, Any]:
    named: dict[str, Any] = settings.model_dump(
        mode="json", exclude={"action", "listed", "near_common", "near_least_runs"}
    )
    return named
