"""Streams of text: documents of one (source group, licence, language), put to one use, in the order of their ids."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data_curation.shards import ROW_GROUP, Row

TEXT = pa.schema([("id", pa.string()), ("text", pa.large_string()), ("text_bytes", pa.int64())])


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream of text: documents of one (source group, licence, language) put to one use."""

    name: str
    use: str
    group: str
    licence: str
    language: str
    documents: int
    bytes: int
    most_epochs: int | None
    file: str


def read_streams(corpus: Path) -> list[StreamInfo]:
    """The streams of a committed corpus, in the order of their names."""
    return [StreamInfo(**values) for values in json.loads((corpus / "streams.json").read_bytes())["streams"]]


def stream_name(row: Mapping[str, Any]) -> str:
    """The stream a kept document belongs to: source group, licence it is used under, language."""
    parts = (row["group"], row["branch"], row["language"])
    return "~".join(re.sub(r"[^A-Za-z0-9.+-]+", "_", str(part)) for part in parts)


class StreamWriters:
    """One parquet file of text a stream and use; what a slice brings is written at its end."""

    def __init__(self, corpus: Path) -> None:
        self._corpus = corpus
        self._files: dict[tuple[str, str], pq.ParquetWriter] = {}
        self._waiting: dict[tuple[str, str], list[Row]] = {}
        self._known: dict[tuple[str, str], dict[str, Any]] = {}

    def add(self, row: Row, text: str) -> None:
        """Take one kept document."""
        key = (row["stream"], row["use"])
        known = self._known.setdefault(key, _stream_values(row))
        known["documents"] += 1
        known["bytes"] += row["text_bytes"]
        epochs = [int(duty["value"]) for duty in row["duties"] or () if duty["kind"] == "most-epochs"]
        known["most_epochs"] = min([*epochs, *([known["most_epochs"]] if known["most_epochs"] else [])], default=None)
        self._waiting.setdefault(key, []).append({"id": row["id"], "text": text, "text_bytes": row["text_bytes"]})

    def flush(self) -> None:
        """Write what is waiting."""
        for key, rows in sorted(self._waiting.items()):
            if key not in self._files:
                path = self._corpus / self._known[key]["file"]
                self._files[key] = pq.ParquetWriter(path, TEXT, compression="zstd")
            self._files[key].write_table(pa.Table.from_pylist(rows, schema=TEXT), row_group_size=ROW_GROUP)
        self._waiting = {}

    def close(self) -> None:
        """Finish the files."""
        for file in self._files.values():
            file.close()

    def infos(self) -> list[StreamInfo]:
        """What was written, in the order of names and uses."""
        return [StreamInfo(**values) for _, values in sorted(self._known.items())]


def _stream_values(row: Row) -> dict[str, Any]:
    return {
        "name": row["stream"],
        "use": row["use"],
        "group": row["group"],
        "licence": row["branch"],
        "language": row["language"],
        "documents": 0,
        "bytes": 0,
        "most_epochs": None,
        "file": f"text/{row['stream']}.{row['use']}.parquet",
    }
