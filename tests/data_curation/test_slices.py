import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from data_curation.ingest import SliceTask, ingest_source, join_slices, read_slice
from data_curation.readers import Source
from data_curation.shards import read_shard, shards
from data_curation.slices import slices

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)


def source(**keys: Any) -> Source:
    columns = {"id": "id", "text": "text"}
    made = {"name": "s", "partner": "P", "reader": "jsonl", "path": "in", "columns": columns}
    return SOURCE.validate_python(made | keys)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(7):
        place = tmp_path / "in" / ("a" if number < 4 else "b")
        place.mkdir(parents=True, exist_ok=True)
        # Document 5 comes twice and 6 under one id with two contents, each in slices of their own.
        rows = [{"id": f"{number}-{n}", "text": f"tekst {number} {n}"} for n in range(3)]
        rows += [{"id": "twice", "text": "same"}] if number in (1, 5) else []
        rows += [{"id": "clash", "text": f"content {number}"}] if number in (0, 6) else []
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (place / f"{number}.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


def ids(place: Path) -> list[str]:
    return sorted(row["id"] for path in shards(place) for row in read_shard(path, ["id"]))


def arrays(place: Path) -> tuple[bytes, bytes]:
    return (place / "clashing-native-ids.npy").read_bytes(), (place / "repeated-documents.npy").read_bytes()


@pytest.mark.parametrize("slice_bytes", [1, 150, 1 << 20])
def test_the_same_documents_come_in_however_a_source_is_cut(folder: Path, slice_bytes: int) -> None:
    whole = ingest_source(source(), folder, folder, folder / "whole", 1000)
    counts = ingest_source(source(), folder, folder, folder / "out", 2, slice_bytes)
    assert counts == whole and counts["documents"] == 25
    assert ids(folder / "out") == ids(folder / "whole")
    assert arrays(folder / "out") == arrays(folder / "whole")


def test_a_small_slice_is_one_file_and_a_folder_stays_whole_where_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(slices(source(), folder, 1)) == 7
    monkeypatch.setattr(type(source()), "cut_between", lambda self: "folders")
    assert len(slices(source(), folder, 1)) == 2


def test_what_counts_over_the_whole_source_is_never_cut(folder: Path) -> None:
    assert len(slices(source(limit=3), folder, 1)) == 1
    hub = SOURCE.validate_python(
        {"name": "h", "partner": "P", "reader": "hub", "dataset": "./in", "columns": {"id": "id", "text": "text"}}
    )
    assert slices(hub, folder, 1) == [hub]


def test_packages_are_slices(tmp_path: Path) -> None:
    made = SOURCE.validate_python(
        {"name": "d", "partner": "P", "reader": "debian", "packages": ["a1", "b1"], "include": ["**"]}
    )
    assert [one.packages for one in slices(made, tmp_path, 1)] == [("a1",), ("b1",)]  # type: ignore[union-attr]


def test_slices_may_be_read_in_any_order_and_again(folder: Path) -> None:
    tasks = [
        SliceTask(one, folder, folder, folder / f"part-{number}", 2)
        for number, one in enumerate(slices(source(), folder, 1))
    ]
    for task in [*reversed(tasks), tasks[3]]:
        read_slice(task)
    assert all(task.done for task in tasks)
    whole = ingest_source(source(), folder, folder, folder / "whole", 1000)
    assert join_slices([task.folder for task in tasks], folder / "joined") == whole
    assert arrays(folder / "joined") == arrays(folder / "whole")


def test_ids_are_compared_range_by_range_where_memory_is_short(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest_source(source(), folder, folder, folder / "whole", 1000)
    monkeypatch.setattr("data_curation.ingest._PAIRS_IN_MEMORY", 4)
    ingest_source(source(), folder, folder, folder / "out", 2, 1)
    assert arrays(folder / "out") == arrays(folder / "whole")
