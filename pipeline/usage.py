"""What a partner's documents meant in training, computed from the plan; streaming over the ledger.

`Tracer.exposure` says the same of one document in a few readable lines; here it is said of many at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow.compute as pc

from evaluation.statement import Usage
from licensing.ledger import LedgerPartner
from licensing.sorted_ids import SortedIds
from pipeline.spans import COLUMNS, Numbers, Pieces, pieces_of, spans_of
from pipeline.trace import Reads, Tracer


class ReadCounts(Mapping[str, tuple[int, float]]):
    """Tokens read and times read by document id, for the documents of one partner that were put in the training text.

    Two numbers a ledger row, ``tokens`` and ``times`` of shape [rows of the partner] in the order of the rows, with
    times -1 where the document is not in the training text; ids are looked up in the ledger's own list, so that no
    dictionary grows with the partner.
    """

    def __init__(self, ids: SortedIds) -> None:
        self._ids, self._next = ids, 0
        self.tokens = np.zeros(len(ids), dtype=np.int64)
        self.times = np.full(len(ids), -1, dtype=np.int32)

    def __getitem__(self, document_id: str) -> tuple[int, float]:
        place = self._place_of(document_id)
        if place is None or self.times[place] < 0:
            raise KeyError(document_id)
        return int(self.tokens[place]), int(self.times[place])

    def _place_of(self, document_id: str) -> int | None:
        # Whoever lists a partner asks in the order of its rows: the next one needs no search.
        if self._next < len(self._ids) and self._ids.hex(self._next) == document_id:
            self._next += 1
            return self._next - 1
        place = self._ids.place_of(document_id)
        self._next = self._next if place is None else place + 1
        return place

    def __iter__(self) -> Iterator[str]:
        return (self._ids.hex(place) for place in np.flatnonzero(self.times >= 0).tolist())

    def __len__(self) -> int:
        return int((self.times >= 0).sum())


def usage_of(tracer: Tracer, partner: str) -> Usage | None:
    """Count documents, tokens and steps of one partner over all steps trained; None where nothing was trained."""
    if not tracer.steps_done:
        return None
    known = tracer.ledger.partner(partner)
    if known is None:
        return Usage(0, 0, 0.0, None, None, 0.0, {}, 0)
    counts, scored, first, last = _count(tracer, known)
    trained = counts.times[counts.times > 0]
    read, total = int(counts.tokens.sum()), tracer.tokens_read
    return Usage(
        documents=len(trained),
        tokens_read=read,
        tokens_scored=scored,
        share=read / total if total else 0.0,
        first_step=first if len(trained) else None,
        last_step=last if len(trained) else None,
        epochs=int(trained.sum(dtype=np.int64)) / len(trained) if len(trained) else 0.0,
        per_document=counts,
        left_out=sum(left_out_of(tracer, partner).values()),
    )


def left_out_of(tracer: Tracer, partner: str) -> dict[str, int]:
    """Targets of a partner's documents left out of the loss by goldfish rules, by stream, repeats included.

    Only streams that have a rule are there; it takes reading their tokens.
    """
    found: dict[str, int] = {}
    for batch in tracer.ledger.batches(partner, COLUMNS) if tracer.plan and tracer.plan.goldfish else ():
        for spans in spans_of(tracer, batch, "train"):
            name, rule = spans.stream.name, tracer.goldfish(spans.stream.name)
            if rule is not None:
                pieces = pieces_of(spans, rule)
                times = tracer.reads(name).times[pieces.sequence]
                found[name] = found.get(name, 0) + int((times * pieces.left_out).sum())
    return found


def _count(tracer: Tracer, partner: LedgerPartner) -> tuple[ReadCounts, int, int, int]:
    """Tokens and times of every row, tokens scored, and the first and last step."""
    counts = ReadCounts(tracer.ledger.ids(partner))
    scored, first, last, begin = 0, tracer.steps_done, -1, 0
    for batch in tracer.ledger.batches(partner.partner, COLUMNS):
        counts.times[begin + np.flatnonzero(pc.equal(batch.column("use"), "train"))] = 0
        for spans in spans_of(tracer, batch, "train"):
            rows = begin + spans.rows
            reads, pieces = tracer.reads(spans.stream.name), pieces_of(spans, tracer.goldfish(spans.stream.name))
            counts.tokens[rows] = _summed(pieces, pieces.tokens, reads, len(rows))
            np.maximum.at(counts.times, rows[pieces.document], reads.times[pieces.sequence].astype(np.int32))
            scored += int((reads.times[pieces.sequence] * pieces.scored).sum())
            first = min(first, int(reads.first_step[pieces.sequence].min(initial=first)))
            last = max(last, int(reads.last_step[pieces.sequence].max(initial=last)))
        begin += batch.num_rows
    return counts, scored, first, last


def _summed(pieces: Pieces, tokens: Numbers, reads: Reads, documents: int) -> Numbers:
    total = np.zeros(documents, dtype=np.int64)
    np.add.at(total, pieces.document, reads.times[pieces.sequence] * tokens)
    return total
