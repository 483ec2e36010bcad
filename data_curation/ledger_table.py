"""The ledger as a table: one row for every document ever received, with all that happened to it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_curation.shards import CURATED, DECIDED, RECEIVED, Row

_PART_ROWS = 1_000_000
_ROW_GROUP = 4096

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
        DECIDED.field("duties"),
        ("decision", pa.string()),
        ("decision_reason", pa.string()),
        ("decision_clause", pa.string()),
        ("decision_explanation", pa.string()),
        ("reason", pa.string()),
        CURATED.field("events"),
        CURATED.field("personal_data"),
        ("survivor", pa.string()),
        ("similarity", pa.float64()),
        CURATED.field("final_sha256"),
        CURATED.field("text_bytes"),
        ("use", pa.string()),
        ("stream", pa.string()),
    ]
)


class LedgerWriter:
    """Ledger rows into parquet parts, in row groups small enough that one row is found quickly."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._buffer = folder, list[Row]()
        self._file: pq.ParquetWriter | None = None
        self._in_part = self._parts = 0
        self.rows = 0

    def add(self, row: Row) -> None:
        """Take the next row; rows come in the order of their ids."""
        self._buffer.append(row)
        self.rows += 1
        if len(self._buffer) >= _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._file is None or self._in_part >= _PART_ROWS:
            if self._file is not None:
                self._file.close()
            self._file = pq.ParquetWriter(self._folder / f"part-{self._parts:05d}.parquet", LEDGER, compression="zstd")
            self._parts, self._in_part = self._parts + 1, 0
        self._file.write_table(pa.Table.from_pylist(self._buffer, schema=LEDGER))
        self._in_part += len(self._buffer)
        self._buffer = []

    def close(self) -> None:
        """Finish the last part."""
        self._flush()
        if self._file is not None:
            self._file.close()
