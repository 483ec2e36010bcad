"""Every document, not a sample: what its trace says and what the steps say agree in both directions."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

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


def test_planted_articles_are_told_apart(small_run: Path) -> None:
    tracer = Tracer(RunDirectory(small_run))
    told = {
        name: tracer.by_native_id(name)[0] for name in ("DK-2025-0568", "DK-2023-0955", "DK-2025-0873", "DK-2024-0655")
    }
    assert told["DK-2025-0568"]["reason"] == "withdrawn"
    assert told["DK-2023-0955"]["reason"] == "agreement-period"
    assert told["DK-2025-0873"]["decision"] == "review"
    assert told["DK-2024-0655"]["reason"] == "duplicate-exact" or told["DK-2024-0655"]["use"] != "none"
    assert all(one["positions"] == [] for name, one in told.items() if name != "DK-2024-0655")


def test_what_is_not_there_is_said(small_run: Path) -> None:
    cwd = small_run.parents[1]
    for option, value in (("--document", "0" * 64), ("--partner-id", "nobody"), ("--step", 10_000)):
        done = herkomst("trace", "runs/small", option, value, cwd=cwd, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("herkomst: ") and "Traceback" not in done.stderr
