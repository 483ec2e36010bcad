"""Delete withdrawn text from the tables between ingest and commit; every row stays, without its text."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_curation.shards import CURATED, DECIDED, RECEIVED, read_shard, shards, write_shard
from licensing.decide import withdrawn_decision
from licensing.files import sync_entry


def purge(received: Path, decisions: Path, curated: Path, withdrawn: Collection[str]) -> list[Path]:
    """Take the text of withdrawn documents out of all three tables; returns the shards of ``received`` that changed.

    ``withdrawn`` are ids and digests of received bytes. The decision on each becomes a refusal; its curated row goes.
    A shard is replaced whole or not at all. The shard as received comes last: as long as it holds the text, a purge
    that was cut short is done again.
    """
    changed = []
    for number, path in enumerate(shards(received)):
        ids = _found(path, withdrawn)
        if not ids:
            continue
        changed.append(path)
        decided = decisions / path.relative_to(received)
        _rewrite(decided, (_refused(row) if row["id"] in ids else row for row in read_shard(decided)), DECIDED)
        documents = curated / "documents" / f"{number:06d}.parquet"
        _rewrite(documents, (row for row in read_shard(documents) if row["id"] not in ids), CURATED)
        gone = {"text": None, "page": None, "withdrawn": True}
        _rewrite(path, (row | gone if row["id"] in ids else row for row in read_shard(path)), RECEIVED)
    return changed


def _refused(row: dict[str, Any]) -> dict[str, Any]:
    decision = withdrawn_decision(row["agreement"]).as_dict()
    kept = {name: row[name] for name in ("basis_evidence", "reservation")}
    return row | decision | kept


def _found(path: Path, withdrawn: Collection[str]) -> set[str]:
    """Ids of the withdrawn documents of a shard whose text is still there."""
    rows = (row for row in read_shard(path, ["id", "received_sha256", "withdrawn"]) if not row["withdrawn"])
    return {row["id"] for row in rows if row["id"] in withdrawn or row["received_sha256"] in withdrawn}


def _rewrite(path: Path, rows: Iterable[dict[str, Any]], schema: pa.Schema) -> None:
    beside = _beside(path)
    write_shard(beside, rows, schema)
    _replace(beside, path)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


def _replace(beside: Path, path: Path) -> None:
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(path)
    sync_entry(path.parent)
