"""Parquet shards: bounded, sorted by document id, in small row groups, so that little of one is in memory at a time.

Every table of documents between ingest and commit has this form. Because ids are digests, a slice of the id space is a
fair sample of any size, and a whole corpus is put in order one slice at a time with bounded memory
(`data_curation.spread`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP = 256
Row = dict[str, Any]

REPLACEMENT = pa.struct([("kind", pa.string()), ("rule", pa.string()), ("start", pa.int64()), ("length", pa.int64())])
"""One piece of personal data that was replaced: ``start`` and ``length`` in characters of the text before."""

EVENT = pa.struct([("stage", pa.string()), ("outcome", pa.string()), ("reason", pa.string()), ("detail", pa.string())])

RECEIVED = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("group", pa.string()),
        ("partner", pa.string()),
        ("native_id", pa.string()),
        ("received_sha256", pa.string()),
        ("received_bytes", pa.int64()),
        ("iscc", pa.string()),
        ("text", pa.large_string()),
        ("language_declared", pa.string()),
        ("declared", pa.list_(pa.struct([("text", pa.string()), ("where", pa.string()), ("form", pa.string())]))),
        ("agreement", pa.string()),
        ("title", pa.string()),
        ("url", pa.string()),
        ("published", pa.string()),
        ("author", pa.string()),
        ("page", pa.list_(pa.string())),
        ("headers", pa.list_(pa.string())),
        ("withdrawn", pa.bool_()),
        ("problem", pa.string()),
        ("detail", pa.string()),
        ("parents", pa.list_(pa.string())),
        ("operation", pa.string()),
    ]
)

RESERVATION = pa.struct(
    [
        ("state", pa.string()),
        ("as_of", pa.string()),
        (
            "signals",
            pa.list_(
                pa.struct([(name, pa.string()) for name in ("protocol", "value", "where", "text", "sha256", "fetched")])
            ),
        ),
    ]
)

DECIDED = pa.schema(
    [
        ("id", pa.string()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("clause", pa.string()),
        ("explanation", pa.string()),
        ("licence", pa.string()),
        ("branch", pa.string()),
        ("basis", pa.string()),
        ("basis_evidence", pa.string()),
        ("agreement", pa.string()),
        ("conflict", pa.string()),
        ("reservation", RESERVATION),
        ("duties", pa.list_(pa.struct([("kind", pa.string()), ("value", pa.string()), ("clause", pa.string())]))),
        ("origins", pa.list_(pa.string())),
    ]
)

CURATED = pa.schema(
    [
        ("id", pa.string()),
        ("kept", pa.bool_()),
        ("reason", pa.string()),
        ("language", pa.string()),
        ("language_confidence", pa.float64()),
        ("quality", pa.int64()),
        ("text", pa.large_string()),
        ("final_sha256", pa.string()),
        ("text_bytes", pa.int64()),
        ("personal_data", pa.list_(pa.struct([("kind", pa.string()), ("count", pa.int64())]))),
        ("replacements", pa.list_(REPLACEMENT)),
        ("events", pa.list_(EVENT)),
    ]
)


def write_shard(path: Path, rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> int:
    """Write rows to one shard, sorted by ``id``; returns how many. That it appears whole is the caller's to see to."""
    ordered = sorted(rows, key=lambda row: row["id"])
    pq.write_table(pa.Table.from_pylist(ordered, schema=schema), path, row_group_size=ROW_GROUP, compression="zstd")
    return len(ordered)


def read_shard(path: Path, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """Yield a shard's rows in order, one row group in memory at a time."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield from file.read_row_group(group, columns=columns).to_pylist()


def slice_bounds(parts: int) -> list[tuple[str, str]]:
    """Cut the id space (hexadecimal SHA-256) into ``parts`` ranges ``[low, high)`` of equal width, in order."""
    edges = [format((part << 64) // parts, "016x") for part in range(parts)] + ["g"]
    return list(pairwise(edges))


def shards(folder: Path) -> list[Path]:
    """All shards below a folder in a fixed order (by relative path)."""
    return sorted(folder.rglob("*.parquet"), key=lambda path: path.relative_to(folder).as_posix())
