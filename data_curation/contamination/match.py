"""Which evaluation items stand in a document, word for word or edited.

*By n-grams*: an item's share is that of its n-grams, by their weights (``data_curation.contamination.index``), that the
document holds anywhere. *Near*: a few words in a row that both hold tell where in the document a text may stand; there
the share of the text's words that are found is measured (each as often as it occurs; order aside). A place in a
document counts for the texts that fit it best, so that an item is not taken for all others of its template.

Nearly all documents hold no item. One table of bits, small enough to stay near the processor, lets about one in a
hundred of their runs of words pass, and only those are looked up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from data_curation.contamination.index import Index, gram_keys, make_index
from data_curation.contamination.settings import ContaminationSettings
from data_curation.sieves import Sieve
from data_curation.words import Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]
    Places = NDArray[np.int64]

CONTAMINATED = "contaminated"

_ORDER = 1e-6  # of texts with the same share of words, the one with more of them in order fits better


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """An item found in a document, and the share of it that is there; ``kind`` says whether n-grams alone show it."""

    set: str
    item: str
    kind: Literal["ngram", "near"]
    share: float


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a document a text seems to stand, which share of its words is there, and how well it fits there."""

    text: int
    start: int
    end: int
    share: float
    fit: float


class EvaluationSets:
    """Looks for the items of all evaluation sets, a document at a time."""

    def __init__(self, index: Index, settings: ContaminationSettings) -> None:
        self._index, self._settings = index, settings
        self._all = np.union1d(index.keys, index.near_keys)
        self._sieve = Sieve(self._all)
        self._lengths = tuple(sorted({*index.lengths, settings.near_ngram}))

    @classmethod
    def load(cls, settings: ContaminationSettings, root: Path) -> EvaluationSets:
        """Read the sets from their files; see `make_index` for errors."""
        return cls(make_index(settings, root), settings)

    @classmethod
    def open(cls, folder: Path, settings: ContaminationSettings) -> EvaluationSets:
        """Read an index that ``write`` made, as every task does."""
        return cls(Index.open(folder, settings), settings)

    def write(self, folder: Path) -> None:
        """Write the index for the tasks."""
        self._index.write(folder, self._settings)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """For each set how many ``items`` it has and how many are ``not_testable``."""
        return self._index.counts

    def hits(self, words: Words) -> list[Hit]:
        """The items that stand in a document, sorted by set and item."""
        known = self._runs_known(words.hashes)
        if known is None:
            return []
        found, near = known
        shares = self._shares(found)
        close: dict[int, float] = {}
        for place in self._places(words.hashes, *near):
            close[place.text] = max(place.share, close.get(place.text, 0.0))
        return self._items(shares, close)

    def _runs_known(self, hashes: Keys) -> tuple[Places, tuple[Places, Places]] | None:
        """Which n-grams a document holds, and which short runs at which word, as numbers in the index; None for none.

        A length of run is looked up among all keys: those of another length agree by chance, once in 2^64.
        """
        runs = list(gram_keys(hashes, self._lengths))
        if not runs:
            return None
        keys = np.concatenate([run for _, run in runs])
        _, at = _known(self._all, keys, self._sieve.passes(keys))
        if not len(at):
            return None
        found, _ = _known(self._index.keys, keys, at)
        numbers, places = _known(self._index.near_keys, keys, at)
        if self._settings.near == 1:
            numbers, places = numbers[:0], places[:0]
        before = sum(len(run) for length, run in runs if length < self._settings.near_ngram)
        return np.unique(found), (numbers, places - before)

    def _shares(self, found: Places) -> dict[int, float]:
        """For each text with n-grams among ``found``, their share by weight."""
        at, owners = _expanded(self._index.starts, found)
        texts, place = np.unique(self._index.holders[at], return_inverse=True)
        holders = np.diff(self._index.starts)[found]
        sums = np.bincount(place, 1.0 / holders[owners], len(texts))
        shares = np.minimum(1.0, np.round(sums / self._index.totals[texts], 6))
        return dict(zip(texts.tolist(), shares.tolist(), strict=True))

    def _places(self, hashes: Keys, numbers: Places, words: Places) -> list[_Place]:
        """Where texts stand nearly, the best fits of each place only.

        The likeliest come first: where one stands word for word, the others of its template need no comparison.
        """
        best, found = np.zeros(len(hashes)), []
        for text, start, end, runs in self._likely(numbers, words):
            start, end = max(0, start), min(end, len(hashes))
            if best[(start + end) // 2] >= 1 + _ORDER and runs < 1:
                continue
            share = self._agreeing(text, hashes[start:end])
            if share >= self._settings.near:
                place = _Place(text, start, end, share, share + _ORDER * min(1.0, runs))
                found.append(place)
                best[start:end] = np.maximum(best[start:end], place.fit)
        return [place for place in found if place.fit >= best[(place.start + place.end) // 2]]

    def _likely(self, numbers: Places, words: Places) -> Iterator[tuple[int, int, int, float]]:
        """Text, first word, end, and the share of its short runs that is there, for places where a text may stand."""
        starts = self._index.near_starts
        rare = starts[numbers + 1] - starts[numbers] <= self._settings.near_common
        at, owners = _expanded(starts, numbers[rare])
        texts = self._index.near_holders[at]
        begins = words[rare][owners] - self._index.near_places[at]
        order = np.lexsort((begins, texts))
        texts, begins = texts[order], begins[order]
        lengths = np.diff(self._index.bounds)[texts]
        apart = (texts[1:] != texts[:-1]) | (begins[1:] - begins[:-1] > 1 + lengths[1:] // 5)
        edges = np.flatnonzero(np.concatenate([[True], apart, [True]])) if len(texts) else np.zeros(1, np.int64)
        first, last, votes = edges[:-1], edges[1:] - 1, np.diff(edges)
        shares = votes / (lengths[first] - self._settings.near_ngram + 1)
        likely = np.flatnonzero(shares >= self._settings.near_least_runs)
        likely = likely[np.argsort(-shares[likely], kind="stable")]
        first, last = first[likely], last[likely]
        columns = (texts[first], begins[first], begins[last] + lengths[first], shares[likely])
        yield from zip(*(column.tolist() for column in columns), strict=True)

    def _agreeing(self, text: int, window: Keys) -> float:
        """Share of a text's words that are among those of ``window``."""
        own = self._index.words[self._index.bounds[text] : self._index.bounds[text + 1]].tolist()
        return (Counter(own) & Counter(window.tolist())).total() / len(own)

    def _items(self, shares: dict[int, float], close: dict[int, float]) -> list[Hit]:
        exact: Counter[int] = Counter()
        both: Counter[int] = Counter()
        index = self._index
        for text in sorted({*shares, *close}):
            share = shares.get(text, 0.0)
            for link in range(int(index.link_starts[text]), int(index.link_starts[text + 1])):
                item, weight = int(index.link_items[link]), float(index.link_weights[link])
                exact[item] += share * weight  # type: ignore[assignment]
                both[item] += max(share, close.get(text, 0.0)) * weight  # type: ignore[assignment]
        least = self._settings.least_share
        hits = [
            Hit(*index.items[item], "ngram" if exact[item] >= least else "near", round(both[item], 4))
            for item in both
            if both[item] >= least
        ]
        return sorted(hits)


def event(hits: Sequence[Hit], settings: ContaminationSettings) -> dict[str, str | None]:
    """What the ledger tells of a document with hits: how many items of which sets, and the first few by name."""
    sets = ", ".join(f"{count} of {name}" for name, count in sorted(Counter(hit.set for hit in hits).items()))
    named = "; ".join(f"{hit.set} {hit.item} ({hit.kind}, {hit.share:.2f})" for hit in hits[: settings.listed])
    more = f"; and {len(hits) - settings.listed} more" if len(hits) > settings.listed else ""
    outcome = "removed" if settings.action == "remove" else "recorded"
    told = f"evaluation items found: {sets}: {named}{more}"
    return {"stage": "curate", "outcome": outcome, "reason": CONTAMINATED, "detail": told}


def _known(known: Keys, keys: Keys, at: Places) -> tuple[Places, Places]:
    """Numbers among ``known`` of the keys at ``at``, and where they stand; those not known are left out."""
    if not len(known):
        return at[:0], at[:0]
    asked = keys[at]
    numbers = np.minimum(known.searchsorted(asked), len(known) - 1)
    same = known[numbers] == asked
    return numbers[same], at[same]


def _expanded(starts: Places, numbers: Places) -> tuple[Places, Places]:
    """Places of all values under the keys ``numbers``, and for each place which of ``numbers`` it belongs to."""
    counts = starts[numbers + 1] - starts[numbers]
    owners = np.repeat(np.arange(len(numbers)), counts)
    first = np.cumsum(counts) - counts
    at: Places = starts[numbers][owners] + np.arange(len(owners)) - first[owners]
    return at, owners
