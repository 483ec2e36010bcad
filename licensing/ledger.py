"""The ledger as it lies on disk, and the one way to read it.

Every partner has a folder of its own, so that whoever accounts to one partner opens nothing of another:

    ledger/partners.json                       folder, partner and rows of each, and how rows are cut into files
    ledger/FOLDER/part-00000.parquet           the partner's rows in the order of their ids
    ledger/FOLDER/ids.bin                      the same ids, 32 bytes each: row i of the table is id i here

Row i is also leaf i of the partner's Merkle tree. All row groups are of one size and all files hold the same number of
them, so an id leads to its row by a binary search and a division; no index of rows is kept or read.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from licensing.canonical import canonical
from licensing.errors import HerkomstError
from licensing.sorted_ids import Ids, Places, SortedIds

Row = dict[str, Any]

GROUP_ROWS: Final = 2048
"""Rows in a row group: what is decoded to read one row."""
GROUPS_IN_PART: Final = 64
"""Row groups in a file: with more, its footer would take longer to read than the row."""
BATCH_ROWS: Final = 16_384
PARTNERS: Final = "partners.json"
IDS: Final = "ids.bin"

_FORMAT: Final = "herkomst-ledger-v1"
_MOST_OPEN: Final = 16
_MOST_WAITING: Final = 1 << 16


class LedgerError(HerkomstError):
    """The ledger is not there or is not whole; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class LedgerPartner:
    """One partner's part of the ledger: its name, its folder and how many rows it has."""

    partner: str
    folder: str
    rows: int


def partner_folder(partner: str) -> str:
    """A folder name for a partner: readable, and different for different partners."""
    slug = re.sub(r"[^a-z0-9]+", "-", partner.lower()).strip("-") or "partner"
    return f"{slug[:40]}-{hashlib.sha256(partner.encode()).hexdigest()[:8]}"


def part_name(number: int) -> str:
    """The name of a partner's n-th file."""
    return f"part-{number:05d}.parquet"


def partners_as_bytes(partners: Sequence[LedgerPartner]) -> bytes:
    """What ``partners.json`` holds: it is written last, and a ledger without it is not whole."""
    ordered = sorted(partners, key=lambda one: one.partner)
    layout = {"format": _FORMAT, "group_rows": GROUP_ROWS, "groups_in_part": GROUPS_IN_PART}
    return canonical({**layout, "partners": [asdict(one) for one in ordered]})


class Ledger:
    """A ledger opened for reading; nothing is read before it is asked for, and files stay open between questions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ids: dict[str, SortedIds] = {}
        self._files: OrderedDict[Path, pq.ParquetFile] = OrderedDict()

    @cached_property
    def _layout(self) -> dict[str, Any]:
        path = self.folder / PARTNERS
        try:
            found = json.loads(path.read_bytes())
            if found["format"] != _FORMAT:
                raise ValueError(f"format is {found['format']!r}, not {_FORMAT!r}")
            found["partners"] = tuple(LedgerPartner(**one) for one in found["partners"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LedgerError(
                f"{path}: there is no whole ledger here ({error}); nothing can be traced or stated. "
                "Run the stages up to commit first."
            ) from error
        return dict(found)

    # ---- partners

    def partners(self) -> tuple[LedgerPartner, ...]:
        """Everyone from whom a document was received, in the order of names.

        Raises:
            LedgerError: there is no whole ledger.
        """
        return tuple(self._layout["partners"])

    def partner(self, name: str) -> LedgerPartner | None:
        """One partner by name, or None where nothing was received from it."""
        return next((one for one in self.partners() if one.partner == name), None)

    def __len__(self) -> int:
        return sum(one.rows for one in self.partners())

    def ids(self, partner: LedgerPartner) -> SortedIds:
        """The ids of a partner's documents in the order of its rows.

        Raises:
            LedgerError: the list has another length than the rows.
        """
        if partner.folder not in self._ids:
            path = self.folder / partner.folder / IDS
            try:
                found = SortedIds(path)
            except (OSError, ValueError) as error:
                raise LedgerError(f"{path}: cannot be read ({error}); no row can be found. {_AGAIN}") from error
            if len(found) != partner.rows:
                raise LedgerError(f"{path}: {len(found)} ids for {partner.rows} rows; no row can be found. {_AGAIN}")
            self._ids[partner.folder] = found
        return self._ids[partner.folder]

    # ---- many rows

    def batches(
        self, partner: str | None = None, columns: Sequence[str] | None = None, batch_rows: int = BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of one partner, or of all one after another, as record batches; none for an unknown partner.

        Rows of a partner come in the order of their ids; memory is bounded by a batch.
        """
        for one in self.partners():
            if partner in (None, one.partner):
                for path in self._parts(one):
                    with pq.ParquetFile(path) as file:
                        # One thread: for few columns in small groups, several cost more than they save.
                        yield from file.iter_batches(
                            batch_rows, columns=None if columns is None else list(columns), use_threads=False
                        )

    def rows(
        self, partner: str | None = None, columns: Sequence[str] | None = None, batch_rows: int = BATCH_ROWS
    ) -> Iterator[Row]:
        """Yield the same as dictionaries."""
        for batch in self.batches(partner, columns, batch_rows):
            yield from batch.to_pylist()

    def rows_by_id(self, columns: Sequence[str]) -> Iterator[Row]:
        """Yield the rows of all partners in the order of ids; ``columns`` must name ``id``."""
        partners = self.partners()
        batch_rows = max(64, _MOST_WAITING // max(1, len(partners)))
        return heapq.merge(
            *(self.rows(one.partner, columns, batch_rows) for one in partners), key=lambda row: str(row["id"])
        )

    def batches_of(self, ids: Ids, columns: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, Places]]:
        """Yield the rows of these ids and, for each row, which of ``ids`` it is; ids that nobody delivered have none.

        Reads only row groups that hold one of them.
        """
        for one in self.partners():
            places = self.ids(one).places_of(ids)
            wanted = np.flatnonzero(places >= 0)
            wanted = wanted[np.argsort(places[wanted])]
            group, inside = np.divmod(places[wanted], self._layout["group_rows"])
            for begin, end in pairwise([*np.flatnonzero(np.diff(group, prepend=-1)).tolist(), len(group)]):
                file, number = self._group(one, int(group[begin]))
                rows = file.read_row_group(number, columns=list(columns)).take(pa.array(inside[begin:end]))
                for batch in rows.combine_chunks().to_batches():
                    yield batch, wanted[begin:end]

    # ---- one row

    def find(self, document_id: str) -> Row | None:
        """The row of one id, or None; reads one row group. Grows with the number of partners, not of rows."""
        for one in self.partners():
            place = self.ids(one).place_of(document_id)
            if place is not None:
                return self.row(one, place)
        return None

    def by_native_id(self, native_id: str) -> Iterator[Row]:
        """Yield every row that carries a supplier's own id; reads that one column of all rows, then the rows found."""
        for one in self.partners():
            begin = 0
            for batch in self.batches(one.partner, ["native_id"]):
                hits = pc.indices_nonzero(pc.equal(batch.column(0), native_id))
                for hit in hits.to_pylist():
                    yield self.row(one, begin + hit)
                begin += batch.num_rows

    def row(self, partner: LedgerPartner, place: int) -> Row:
        """The row at a place of a partner's table.

        Raises:
            LedgerError: the row at that place has another id than the list of ids says.
        """
        group, inside = divmod(place, self._layout["group_rows"])
        file, number = self._group(partner, group)
        found: Row = file.read_row_group(number).slice(inside, 1).to_pylist()[0]
        if found["id"] != self.ids(partner).hex(place):
            folder = self.folder / partner.folder
            raise LedgerError(f"{folder}: row {place} is not the document that {IDS} names there. {_AGAIN}")
        return found

    def _group(self, partner: LedgerPartner, group: int) -> tuple[pq.ParquetFile, int]:
        """The file that holds a partner's n-th row group, kept open, and the group's number in it."""
        part, number = divmod(group, self._layout["groups_in_part"])
        path = self.folder / partner.folder / part_name(part)
        file = self._files.pop(path, None) or pq.ParquetFile(path)
        self._files[path] = file
        if len(self._files) > _MOST_OPEN:
            self._files.popitem(last=False)[1].close()
        return file, number

    def _parts(self, partner: LedgerPartner) -> list[Path]:
        part_rows = self._layout["group_rows"] * self._layout["groups_in_part"]
        return [self.folder / partner.folder / part_name(part) for part in range(-(-partner.rows // part_rows))]


_AGAIN: Final = "Run the stage that commits the corpus again."
