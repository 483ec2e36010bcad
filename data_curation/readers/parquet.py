"""Read parquet files row by row; memory depends on a batch of 64 rows and not on the file or its row groups.

The received bytes of a document are the canonical JSON of its mapped columns (see `data_curation.readers.table`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from data_curation.readers.base import SourceBase, hashed, refused
from data_curation.readers.columns import Columns
from data_curation.readers.folder import Found, files_of
from data_curation.readers.table import require_columns, row_document
from data_curation.received import Received

ENDINGS = (".parquet",)
_BATCH = 64
_NO_VALUE = (ValueError, OverflowError)
"""What pyarrow raises for a text that is not UTF-8 or a date that no calendar here holds."""


class ParquetSource(SourceBase):
    """Keys: ``path`` (a file, a folder or a pattern) and ``columns`` (which column holds what)."""

    reader: Literal["parquet"]
    path: str
    columns: Columns


def read_parquet(source: ParquetSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document a row; files sorted by name, rows in their order.

    Problems, besides those of `document_of`: ``too-large``, ``bad-value``, and for a file as a whole ``not-parquet``
    (whatever came before the damage is kept) and ``empty-file``.

    Raises:
        SourceError: ``path`` names nothing, or a column is missing.
    """
    for file in files_of(source, root, source.path, ENDINGS):
        if file.problem:
            yield refused(source, file.name, b"", file.problem, file.detail or file.name)
        else:
            yield from _documents(source, file)


def _documents(source: ParquetSource, file: Found) -> Iterator[Received]:
    import pyarrow as pa

    count = 0
    try:
        for row, fault in _rows(source, file):
            count += 1
            place = f"{file.name}:{count}"
            if fault:
                data = repr(row).encode("utf-8", "backslashreplace")
                what = "is not UTF-8" if fault[0] == "not-utf-8" else "holds a value that cannot be read"
                yield refused(source, place, data, fault[0], f"{place}: column {fault[1]} {what}.")
            else:
                yield row_document(source, source.columns, row, place)
    except (pa.ArrowException, OSError, *_NO_VALUE) as broken:
        yield _whole(source, file, "not-parquet", f"{file.name}: cannot be read after row {count} ({_first(broken)}).")
        return
    if not count:
        yield _whole(source, file, "empty-file", f"{file.name}: there are no rows in it.")


def _rows(source: ParquetSource, file: Found) -> Iterator[tuple[dict[str, Any], tuple[str, str] | None]]:
    """Yield each row and, where a value in it is none, a problem and the column (pyarrow does not check on reading)."""
    import pyarrow.parquet as pq

    # Buffered and not pre-loaded: else a whole row group, which may be gigabytes, is read at once.
    with pq.ParquetFile(file.path, buffer_size=1 << 20, pre_buffer=False) as table:
        require_columns(source, source.columns, table.schema_arrow.names, file.name)
        names = list(dict.fromkeys(source.columns.names()))
        for batch in table.iter_batches(batch_size=_BATCH, columns=names, use_threads=False):
            try:
                rows = batch.to_pylist()
            except _NO_VALUE:
                yield from (_checked(batch, number) for number in range(batch.num_rows))
            else:
                yield from ((row, None) for row in rows)


def _checked(batch: Any, number: int) -> tuple[dict[str, Any], tuple[str, str] | None]:
    row: dict[str, Any] = {}
    fault: tuple[str, str] | None = None
    for name in batch.schema.names:
        column = batch.column(name)
        try:
            row[name] = column[number].as_py()
        except UnicodeDecodeError:
            row[name], fault = _raw(column.slice(number, 1)), ("not-utf-8", name)
        except _NO_VALUE:
            row[name], fault = str(column.type), fault or ("bad-value", name)
    return row, fault


def _raw(value: Any) -> Any:
    """A text, or a list of texts, as bytes; of what is nested deeper only the kind is kept."""
    import pyarrow as pa

    for kind in (pa.binary(), pa.list_(pa.binary())):
        try:
            return value.cast(kind)[0].as_py()
        except pa.ArrowException:
            continue
    return str(value.type)


def _whole(source: ParquetSource, file: Found, problem: str, detail: str) -> Received:
    with file.path.open("rb") as stream:
        return hashed(source, file.name, stream, problem, detail)


def _first(fault: Exception) -> str:
    return str(fault).splitlines()[0][:200] if str(fault) else type(fault).__name__
