"""Tables of documents one slice of the id space after another, each row being read a fixed number of times.

A slice has rows in every shard. Were each slice to look for its own in all of them, the work would grow with slices
times shards, that is with the square of the corpus. Instead the shards are read once, and their rows put into one file
for each slice (the distribution pass of an external bucket sort; Knuth, The Art of Computer Programming 3, 5.2.5 and
5.4); where there are many slices, first into one file for each range of slices. Memory is bounded by a batch of rows
and one file is open at a time. What lies in the folder given is of use only to the process that wrote it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_curation.shards import ROW_GROUP, Row, read_shard

_FAN_OUT: Final = 256
# A batch goes into up to _FAN_OUT files: pieces are then large beside the schema that is written with each.
_BATCH_BYTES: Final = 16 << 20
_OPTIONS: Final = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1), use_threads=False)


def row_groups(paths: Iterable[Path], columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield the row groups of parquet files in order, one in memory at a time."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, columns=columns, use_threads=False)


def in_slices(tables: Iterable[pa.Table], bounds: Sequence[tuple[str, str]], folder: Path) -> Iterator[Iterator[Row]]:
    """Yield for each of ``bounds`` (`data_curation.shards.slice_bounds`) its rows, in the order in which they came.

    Each slice is to be read before the next is asked for. ``folder`` must not exist; with one slice it is not made,
    otherwise it holds a copy of what was not read yet and is the caller's to delete.
    """
    if len(bounds) == 1:
        yield (row for table in tables for row in table.to_pylist())
        return
    step = -(-len(bounds) // _FAN_OUT)
    ranges = [bounds[at : at + step] for at in range(0, len(bounds), step)]
    files = [folder / f"{number:03d}" for number in range(len(ranges))]
    folder.mkdir(parents=True)
    _spread(tables, [low for (low, _), *_ in ranges[1:]], files)
    for file, slices in zip(files, ranges, strict=True):
        yield from in_slices(_taken(file), slices, file.with_suffix(".slices"))


def _spread(tables: Iterable[pa.Table], edges: Sequence[str], files: Sequence[Path]) -> None:
    """Append every row to the file of its range; the order within a range stays."""
    for batch in _batches(tables):
        places = (bisect_right(edges, name) for name in batch["id"].to_pylist())
        numbers = np.fromiter(places, np.int64, batch.num_rows)
        order = np.argsort(numbers, kind="stable")
        ordered = batch.take(order)
        begins = np.searchsorted(numbers[order], np.arange(len(files) + 1)).tolist()
        for file, (begin, end) in zip(files, pairwise(begins), strict=True):
            if begin < end:
                _append(file, ordered.slice(begin, end - begin))


def _batches(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    waiting, size = list[pa.Table](), 0
    for table in tables:
        waiting.append(table)
        size += table.nbytes
        if size >= _BATCH_BYTES:
            yield _joined(waiting)
            waiting, size = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(tables: list[pa.Table]) -> pa.Table:
    # Shards of an earlier version may lack a column or have a narrower type of it.
    return pa.concat_tables(tables, promote_options="permissive")


def _append(path: Path, table: pa.Table) -> None:
    with path.open("ab") as file, pa.ipc.new_stream(file, table.schema, options=_OPTIONS) as stream:
        stream.write_table(table, max_chunksize=ROW_GROUP)


def _taken(path: Path) -> Iterator[pa.Table]:
    """Yield what was appended to a file, and delete it; there is no file where there were no rows."""
    if not path.exists():
        return
    with pa.OSFile(str(path)) as file:
        while file.tell() < file.size():
            for batch in pa.ipc.open_stream(file):
                yield pa.Table.from_batches([batch])
    path.unlink()


class InOrder:
    """One parquet file sorted by ``id``, taken one slice after another; each row group is read once."""

    def __init__(self, path: Path | None, columns: Sequence[str] | None = None) -> None:
        self._path = path
        self._rows = read_shard(path, columns) if path else iter(())
        self._next = next(self._rows, None)

    def before(self, high: str) -> list[Row]:
        """The next rows, as far as their id is less than ``high``.

        Raises:
            ValueError: the file is not sorted, so that rows would be missed.
        """
        found = list[Row]()
        while self._next is not None and self._next["id"] < high:
            row, self._next = self._next, next(self._rows, None)
            if self._next is not None and self._next["id"] < row["id"]:
                raise ValueError(f"{self._path}: not sorted by id after {row['id']}; make it again before it is used")
            found.append(row)
        return found
