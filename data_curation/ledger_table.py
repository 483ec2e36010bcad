"""Writing the ledger: one row for every document ever received, with all that happened to it.

How it lies on disk, and how it is read, is `licensing.ledger`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_curation.shards import CURATED, DECIDED, RECEIVED, Row
from licensing.ledger import (
    GROUP_ROWS,
    GROUPS_IN_PART,
    IDS,
    PARTNERS,
    LedgerPartner,
    part_name,
    partner_folder,
    partners_as_bytes,
)
from licensing.sorted_ids import packed_column

_MOST_WAITING = 1 << 13
# Columns in which most values differ: a dictionary of them would be written for nothing.
_DISTINCT = ("id", "native_id", "title", "url", "received_sha256", "survivor", "final_sha256", "similarity")

LEDGER = pa.schema(
    [
        RECEIVED.field("id"),
        RECEIVED.field("source"),
        RECEIVED.field("group"),
        RECEIVED.field("partner"),
        RECEIVED.field("native_id"),
        RECEIVED.field("title"),
        RECEIVED.field("author"),
        RECEIVED.field("url"),
        RECEIVED.field("published"),
        RECEIVED.field("received_sha256"),
        RECEIVED.field("received_bytes"),
        RECEIVED.field("iscc"),
        ("times_received", pa.int64()),
        RECEIVED.field("language_declared"),
        CURATED.field("language"),
        RECEIVED.field("declared"),
        DECIDED.field("licence"),
        DECIDED.field("branch"),
        DECIDED.field("basis"),
        DECIDED.field("agreement"),
        DECIDED.field("conflict"),
        DECIDED.field("basis_evidence"),
        DECIDED.field("reservation"),
        DECIDED.field("duties"),
        ("decision", pa.string()),
        ("decision_reason", pa.string()),
        ("decision_clause", pa.string()),
        ("decision_explanation", pa.string()),
        ("reason", pa.string()),
        CURATED.field("events"),
        CURATED.field("personal_data"),
        CURATED.field("replacements"),
        ("survivor", pa.string()),
        ("similarity", pa.float64()),
        CURATED.field("final_sha256"),
        CURATED.field("text_bytes"),
        ("use", pa.string()),
        ("stream", pa.string()),
        RECEIVED.field("parents"),
        RECEIVED.field("operation"),
        DECIDED.field("origins"),
    ]
)


class PartnerWriter:
    """One partner's rows into its folder, in row groups of one size, with the list of their ids."""

    def __init__(self, ledger: Path, partner: str) -> None:
        self._partner, self._folder = partner, ledger / partner_folder(partner)
        self._folder.mkdir(parents=True)
        self._ids = (self._folder / IDS).open("wb")
        self._file: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []
        self._waiting_rows = self._rows = self._groups = 0
        self._last = b""

    def add(self, rows: pa.Table) -> None:
        """Take the next rows, in the order of their ids.

        Raises:
            ValueError: an id is malformed or does not come after the one before.
        """
        ids = packed_column(rows.column("id"))
        if len(ids) and (bytes(ids[:1].tobytes()) <= self._last or not (ids[1:] > ids[:-1]).all()):
            raise ValueError(f"{self._folder}: rows are out of order; no document would be found again among them.")
        self._ids.write(ids.tobytes())
        self._last = ids[-1:].tobytes() or self._last
        self._rows += rows.num_rows
        self._waiting.append(rows)
        self._waiting_rows += rows.num_rows
        if self._waiting_rows >= GROUP_ROWS:
            self._write(GROUP_ROWS)

    def _write(self, least: int) -> None:
        table = pa.concat_tables(self._waiting)
        begin = 0
        while table.num_rows - begin >= least and begin < table.num_rows:
            # In one piece, so that the bytes do not tell in which pieces the rows came.
            group = table.slice(begin, GROUP_ROWS).combine_chunks()
            self._part().write_table(group, row_group_size=GROUP_ROWS)
            self._groups += 1
            begin += group.num_rows
        self._waiting, self._waiting_rows = [table.slice(begin)], table.num_rows - begin

    def _part(self) -> pq.ParquetWriter:
        if self._file is None or self._groups % GROUPS_IN_PART == 0:
            self._end_part()
            path = self._folder / part_name(self._groups // GROUPS_IN_PART)
            # No statistics: a row is found by its place, and they would be most of the footer.
            self._file = pq.ParquetWriter(
                path, LEDGER, compression="zstd", use_dictionary=_repeating_columns(), write_statistics=False
            )
        return self._file

    def _end_part(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def close(self) -> LedgerPartner:
        """Write what is waiting and finish the files; returns what was written."""
        if self._waiting_rows:
            self._write(1)
        self._end_part()
        self._ids.close()
        return LedgerPartner(self._partner, self._folder.name, self._rows)


class LedgerWriter:
    """Ledger rows of all partners, in the order of their ids, into a folder a partner.

    Rows wait in one file a partner until all are there, so that memory and open files do not grow with the number of
    partners. `finish` makes the ledger from them; until then there is no ledger.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._spool = folder, folder / ".waiting"
        self._spool.mkdir(parents=True)
        self._waiting: dict[str, list[Row]] = {}
        self._partners: set[str] = set()
        self._waiting_rows = 0
        self.rows = 0

    def add(self, row: Row) -> None:
        """Take the next row; rows come in the order of their ids."""
        self._waiting.setdefault(row["partner"], []).append(row)
        self._waiting_rows += 1
        self.rows += 1
        if self._waiting_rows >= _MOST_WAITING:
            self._flush()

    def finish(self) -> None:
        """Write every partner's table and list of ids, and last the list of partners."""
        self._flush()
        done = []
        for partner in sorted(self._partners):
            writer = PartnerWriter(self._folder, partner)
            for table in _spooled(self._spooled_at(partner)):
                writer.add(table)
            done.append(writer.close())
        shutil.rmtree(self._spool)
        write_partners(self._folder, done)

    def _flush(self) -> None:
        for partner, rows in self._waiting.items():
            self._partners.add(partner)
            with self._spooled_at(partner).open("ab") as file, pa.ipc.new_stream(file, LEDGER) as stream:
                stream.write_table(pa.Table.from_pylist(rows, schema=LEDGER))
        self._waiting, self._waiting_rows = {}, 0

    def _spooled_at(self, partner: str) -> Path:
        return self._spool / partner_folder(partner)


def write_partners(folder: Path, partners: list[LedgerPartner]) -> None:
    """Write the list of partners, which makes the ledger whole."""
    (folder / PARTNERS).write_bytes(partners_as_bytes(partners))


def _spooled(path: Path) -> Iterator[pa.Table]:
    """The tables of one file, written one stream after another."""
    size = path.stat().st_size
    with pa.OSFile(str(path)) as file:
        while file.tell() < size:
            yield pa.ipc.open_stream(file).read_all()


def _repeating_columns() -> list[str]:
    """The columns in which values repeat, as parquet names them: one for each field of a struct or list."""
    return [leaf for column in LEDGER if column.name not in _DISTINCT for leaf in _columns_of(column.name, column.type)]


def _columns_of(name: str, kind: pa.DataType) -> list[str]:
    if pa.types.is_list(kind):
        return _columns_of(f"{name}.list.element", kind.value_type)
    if pa.types.is_struct(kind):
        return [leaf for one in kind for leaf in _columns_of(f"{name}.{one.name}", one.type)]
    return [name]
