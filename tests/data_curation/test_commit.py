"""The corpus in its final order does not depend on how it was cut into slices and shards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_curation import commit as module
from data_curation.commit import CommitInputs, build_trees, commit
from data_curation.duplicates import REMOVED
from data_curation.repeats.search import REPEATS
from data_curation.repeats.settings import RepeatsSettings
from data_curation.shards import CURATED, DECIDED, RECEIVED, Row, read_shard, write_shard
from data_curation.streams import read_streams
from licensing.errors import HerkomstError
from licensing.ledger import Ledger, partner_folder


def ids(count: int) -> list[str]:
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]


def tables(folder: Path, count: int, shards: int) -> CommitInputs:
    """Documents of two partners, every seventh refused and every fifth a duplicate of its neighbour."""
    names = ids(count)
    removed: list[Row] = []
    for shard in range(shards):
        received: list[Row] = []
        decided: list[Row] = []
        curated: list[Row] = []
        for number in range(shard, count, shards):
            name, refused = names[number], number % 7 == 0
            partner = f"Partner {number % 2}"
            received.append(
                {"id": name, "source": "s", "group": "g", "partner": partner, "native_id": str(number)}
                | {"received_sha256": name, "received_bytes": 10, "withdrawn": False, "text": "x"}
            )
            decided.append(
                {"id": name, "outcome": "refuse" if refused else "admit", "reason": "r", "licence": "CC0-1.0"}
                | {"branch": "CC0-1.0", "basis": "licence", "clause": "", "explanation": ""}
            )
            if not refused:
                text = f"text {number}"
                digest = hashlib.sha256(text.encode()).hexdigest()
                curated.append(
                    {"id": name, "kept": True, "language": "nl", "text": text, "final_sha256": digest}
                    | {"text_bytes": len(text), "personal_data": [], "events": []}
                )
                if number % 5 == 0:
                    removed.append({"id": name, "survivor": names[1], "kind": "near", "similarity": 0.9})
        for kind, rows, schema in (("r", received, RECEIVED), ("d", decided, DECIDED), ("c", curated, CURATED)):
            path = folder / kind / "s" / f"{shard:05d}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_shard(path, rows, schema)
    write_shard(folder / "duplicates.parquet", removed, REMOVED)
    (folder / "r" / "s" / "counts.json").write_text(json.dumps({"text_bytes": 100_000}))
    return CommitInputs(folder / "r", folder / "d", folder / "c", folder / "duplicates.parquet", 1, 0.1)


def committed(inputs: CommitInputs, out: Path) -> dict[str, Any]:
    list(commit(inputs, out / "ledger", out / "corpus"))
    return dict(json.loads((out / "corpus" / "roots.json").read_bytes()))


def test_slices_and_shards_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = committed(tables(tmp_path / "one", 300, 1), tmp_path / "a")
    monkeypatch.setattr(module, "_SLICE_BYTES", 9_000)
    many = committed(tables(tmp_path / "seven", 300, 7), tmp_path / "b")
    assert one == many
    rows = [list(Ledger(tmp_path / name / "ledger").rows()) for name in ("a", "b")]
    assert rows[0] == rows[1] and len(rows[0]) == 300
    files = [file.relative_to(tmp_path / "a") for file in (tmp_path / "a" / "ledger").rglob("*") if file.is_file()]
    assert len(files) == 5
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_every_document_is_a_row_in_order_and_kept_ones_have_their_text(tmp_path: Path) -> None:
    committed(tables(tmp_path / "in", 300, 3), tmp_path)
    rows = list(Ledger(tmp_path / "ledger").rows_by_id(("id", "use", "reason", "survivor")))
    assert [row["id"] for row in rows] == sorted(ids(300))
    kept = {row["id"] for row in rows if row["use"] != "none"}
    texts = [row for info in read_streams(tmp_path / "corpus") for row in read_shard(tmp_path / "corpus" / info.file)]
    assert {row["id"] for row in texts} == kept and len(texts) == len(kept)
    duplicate = next(row for row in rows if row["reason"] == "duplicate-near")
    assert duplicate["survivor"] == ids(300)[1] and duplicate["use"] == "none"


def test_trees_are_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    roots = committed(tables(tmp_path / "in", 300, 3), tmp_path)
    assert build_trees(Ledger(tmp_path / "ledger"), tmp_path / "again", workers=2) == roots
    written = sorted((tmp_path / "again").rglob("*.bin"))
    assert len(written) > 10
    for path in written:
        first = tmp_path / "corpus" / "merkle" / path.relative_to(tmp_path / "again")
        assert path.read_bytes() == first.read_bytes()


def test_partners_of_similar_names_have_their_own_folders() -> None:
    assert partner_folder("De Kade B.V.") != partner_folder("de kade b v")


def one_by_one(folder: Path, documents: list[Row], **inputs: Any) -> dict[str, Row]:
    """Commit documents given as id, duties, agreement and origins; returns the ledger rows by id."""
    received, decided, curated = list[Row](), list[Row](), list[Row]()
    for document in documents:
        name = document["id"]
        received.append(
            {"id": name, "source": "s", "group": "g", "partner": "P", "native_id": name, "received_sha256": name}
            | {"received_bytes": 1, "text": "x", "agreement": document.get("agreement"), "withdrawn": False}
        )
        decided.append(
            {"id": name, "outcome": "admit", "reason": "r", "licence": "L", "branch": "L", "basis": "agreement"}
            | {"clause": "", "explanation": "", "duties": document.get("duties"), "origins": document.get("origins")}
        )
        curated.append(
            {"id": name, "kept": True, "language": "nl", "text": name, "text_bytes": 64, "personal_data": []}
            | {"final_sha256": hashlib.sha256(name.encode()).hexdigest(), "events": []}
        )
    for kind, rows, schema in (("r", received, RECEIVED), ("d", decided, DECIDED), ("c", curated, CURATED)):
        (folder / kind / "s").mkdir(parents=True)
        write_shard(folder / kind / "s" / "00000.parquet", rows, schema)
    write_shard(folder / "duplicates.parquet", [], REMOVED)
    paths = CommitInputs(folder / "r", folder / "d", folder / "c", folder / "duplicates.parquet", 1, 0.0, **inputs)
    committed(paths, folder)
    return {row["id"]: row for row in Ledger(folder / "ledger").rows()}


def held(rows: dict[str, Row]) -> set[str]:
    return {name for name, row in rows.items() if row["use"] == "held-out"}


def test_an_agreed_share_is_set_aside_and_a_larger_one_keeps_the_smaller(tmp_path: Path) -> None:
    names = ids(400)
    small = held(
        one_by_one(tmp_path / "a", [{"id": n, "agreement": "x"} for n in names], agreement_held_out={"x": 0.1})
    )
    owed = [{"kind": "hold-out", "value": "0.3", "clause": "art. 4"}]
    large = held(one_by_one(tmp_path / "b", [{"id": n, "duties": owed} for n in names]))
    assert 20 < len(small) < 65 and 90 < len(large) < 150
    assert small < large


def test_a_text_made_from_one_that_is_set_aside_is_set_aside(tmp_path: Path) -> None:
    originals, made = ids(200), [hashlib.sha256(f"made {n}".encode()).hexdigest() for n in range(200)]
    owed = [{"kind": "hold-out", "value": "0.2", "clause": "art. 4"}]
    chunks = [{"id": m, "duties": owed, "origins": [n]} for n, m in zip(originals, made, strict=True)]
    whole = hashlib.sha256(b"all").hexdigest()
    merged: list[Row] = [{"id": whole, "duties": owed, "origins": originals}]
    rows = one_by_one(tmp_path, [{"id": n, "duties": owed} for n in originals] + chunks + merged)
    for original, chunk in zip(originals, made, strict=True):
        assert rows[chunk]["use"] == rows[original]["use"]
    assert rows[whole]["use"] == "held-out"


def test_a_stream_is_read_no_more_often_than_its_strictest_document_allows(tmp_path: Path) -> None:
    names = ids(3)
    owed = [[{"kind": "most-epochs", "value": value, "clause": "art. 4"}] for value in ("4", "2", "3")]
    one_by_one(tmp_path, [{"id": n, "duties": duty} for n, duty in zip(names, owed, strict=True)])
    assert [info.most_epochs for info in read_streams(tmp_path / "corpus")] == [2]


def test_a_document_that_lost_passages_may_be_withdrawn(tmp_path: Path) -> None:
    inputs = tables(tmp_path / "in", 20, 1)
    gone = read_ids(inputs.curated)[0]
    row = {"id": gone, "paragraphs": [1], "paragraph_holders": [bytes(32)], "runs": [], "run_holders": []}
    pq.write_table(pa.Table.from_pylist([row], schema=REPEATS), tmp_path / "repeats.parquet")
    purge_documents(inputs, {gone})
    told = replace(inputs, repeats=tmp_path / "repeats.parquet", repeats_settings=RepeatsSettings())
    committed(told, tmp_path / "out")
    found = {row["id"]: row for row in Ledger(tmp_path / "out" / "ledger").rows()}
    assert len(found) == 20 and found[gone]["use"] == "none" and found[gone]["decision"] == "refuse"


def test_an_admitted_document_of_which_curation_tells_nothing_stops_the_commit(tmp_path: Path) -> None:
    inputs = tables(tmp_path / "in", 20, 1)
    lost = read_ids(inputs.curated)[0]
    rewrite(inputs.curated, CURATED, lambda row: None if row["id"] == lost else row)
    with pytest.raises(HerkomstError, match=lost):
        committed(inputs, tmp_path / "out")


def read_ids(folder: Path) -> list[str]:
    return [row["id"] for row in read_shard(folder / "s" / "00000.parquet", ["id"])]


def rewrite(folder: Path, schema: pa.Schema, change: Callable[[Row], Row | None]) -> None:
    path = folder / "s" / "00000.parquet"
    write_shard(path, [new for row in list(read_shard(path)) if (new := change(row)) is not None], schema)


def purge_documents(inputs: CommitInputs, names: set[str]) -> None:
    """Take documents out as `data_curation.purge` does."""
    rewrite(inputs.curated, CURATED, lambda row: None if row["id"] in names else row)
    rewrite(inputs.decisions, DECIDED, lambda row: row | {"outcome": "refuse"} if row["id"] in names else row)
