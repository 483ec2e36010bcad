"""The table of hits: which evaluation item stands in which document, so that an evaluation can leave such items out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_curation.contamination.match import Hit
from licensing.files import atomic_file

HITS = pa.schema(
    [
        ("set", pa.string()),
        ("item", pa.string()),
        ("document", pa.string()),
        ("kind", pa.string()),
        ("share", pa.float64()),
        ("removed", pa.bool_()),
    ]
)
"""``removed`` says whether the document was kept out of training for it."""


class ContaminationWriter:
    """Writes the hits of one task to a parquet file that appears whole at the end of the ``with`` block, or not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def add(self, document: str, hits: Sequence[Hit], removed: bool) -> None:
        """Append the hits of one document; ``removed`` where they keep it out of training."""
        for hit in hits:
            row = {"set": hit.set, "item": hit.item, "kind": hit.kind, "share": hit.share}
            self._rows.append(row | {"document": document, "removed": removed})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            _write(self._path, pa.Table.from_pylist(self._rows, schema=HITS))


def gather_hits(paths: Sequence[Path], out: Path) -> dict[str, dict[str, int]]:
    """Join the tasks' tables into one, the same for any number of tasks; returns counts by set.

    ``items`` are different ones with hits, ``items_left_in`` those of documents that stay, ``documents`` all with hits.
    Memory grows with the hits, at about 300 bytes each, not with the corpus.
    """
    tables = [pq.read_table(path, schema=HITS) for path in paths]
    order = [(name, "ascending") for name in ("set", "item", "document")]
    table = pa.concat_tables([HITS.empty_table(), *tables]).sort_by(order)
    _write(out, table)
    return {name: _counts(table.filter(pc.equal(table["set"], name))) for name in _different(table["set"])}


def contaminated_items(path: Path, *, removed_too: bool = False) -> dict[str, set[str]]:
    """The items of each set that stand in documents left in, so that a result can be told on the others alone.

    ``path`` is what `gather_hits` wrote; ``removed_too`` adds items whose documents were all kept out of training.
    """
    found: dict[str, set[str]] = {}
    for row in pq.read_table(path, columns=["set", "item", "removed"]).to_pylist():
        if removed_too or not row["removed"]:
            found.setdefault(row["set"], set()).add(row["item"])
    return found


def _counts(table: pa.Table) -> dict[str, int]:
    left_in = table.filter(pc.invert(table["removed"]))
    return {
        "items": len(_different(table["item"])),
        "items_left_in": len(_different(left_in["item"])),
        "documents": len(_different(table["document"])),
    }


def _different(column: pa.ChunkedArray) -> list[str]:
    return sorted(column.unique().to_pylist())


def _write(path: Path, table: pa.Table) -> None:
    with atomic_file(path) as file:
        pq.write_table(table, file, compression="zstd")
