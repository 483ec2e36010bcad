"""What the copies of a text ask is asked of the one that survives, and told without telling whose they are."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data_curation import shared_terms as module
from data_curation.commit import CommitInputs, commit
from data_curation.duplicates import REMOVED
from data_curation.shards import CURATED, DECIDED, RECEIVED, Row, read_shard, shards, write_shard
from data_curation.shared_terms import SharedTerms, write_terms
from licensing.agreement import load_agreement
from licensing.decide import decide
from licensing.policy import Policy
from licensing.rights import Declared, IntendedUse, Rights
from licensing.table import load_table

ROOT = Path(__file__).parents[2]
TABLE = load_table(ROOT / "configs/licences.yaml")
POLICY = Policy.model_validate({"as_of": "2026-07-01", "share_alike": "admit"})
USE = IntendedUse(purpose="commercial", weights_released=True, data_released=False, outputs_sold=True)
KADE = load_agreement(ROOT / "configs/agreements/de-kade.yaml")
OTHER = KADE.model_copy(
    update={"id": "het-blad-2026", "partner": "Het Blad", "sources": ("het-blad",), "most_epochs": 2}
    | {"hold_out_share": 0.3, "attribution": "Bron: Het Blad", "deletion_duty": "Het Blad says when."}
)


def sha(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def licensed(name: str, licence: str) -> Row:
    found = decide(Rights((Declared(licence, "c:1", "spdx"),)), USE, POLICY, TABLE, {}, "s")
    return {"id": sha(name), **found.as_dict()}


def agreed(name: str, agreement: Any) -> Row:
    rights = Rights(agreement=agreement.id, published=date(2024, 5, 1))
    found = decide(rights, USE, POLICY, TABLE, {agreement.id: agreement}, agreement.sources[0])
    return {"id": sha(name), **found.as_dict()}


def settled(folder: Path, rows: list[Row], groups: dict[str, list[str]]) -> dict[str, tuple[Row, Any]]:
    """The survivors' decisions with those of their copies, from tables on disk."""
    for number in range(2):
        (folder / "decided").mkdir(exist_ok=True, parents=True)
        write_shard(folder / "decided" / f"{number:05d}.parquet", rows[number::2], DECIDED)
    removed = [
        {"id": sha(copy), "survivor": sha(survivor), "kind": "exact", "similarity": 1.0}
        for survivor, copies in groups.items()
        for copy in copies
    ]
    write_shard(folder / "duplicates.parquet", removed, REMOVED)
    assert write_terms(folder / "duplicates.parquet", folder / "decided", folder / "terms.parquet") == len(groups)
    terms = SharedTerms(folder / "terms.parquet", POLICY, TABLE)
    found = {row["id"]: row["terms"] for row in read_shard(terms.path)}
    assert sorted(path.name for path in folder.iterdir()) == ["decided", "duplicates.parquet", "terms.parquet"]
    assert list(found) == sorted(found)
    return {
        name: terms.settle(next(row for row in rows if row["id"] == sha(name)), found[sha(name)]) for name in groups
    }


def test_the_duties_of_all_copies_are_due(tmp_path: Path) -> None:
    rows = [agreed("k", KADE), licensed("a", "CC-BY-4.0"), licensed("b", "CC-BY-4.0"), licensed("c", "MIT")]
    decision, stricter = settled(tmp_path, rows, {"k": ["a", "b", "c"]})["k"]
    assert stricter is None and decision["licence"] == "LicenseRef-de-kade-2026"
    owed = {(duty["kind"], duty["value"].split()[0]) for duty in decision["duties"]}
    assert {("most-epochs", "4"), ("attribution", "CC-BY-4.0"), ("notice", "MIT"), ("attribution", "Bevat")} < owed
    first = min(sha("a"), sha("b"))
    assert f"2 x CC-BY-4.0 (document {first})" in decision["conflict"] and "1 x MIT" in decision["conflict"]


def test_copies_under_the_same_terms_change_nothing(tmp_path: Path) -> None:
    rows = [licensed("x", "MIT"), licensed("y", "MIT")]
    decision, stricter = settled(tmp_path, rows, {"x": ["y"]})["x"]
    assert (decision, stricter) == (rows[0], None)


def test_copies_whose_terms_cannot_all_be_followed_wait_for_a_person(tmp_path: Path) -> None:
    rows = [licensed("x", "CC-BY-SA-4.0"), licensed("y", "MPL-2.0")]
    _, stricter = settled(tmp_path, rows, {"x": ["y"]})["x"]
    assert (stricter.outcome, stricter.reason) == ("review", "parents-conflict")
    assert "MPL-2.0" in stricter.explanation


def test_anothers_agreement_binds_and_is_not_told(tmp_path: Path) -> None:
    rows = [agreed("k", KADE), agreed("b", OTHER)]
    decision, stricter = settled(tmp_path, rows, {"k": ["b"]})["k"]
    owed = {(duty["kind"], duty["value"]) for duty in decision["duties"]}
    assert stricter is None
    assert {("most-epochs", "2"), ("hold-out", "0.3"), ("attribution", f"as agreed for document {sha('b')}")} < owed
    assert ("most-epochs", "4") not in owed
    assert "blad" not in json.dumps(decision).lower() and f"an agreement (document {sha('b')})" in decision["conflict"]


def test_terms_of_several_contracts_are_not_told_either(tmp_path: Path) -> None:
    both = agreed("o", OTHER)
    several = both | {"agreement": None, "branch": "LicenseRef-een-2026 AND LicenseRef-het-blad-2026"}
    several |= {"licence": several["branch"], "basis": "licence"}
    decision, stricter = settled(tmp_path, [licensed("a", "CC-BY-4.0"), several], {"a": ["o"]})["a"]
    told = json.dumps([decision, stricter.as_dict() if stricter else None])
    assert "an agreement" in told and "het-blad" not in told and "een-2026" not in told and "Het Blad" not in told


@pytest.mark.parametrize("rows_in_slice", [1, 3, 1000])
def test_slices_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_in_slice: int) -> None:
    monkeypatch.setattr(module, "_ROWS_IN_SLICE", rows_in_slice)
    monkeypatch.setattr(module, "_SURVIVORS_AT_ONCE", 2)
    licences = ("MIT", "CC-BY-4.0", "CC0-1.0", "ISC")
    rows = [licensed(f"d{number}", licences[number % 4]) for number in range(40)]
    groups = {f"d{at}": [f"d{at + step}" for step in range(1, 2 + at // 4 % 3)] for at in range(2, 36, 4)}
    settled(tmp_path, rows, groups)
    found = {row["id"]: row["terms"] for row in read_shard(tmp_path / "terms.parquet")}
    assert found.keys() == {sha(name) for name in groups}
    for name, copies in groups.items():
        assert sum(one["count"] for one in found[sha(name)]) == len(copies)
        assert {one["copy"] for one in found[sha(name)]} == {sha(copy) for copy in copies}


def test_the_ledger_carries_what_the_copies_ask(tmp_path: Path) -> None:
    rows = [licensed("x", "CC-BY-SA-4.0"), licensed("y", "MPL-2.0"), licensed("v", "MIT"), licensed("w", "CC-BY-4.0")]
    settled(tmp_path / "in", rows, {"x": ["y"], "v": ["w"]})
    received = [
        {"id": row["id"], "source": "s", "group": "g", "partner": "P", "native_id": row["id"], "received_bytes": 1}
        | {"received_sha256": row["id"], "text": "x", "withdrawn": False}
        for row in rows
    ]
    curated = [
        {"id": row["id"], "kept": True, "language": "nl", "text": "tekst", "text_bytes": 5, "final_sha256": row["id"]}
        | {"personal_data": [], "events": []}
        for row in rows
    ]
    for name, made, schema in (("received", received, RECEIVED), ("curated", curated, CURATED)):
        (tmp_path / name).mkdir()
        write_shard(tmp_path / name / "00000.parquet", made, schema)
    inputs = CommitInputs(
        received=tmp_path / "received",
        decisions=tmp_path / "in" / "decided",
        curated=tmp_path / "curated",
        duplicates=tmp_path / "in" / "duplicates.parquet",
        seed=1,
        held_out_share=0,
        terms=SharedTerms(tmp_path / "in" / "terms.parquet", POLICY, TABLE),
    )
    list(commit(inputs, tmp_path / "ledger", tmp_path / "corpus"))
    found = {row["id"]: row for path in shards(tmp_path / "ledger") for row in read_shard(path)}
    torn, kept = found[sha("x")], found[sha("v")]
    assert (torn["decision"], torn["reason"], torn["use"], torn["duties"]) == ("review", "parents-conflict", "none", [])
    assert (kept["decision"], kept["use"], kept["stream"]) == ("admit", "train", "g~MIT~nl")
    assert {(duty["kind"], duty["value"].split()[0]) for duty in kept["duties"]} == {
        ("notice", "MIT"), ("attribution", "CC-BY-4.0"), ("notice", "CC-BY-4.0"),
    }  # fmt: skip
    assert "1 x CC-BY-4.0" in kept["conflict"] and found[sha("w")]["survivor"] == sha("v")
