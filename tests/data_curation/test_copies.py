"""A copy under stricter terms never loses to an open claim unnoticed."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from data_curation.admit import Admission, admit_shard
from data_curation.commit import CommitInputs, commit
from data_curation.copies import COPIES, barred_by, folded_sha256
from data_curation.curate import curate
from data_curation.curation_job import CurationJob
from data_curation.duplicates import DuplicateStats, find_duplicates
from data_curation.ingest import ingest_source
from data_curation.minhash import signature
from data_curation.readers import Source
from data_curation.settings import CurationSettings, DuplicatesSettings
from data_curation.shards import Row, shards
from data_curation.signatures import SignatureWriter
from data_curation.words import RegexWords, word_hashes
from licensing.agreement import Agreement, load_agreement
from licensing.ledger import Ledger
from licensing.policy import Policy
from licensing.rights import IntendedUse
from licensing.table import load_table

ROOT = Path(__file__).parents[2]
SETTINGS = DuplicatesSettings()


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def page(seed: int, edits: int = 0, count: int = 300) -> str:
    words = [f"w{number}" for number in random.Random(seed).choices(range(10_000), k=count)]
    for at in range(edits):
        words[(at * 37 + 11) % count] = f"edit{seed}x{at}"
    return " ".join(words)


Document = tuple[str, str, str | None]
"""Name, text, and the reason for which it is barred."""


def search(
    folder: Path, documents: list[Document], tasks: int = 1, settings: DuplicatesSettings = SETTINGS
) -> tuple[DuplicateStats, list[Row], list[Row]]:
    """Statistics, the rows of removed documents, and those of copies."""
    folders = []
    for task in range(tasks):
        folders.append(folder / f"{tasks}-{task}")
        with SignatureWriter(folders[-1], settings) as writer:
            for name, text, barred in documents[task::tasks]:
                minima = signature(word_hashes(RegexWords().word_tokenize(text)), settings)
                folded = folded_sha256(text)
                writer.add(sha(name), sha(text), "nl", 5, minima, received=folded, barred=barred)
    removed, copies = folder / "removed.parquet", folder / "copies.parquet"
    stats = find_duplicates(folders, removed, settings, folder / "work", copies)
    assert pq.read_schema(copies).equals(COPIES)
    return stats, pq.read_table(removed).to_pylist(), pq.read_table(copies).to_pylist()


def test_exact_and_near_copies_are_named_with_the_reason(tmp_path: Path) -> None:
    documents: list[Document] = [
        ("open", page(1), None),
        ("closed", page(1).upper().replace(" ", "\n "), "agreement-use"),
        ("close", page(2, 5), None),
        ("shut", page(2), "strong-copyleft"),
        ("free", page(3), None),
        ("unlike", page(4), "licence-absent"),
    ]
    stats, removed, copies = search(tmp_path, documents)
    assert removed == [] and (stats.documents, stats.barred, stats.copies) == (3, 3, 2)
    by_id = {row["id"]: row for row in copies}
    assert by_id[sha("open")] | {"id": ""} == {
        "id": "", "copy": sha("closed"), "kind": "exact", "similarity": 1.0, "reason": "agreement-use",
    }  # fmt: skip
    near = by_id[sha("close")]
    assert (near["copy"], near["kind"], near["reason"]) == (sha("shut"), "near", "strong-copyleft")
    assert 0.75 <= near["similarity"] < 1 and [row["id"] for row in copies] == sorted(by_id)


def test_a_barred_document_removes_nobody_and_is_removed_by_nobody(tmp_path: Path) -> None:
    documents: list[Document] = [
        ("a", page(1), None),
        ("b", page(1), None),
        ("x", page(1), "use"),
        ("y", page(1), "use"),
    ]
    stats, removed, copies = search(tmp_path, documents)
    low, high = sorted([sha("a"), sha("b")])
    assert [(row["id"], row["survivor"]) for row in removed] == [(high, low)]
    assert [(row["id"], row["copy"]) for row in copies] == [(low, min(sha("x"), sha("y")))]
    assert (stats.documents, stats.exact) == (2, 1)


def test_the_group_is_marked_if_any_of_its_members_is_a_copy(tmp_path: Path) -> None:
    """The survivor is less like the barred text than the threshold; the duplicate that it stands for is equal to it."""
    documents: list[Document] = [("s", page(9), None), ("d", page(9, 6), None), ("x", page(9, 6), "withdrawn")]
    _, removed, copies = search(tmp_path, documents)
    (group,) = removed
    assert [(row["id"], row["copy"], row["kind"]) for row in copies] == [(group["survivor"], sha("x"), "exact")]


def a_corpus() -> list[Document]:
    documents: list[Document] = [(f"p{seed}", page(seed), None) for seed in range(40)]
    documents += [(f"n{seed}", page(seed, seed % 7), None) for seed in range(0, 40, 3)]
    documents += [(f"b{seed}", page(seed, seed % 5), "non-commercial") for seed in range(0, 40, 4)]
    return documents + [(f"c{seed}", page(seed), "licence-absent") for seed in range(0, 40, 8)]


def test_tasks_order_and_memory_do_not_show(tmp_path: Path) -> None:
    stats, removed, copies = search(tmp_path / "one", a_corpus())
    assert stats.copies == len(copies) == 10 and {row["kind"] for row in copies} == {"exact", "near"}
    shuffled = a_corpus()
    random.Random(3).shuffle(shuffled)
    assert search(tmp_path / "three", shuffled, 3) == (stats, removed, copies)
    small = DuplicatesSettings(keys_in_memory=8)
    assert search(tmp_path / "small", a_corpus(), 7, small)[1:] == (removed, copies)


def test_what_is_left_out_on_a_crowded_key_is_counted(tmp_path: Path) -> None:
    documents: list[Document] = [(f"x{number}", page(1), "use") for number in range(5)] + [("a", page(1), None)]
    stats, _, copies = search(tmp_path, documents, settings=DuplicatesSettings(leaders_per_bucket=2))
    assert len(copies) == 1 and stats.undecided == 3 * (1 + SETTINGS.bands)


@given(st.text(min_size=1), st.sampled_from((" ", "\n", "\t  ", "\u00a0")))
def test_layout_and_case_make_no_other_text(text: str, blank: str) -> None:
    assert folded_sha256(f"x{blank}{text}") == folded_sha256(f" X \n{text}{blank}")


def test_only_rights_bar_a_copy() -> None:
    assert barred_by("refuse", "agreement-use") == "agreement-use" and barred_by("review", "licence-prose")
    for outcome, reason in (
        ("admit", "licence-admitted"),
        ("review", "native-id-repeated"),
        ("refuse", "unreadable-empty"),
    ):
        assert barred_by(outcome, reason) is None


# The whole way, from received rows to the ledger ------------------------------------------------------------------


ARTICLES = [
    json.loads(line)["text"] for line in (ROOT / "configs/demo/de-kade/articles.jsonl").read_text("utf-8").splitlines()
]


def ledger(folder: Path, outcome: str = "review", workers: int = 1, shard: int = 2) -> dict[str, Row]:
    """A partner whose agreement does not permit releasing the data, and a scrape of the same under a CC0 tag."""
    kade = load_agreement(ROOT / "configs/agreements/de-kade.yaml")
    admission = Admission(
        use=IntendedUse(purpose="commercial", weights_released=True, data_released=True, outputs_sold=True),
        policy=Policy.model_validate({"as_of": "2026-07-01", "copies_not_admitted": outcome}),
        table=load_table(ROOT / "configs/licences.yaml"),
        agreements={kade.id: Agreement.model_validate(kade)},
    )
    own = [{"id": f"k{n}", "text": ARTICLES[n], "date": "2024-05-01"} for n in range(3)]
    scraped = [{"id": f"s{n}", "text": ARTICLES[n].replace("\n", "\n\n"), "date": None} for n in range(6)]
    deliveries: dict[str, tuple[list[Row], dict[str, Any]]] = {
        "de-kade": (own, {"agreement": kade.id, "partner": kade.partner}),
        "scrape": (scraped, {"licence": "CC0-1.0"}),
    }
    for name, (rows, keys) in deliveries.items():
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        source = TypeAdapter[Source](Source).validate_python(
            {"name": name, "partner": name.title(), "reader": "jsonl", "path": f"{name}.jsonl", "language": "nl"}
            | {"columns": {"id": "id", "text": "text", "date": "date"}}
            | keys
        )
        ingest_source(source, folder, folder, folder / "received" / name, shard)
        (folder / "decided" / name).mkdir(parents=True)
    for path in shards(folder / "received"):
        target = folder / "decided" / path.relative_to(folder / "received")
        admit_shard(path, path.parent / "clashing-native-ids.npy", target, admission)
    job = CurationJob(
        folder / "received", folder / "decided", CurationSettings(), ROOT / "configs/quality.yaml", folder / "partial"
    )
    curate(job, workers, lambda tasks, done: None, lambda tasks: None)
    out = folder / "partial" / "out"
    inputs = CommitInputs(
        received=folder / "received",
        decisions=folder / "decided",
        curated=out / "documents",
        duplicates=out / "duplicates.parquet",
        seed=1,
        held_out_share=0,
        copies=out / "copies.parquet",
        copies_not_admitted=admission.policy.copies_not_admitted,
    )
    list(commit(inputs, folder / "ledger", folder / "corpus"))
    rows = Ledger(folder / "ledger").rows()
    return {row["native_id"]: row for row in rows}


def test_an_open_claim_on_a_partners_text_is_not_used_silently(tmp_path: Path) -> None:
    rows = ledger(tmp_path)
    assert {rows[f"k{n}"]["reason"] for n in range(3)} == {"agreement-use"}
    for n in range(3):
        row = rows[f"s{n}"]
        assert (row["decision"], row["decision_reason"], row["reason"]) == ("review", *["copy-not-admitted"] * 2)
        assert (row["use"], row["stream"], row["final_sha256"], row["text_bytes"]) == ("none", None, None, 0)
        assert rows[f"k{n}"]["id"] in row["conflict"] and "not admitted on its rights" in row["conflict"]
        assert "agreement" not in row["conflict"]
        assert row["events"][-1]["reason"] == "copy-not-admitted" and row["events"][-1]["stage"] == "curate"
        told = json.dumps(row)
        assert "kade" not in told.lower()
    assert {rows[f"s{n}"]["use"] for n in range(3, 6)} == {"train"}


@pytest.mark.slow
@pytest.mark.parametrize(("outcome", "use"), [("admit", "train"), ("refuse", "none")])
def test_the_policy_says_what_becomes_of_it(tmp_path: Path, outcome: str, use: str) -> None:
    row = ledger(tmp_path, outcome)["s0"]
    assert (row["decision"], row["use"]) == (outcome, use)
    assert "was not admitted" in row["conflict"] and row["conflict"].startswith("Document ")
    assert "copy-not-admitted" in {event["reason"] for event in row["events"]}


@pytest.mark.slow
def test_workers_and_shards_do_not_show(tmp_path: Path) -> None:
    assert ledger(tmp_path / "a", workers=2, shard=1) == ledger(tmp_path / "b", shard=100)
