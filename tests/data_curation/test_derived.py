"""Documents made from others are decided by their parents, whatever the order and the cut of the shards."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from data_curation import derived as module
from data_curation.admit import Admission, admit_shard
from data_curation.derived import settle_derived
from data_curation.ingest import ingest_source
from data_curation.readers import Source
from data_curation.shards import Row, read_shard, shards
from licensing.agreement import load_agreement
from licensing.policy import Policy
from licensing.rights import IntendedUse
from licensing.table import load_table

ROOT = Path(__file__).parents[2]
SOURCE: TypeAdapter[Source] = TypeAdapter(Source)
KADE = load_agreement(ROOT / "configs/agreements/de-kade.yaml")
ADMISSION = Admission(
    use=IntendedUse(purpose="commercial", weights_released=True, data_released=False, outputs_sold=True),
    policy=Policy.model_validate({"as_of": "2026-07-01", "share_alike": "admit"}),
    table=load_table(ROOT / "configs/licences.yaml"),
    agreements={KADE.id: KADE},
)
COLUMNS = {"id": "id", "text": "text", "licence": "licence", "parents": "from", "operation": "how", "withdrawn": "gone"}


def line(name: str, licence: str | None = None, parents: Any = (), how: str = "merged", gone: bool = False) -> Row:
    made = list(parents) if isinstance(parents, tuple) else parents
    return {"id": name, "text": f"text {name}", "licence": licence, "from": made, "how": how, "gone": gone}


def without(row: Row, key: str) -> Row:
    return {name: value for name, value in row.items() if name != key}


def admitted(folder: Path, rows: list[Row], shard: int = 3, **keys: Any) -> tuple[dict[str, Row], Counter[str]]:
    """Rows by native id after the whole of admission, and how many there are of each outcome and reason."""
    folder.mkdir(exist_ok=True)
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    source = SOURCE.validate_python(
        {"name": "s", "partner": "P", "reader": "jsonl", "path": "in.jsonl", "columns": COLUMNS} | keys
    )
    ingest_source(source, folder, folder, folder / "received" / "s", shard)
    out = folder / "decided"
    counts: Counter[str] = Counter()
    for path in shards(folder / "received"):
        (out / "s").mkdir(parents=True, exist_ok=True)
        counts += admit_shard(path, path.parent / "clashing-native-ids.npy", out / "s" / path.name, ADMISSION)
    counts.update(settle_derived(folder / "received", out, ADMISSION.policy, ADMISSION.table))
    names = {row["id"]: row["native_id"] for path in shards(folder / "received") for row in read_shard(path)}
    decided = {row["id"]: row for path in shards(out) for row in read_shard(path)}
    assert counts.total() == sum(len(list(read_shard(path, ["id"]))) for path in shards(out))
    assert sorted(path.name for path in out.iterdir()) == ["s"]
    return {names[name]: row for name, row in decided.items()}, +counts


def test_a_chain_is_decided_from_its_beginning(tmp_path: Path) -> None:
    rows = [
        line("d", None, ("c",), "chunked"),
        line("c", None, ("a", "b")),
        line("a", "CC-BY-4.0"),
        line("b", "CC-BY-SA-4.0"),
        line("e", None, ("g",)),
        line("g", "GPL-3.0-only"),
        line("f", None, ("d", "e")),
    ]
    found, counts = admitted(tmp_path, rows)
    assert {name: row["outcome"] for name, row in found.items()} == {
        "a": "admit", "b": "admit", "c": "admit", "d": "admit", "e": "refuse", "f": "refuse", "g": "refuse",
    }  # fmt: skip
    assert found["d"]["branch"] == "CC-BY-4.0 AND CC-BY-SA-4.0"
    assert {duty["kind"] for duty in found["d"]["duties"]} == {"attribution", "notice", "share-alike"}
    ids = {name: row["id"] for name, row in found.items()}
    assert found["d"]["origins"] == sorted([ids["a"], ids["b"]]) and found["a"]["origins"] is None
    assert found["f"]["origins"] == sorted([ids["a"], ids["b"], ids["g"]])
    assert ids["e"] in found["f"]["explanation"] and found["e"]["reason"] == "parent-refused"
    assert counts == {"admit:licence-admitted": 2, "admit:parents-admitted": 2, "refuse:strong-copyleft": 1,
                      "refuse:parent-refused": 2}  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "outcome", "reason"),
    [
        ([line("x", None, ("nowhere",))], "review", "parent-unknown"),
        ([line("x", "CC0-1.0", ("nowhere",))], "review", "parent-unknown"),
        ([line("x", "CC0-1.0", ("x",))], "refuse", "parent-cycle"),
        ([line("x", None, ("y",)), line("y", None, ("z",)), line("z", "MIT", ("x",))], "refuse", "parent-cycle"),
        ([line("x", None, ("y",)), line("y", "MIT", ("y",))], "refuse", "parent-cycle"),
        ([line("x", None, ("y",)), line("y", "MIT", gone=True)], "refuse", "parent-withdrawn"),
        ([line("x", "MIT", ("y",), gone=True), line("y", "MIT")], "refuse", "withdrawn"),
        ([line("x", None, ("y",)), line("y", "see the notice")], "review", "parent-review"),
        ([line("x", None, ("y",)), line("y", None)], "refuse", "parent-refused"),
        ([line("x", None, ("y",)), line("y", "MIT") | {"text": ""}], "refuse", "parent-refused"),
        ([line("x", "CC-BY-NC-4.0", ("y",)), line("y", "MIT")], "refuse", "non-commercial"),
        ([line("x", None, ("y",), "translated"), line("y", "CC-BY-ND-4.0")], "refuse", "parent-adaptation"),
        ([line("x", None, ("y",), "summed up"), line("y", "CC-BY-ND-4.0")], "refuse", "parent-adaptation"),
        ([line("x", None, ("y",), "chunked"), line("y", "CC-BY-ND-4.0")], "review", "parent-review"),
        # Two contents under one id: nobody can say which is meant, so neither is used, nor what was made from it.
        ([line("x", None, ("y",)), line("y", "MIT"), line("y", "ISC")], "review", "parent-review"),
        ([line("x", None, "y"), line("y", "MIT")], "admit", "parents-admitted"),
        ([line("x", None, [7, "7"]), line("7", "MIT")], "admit", "parents-admitted"),
        ([line("x", "MIT", None)], "admit", "licence-admitted"),
        ([line("x", "MIT", {"id": "y"})], "refuse", "unreadable-bad-parents"),
        ([line("x", "MIT", [True])], "refuse", "unreadable-bad-parents"),
        ([without(line("x", "MIT"), "from")], "refuse", "unreadable-missing-column"),
    ],
)  # fmt: skip
def test_what_is_missing_or_contradictory_is_never_passed(
    tmp_path: Path, rows: list[Row], outcome: str, reason: str
) -> None:
    found, _ = admitted(tmp_path, rows)
    assert (found["x"]["outcome"], found["x"]["reason"]) == (outcome, reason)


def test_under_an_agreement_a_translation_delivered_with_its_original_is_admitted(tmp_path: Path) -> None:
    columns = COLUMNS | {"date": "date"}
    rows = [
        line("a") | {"date": "2024-05-01"},
        line("b", None, ("a",), "translated") | {"date": "2024-05-02"},
        line("c") | {"date": "2023-12-31"},
        line("d", None, ("c",), "chunked") | {"date": "2024-05-02"},
    ]
    found, _ = admitted(tmp_path, rows, columns=columns, agreement=KADE.id, name="de-kade", partner=KADE.partner)
    assert [found[name]["reason"] for name in "abcd"] == [
        "agreement-admitted", "parents-admitted", "agreement-period", "parent-refused",
    ]  # fmt: skip
    owed = {(duty["kind"], duty["value"]) for duty in found["b"]["duties"]}
    assert {("most-epochs", "4"), ("hold-out", "0.1"), ("verbatim-limit", "160"), ("expiry", "2027-12-31")} < owed


def a_wood(seed: int) -> list[Row]:
    """Sixty documents, two thirds of them made from others, here and there in a circle."""
    rng = random.Random(seed)
    rows = []
    for number in range(60):
        parents = tuple(f"n{rng.randrange(60)}" for _ in range(rng.choice((0, 0, 1, 2)))) if number > 20 else ()
        licence = rng.choice(("MIT", "CC-BY-4.0", "CC-BY-SA-4.0", "Zlib" if rng.random() < 0.2 else "ISC"))
        rows.append(line(f"n{number}", None if parents else licence, parents, rng.choice(("merged", "chunked"))))
    return rows


def test_order_and_shards_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, counts = admitted(tmp_path / "one", a_wood(3), 100)
    assert {"admit:parents-admitted", "refuse:parent-cycle", "review:parent-review"} < set(counts)
    monkeypatch.setattr(module, "_BATCH", 1)
    shuffled = a_wood(3)
    random.Random(2).shuffle(shuffled)
    found, again = admitted(tmp_path / "many", shuffled, 4)
    assert again == counts
    assert {name: {**row, "conflict": None} for name, row in found.items()} == {
        name: {**row, "conflict": None} for name, row in expected.items()
    }


def test_too_many_origins_wait_for_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ORIGINS", 3)
    originals = [line(f"o{number}", "MIT") for number in range(4)]
    rows = [*originals, line("x", None, ("o0", "o1", "o2")), line("y", None, ("x", "o3")), line("z", None, ("y",))]
    found, _ = admitted(tmp_path, rows)
    assert [found[name]["reason"] for name in "xyz"] == ["parents-admitted", "parents-many", "parents-many"]


def test_a_source_without_parents_is_left_alone(tmp_path: Path) -> None:
    received, decided = tmp_path / "received", tmp_path / "decided"
    decided.mkdir()
    (tmp_path / "in.jsonl").write_text(json.dumps(line("a", "MIT")) + "\n")
    source = SOURCE.validate_python(
        {"name": "s", "partner": "P", "reader": "jsonl", "path": "in.jsonl", "columns": COLUMNS}
    )
    ingest_source(source, tmp_path, tmp_path, received / "s", 10)
    assert settle_derived(received, decided, ADMISSION.policy, ADMISSION.table) == Counter()
    assert not list(decided.iterdir()) and np.load(received / "s" / "clashing-native-ids.npy").size == 0
