"""A row of a table as received bytes: the canonical JSON of the columns that are read.

A table file holds values and no bytes of a single row, so the bytes that identify a document are defined here: the
mapped columns under the partner's names, keys sorted, UTF-8, dates as ISO 8601, binary as hexadecimal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from data_curation.readers.base import SourceBase, SourceError, refused, too_large
from data_curation.readers.columns import Columns, document_of
from data_curation.received import Received
from licensing.canonical import canonical


def row_document(source: SourceBase, columns: Columns, row: Mapping[str, Any], place: str) -> Received:
    """Make a document of a table row; ``place`` (``FILE:ROW``, from 1) is its id where it has none."""
    known = {name: row[name] for name in columns.names() if name in row}
    try:
        data = canonical({name: _plain(value) for name, value in known.items()})
    except UnicodeEncodeError as fault:
        data = repr(known).encode("ascii", "backslashreplace")
        return refused(source, place, data, "not-utf-8", f"{place}: half a surrogate pair ({fault.reason}).")
    if len(data) > source.largest_document:
        return refused(source, place, data, *too_large(source, place))
    return document_of(source, columns, known, place, data)


def require_columns(source: SourceBase, columns: Columns, there: list[str], where: str) -> None:
    """Stop the source where a column is not in the table.

    Raises:
        SourceError: naming the file, the column and the columns that are there.
    """
    missing = [name for name in columns.names() if name not in there]
    if missing:
        raise SourceError(
            f"source {source.name}: {where} has no column {' and no column '.join(missing)}; there are "
            f"{', '.join(there) or 'none'}. The source cannot be read. Correct its key columns."
        )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal | timedelta) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return value if isinstance(value, str | int | float | None) else repr(value)
