"""Cut from a document what `data_curation.repeats.search` found that others keep, or count it only.

A repeated paragraph goes whole. Of a repeated run go the units (``data_curation.repeats.layout``: sentences and lines)
all of whose words lie in fingerprints that an earlier document keeps, where such units in a row have ``least_words``
words together; what of a run reaches into half a sentence stays. Nothing is cut that was not seen word for word
elsewhere. Between two units that stay, the widest white space of all that stood between them stays, so that paragraphs
remain parted. A text is changed at most once: cutting the result again with the same row is not meant and not needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from data_curation.repeats.keys import paragraph_keys, run_keys
from data_curation.repeats.layout import Layout
from data_curation.repeats.settings import RepeatsSettings
from data_curation.repeats.store import check_words
from data_curation.words import Words
from licensing.errors import HerkomstError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Marks = NDArray[np.bool_]

NOTHING_LEFT = "repeats-nothing-left"
CUT = "repeats-cut"
COUNTED = "repeats-counted"

_BATCH = 1 << 18  # characters


@dataclass(frozen=True, slots=True)
class Part:
    """A repeated part of a text as it was: characters ``start`` to ``end``, its words, and who keeps it."""

    start: int
    end: int
    kind: Literal["paragraph", "run"]
    holder: str
    words: int
    cut: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """The text that is left, the repeated parts in order, and the words that the document had.

    ``seen`` are its words in repeated paragraphs and fingerprints, those in half sentences too, which are never cut.
    ``reason`` is None where nothing repeats, else one of `CUT`, `COUNTED` and `NOTHING_LEFT`; with the last, the
    document is to be removed.
    """

    text: str
    parts: tuple[Part, ...]
    words: int
    seen: int
    reason: str | None

    @property
    def repeated(self) -> int:
        """Words in repeated parts, cut or not."""
        return sum(part.words for part in self.parts)

    def event(self) -> dict[str, str | None]:
        """What the ledger tells: how much, of what, and the first holder; call it where ``reason`` is not None."""
        outcome = {NOTHING_LEFT: "removed", CUT: "changed"}.get(self.reason or "", "recorded")
        kinds = [part.kind for part in self.parts]
        share = 100 * self.repeated / self.words
        told = (
            f"{kinds.count('paragraph')} paragraphs and {kinds.count('run')} runs, {self.repeated} of {self.words} "
            f"words ({share:.1f} %), stand in other documents, first in {self.parts[0].holder}"
        )
        return {"stage": "curate", "outcome": outcome, "reason": self.reason, "detail": told}


class Cutter:
    """Cuts or counts by its settings, a document at a time."""

    def __init__(self, settings: RepeatsSettings) -> None:
        self._settings = settings

    def cut(self, text: str, words: Words, row: Mapping[str, Any] | None) -> Cut:
        """Treat one document; ``row`` is its row of ``data_curation.repeats.search.REPEATS``, None where it has none.

        ``text`` and ``words`` are those that RepeatWriter was given. Raises HerkomstError where they do not belong
        together, or where the row names something that the text does not hold.
        """
        return next(self.cut_all([(text, words, row)]))

    def cut_all(self, documents: Iterable[tuple[str, Words, Mapping[str, Any] | None]]) -> Iterator[Cut]:
        """Treat many documents as `cut` does and in the order given; a quarter of a million characters at a time."""
        waiting: list[tuple[str, Words, Mapping[str, Any] | None]] = []
        characters = 0
        for document in documents:
            waiting.append(document)
            characters += len(document[0]) if document[2] is not None else 0
            if characters >= _BATCH:
                yield from self._cut_batch(waiting)
                waiting, characters = [], 0
        yield from self._cut_batch(waiting)

    def _cut_batch(self, documents: list[tuple[str, Words, Mapping[str, Any] | None]]) -> Iterator[Cut]:
        layouts = iter(Layout.of_many([text for text, _, row in documents if row is not None]))
        for text, words, row in documents:
            yield Cut(text, (), len(words), 0, None) if row is None else self._cut(text, words, row, next(layouts))

    def _cut(self, text: str, words: Words, row: Mapping[str, Any], layout: Layout) -> Cut:
        check_words(len(layout.words), words)
        found = _Found(layout)
        cuts = self._actions()
        # What is cut comes first, so that a paragraph that is only counted hides no run that is cut.
        for kind in sorted(cuts, key=lambda kind: not cuts[kind]):
            if kind == "paragraph" and self._settings.paragraphs and row["paragraphs"]:
                found.paragraphs(text, row, self._settings.paragraphs.least_words)
            if kind == "run" and self._settings.runs and row["runs"]:
                found.runs(words, row, self._settings.runs.least_words, self._settings.runs.fingerprint_words)
        return self._result(text, layout, found, found.parts(cuts))

    def _actions(self) -> dict[str, bool]:
        groups = {"paragraph": self._settings.paragraphs, "run": self._settings.runs}
        return {kind: group is not None and group.action == "cut" for kind, group in groups.items()}

    def _result(self, text: str, layout: Layout, found: _Found, parts: tuple[Part, ...]) -> Cut:
        cut = [part for part in parts if part.cut]
        words, seen = len(layout.words), int(found.seen.sum())
        if not cut:
            return Cut(text, parts, words, seen, COUNTED if parts else None)
        left = words - sum(part.words for part in cut)
        stays = np.ones(len(layout.units), np.bool_)
        for part in cut:
            first, end = np.searchsorted(layout.units[:, 0], (part.start, part.end))
            stays[first:end] = False
        reason = CUT if left >= self._settings.least_left_words else NOTHING_LEFT
        return Cut(_joined(text, layout, stays), parts, words, seen, reason)


class _Found:
    """For each unit of a document: is it repeated, as what, and who keeps it."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._bounds = layout.unit_words()
        self._kinds = np.zeros(len(layout.units), np.int8)
        self._group = np.full(len(layout.units), -1, np.int64)
        self._holders: list[str] = []
        self.seen = np.zeros(len(layout.words), np.bool_)

    def paragraphs(self, text: str, row: Mapping[str, Any], least_words: int) -> None:
        """Mark whole paragraphs."""
        holders = dict(zip(row["paragraphs"], row["paragraph_holders"], strict=True))
        keys, numbers = paragraph_keys(text, self._layout, least_words)
        _all_found(len(holders), len(holders.keys() & set(keys.tolist())))
        for key, number in zip(keys.tolist(), numbers.tolist(), strict=True):
            if key in holders:
                first, end = self._layout.paragraphs[number : number + 2].tolist()
                self.seen[self._bounds[first, 0] : self._bounds[end - 1, 1]] = True
                self._mark(first, end, 1, holders[key])

    def runs(self, words: Words, row: Mapping[str, Any], least_words: int, fingerprint_words: int) -> None:
        """Mark units in a row that are repeated word for word."""
        known = np.array(row["runs"], np.uint64)
        keys = run_keys(words.hashes, fingerprint_words)
        at = np.searchsorted(known, keys)
        hits = np.flatnonzero(known[np.minimum(at, len(known) - 1)] == keys)
        _all_found(len(known), len(np.unique(at[hits])))
        steps = np.zeros(len(words) + 1, np.int64)
        np.add.at(steps, hits, 1)
        np.add.at(steps, hits + fingerprint_words, -1)
        within = np.cumsum(steps)[:-1] > 0
        self.seen |= within
        covered = np.append(0, np.cumsum(within))
        for first, end in self._rows_of_units(covered, least_words):
            word = self._bounds[first, 0]
            hit = hits[np.searchsorted(hits, word - fingerprint_words + 1)]
            self._mark(first, end, 2, row["run_holders"][int(at[hit])])

    def _rows_of_units(self, covered: NDArray[np.int64], least_words: int) -> list[tuple[int, int]]:
        """First and end of units in a row that are covered wholly and have enough words, without wordless edges."""
        starts, ends = self._bounds.T
        whole = covered[ends] - covered[starts] == ends - starts
        rows = []
        for first, end in _stretches(whole):
            with_words = first + np.flatnonzero(ends[first:end] > starts[first:end])
            if len(with_words) and ends[with_words[-1]] - starts[with_words[0]] >= least_words:
                rows.append((int(with_words[0]), int(with_words[-1]) + 1))
        return rows

    def _mark(self, first: int, end: int, kind: int, holder: bytes) -> None:
        """Mark those units that are not marked already."""
        for start, stop in _stretches(self._kinds[first:end] == 0):
            self._kinds[first + start : first + stop] = kind
            self._group[first + start : first + stop] = len(self._holders)
            self._holders.append(holder.hex())

    def parts(self, cut: dict[str, bool]) -> tuple[Part, ...]:
        """The marked parts in the order of the text."""
        firsts = np.flatnonzero((self._group >= 0) & np.append(True, self._group[1:] != self._group[:-1]))
        parts = []
        for first in firsts.tolist():
            last = first + int(np.argmin(np.append(self._group[first:] == self._group[first], False))) - 1
            kind: Literal["paragraph", "run"] = "paragraph" if self._kinds[first] == 1 else "run"
            start, end = int(self._layout.units[first, 0]), int(self._layout.units[last, 1])
            count = int(self._bounds[last, 1] - self._bounds[first, 0])
            parts.append(Part(start, end, kind, self._holders[self._group[first]], count, cut[kind]))
        return tuple(parts)


def _all_found(named: int, found: int) -> None:
    if named != found:
        raise HerkomstError(
            f"{named} repeats are named for this text and {found} are in it, so it is not the text that was searched; "
            "curate the source again"
        )


def _stretches(marks: Marks) -> list[tuple[int, int]]:
    """First and end of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marks, [False]]).view(np.int8)))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def _joined(text: str, layout: Layout, stays: Marks) -> str:
    """The units that stay, between two of them the widest white space that stood there (of equals the last)."""
    starts, ends = layout.units[:, 0].tolist(), layout.units[:, 1].tolist()
    pieces: list[str] = []
    previous = 0
    for first, end in _stretches(stays):
        if pieces:
            gaps = [text[ends[at] : starts[at + 1]] for at in range(previous - 1, first)]
            pieces.append(max(reversed(gaps), key=lambda gap: gap.count("\n")))
        pieces.append(text[starts[first] if first else 0 : ends[end - 1]])
        previous = end
    tail = text[ends[-1] :] if previous == len(stays) else ""
    return "".join(pieces) + tail
