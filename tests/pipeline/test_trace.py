"""Every document, not a sample: what its trace says and what the steps say agree in both directions."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from data_curation.shards import read_shard
from data_curation.streams import read_streams
from pipeline.run_directory import RunDirectory
from pipeline.trace import Tracer
from tests.pipeline.conftest import REPOSITORY, herkomst

KEYS = {"id", "partner", "licence", "decision", "reason", "stages", "tokens", "positions"}


def check_every_document(run: Path) -> int:
    """Compare the two directions over the whole run; returns how many documents were trained on."""
    tracer = Tracer(RunDirectory(run))
    seen: dict[str, list[list[int]]] = defaultdict(list)
    for step in range(tracer.steps_done):
        for row in tracer.step(step)["rows"]:
            for part in row["documents"]:
                seen[part["id"]].append([step, row["row"]])
    trained = 0
    for row in tracer.rows():
        answer = tracer.answer(row)
        assert answer.keys() >= KEYS
        assert answer["positions"] == seen.pop(row["id"], [])
        assert not answer["positions"] or (row["use"] == "train" and answer["tokens"]["count"] > 0)
        trained += bool(answer["positions"])
    assert not seen, "a step read a document that the ledger does not have"
    return trained


def test_both_directions_agree_for_every_document(small_run: Path) -> None:
    assert check_every_document(small_run) > 40


@pytest.mark.slow
def test_both_directions_agree_for_every_document_of_the_demo() -> None:
    run = REPOSITORY / "runs" / "demo"
    if not (run / "training" / "plan.json").exists():
        pytest.skip("runs/demo is not there; `make demo` makes it")
    assert check_every_document(run) > 1000


def test_the_command_line_gives_the_same(small_run: Path) -> None:
    cwd = small_run.parents[1]
    tracer = Tracer(RunDirectory(small_run))
    row = next(row for row in tracer.rows() if row["use"] == "train" and tracer.positions(row))
    answer = json.loads(herkomst("trace", "runs/small", "--document", row["id"], "--json", cwd=cwd).stdout)
    assert answer == json.loads(json.dumps(tracer.answer(row)))
    step, place = answer["positions"][0]
    told = json.loads(herkomst("trace", "runs/small", "--step", step, "--json", cwd=cwd).stdout)
    assert answer["id"] in [part["id"] for part in told["rows"][place]["documents"]]


def test_planted_articles_stay_out_for_their_own_reason(small_run: Path) -> None:
    tracer = Tracer(RunDirectory(small_run))
    told = {name: tracer.by_native_id(name)[0] for name in ("DK-2025-0568", "DK-2023-0955", "DK-2025-0873")}
    assert told["DK-2025-0568"]["reason"] == "withdrawn"
    assert told["DK-2023-0955"]["reason"] == "agreement-period"
    assert (told["DK-2025-0873"]["decision"], told["DK-2025-0873"]["reason"]) == ("review", "date-absent")
    assert all(one["positions"] == [] and one["tokens"] is None for one in told.values())


def planted() -> list[list[str]]:
    """The rows of the tables in the delivery's README, which say what should happen to what."""
    lines = (REPOSITORY / "configs/demo/de-kade/README.md").read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]


def test_of_each_planted_pair_one_is_kept_and_the_other_names_it(small_run: Path) -> None:
    tracer = Tracer(RunDirectory(small_run))
    pairs = [row for row in planted() if row[0] in ("near-duplicate", "exact-duplicate")]
    assert len(pairs) == 5
    for kind, one, other, *_ in pairs:
        both = [tracer.by_native_id(name)[0] for name in (one, other)]
        kept = [answer for answer in both if answer["use"] != "none"]
        removed = [answer for answer in both if answer["use"] == "none"]
        assert len(kept) == len(removed) == 1, (one, other)
        assert removed[0]["reason"] == "duplicate-" + kind.removesuffix("-duplicate")
        assert removed[0]["survivor"] == kept[0]["id"] and removed[0]["positions"] == []


def test_planted_personal_data_is_gone_from_the_corpus_and_the_decoys_stay(small_run: Path) -> None:
    run = RunDirectory(small_run)
    texts = {row["id"]: row["text"] for info in read_streams(run.corpus) for row in read_shard(run.corpus / info.file)}
    articles = {row["native_id"]: texts[row["id"]] for row in Tracer(run).rows() if row["id"] in texts}
    rows = [(row, row[3].startswith("replaced")) for row in planted() if len(row) == 4 and row[1] in articles]
    values = [(row, gone) for row, gone in rows if gone or row[3].startswith("stays")]
    assert sum(gone for _, gone in values) >= 18 and sum(not gone for _, gone in values) >= 6
    for (_, article, value, _), gone in values:
        assert (value not in articles[article]) == gone, (article, value)


def test_what_is_not_there_is_said(small_run: Path) -> None:
    cwd = small_run.parents[1]
    for option, value in (("--document", "0" * 64), ("--partner-id", "nobody"), ("--step", 10_000)):
        done = herkomst("trace", "runs/small", option, value, cwd=cwd, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("herkomst: ") and "Traceback" not in done.stderr
