"""The training order as a plan: which sequence stands at (step, row), and at which (step, row) a sequence was read.

Both directions are formulas over a short list of segments; no batch is logged, nothing is stored, and the number of
processes never enters, so one rank or a thousand, before or after a resume, see the same global order. Words used here:

* a *slot* is one row of one step, counted through the segment: ``slot = (step - first_step) * batch + row``;
* a *block* is a run of slots in which every stream has a fixed count of sequences, in shuffled places;
* the *running number* of a draw counts the draws from one stream through the whole plan. It never restarts, so
  ``running number // sequences`` is the epoch, and no sequence comes twice within one epoch.

A segment reserves ``blocks * count`` running numbers of each stream, and the next one starts behind them. Where the
last block is cut short, its unfilled numbers are left unused rather than handed on: that keeps both directions closed,
and two draws can never share a number. ``consumed`` counts them.

The exact specification, with test vectors, is ``docs/training-order.md``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.permutation import Numbers, PermutationTable, parameters
from training.plan_parts import (
    REMEDY,
    Consumption,
    GoldfishRule,
    Parent,
    PlanError,
    Segment,
    StreamRef,
    check_goldfish,
    check_heading,
    check_parent,
    check_parts,
    read_part,
)

__all__ = ["Consumption", "GoldfishRule", "Parent", "Plan", "PlanError", "Segment", "StreamRef"]

FORMAT = "herkomst-plan-v1"
Indices = NDArray[np.int64]

_BLOCK_DOMAIN = b"herkomst-order-block-v1\0"
_STREAM_DOMAIN = b"herkomst-order-stream-v1\0"
# Pairs of sequence and epoch looked up at a time, so that memory does not grow with a partner's share.
_CHUNK = 2**17


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole order. Raises PlanError when its parts contradict each other.

    ``parent`` is there only where a training went on from a checkpoint of another plan after a withdrawal, ``goldfish``
    only where targets of some streams are left out of the loss.
    """

    sequence_length: int
    corpus_root: str
    tokens_root: str
    streams: tuple[StreamRef, ...]
    segments: tuple[Segment, ...]
    seed: int
    parent: Parent | None = None
    goldfish: tuple[GoldfishRule, ...] = ()

    def __post_init__(self) -> None:
        roots = {"corpus_root": self.corpus_root, "tokens_root": self.tokens_root}
        check_heading(self.sequence_length, self.seed, roots)
        check_parts(self.streams, self.segments)
        check_parent(self.parent, self.steps)
        check_goldfish(self.goldfish, self.streams)

    # --- forwards: (step, row) -> sequence ---

    def at(self, step: int) -> tuple[Indices, Indices]:
        """Return stream index and sequence number for every row of ``step``, each of shape [batch].

        Raises:
            PlanError: the plan has no such step.
        """
        segment = self.segment_of(step)
        first = (step - segment.first_step) * segment.batch
        stream, number = _drawn(segment, first + np.arange(segment.batch, dtype=np.uint64))
        return stream, self._sequences(stream, number)

    def segment_of(self, step: int) -> Segment:
        """Return the segment that holds ``step``; raises PlanError if there is none."""
        for segment in self.segments:
            if segment.first_step <= step < segment.last_step_exclusive:
                return segment
        raise PlanError(
            f"plan: there is no step {step}; nothing was read. It has steps 0 to {self.steps - 1}: ask for one of them."
        )

    @property
    def steps(self) -> int:
        """Steps over all segments."""
        return self.segments[-1].last_step_exclusive

    def _sequences(self, stream: Indices, number: Numbers) -> Indices:
        sizes = np.array([ref.sequences for ref in self.streams], dtype=np.uint64)
        epoch, rest = np.divmod(number, sizes[stream])
        # Fits 64 bits: running numbers stay below 2**48 and streams below 2**16 (checked with the plan).
        pair = epoch * np.uint64(len(self.streams)) + stream.astype(np.uint64)
        table, which = _table(pair, lambda one: self._stream_row(one % len(self.streams), one // len(self.streams)))
        return table.forward(rest, which).astype(np.int64)

    def _stream_row(self, stream: int, epoch: int) -> tuple[int, ...]:
        ref = self.streams[stream]
        return _row(_STREAM_DOMAIN, self.seed, ref.name, epoch, ref.sequences)

    def goldfish_of(self, stream: str) -> GoldfishRule | None:
        """Return the rule that leaves out targets of a stream, or None where all of them are scored."""
        return next((rule for rule in self.goldfish if stream in rule.streams), None)

    # --- backwards: sequence -> (step, row) ---

    def positions(
        self, stream_index: int, first_sequence: int, last_sequence_exclusive: int, *, include_skipped: bool = False
    ) -> list[tuple[int, int, int]]:
        """Return ``(sequence, step, row)`` for every time one of these sequences is drawn, by step and row.

        Steps whose update was dropped are left out unless ``include_skipped``. Raises PlanError for sequences that the
        stream does not have.
        """
        if first_sequence < 0:
            raise PlanError(f"plan: sequences are counted from 0, not from {first_sequence}; nothing was looked up.")
        wanted = np.arange(first_sequence, last_sequence_exclusive, dtype=np.uint64)
        found = self.find(stream_index, wanted, include_skipped=include_skipped)
        return list(zip(*(column.tolist() for column in found), strict=True))

    def find(
        self, stream_index: int, sequences: Numbers, *, include_skipped: bool = False
    ) -> tuple[Indices, Indices, Indices]:
        """Return ``positions`` as three arrays (sequence, step, row), for any selection of one stream's sequences."""
        self._check_sequences(stream_index, sequences)
        epochs = self._epochs_begun(stream_index)
        part = max(1, _CHUNK // max(1, epochs))
        chunks = [sequences[begin : begin + part] for begin in range(0, sequences.size if epochs else 0, part)]
        rows = [row for chunk in chunks for row in self._find_chunk(stream_index, chunk, epochs, include_skipped)]
        sequence, step, row = np.concatenate([np.empty((3, 0), dtype=np.int64), *rows], axis=1)
        order = np.lexsort((row, step))
        return sequence[order], step[order], row[order]

    def _epochs_begun(self, stream: int) -> int:
        sequences = self.streams[stream].sequences
        return -(-self.segments[-1].end(stream) // sequences) if sequences else 0

    def _find_chunk(self, stream: int, sequences: Numbers, epochs: int, include_skipped: bool) -> list[Indices]:
        table = PermutationTable([self._stream_row(stream, epoch) for epoch in range(epochs)])
        epoch = np.repeat(np.arange(epochs), sequences.size)
        repeated = np.tile(sequences, epochs)
        number = epoch.astype(np.uint64) * np.uint64(self.streams[stream].sequences) + table.inverse(repeated, epoch)
        return [_found(segment, stream, repeated, number, include_skipped) for segment in self.segments]

    def _check_sequences(self, stream: int, sequences: Numbers) -> None:
        if not 0 <= stream < len(self.streams):
            raise PlanError(f"plan: there is no stream {stream}; nothing was looked up. It has {len(self.streams)}.")
        ref = self.streams[stream]
        if sequences.size and int(sequences.max()) >= ref.sequences:
            raise PlanError(
                f"plan: stream {ref.name!r} has no sequence {int(sequences.max())}; nothing was looked up. "
                f"It has {ref.sequences}, counted from 0."
            )

    # --- sums ---

    def consumed(self) -> tuple[Consumption, ...]:
        """Return for every stream what the whole plan reads of it, exactly."""
        drawn, skipped = np.zeros((2, len(self.streams)), dtype=np.int64)
        for segment in self.segments:
            drawn += _drawn_counts(segment)
            for step in segment.skipped_steps:
                skipped += np.bincount(self.at(step)[0], minlength=len(self.streams))
        return tuple(self._consumption(i, int(drawn[i]), int(skipped[i])) for i in range(len(self.streams)))

    def _consumption(self, stream: int, drawn: int, skipped: int) -> Consumption:
        ref = self.streams[stream]
        reserved = sum(segment.end(stream) - segment.start[stream] for segment in self.segments)
        return Consumption(
            name=ref.name,
            sequences=ref.sequences,
            read=drawn - skipped,
            skipped=skipped,
            unused=reserved - drawn,
            most_times=self._epochs_begun(stream),
        )

    # --- as a file ---

    def to_json(self) -> str:
        """Return the canonical JSON (RFC 8785): the digest is the SHA-256 of exactly these bytes in UTF-8."""
        values = {"format": FORMAT, **asdict(self)}
        for name in ("parent", "goldfish"):
            if not values[name]:
                del values[name]
        return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read what ``to_json`` wrote; raises PlanError for anything missing, unknown or inconsistent."""
        try:
            data = json.loads(text)
        except ValueError as error:
            raise PlanError(f"plan: not JSON ({error}). {REMEDY}") from error
        if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
            raise PlanError(f"plan: field format is not {FORMAT!r}; it cannot be read. {REMEDY}")
        for name, kind in (("streams", StreamRef), ("segments", Segment)):
            if isinstance(data.get(name), list):
                data[name] = [read_part(kind, part, f"{name}[{at}]") for at, part in enumerate(data[name])]
        if (parent := data.setdefault("parent", None)) is not None:
            data["parent"] = read_part(Parent, parent, "parent")
        if (rules := data.setdefault("goldfish", ())) != ():
            # An empty list would be a second spelling of the same plan, under another digest.
            if not isinstance(rules, list) or not rules:
                raise PlanError(f"plan: goldfish must be absent or a list of one rule or more. {REMEDY}")
            data["goldfish"] = [read_part(GoldfishRule, rule, f"goldfish[{at}]") for at, rule in enumerate(rules)]
        return read_part(cls, data, "plan")

    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON, in hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


# --- one segment ---


def _drawn(segment: Segment, slot: Numbers) -> tuple[Indices, Numbers]:
    """Return stream index and running number of each slot."""
    counts, start = np.array(segment.counts, dtype=np.uint64), np.array(segment.start, dtype=np.uint64)
    ends = np.cumsum(counts, dtype=np.uint64)
    block: Numbers = slot // np.uint64(segment.block)
    place: Numbers = slot % np.uint64(segment.block)
    table, which = _table(block, lambda one: _block_row(segment, one))
    shuffled = table.forward(place, which)
    stream = np.searchsorted(ends, shuffled, side="right").astype(np.int64)
    number: Numbers = start[stream] + block * counts[stream] + (shuffled - (ends - counts)[stream])
    return stream, number


def _found(segment: Segment, stream: int, sequence: Numbers, number: Numbers, include_skipped: bool) -> Indices:
    """Return rows sequence, step, row (shape [3, hits]) for the running numbers that this segment reads."""
    here = np.flatnonzero((number >= segment.start[stream]) & (number < segment.end(stream)))
    if not here.size:
        return np.empty((3, 0), dtype=np.int64)
    block, offset = np.divmod(number[here] - np.uint64(segment.start[stream]), np.uint64(segment.counts[stream]))
    table, which = _table(block, lambda one: _block_row(segment, one))
    place = table.inverse(np.uint64(sum(segment.counts[:stream])) + offset, which)
    slot = (block * np.uint64(segment.block) + place).astype(np.int64)
    step, row = segment.first_step + slot // segment.batch, slot % segment.batch
    kept = slot < segment.slots
    if not include_skipped:
        kept &= ~np.isin(step, segment.skipped_steps)
    return np.stack([sequence[here].astype(np.int64), step, row])[:, kept]


def _drawn_counts(segment: Segment) -> Indices:
    """Return how many slots of the segment each stream fills."""
    full = segment.slots // segment.block
    drawn = full * np.array(segment.counts, dtype=np.int64)
    for begin in range(full * segment.block, segment.slots, _CHUNK):
        slot = np.arange(begin, min(begin + _CHUNK, segment.slots), dtype=np.uint64)
        drawn += np.bincount(_drawn(segment, slot)[0], minlength=len(segment.counts))
    return drawn


# --- permutations ---


def _table(numbers: Numbers, row: Callable[[int], tuple[int, ...]]) -> tuple[PermutationTable, NDArray[np.intp]]:
    """Build the permutations that occur in ``numbers``, and say for each number which one is its own."""
    distinct, which = np.unique(numbers, return_inverse=True)
    return PermutationTable([row(one) for one in distinct.tolist()]), which


def _block_row(segment: Segment, block: int) -> tuple[int, ...]:
    return _row(_BLOCK_DOMAIN, segment.seed, segment.name, block, segment.block)


@lru_cache(maxsize=2**14)
def _row(domain: bytes, seed: int, name: str, number: int, n: int) -> tuple[int, ...]:
    """Derive one permutation of ``range(n)``; the name carries its length, so that no two keys can run together."""
    named = len(name.encode()).to_bytes(8, "big") + name.encode()
    key = hashlib.sha256(domain + seed.to_bytes(8, "big") + named + number.to_bytes(8, "big")).digest()
    return parameters(n, key)
