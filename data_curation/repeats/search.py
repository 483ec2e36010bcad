"""Which paragraphs and runs of words stand in several documents, and which document keeps each.

Documents stand in the order of (rank, id), as in the search for duplicates. Of the documents that hold a key, the first
keeps it and all others are to lose it; so the first document of all loses nothing, and every word that any document
loses is still to be read, with the words around it, in an earlier one. Removed documents hold nothing. Everything is a
function of the set of documents: the same for any number of tasks and any order of their folders.

Languages play no part: what is left untranslated in pages of two languages is the same paragraph.

When a holder is withdrawn later, its text goes and what was cut from others in its favour stays cut: the corpus may
lose, it never gets a withdrawn text back. The ledger of each document that lost something names the holder, so that one
can see where a partner's words still stand, and what to curate again to fill the gap: named among ``removed``, the
withdrawn document holds nothing and the next one keeps its copy.

Disk: the work folder takes 16 bytes a key for 256 ranges at a time, and 32 for each key that repeats. Memory: about 60
bytes for each of ``keys_in_memory`` keys, and about 150 bytes a document (measured to 10^6). A single key that more
than ``keys_in_memory`` documents hold is not cut apart.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_curation.repeats.ranges import ranges
from data_curation.repeats.settings import RepeatsSettings
from data_curation.repeats.store import KINDS, RepeatFolder
from data_curation.shards import ROW_GROUP
from data_curation.sieves import Digests
from licensing.errors import HerkomstError
from licensing.files import atomic_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HOLDER = pa.binary(32)
REPEATS = pa.schema(
    [
        ("id", pa.string()),
        ("paragraphs", pa.list_(pa.uint64())),
        ("paragraph_holders", pa.list_(_HOLDER)),
        ("runs", pa.list_(pa.uint64())),
        ("run_holders", pa.list_(_HOLDER)),
    ]
)
"""A document that is to lose something: the keys of what it repeats, and for each its holder's id as 32 bytes."""

_KEY = np.dtype([("key", "<u8"), ("place", "<i8")])
_MARK = np.dtype([("by_id", "<i8"), ("key", "<u8"), ("holder", "<i8"), ("kind", "<i8")])
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class RepeatStats:
    """Documents looked at, those that hold repeats of others, and different paragraphs and fingerprints that repeat."""

    documents: int
    repeating: int
    paragraphs: int
    fingerprints: int


def find_repeats(
    folders: Sequence[Path], removed: Sequence[Path], out: Path, settings: RepeatsSettings, work: Path
) -> RepeatStats:
    """Write the parquet file ``out`` (`REPEATS`), one row for each document that is to lose something, sorted by id.

    ``folders`` come from RepeatWriter, in any order; ``removed`` are parquet files whose column ``id`` names documents
    that are not used (``duplicates.parquet`` and others). ``work`` gets a folder that is deleted at the end.

    Raises:
        HerkomstError: a folder is incomplete or made with other settings, or two documents have the same id.
    """
    own = work / "repeats"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)
    try:
        return _Search(folders, removed, settings, own).write(out)
    finally:
        shutil.rmtree(own, ignore_errors=True)


class _Search:
    """One search; places are documents in the order of (rank, id), rows as they stand in the folders."""

    def __init__(self, folders: Sequence[Path], removed: Sequence[Path], settings: RepeatsSettings, work: Path) -> None:
        self._settings, self._work = settings, work
        self._folders = [RepeatFolder.open(folder, settings) for folder in folders]
        self._ids, ranks = self._gathered()
        by_id = np.lexsort([self._ids[:, part] for part in (3, 2, 1, 0)])
        _each_once(self._ids, by_id)
        self._by_id = _inverse(by_id)
        self._rows = by_id[np.argsort(ranks[by_id], kind="stable")]
        self._places = _inverse(self._rows)
        self._used = np.ones(len(by_id), np.bool_)
        if removed:
            known = Digests(self._ids)
            for path in removed:
                self._leave_out(known, path)
        self._different = dict.fromkeys(KINDS, 0)

    def _gathered(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Ids and ranks of all documents in the order of the folders."""
        count = sum(folder.documents for folder in self._folders)
        ids, ranks, row = np.empty((count, 4), ">u8"), np.empty(count, np.int64), 0
        for piece in (piece for folder in self._folders for piece in folder.pieces()):
            ids[row : row + len(piece)], ranks[row : row + len(piece)] = piece["id"], piece["rank"]
            row += len(piece)
        return ids, ranks

    def _leave_out(self, known: Digests, path: Path) -> None:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=["id"]):
                names = "".join(batch.column(0).to_pylist())
                rows = known.places_of(np.frombuffer(bytes.fromhex(names), ">u8").reshape(-1, 4))
                self._used[rows[rows >= 0]] = False

    def write(self, out: Path) -> RepeatStats:
        """Find the repeats and write them; ``out`` appears whole or not at all."""
        count = self._spill_marks(self._work / "marks")
        repeating = 0
        with atomic_file(out) as file, pq.ParquetWriter(file, REPEATS, compression="zstd") as writer:
            for table in self._tables(self._work / "marks", count):
                writer.write_table(table, row_group_size=ROW_GROUP)
                repeating += table.num_rows
        return RepeatStats(len(self._used), repeating, self._different["paragraphs"], self._different["runs"])

    def _spill_marks(self, path: Path) -> int:
        count = 0
        with path.open("wb") as file:
            for number, kind in enumerate(KINDS):
                keys = sum(len(keys) for folder in self._folders for _, keys in folder.keys(kind))
                bits = max(0, (keys - 1) // self._settings.keys_in_memory).bit_length()
                for records in ranges(lambda k=kind, b=bits: self._keys(k, b), 1 << bits, _KEY, self._work):  # type: ignore[misc]
                    marks = self._marks(records, number)
                    marks.tofile(file)
                    count += len(marks)
        return count

    def _keys(self, kind: Any, bits: int) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
        """Every key of a document that is used, with the document's place, and the range it belongs to."""
        row = 0
        for folder in self._folders:
            for piece, keys in folder.keys(kind):
                owners = np.repeat(np.arange(row, row + len(piece)), piece[kind])
                row += len(piece)
                used = self._used[owners]
                records = np.empty(int(used.sum()), _KEY)
                records["key"], records["place"] = keys[used], self._places[owners[used]]
                parts = (records["key"] >> np.uint64(64 - bits)) if bits else np.zeros(len(records), np.uint64)
                yield parts.astype(np.int64), records

    def _marks(self, records: NDArray[Any], kind: int) -> NDArray[Any]:
        """What others than the first holder of a key are to lose."""
        order = np.lexsort((records["place"], records["key"]))
        keys, places = records["key"][order], records["place"][order]
        first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        holders = np.diff(np.append(first, len(keys)))
        enough = holders >= self._settings.least_documents
        self._different[KINDS[kind]] += int(enough.sum())
        bucket = np.repeat(np.arange(len(first)), holders)
        lost = enough[bucket]
        lost[first] = False
        marks = np.empty(int(lost.sum()), _MARK)
        marks["by_id"], marks["key"] = self._by_id[self._rows[places[lost]]], keys[lost]
        marks["holder"], marks["kind"] = places[first[bucket[lost]]], kind
        return marks

    def _tables(self, marks: Path, count: int) -> Iterator[pa.Table]:
        parts = max(1, -(-count // self._settings.keys_in_memory))
        documents = max(1, len(self._used))
        row_of = _inverse(self._by_id)

        def pieces() -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
            with marks.open("rb") as file:
                while len(piece := np.fromfile(file, _MARK, _CHUNK)):
                    yield piece["by_id"] * parts // documents, piece

        for records in ranges(pieces, parts, _MARK, self._work):
            yield self._table(records[np.lexsort((records["key"], records["kind"], records["by_id"]))], row_of)

    def _table(self, marks: NDArray[Any], row_of: NDArray[np.int64]) -> pa.Table:
        documents = np.unique(marks["by_id"])
        columns = [pa.array([row.tobytes().hex() for row in self._ids[row_of[documents]]])]
        for number in range(len(KINDS)):
            own = marks[marks["kind"] == number]
            offsets = np.append(np.searchsorted(own["by_id"], documents), len(own)).astype(np.int32)
            holders = np.ascontiguousarray(self._ids[self._rows[own["holder"]]])
            names = pa.FixedSizeBinaryArray.from_buffers(_HOLDER, len(own), [None, pa.py_buffer(holders)])
            columns += [pa.ListArray.from_arrays(offsets, array) for array in (pa.array(own["key"]), names)]
        return pa.table(columns, schema=REPEATS)


def _inverse(order: NDArray[np.int64]) -> NDArray[np.int64]:
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return places


def _each_once(ids: NDArray[np.uint64], by_id: NDArray[np.int64]) -> None:
    for at in range(0, len(by_id), _CHUNK):
        run = ids[by_id[at : at + _CHUNK + 1]]
        twice = np.flatnonzero((run[1:] == run[:-1]).all(axis=1))
        if len(twice):
            raise HerkomstError(
                f"document {run[twice[0]].tobytes().hex()} occurs twice among the repeats, so it could lose its text "
                "in favour of itself; a task's folder is probably given twice"
            )
