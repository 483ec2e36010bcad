"""The usage table of a run: what training read of every partner, for sharing out an amount.

Nothing is kept per document but 8 bytes of its final digest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from licensing.errors import HerkomstError
from licensing.remuneration import UsageTable, Use
from licensing.sorted_ids import packed_column
from pipeline.run_directory import RunDirectory
from pipeline.spans import COLUMNS, only, pieces_of, spans_of
from pipeline.trace import TraceError, Tracer
from training.pack import read_packed

_BATCH_ROWS = 65_536


@dataclass
class _Count:
    tokens_scored: int = 0
    documents: int = 0
    texts: list[NDArray[np.uint64]] = field(default_factory=list)

    def use(self) -> Use:
        different = len(np.unique(np.concatenate(self.texts))) if self.texts else 0
        return Use(self.tokens_scored, self.documents, different)


def usage_table(run: RunDirectory, agreements: Collection[str] | None = None) -> UsageTable:
    """Count tokens scored, documents and different texts by partner over all steps trained.

    ``agreements`` limits it to documents under these agreements; None counts every document. A partner with such
    documents is listed even if none was read.

    Raises:
        HerkomstError: nothing was trained, or ledger and token streams are of different runs.
    """
    tracer = Tracer(run)
    if tracer.plan is None or not tracer.steps_done:
        raise HerkomstError(
            f"{run.path}: nothing was trained, so there is no use to pay for and no amount was shared out. "
            "Run the stage 'train' first."
        )
    table: dict[str, Use] = {}
    trained: Counter[str] = Counter()
    for partner in sorted(one.partner for one in tracer.ledger.partners()):
        count, listed = _Count(), False
        for batch in tracer.ledger.batches(partner, (*COLUMNS, "agreement", "final_sha256"), _BATCH_ROWS):
            for one in only(batch, "use", "train").column("stream").value_counts().to_pylist():
                trained[one["values"]] += one["counts"]
            counted = _under(batch, agreements)
            listed = listed or counted.num_rows > 0
            _add(tracer, counted, count)
        if listed:
            table[partner] = count.use()
    for stream in read_packed(run.tokens).trained():
        if trained.pop(stream.name, 0) != stream.documents:
            raise _differs(run, stream.name)
    for name in trained:
        raise _differs(run, name)
    return table


def _under(batch: pa.RecordBatch, agreements: Collection[str] | None) -> pa.RecordBatch:
    if agreements is None:
        return batch
    return batch.filter(pc.is_in(batch.column("agreement"), value_set=pa.array(sorted(agreements), pa.string())))


def _add(tracer: Tracer, batch: pa.RecordBatch, count: _Count) -> None:
    """Add what was read of the documents of one batch of the ledger."""
    for spans in spans_of(tracer, batch, "train"):
        pieces = pieces_of(spans, tracer.goldfish(spans.stream.name))
        times = tracer.reads(spans.stream.name).times[pieces.sequence]
        read = np.unique(pieces.document[times > 0])
        count.tokens_scored += int((times * pieces.scored).sum())
        count.documents += len(read)
        count.texts.append(_heads(batch.column("final_sha256").take(pa.array(spans.rows[read]))))


def _heads(digests: Any) -> NDArray[np.uint64]:
    """The first 8 bytes of each digest; raises ValueError for a null or anything else than a digest."""
    return np.ascontiguousarray(packed_column(digests)).view(np.uint64).reshape(-1, 4)[:, 0].copy()


def _differs(run: RunDirectory, stream: str) -> TraceError:
    return TraceError(
        f"{run.ledger}: the documents of stream {stream} are not those of the packed tokens, so no use can be counted "
        "and no amount was shared out. Run again from the stage 'pack'."
    )
