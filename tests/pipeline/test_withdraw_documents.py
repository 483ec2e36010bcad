"""Which documents a withdrawal is about, told from the ledger."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_curation.ledger_table import LEDGER, LedgerWriter
from data_curation.withdrawn_copies import Copy
from licensing.withdrawal import WithdrawalError
from pipeline.run_directory import RunDirectory
from pipeline.trace import Tracer
from pipeline.withdraw_documents import (
    FOUND,
    Asked,
    asked_documents,
    digests_of,
    files_with,
    made_from,
    with_copies,
)


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


ROWS: dict[str, dict[str, Any]] = {
    "a1": {"partner": "A", "agreement": "x", "use": "train", "stream": "s"},
    "a2": {"partner": "A", "agreement": "y", "use": "held-out", "stream": "s"},
    "a3": {"partner": "A", "agreement": "x", "reason": "withdrawn"},
    "b1": {"partner": "B", "agreement": "x"},
    "c1": {"partner": "C", "native_id": "own", "parents": ["c2", "c3"]},
    "c2": {"partner": "C"},
    "c3": {"partner": "C", "parents": ["elsewhere", "c2"]},
    "c4": {"partner": "C", "parents": ["c3"]},
    "c5": {"partner": "C", "parents": ["c2"], "reason": "parent-withdrawn"},
    "c6": {"partner": "C", "parents": ["c2"], "source": "another of C's"},
    "c7": {"partner": "C", "parents": []},
    "d1": {"partner": "D", "native_id": "own"},
}


@pytest.fixture(scope="module")
def tracer(tmp_path_factory: pytest.TempPathFactory) -> Tracer:
    run = RunDirectory(tmp_path_factory.mktemp("run"))
    (run.path / "config.yaml").write_text("name: made\n")
    writer = LedgerWriter(run.ledger)
    for name in sorted(ROWS, key=digest):
        defaults = dict.fromkeys(LEDGER.names) | {"id": digest(name), "native_id": name, "use": "none", "reason": "x"}
        writer.add(defaults | {"source": "s"} | ROWS[name])
    writer.finish()
    return Tracer(run)


def names(table: pa.Table) -> list[str]:
    known = {digest(name): name for name in ROWS}
    return sorted(known[one] for one in table["id"].to_pylist())


def asked(by: Any, *value: str) -> Asked:
    return Asked(by, value, "x", None)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (asked("partner", "A"), ["a1", "a2"]),
        (asked("partner", "Nobody"), []),
        (asked("agreement", "x"), ["a1", "b1"]),
        (asked("documents", digest("a1"), "a1", digest("c2")), ["a1", "c2"]),
        (asked("documents", digest("a3")), []),
    ],
    ids=["partner", "unknown partner", "agreement", "each document once", "withdrawn already"],
)
def test_what_is_asked_for(tracer: Tracer, wanted: Asked, found: list[str]) -> None:
    table = asked_documents(tracer, wanted)
    assert names(table) == found and table.schema == FOUND
    assert set(table["why"].to_pylist()) <= {"asked"} and table["copy_of"].null_count == len(found)


def test_an_own_id_of_two_suppliers_says_not_which(tracer: Tracer) -> None:
    with pytest.raises(WithdrawalError, match="C and D each delivered"):
        asked_documents(tracer, asked("documents", "own"))


def test_what_was_made_from_it_goes_with_it_through_any_number_of_steps(tracer: Tracer) -> None:
    def made(*names: str) -> pa.Table:
        return made_from(tracer, digests_of(asked_documents(tracer, asked("documents", *map(digest, names)))))

    assert names(made("c2")) == ["c1", "c3", "c4"]
    assert {(row["why"], row["copy_of"]) for row in made("c2").to_pylist()} == {("made-from", digest("c2"))}
    assert names(made("c2", "c3")) == ["c1", "c4"]
    assert {row["id"]: row["copy_of"] for row in made("c2", "c3").to_pylist()} == {
        digest("c1"): min(digest("c2"), digest("c3")),
        digest("c4"): digest("c3"),
    }
    assert names(made("c4")) == names(made("a1")) == []


def test_copies_are_told_in_the_order_of_ids_without_those_withdrawn(tracer: Tracer) -> None:
    found = {digest(name): Copy(digest("a1"), 0.8) for name in ("d1", "b1", "a3")}
    table = with_copies(tracer, found)
    assert names(table) == ["b1", "d1"] and table["id"].to_pylist() == sorted(table["id"].to_pylist())
    assert (
        table.select(["why", "copy_of", "similarity"]).to_pylist()
        == [{"why": "copy", "copy_of": digest("a1"), "similarity": 0.8}] * 2
    )
    assert table["partner"].to_pylist() == [{"b1": "B", "d1": "D"}[name] for name in sorted(("b1", "d1"), key=digest)]
    assert len(with_copies(tracer, {})) == 0


def test_files_that_hold_a_document_are_named(tracer: Tracer, tmp_path: Path) -> None:
    for file, held in {"one/0.parquet": ["a1", "b1"], "one/1.parquet": ["b2"], "two/0.parquet": ["c1", "a2"]}.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"id": [digest(name) for name in held]}), tmp_path / file)
    wanted = digests_of(asked_documents(tracer, asked("partner", "A")))
    found = [path.relative_to(tmp_path).as_posix() for path in files_with([tmp_path, tmp_path / "absent"], wanted)]
    assert found == ["one/0.parquet", "two/0.parquet"]
