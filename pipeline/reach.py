"""How far documents reach into a run: their tokens, and the exact steps and checkpoints that have read any of them.

The lookup behind a withdrawal: for all documents of a partner or an agreement, or for some by id, at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from licensing.sorted_ids import packed
from pipeline.spans import COLUMNS, Numbers, Spans, only, pieces_of, spans_of
from pipeline.trace import TraceError, Tracer
from training.pack import PackedStream


@dataclass(frozen=True, slots=True)
class StreamReach:
    """The documents in one stream, each array of shape [documents] and in the order of places.

    ``places`` count documents in the stream, and a document's own tokens are ``begin`` to ``end - 1``. ``sequences``
    are those that hold at least one such token, and ``positions`` the (step, row) pairs that read one of these.
    """

    stream: PackedStream
    places: Numbers
    begin: Numbers
    end: Numbers
    sequences: Numbers
    positions: int

    @property
    def tokens(self) -> int:
        """Tokens of the documents' own, each counted once."""
        return int((self.end - self.begin).sum())


@dataclass(frozen=True, slots=True)
class Reach:
    """What a selection of documents touches in a run.

    ``documents`` are all ledger rows selected, kept or not; ``steps`` (ascending, each once) those that read any of
    their tokens, among the steps trained so far.
    """

    documents: int
    streams: tuple[StreamReach, ...]
    steps: Numbers

    @property
    def kept(self) -> int:
        """Documents that have a place in a stream."""
        return sum(len(one.places) for one in self.streams)

    @property
    def tokens(self) -> int:
        """Tokens of the documents' own, each counted once."""
        return sum(one.tokens for one in self.streams)

    @property
    def sequences(self) -> int:
        """Sequences that hold any of the tokens."""
        return sum(len(one.sequences) for one in self.streams)

    @property
    def positions(self) -> int:
        """(step, row) pairs that read any of the tokens."""
        return sum(one.positions for one in self.streams)

    @property
    def first_step(self) -> int | None:
        """The first step that read any, or None."""
        return int(self.steps[0]) if len(self.steps) else None

    @property
    def last_step(self) -> int | None:
        """The last step that read any, or None."""
        return int(self.steps[-1]) if len(self.steps) else None

    def read_by(self, steps: int) -> bool:
        """Whether a checkpoint after this many steps has read any: it has read steps 0 to ``steps - 1``."""
        return self.first_step is not None and self.first_step < steps


def reach_of(
    tracer: Tracer, *, partner: str | None = None, agreement: str | None = None, ids: Sequence[str] | None = None
) -> Reach:
    """Look up the documents of one partner, or under one agreement, or with these ids: exactly one must be given.

    Memory grows with the documents selected (24 bytes each) and the sequences touched, not with the run.

    Raises:
        TraceError: an id was never received, nothing or more than one was asked for, or tokens are not where they are
            said to be.
    """
    if (partner, agreement, ids).count(None) != 2:
        raise TraceError("reach: give a partner, an agreement or ids, and only one of them; nothing was looked up.")
    return reach_of_rows(tracer, _selected(tracer, partner, agreement, ids))


def reach_of_rows(tracer: Tracer, batches: Iterable[pa.RecordBatch]) -> Reach:
    """Look up the documents of ledger rows at hand, batches with at least `pipeline.spans.COLUMNS`.

    Raises:
        TraceError: tokens are not where they are said to be.
    """
    found: dict[tuple[str, str], list[Spans]] = defaultdict(list)
    documents = 0
    for batch in batches:
        documents += batch.num_rows
        for spans in spans_of(tracer, batch):
            found[spans.stream.name, spans.stream.use].append(spans)
    read = np.zeros(tracer.steps_done, dtype=np.bool_)
    streams = tuple(_stream_reach(tracer, spans, read) for _, spans in sorted(found.items(), key=lambda item: item[0]))
    return Reach(documents, streams, np.flatnonzero(read))


def _selected(
    tracer: Tracer, partner: str | None, agreement: str | None, ids: Sequence[str] | None
) -> Iterator[pa.RecordBatch]:
    if ids is not None:
        yield from _by_id(tracer, sorted(set(ids)))
    elif agreement is not None:
        for batch in tracer.ledger.batches(columns=[*COLUMNS, "agreement"]):
            yield only(batch, "agreement", agreement)
    else:
        yield from tracer.ledger.batches(partner, COLUMNS)


def _by_id(tracer: Tracer, ids: list[str]) -> Iterator[pa.RecordBatch]:
    missing = np.ones(len(ids), dtype=np.bool_)
    for batch, which in tracer.ledger.batches_of(packed(ids), COLUMNS):
        missing[which] = False
        yield batch
    if missing.any():
        unknown = ids[int(np.flatnonzero(missing)[0])]
        raise TraceError(f"reach: no document with id {unknown} was received in this run; check the ids that you gave.")


def _stream_reach(tracer: Tracer, gathered: list[Spans], read: NDArray[np.bool_]) -> StreamReach:
    stream = gathered[0].stream
    places, begin, end = (
        np.concatenate([getattr(one, name) for one in gathered]) for name in ("places", "begin", "end")
    )
    order = np.argsort(places)
    sequences = np.unique(np.concatenate([np.unique(pieces_of(one).sequence) for one in gathered]))
    positions = 0
    if stream.use == "train" and tracer.steps_done:
        for _, step in tracer.steps_of(stream.name, sequences):
            positions += len(step)
            read[step] = True
    return StreamReach(stream, places[order], begin[order], end[order], sequences, positions)
