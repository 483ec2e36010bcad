"""A partner's statement agrees with the ledger and with what the steps read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from pipeline.run_directory import RunDirectory
from pipeline.trace import Tracer
from tests.pipeline.conftest import herkomst

PARTNER = "De Kade Pers B.V."


def test_a_statement_in_both_languages_with_its_list(small_run: Path, tmp_path: Path) -> None:
    cwd = small_run.parents[1]
    told = herkomst("audit", "runs/small", "--partner", PARTNER, "--out", tmp_path / "out", cwd=cwd).stdout
    names = {Path(line.removeprefix("Statement: ")).name for line in told.splitlines()}
    assert {"statement-de-kade-pers-b-v.nl.html", "statement-de-kade-pers-b-v.en.html"} <= names
    dutch = (tmp_path / "out" / "statement-de-kade-pers-b-v.nl.html").read_text(encoding="utf-8")
    assert 'lang="nl"' in dutch and "http-equiv" not in dutch and "<script" not in dutch
    with (tmp_path / "out" / "statement-de-kade-pers-b-v.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 77


def test_the_figures_are_those_of_the_steps(small_run: Path) -> None:
    cwd = small_run.parents[1]
    values = json.loads(herkomst("audit", "runs/small", "--partner", PARTNER, "--json", cwd=cwd).stdout)
    tracer = Tracer(RunDirectory(small_run))
    mine = {row["id"] for row in tracer.rows() if row["partner"] == PARTNER}
    tokens = scored = 0
    steps: set[int] = set()
    for step in range(tracer.steps_done):
        for row in tracer.step(step)["rows"]:
            for part in row["documents"]:
                if part["id"] in mine:
                    first, end = part["tokens"]
                    tokens += end - first
                    scored += end - first - (first == 0)
                    steps.add(step)
    usage = values["usage"]
    assert (usage["tokens_read"], usage["tokens_scored"]) == (tokens, scored)
    assert (usage["first_step"], usage["last_step"]) == (min(steps), max(steps))


def test_no_document_is_read_more_often_than_the_agreement_says(small_run: Path) -> None:
    tracer = Tracer(RunDirectory(small_run))
    limits = {
        row["id"]: int(duty["value"])
        for row in tracer.rows()
        for duty in row["duties"] or ()
        if duty["kind"] == "most-epochs"
    }
    assert limits
    assert all(tracer.exposure(row).times <= limits[row["id"]] for row in tracer.rows() if row["id"] in limits)


def test_an_unknown_partner_is_told_who_is_known(small_run: Path) -> None:
    done = herkomst("audit", "runs/small", "--partner", "De Kaap", cwd=small_run.parents[1], check=False)
    assert done.returncode == 1 and PARTNER in done.stderr
