from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter

from data_curation.readers import Source, SourceError, read
from data_curation.received import Received

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)


def run(folder: Path, **keys: Any) -> list[Received]:
    columns = {"id": "nr", "text": "body", "date": "dag"}
    source = SOURCE.validate_python(
        {"name": "tafel", "partner": "T", "reader": "parquet", "path": "in.parquet", "columns": columns} | keys
    )
    return list(read(source, folder, folder / "cache"))


def write(folder: Path, rows: dict[str, list[Any]], **options: Any) -> None:
    pq.write_table(pa.table(rows), folder / "in.parquet", **options)


def test_a_row_becomes_a_document_whose_bytes_are_its_mapped_columns(tmp_path: Path) -> None:
    write(tmp_path, {"nr": [7, 8], "body": ["één", "twee"], "dag": [date(2024, 5, 1), None], "overig": [1, 2]})
    first, second = run(tmp_path)
    assert (first.native_id, first.text, first.published) == ("7", "één", "2024-05-01")
    assert second.published is None
    bytes_of_first = json.dumps(
        {"body": "één", "dag": "2024-05-01", "nr": 7}, ensure_ascii=False, separators=(",", ":")
    )
    assert first.received_bytes == len(bytes_of_first.encode())
    write(tmp_path, {"nr": [7], "body": ["één"], "dag": [date(2024, 5, 1)], "overig": [99]}, compression="zstd")
    assert run(tmp_path)[0].id == first.id


def test_row_groups_and_batches_change_nothing(tmp_path: Path) -> None:
    rows: dict[str, list[Any]] = {
        "nr": list(range(500)),
        "body": [f"tekst {n}" for n in range(500)],
        "dag": ["2024-01-01"] * 500,
    }
    write(tmp_path, rows)
    whole = run(tmp_path)
    write(tmp_path, rows, row_group_size=7)
    assert run(tmp_path) == whole and len(whole) == 500


def test_a_missing_column_stops_the_source_and_names_what_is_there(tmp_path: Path) -> None:
    write(tmp_path, {"nr": [1], "tekst": ["x"], "dag": ["2024-01-01"]})
    with pytest.raises(SourceError, match=r"in\.parquet has no column body; there are nr, tekst, dag"):
        run(tmp_path)


def test_bad_rows_are_rows(tmp_path: Path) -> None:
    bad = pa.StringArray.from_buffers(
        2, pa.py_buffer(b"\0\0\0\0\2\0\0\0\4\0\0\0"), pa.py_buffer(b"\xff\xfeok"), pa.py_buffer(b"\3")
    )
    write(tmp_path, {"nr": ["a", "b"], "body": bad, "dag": [None, None]})
    first, second = run(tmp_path)
    assert (first.problem, first.native_id) == ("not-utf-8", "in.parquet:1")
    assert (second.problem, second.text) == (None, "ok")
    write(tmp_path, {"nr": [None, "b", "c"], "body": ["x", None, "x" * 300], "dag": ["2024-01-01", "", "2024-01-01"]})
    assert [d.problem for d in run(tmp_path, largest_document=200)] == ["no-id", "missing-column", "too-large"]


def test_a_damaged_or_empty_file_is_a_row_and_the_next_file_is_read(tmp_path: Path) -> None:
    write(tmp_path, {"nr": ["a"], "body": ["goed"], "dag": [""]})
    good = (tmp_path / "in.parquet").read_bytes()
    (tmp_path / "in.parquet").unlink()
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "1.parquet").write_bytes(good[: len(good) // 2])
    (folder / "2.parquet").write_bytes(b"")
    pq.write_table(pa.table({"nr": pa.array([], pa.string()), "body": pa.array([], pa.string()), "dag": pa.array([], pa.string())}), folder / "3.parquet")  # fmt: skip  # noqa: E501
    (folder / "4.parquet").write_bytes(good)
    found = [(d.native_id, d.problem) for d in run(tmp_path, path="set")]
    assert found == [
        ("1.parquet", "not-parquet"),
        ("2.parquet", "not-parquet"),
        ("3.parquet", "empty-file"),
        ("a", None),
    ]
