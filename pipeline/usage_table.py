"""The usage table of a run: what training read of every partner, for sharing out an amount.

Counted stream by stream with running sums over sequences, so that a document costs a few array operations and nothing
is kept per document but 8 bytes of its final digest.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_curation.shards import shards
from licensing.errors import HerkomstError
from licensing.remuneration import UsageTable, Use
from pipeline.run_directory import RunDirectory
from training.checkpoint import finished_checkpoints, read_state
from training.pack import read_packed
from training.plan import Plan
from training.token_stream import IDS, TokenStream

_COLUMNS = ["id", "partner", "agreement", "use", "stream", "final_sha256"]
_BATCH_ROWS = 65_536


@dataclass
class _Stream:
    """One trained stream: tokens scored of each document in the order of ids, and how many the ledger has named."""

    ids: NDArray[Any]
    scored: NDArray[np.int64]
    read: NDArray[np.bool_]
    met: int = 0


@dataclass
class _Count:
    tokens_scored: int = 0
    documents: int = 0
    texts: list[NDArray[np.uint64]] = field(default_factory=list)


def usage_table(run: RunDirectory, agreements: Collection[str] | None = None) -> UsageTable:
    """Count tokens scored, documents and different texts by partner over all steps trained.

    ``agreements`` limits it to documents under these agreements; None counts every document. A partner with such
    documents is listed even if none was read.

    Raises:
        HerkomstError: nothing was trained, or ledger and token streams are of different runs.
    """
    done = finished_checkpoints(run.checkpoints)
    plan_path = run.training / "plan.json"
    if not done or not plan_path.exists():
        raise HerkomstError(
            f"{run.path}: nothing was trained, so there is no use to pay for and no amount was shared out. "
            "Run the stage 'train' first."
        )
    streams = _streams(run, Plan.from_json(plan_path.read_text(encoding="utf-8")), read_state(done[-1]).step)
    counts: dict[str, _Count] = {}
    for path in shards(run.ledger):
        _count(path, streams, agreements, counts)
    for name, stream in streams.items():
        if stream.met != len(stream.scored):
            raise _differs(run.ledger, name)
    return {
        partner: Use(count.tokens_scored, count.documents, _different(count.texts))
        for partner, count in sorted(counts.items())
    }


def _different(texts: list[NDArray[np.uint64]]) -> int:
    return len(np.unique(np.concatenate(texts))) if texts else 0


def _streams(run: RunDirectory, plan: Plan, steps: int) -> dict[str, _Stream]:
    packed = read_packed(run.tokens)
    numbers = {ref.name: number for number, ref in enumerate(plan.streams)}
    found = {}
    for stream in packed.trained():
        tokens = packed.open(stream, plan.sequence_length)
        times = np.zeros(tokens.sequences, dtype=np.int64)
        if stream.name in numbers:
            sequence, step, _ = plan.find(numbers[stream.name], np.arange(tokens.sequences, dtype=np.uint64))
            times = np.bincount(sequence[step < steps], minlength=tokens.sequences)
        found[stream.name] = _Stream(np.memmap(tokens.folder / IDS, "S32", "r"), *_scored(tokens, times))
    return found


def _scored(tokens: TokenStream, times: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Tokens scored of every document, and whether any of its tokens was read; shape [documents] both.

    Tokens read are a running sum over sequences, taken at a document's end less at its beginning; the first token of a
    sequence is read and never scored, and is counted by the same kind of sum.
    """
    length = tokens.length
    ends = tokens.ends.astype(np.int64)
    first, last = np.concatenate([[0], ends[:-1]]), ends - 1
    before = np.concatenate([[0], np.cumsum(times)])
    padded = np.append(times, 0)

    def read_until(place: NDArray[np.int64]) -> NDArray[np.int64]:
        whole, inside = np.divmod(place, length)
        found: NDArray[np.int64] = before[whole] * length + padded[whole] * inside
        return found

    read = read_until(last) - read_until(first)
    openings = before[-(-last // length)] - before[-(-first // length)]
    return read - openings, read > 0


def _count(
    path: Path, streams: dict[str, _Stream], agreements: Collection[str] | None, counts: dict[str, _Count]
) -> None:
    """Go through one file of the ledger; every trained row must be found among the packed tokens."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH_ROWS, columns=_COLUMNS):
            table = pa.Table.from_batches([batch])
            counted = _counted(table, agreements)
            for partner in pc.unique(table.filter(counted)["partner"]).to_pylist():
                counts.setdefault(partner, _Count())
            trained = pc.equal(table["use"], "train")
            _count_trained(path, table.filter(trained), counted.filter(trained), streams, counts)


def _counted(table: pa.Table, agreements: Collection[str] | None) -> pa.ChunkedArray:
    if agreements is None:
        return pc.is_valid(table["partner"])
    return pc.is_in(table["agreement"], value_set=pa.array(sorted(agreements), pa.string()))


def _count_trained(
    path: Path, trained: pa.Table, counted: pa.ChunkedArray, streams: dict[str, _Stream], counts: dict[str, _Count]
) -> None:
    ids, finals = _digests(trained["id"]), _digests(trained["final_sha256"])
    counts_here = counted.to_numpy()
    names, partners = (np.asarray(trained[column].to_pylist(), dtype=object) for column in ("stream", "partner"))
    for name in sorted(set(names.tolist())):
        rows = np.flatnonzero(names == name)
        stream = streams.get(name)
        places = _places(stream, ids[rows]) if stream else None
        if stream is None or places is None:
            raise _differs(path, name)
        stream.met += len(rows)
        wanted = counts_here[rows] & stream.read[places]
        for partner in sorted(set(partners[rows[wanted]].tolist())):
            mine = wanted & (partners[rows] == partner)
            count = counts[partner]
            count.tokens_scored += int(stream.scored[places[mine]].sum())
            count.documents += int(mine.sum())
            count.texts.append(finals[rows[mine]].view("V8")[:, 0].view(np.uint64))


def _digests(column: pa.ChunkedArray) -> NDArray[Any]:
    """Digests in hexadecimal as bytes, shape [rows, 1] of 32 each."""
    return np.frombuffer(bytes.fromhex("".join(column.to_pylist())), dtype="S32").reshape(-1, 1)


def _places(stream: _Stream, ids: NDArray[Any]) -> NDArray[np.int64] | None:
    """Where documents stand in a stream, or None where one of them does not."""
    wanted = ids[:, 0]
    places = np.searchsorted(stream.ids, wanted)
    if not len(stream.ids) or places.max(initial=0) >= len(stream.ids) or (stream.ids[places] != wanted).any():
        return None
    return places


def _differs(path: Path, stream: str) -> HerkomstError:
    return HerkomstError(
        f"{path}: the documents of stream {stream} are not those of the packed tokens, so no use can be counted and no "
        "amount was shared out. Run again from the stage 'pack'."
    )
