"""Which documents a withdrawal is about: those asked for, copies of them, and what was made from them.

All are tables of the same columns, and membership is looked up by digest: no object is made for each document of a
partner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_curation.settings import DuplicatesSettings
from data_curation.shards import shards
from data_curation.sieves import Digests
from data_curation.withdrawn import WITHDRAWN
from data_curation.withdrawn_copies import Copy, Signatures, copies_of, read_signatures, signatures_of
from licensing.sorted_ids import packed, packed_column
from licensing.withdrawal import DOCUMENTS, WithdrawalError
from pipeline.run_directory import RunDirectory
from pipeline.trace import Tracer

By = Literal["partner", "agreement", "documents"]
_FROM_LEDGER: Final = ("id", "partner", "stream", "use", "reason")
_GONE: Final = pa.array(WITHDRAWN)
_BATCH_ROWS: Final = 1 << 16

FOUND: Final = pa.schema(
    [DOCUMENTS.field(name) for name in ("id", "partner", "why", "copy_of", "similarity", "stream", "use")]
)
"""What a plan needs to know of a document: columns of `licensing.withdrawal.DOCUMENTS`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: everything of a partner, everything under an agreement, or documents by id or by the supplier's id."""

    by: By
    value: tuple[str, ...]
    reason: str
    effective: date | None


def asked_documents(tracer: Tracer, asked: Asked) -> pa.Table:
    """The documents that a request is about, each once; those that are withdrawn already are left out.

    Raises:
        WithdrawalError: a document is named that was never received, or that does not say which is meant.
    """
    if asked.by == "documents":
        rows = {row["id"]: row for name in asked.value for row in _named(tracer, name)}
        kept = [row | {"why": "asked"} for row in rows.values() if row["reason"] not in _GONE.to_pylist()]
        return pa.Table.from_pylist(kept, schema=FOUND)
    partners = sorted(set(asked.value)) if asked.by == "partner" else _partners_under(tracer, asked.value)
    wanted = pa.array(asked.value) if asked.by == "agreement" else None
    return pa.concat_tables(
        [FOUND.empty_table()]
        + [
            _found(batch if wanted is None else batch.filter(pc.is_in(batch.column("agreement"), wanted)), "asked")
            for partner in partners
            for batch in tracer.ledger.batches(partner, (*_FROM_LEDGER, "agreement"))
        ]
    )


def _partners_under(tracer: Tracer, agreements: Sequence[str]) -> list[str]:
    wanted = pa.array(agreements)
    return [
        one.partner
        for one in tracer.ledger.partners()
        if any(
            pc.any(pc.is_in(batch.column(0), wanted)).as_py()
            for batch in tracer.ledger.batches(one.partner, ["agreement"], _BATCH_ROWS)
        )
    ]


def _found(
    batch: pa.RecordBatch, why: str, copy_of: pa.Array | None = None, similarity: pa.Array | None = None
) -> pa.Table:
    """The rows of a batch of the ledger that are not withdrawn yet, as `FOUND`; null where no copy is spoken of."""
    count = batch.num_rows
    said = {
        "why": pa.repeat(why, count),
        "copy_of": pa.nulls(count, pa.string()) if copy_of is None else copy_of,
        "similarity": pa.nulls(count, pa.float64()) if similarity is None else similarity,
    }
    columns = [said[name] if name in said else batch.column(name) for name in FOUND.names]
    table = pa.Table.from_arrays(columns, schema=FOUND)
    return table.filter(pc.invert(pc.is_in(batch.column("reason"), _GONE)))


def _named(tracer: Tracer, name: str) -> list[dict[str, Any]]:
    """A document by its id, or by the id that its supplier gave it."""
    row = tracer.ledger.find(name)
    found = [row] if row else list(tracer.ledger.by_native_id(name))
    partners = sorted({one["partner"] for one in found})
    if not found:
        raise WithdrawalError(f"document {name}: nothing was received under this id; nothing was changed. Correct it.")
    if len(partners) > 1:
        raise WithdrawalError(
            f"document {name}: {' and '.join(partners)} each delivered something under this id, so it does not say "
            "which is meant; nothing was changed. Give the 64 characters of the document's own id."
        )
    return found


def digests_of(*tables: pa.Table) -> Digests:
    """The ids of tables of documents, to look others up among."""
    return Digests(np.concatenate([packed_column(table["id"]) for table in tables]))


def near_copies(run: RunDirectory, wanted: Digests, settings: DuplicatesSettings) -> tuple[Signatures, dict[str, Copy]]:
    """The signatures of the documents wanted, and all other documents of the run that are copies of one, by id.

    Raises:
        WithdrawalError: curation's signatures are gone, so nobody could tell.
    """
    folder = run.curated / "signatures"
    if not folder.is_dir():
        raise WithdrawalError(
            f"{folder}: the signatures of curation are missing, so copies of the text cannot be found and nothing was "
            "changed. `herkomst run` makes them again."
        )
    folders = sorted(folder.iterdir())
    own = signatures_of(wanted, folders, settings)
    return own, copies_of(own, (piece for one in folders for piece in read_signatures(one, settings)), settings)


def with_copies(tracer: Tracer, found: Mapping[str, Copy]) -> pa.Table:
    """What the ledger says of the copies found, in the order of ids."""
    names = sorted(found)
    tables = [FOUND.empty_table()]
    for batch, which in tracer.ledger.batches_of(packed(names), _FROM_LEDGER[1:]):
        ids = [names[place] for place in which.tolist()]
        batch = pa.RecordBatch.from_arrays([pa.array(ids), *batch.columns], names=list(_FROM_LEDGER))
        of = pa.array([found[name].of for name in ids])
        tables.append(_found(batch, "copy", of, pa.array([found[name].similarity for name in ids])))
    return pa.concat_tables(tables).sort_by("id")


def made_from(tracer: Tracer, wanted: Digests) -> pa.Table:
    """Documents made from one of these, directly or through others; themselves left out."""
    tables = [FOUND.empty_table()]
    for one in tracer.ledger.partners():
        if not any(pc.list_flatten(batch.column(0)) for batch in _columns(tracer, one.partner, "parents")):
            continue
        ids = tracer.ledger.ids(one)
        known = wanted.places_of(ids.array) >= 0
        behind = _behind(tracer, one.partner, known)
        rows = np.array(sorted(behind), np.int64)
        of = [bytes(ids.array[place : place + 1].tobytes()).hex() for place in map(behind.__getitem__, rows.tolist())]
        for batch, which in tracer.ledger.batches_of(ids.array[rows], _FROM_LEDGER) if len(rows) else ():
            tables.append(_found(batch, "made-from", pa.array([of[place] for place in which.tolist()], pa.string())))
    return pa.concat_tables(tables)


def _columns(tracer: Tracer, partner: str, *names: str) -> Iterator[pa.RecordBatch]:
    return tracer.ledger.batches(partner, names, _BATCH_ROWS)


def _behind(tracer: Tracer, partner: str, known: NDArray[np.bool_]) -> dict[int, int]:
    """Which rows of a partner were made from a known one, and the first such row; read once a generation."""
    found: dict[int, int] = {}
    latest: dict[tuple[str, str], int] = {}
    begin = 0
    for batch in _columns(tracer, partner, "source", "native_id"):
        places = np.flatnonzero(known[begin : begin + batch.num_rows])
        for place, row in zip(places.tolist(), batch.take(pa.array(places)).to_pylist(), strict=True):
            latest.setdefault((row["source"], row["native_id"]), begin + place)
        begin += batch.num_rows
    while latest:
        made: dict[tuple[str, str], int] = {}
        begin = 0
        for batch in _columns(tracer, partner, "source", "native_id", "parents"):
            places = np.flatnonzero(pc.fill_null(pc.list_value_length(batch.column("parents")), 0))
            for place, row in zip(places.tolist(), batch.take(pa.array(places)).to_pylist(), strict=True):
                named = [latest[one] for one in ((row["source"], name) for name in row["parents"]) if one in latest]
                at = begin + place
                if named and not known[at] and at not in found:
                    found[at] = made[row["source"], row["native_id"]] = min(named)
            begin += batch.num_rows
        latest = made
    return found


def files_with(folders: Sequence[Path], wanted: Digests) -> Iterator[Path]:
    """The parquet files below these folders that hold one of the documents wanted, by their column ``id``."""
    for folder in folders:
        for path in shards(folder):
            with pq.ParquetFile(path) as file:
                batches = file.iter_batches(_BATCH_ROWS, columns=["id"])
                if any((wanted.places_of(packed_column(batch.column(0))) >= 0).any() for batch in batches):
                    yield path
