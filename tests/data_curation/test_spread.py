"""Rows of many shards come out slice by slice as they would by looking in every shard, and each is read once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_curation import commit as commit_module
from data_curation import spread as module
from data_curation.commit import CommitInputs, commit
from data_curation.copies import COPIES, REASON
from data_curation.duplicates import REMOVED
from data_curation.shards import CURATED, DECIDED, RECEIVED, Row, read_shard, shards, slice_bounds, write_shard
from data_curation.spread import InOrder, in_slices, row_groups
from licensing.ledger import Ledger

COLUMNS = ["id", "native_id", "declared", "parents"]


def sha(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def write_received(folder: Path, documents: list[list[int]]) -> list[Path]:
    """One shard a list; the same number is the same document, and each of its rows tells where it came from."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, numbers in enumerate(documents):
        rows = [
            {"id": sha(number), "source": "s", "group": "g", "partner": f"P{number % 3}", "native_id": f"{place}.{at}"}
            | {"received_sha256": sha(number), "received_bytes": at, "withdrawn": False, "text": "x" * 50}
            | {"declared": [{"text": f"t{at}", "where": None, "form": "f"}] * (at % 3), "parents": None}
            for at, number in enumerate(numbers)
        ]
        write_shard(folder / f"{place:05d}.parquet", rows, RECEIVED)
    return shards(folder)


def looked_for_everywhere(paths: list[Path], parts: int) -> list[list[Row]]:
    """What is to come out, found in the plainest way."""
    rows = [row for path in paths for row in read_shard(path, COLUMNS)]
    return [[row for row in rows if low <= row["id"] < high] for low, high in slice_bounds(parts)]


def spread(paths: list[Path], parts: int, work: Path) -> Iterator[list[Row]]:
    return (list(rows) for rows in in_slices(row_groups(paths, COLUMNS), slice_bounds(parts), work))


@settings(max_examples=25, deadline=None)
@given(
    documents=st.lists(st.lists(st.integers(0, 40), max_size=12), max_size=5),
    parts=st.sampled_from([1, 2, 3, 7, 40]),
    fan_out=st.sampled_from([2, 3, 256]),
    batch=st.sampled_from([1, 700, 1 << 25]),
)
def test_slices_hold_the_rows_of_all_shards_in_their_order(
    documents: list[list[int]], parts: int, fan_out: int, batch: int
) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FAN_OUT", fan_out)
        patch.setattr(module, "_BATCH_BYTES", batch)
        paths = write_received(Path(name) / "in", documents)
        assert list(spread(paths, parts, Path(name) / "work")) == looked_for_everywhere(paths, parts)
        assert not [path for path in (Path(name) / "work").rglob("*") if path.is_file()]


def test_every_row_group_is_read_once_whatever_the_number_of_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_received(tmp_path / "in", [list(range(at, 900, 3)) for at in range(3)])
    read: list[int] = []
    plain = pq.ParquetFile.read_row_group

    def counted(self: pq.ParquetFile, group: int, **how: object) -> pa.Table:
        read.append(group)
        return plain(self, group, **how)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    for parts in (1, 50):
        read.clear()
        assert sum(map(len, spread(paths, parts, tmp_path / str(parts)))) == 900
        assert read == [0, 1] * 3


def test_open_files_do_not_grow_with_slices_or_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handles = Path("/proc/self/fd")
    if not handles.is_dir():
        pytest.skip("this system does not tell which files are open")
    monkeypatch.setattr(module, "_FAN_OUT", 8)
    paths = write_received(tmp_path / "in", [list(range(at, 400, 20)) for at in range(20)])
    before, most = len(list(handles.iterdir())), 0
    for rows in in_slices(row_groups(paths), slice_bounds(60), tmp_path / "work"):
        for _ in rows:
            most = max(most, len(list(handles.iterdir())) - before)
    assert 1 <= most <= 3


def test_what_was_read_lies_on_disk_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FAN_OUT", 4)
    paths = write_received(tmp_path / "in", [list(range(400))])
    sizes = []
    for rows in spread(paths, 16, tmp_path / "work"):
        assert rows
        sizes.append(sum(path.stat().st_size for path in (tmp_path / "work").rglob("*") if path.is_file()))
    # Each file begins with the schema, so that a range that was cut into slices is a little larger.
    assert sizes[-1] == 0 and 0 < sizes[8] < 0.7 * sizes[0] and sizes[12] < 0.5 * sizes[0]


def test_shards_with_fewer_columns_and_narrower_types_are_spread_too(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [sha(1)], "text": ["a"]}), tmp_path / "1.parquet")
    wide = pa.schema([("id", pa.string()), ("text", pa.large_string()), ("page", pa.string())])
    write_shard(tmp_path / "2.parquet", [{"id": sha(2), "text": "b", "page": "p"}], wide)
    slices = in_slices(row_groups(shards(tmp_path)), slice_bounds(3), tmp_path / "work")
    found = sorted((row["text"], row["page"]) for rows in slices for row in rows)
    assert found == [("a", None), ("b", "p")]


def test_a_sorted_table_is_taken_up_to_each_bound(tmp_path: Path) -> None:
    names = sorted(map(sha, range(600)))
    write_shard(tmp_path / "t.parquet", [{"id": name} for name in names], REMOVED)
    table, bounds = InOrder(tmp_path / "t.parquet", ["id"]), slice_bounds(7)
    found = [[row["id"] for row in table.before(high)] for _, high in bounds]
    assert found == [[name for name in names if low <= name < high] for low, high in bounds]
    assert InOrder(None).before("g") == []


def test_a_table_out_of_order_is_not_taken_for_a_short_one(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["b", "a"]}), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="not sorted by id after b"):
        InOrder(tmp_path / "t.parquet").before("c")


# ---- in the commit


def tables(folder: Path, documents: list[list[int]]) -> CommitInputs:
    """Tables of all documents; the first of equal ones is curated, where it came first."""
    seen: set[int] = set()
    for place, path in enumerate(write_received(folder / "r" / "s", documents)):
        decided, curated = list[Row](), list[Row]()
        for number in sorted(set(documents[place])):
            decided.append(
                {"id": sha(number), "outcome": "admit", "reason": "r", "licence": "L", "branch": "L", "basis": "b"}
                | {"clause": "", "explanation": f"{number}", "duties": [], "origins": []}
            )
            if number not in seen:
                curated.append(
                    {"id": sha(number), "kept": True, "language": "nl", "text": f"tekst {number}", "text_bytes": 9}
                    | {"final_sha256": sha(f"tekst {number}"), "personal_data": [], "events": []}
                )
        seen |= set(documents[place])
        for kind, rows, schema in (("d", decided, DECIDED), ("c", curated, CURATED)):
            (folder / kind / "s").mkdir(parents=True, exist_ok=True)
            write_shard(folder / kind / "s" / path.name, rows, schema)
    removed = [{"id": sha(n), "survivor": sha(n + 1), "kind": "near", "similarity": 0.9} for n in seen if n % 5 == 0]
    write_shard(folder / "duplicates.parquet", removed, REMOVED)
    barred = {"copy": sha("barred"), "kind": "near", "similarity": 0.8, "reason": "reserved"}
    write_shard(folder / "copies.parquet", [{"id": sha(n)} | barred for n in seen if n % 7 == 1], COPIES)
    (folder / "r" / "s" / "counts.json").write_text(json.dumps({"text_bytes": 16 << 20}))
    inputs = CommitInputs(folder / "r", folder / "d", folder / "c", folder / "duplicates.parquet", 1, 0.1)
    return replace(inputs, copies=folder / "copies.parquet")


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


DOCUMENTS = [[number for number in range(120) if number % 4 == place or number % 9 == 0] for place in range(4)] + [[]]


def test_ranges_and_batches_do_not_show_in_what_is_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, made = tables(tmp_path / "in", DOCUMENTS), []
    monkeypatch.setattr(commit_module, "_SLICE_BYTES", (16 << 20) // 9)
    for fan_out, batch in ((256, 1 << 25), (2, 1), (5, 9000)):
        monkeypatch.setattr(module, "_FAN_OUT", fan_out)
        monkeypatch.setattr(module, "_BATCH_BYTES", batch)
        out = tmp_path / f"out-{fan_out}"
        assert sum(1 for _ in commit(inputs, out / "ledger", out / "corpus")) == 9
        made.append(files(out))
    assert made[0] == made[1] == made[2] and len(made[0]) > 12
    assert not any(".slices" in name for name in made[0])
    rows = {row["id"]: row for row in Ledger(out / "ledger").rows()}
    assert len(rows) == 120
    for number in range(120):
        came = [f"{place}.{one.index(number)}" for place, one in enumerate(DOCUMENTS) if number in one]
        row = rows[sha(number)]
        assert (row["native_id"], row["times_received"]) == (came[0], len(came))
        became = "duplicate-near" if number % 5 == 0 else REASON if number % 7 == 1 else "r"
        assert row["reason"] == became and (row["use"] == "none") == (became != "r")


def test_no_text_is_left_behind_when_the_commit_fails_or_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_module, "_SLICE_BYTES", 1 << 20)
    inputs = tables(tmp_path / "in", DOCUMENTS)
    with closing(commit(inputs, tmp_path / "a" / "ledger", tmp_path / "a" / "corpus")) as slices:
        next(slices)
        assert list((tmp_path / "a" / "corpus" / ".slices").iterdir())
    assert not (tmp_path / "a" / "corpus" / ".slices").exists()
    last = max(shards(inputs.curated), key=lambda path: path.name)
    last.write_bytes(b"PAR1 torn")
    with pytest.raises(pa.ArrowInvalid):
        list(commit(inputs, tmp_path / "b" / "ledger", tmp_path / "b" / "corpus"))
    assert not (tmp_path / "b" / "corpus" / ".slices").exists()
