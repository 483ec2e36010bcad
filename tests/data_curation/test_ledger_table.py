"""The ledger in its folders: every row is found again, by id, by the supplier's id, and as the leaf of its tree."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_curation import ledger_table
from data_curation.ledger_table import LEDGER, LedgerWriter
from licensing import ledger as layout
from licensing.leaf import ledger_leaf
from licensing.leaf_hashes import leaf_hashes
from licensing.ledger import Ledger, LedgerError
from licensing.merkle import leaf_hash
from licensing.sorted_ids import SortedIds, packed


def made(count: int, partners: int = 3) -> list[dict[str, Any]]:
    rows = []
    for number in range(count):
        name = hashlib.sha256(str(number).encode()).hexdigest()
        rows.append(
            dict.fromkeys(LEDGER.names)
            | {"id": name, "partner": f"P {number % partners}", "native_id": str(number // 2), "source": "s"}
            | {"received_sha256": name, "licence": "CC0-1.0", "branch": "CC0-1.0", "decision": "admit", "reason": "r"}
            | {"use": "none", "text_bytes": 0, "received_bytes": 1, "times_received": 1}
            | {"declared": [], "duties": [], "events": [], "personal_data": []}
        )
    return sorted(rows, key=lambda row: str(row["id"]))


def write(folder: Path, rows: list[dict[str, Any]]) -> Ledger:
    writer = LedgerWriter(folder)
    for row in rows:
        writer.add(row)
    writer.finish()
    return Ledger(folder)


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups of four rows and files of two groups, so that few rows fill many of both."""
    for module in (ledger_table, layout):
        monkeypatch.setattr(module, "GROUP_ROWS", 4)
        monkeypatch.setattr(module, "GROUPS_IN_PART", 2)
    monkeypatch.setattr(ledger_table, "_MOST_WAITING", 7)


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("count", [0, 1, 4, 8, 9, 100])
def test_every_row_is_found_again(tmp_path: Path, count: int) -> None:
    rows = made(count)
    ledger = write(tmp_path / "ledger", rows)
    assert list(ledger.rows_by_id(LEDGER.names)) == rows and len(ledger) == count
    assert [ledger.find(row["id"]) for row in rows] == rows
    for number in range(0, count, 7):
        assert sorted(row["id"] for row in ledger.by_native_id(str(number // 2))) == sorted(
            row["id"] for row in rows if row["native_id"] == str(number // 2)
        )
    assert not list(ledger.by_native_id("nobody"))
    for unknown in ("0" * 64, "f" * 64, "", "A" * 64, "zz"):
        assert ledger.find(unknown) is None
    assert sorted(path.name for path in (tmp_path / "ledger").iterdir()) == sorted(
        ["partners.json", *(one.folder for one in ledger.partners())]
    )


@pytest.mark.usefixtures("small_groups")
def test_row_i_is_id_i_and_leaf_i_of_its_partner_and_a_partner_reads_its_own(tmp_path: Path) -> None:
    rows = made(100)
    ledger = write(tmp_path / "ledger", rows)
    for one in ledger.partners():
        own = [row for row in rows if row["partner"] == one.partner]
        assert list(ledger.rows(one.partner)) == own and one.rows == len(own)
        assert [ledger.ids(one).hex(place) for place in range(one.rows)] == [row["id"] for row in own]
        assert list(leaf_hashes(ledger, one.partner)) == [leaf_hash(ledger_leaf(row)) for row in own]
    for other in ledger.partners()[1:]:
        for path in (tmp_path / "ledger" / other.folder).iterdir():
            path.unlink()
    assert len(list(ledger.rows("P 0"))) == 34
    assert not list(ledger.rows("nobody"))


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("every", [1, 3, 17])
def test_rows_of_some_ids_are_read_with_the_place_of_each_in_the_question(tmp_path: Path, every: int) -> None:
    rows = made(100)
    ledger = write(tmp_path / "ledger", rows)
    asked = [row["id"] for row in rows[::-every]]
    asked[1:1] = ["0" * 64, "f" * 64]
    found = {}
    for batch, which in ledger.batches_of(packed(asked), ["native_id", "id"]):
        for row, number in zip(batch.to_pylist(), which.tolist(), strict=True):
            assert row["id"] == asked[number]
            found[row["id"]] = row["native_id"]
    assert found == {row["id"]: row["native_id"] for row in rows[::-every]}


def test_rows_out_of_order_and_twice_the_same_are_refused(tmp_path: Path) -> None:
    rows = made(9, partners=1)
    with pytest.raises(ValueError, match="out of order"):
        write(tmp_path / "backwards", rows[::-1])
    with pytest.raises(ValueError, match="out of order"):
        write(tmp_path / "twice", [rows[0], rows[0]])


def test_a_ledger_that_is_not_whole_says_so(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"partners\.json"):
        Ledger(tmp_path).partners()
    ledger = write(tmp_path / "ledger", made(10, partners=1))
    ids = next((tmp_path / "ledger").glob("*/ids.bin"))
    data = ids.read_bytes()
    ids.write_bytes(data[32:])
    with pytest.raises(LedgerError, match=r"ids\.bin"):
        ledger.find(made(10)[5]["id"])
    ids.write_bytes(data[:32] + data[64:96] + data[32:64] + data[96:])
    swapped = Ledger(tmp_path / "ledger")
    with pytest.raises(LedgerError, match="not the document"):
        swapped.row(swapped.partners()[0], 1)


@settings(max_examples=50)
@given(st.sets(st.binary(min_size=32, max_size=32) | st.sampled_from([b"\0" * 32, b"\1" + b"\0" * 31, b"\xff" * 32])))
def test_ids_are_found_by_binary_search(tmp_path_factory: pytest.TempPathFactory, ids: set[bytes]) -> None:
    path = tmp_path_factory.mktemp("ids") / "ids.bin"
    ordered = sorted(ids)
    path.write_bytes(b"".join(ordered))
    found = SortedIds(path)
    probes = [*ordered, *(bytes([one[0] ^ 1]) + one[1:] for one in ordered), b"\0" * 32, b"\0" * 31 + b"\1"]
    expected = [ordered.index(one) if one in ids else -1 for one in probes]
    assert found.places_of(packed([one.hex() for one in probes])).tolist() == expected
    assert [found.place_of(one.hex()) for one in probes] == [None if place < 0 else place for place in expected]
    assert [found.hex(place) for place in range(len(found))] == [one.hex() for one in ordered]


@pytest.mark.parametrize("wrong", ["A" * 64, "a" * 63, "a" * 63 + " ", "g" * 64, ""])
def test_what_is_no_id_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="lower-case hexadecimal"):
        packed(["0" * 64, wrong])


def test_columns_of_every_shape_are_named_as_parquet_names_them(tmp_path: Path) -> None:
    ledger = write(tmp_path / "ledger", made(3, partners=1))
    with pq.ParquetFile(tmp_path / "ledger" / ledger.partners()[0].folder / "part-00000.parquet") as file:
        paths = {file.schema.column(number).path for number in range(len(file.schema.names))}
    assert set(ledger_table._repeating_columns()) == paths - set(ledger_table._DISTINCT)
    nested = pa.list_(pa.struct([("a", pa.list_(pa.string())), ("b", pa.int64())]))
    assert ledger_table._columns_of("x", nested) == ["x.list.element.a.list.element", "x.list.element.b"]
