"""A partner's statement agrees with the ledger and with what the steps read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from pipeline.reporting import audit_partner
from pipeline.run_directory import RunDirectory
from pipeline.trace import Tracer
from pipeline.usage import usage_of
from pipeline.usage_table import usage_table
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
    assert all(row["iscc"].startswith("ISCC:KAA") for row in rows) and len({row["iscc"] for row in rows}) == 77


def test_the_figures_are_those_of_the_steps(small_run: Path) -> None:
    cwd = small_run.parents[1]
    values = json.loads(herkomst("audit", "runs/small", "--partner", PARTNER, "--json", cwd=cwd).stdout)
    assert values["identified"] == {"content_ids": 77, "own_ids": 77, "isccs": 77}
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


def test_the_usage_table_counts_as_the_statements_do(small_run: Path) -> None:
    directory = RunDirectory(small_run)
    table, tracer = usage_table(directory), Tracer(directory)
    assert set(table) == {PARTNER, "Stille Bron Stichting"}
    for partner, use in table.items():
        usage = usage_of(tracer, partner)
        assert usage and (use.tokens_scored, use.documents) == (usage.tokens_scored, usage.documents)
        assert 0 < use.distinct_documents <= use.documents
    assert list(usage_table(directory, {"de-kade-2026"})) == [PARTNER]
    assert usage_table(directory, set()) == {}


def test_an_amount_is_shared_out_and_explained(small_run: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("key: tokens-scored\nwho: all\ncurrency: EUR\n")
    asked = ("--remuneration", tmp_path / "policy.yaml", "--amount", "1000.00")
    cwd = small_run.parents[1]
    pay = json.loads(herkomst("audit", "runs/small", "--partner", PARTNER, "--json", *asked, cwd=cwd).stdout)
    pay = pay["remuneration"]
    assert (pay["amount"], pay["undistributed"]) == (100_000, 0)
    assert 0 < pay["paid"] < 100_000
    assert abs(pay["paid"] - 100_000 * pay["count"] / pay["count_of_all"]) < 1
    half = herkomst("audit", "runs/small", "--partner", PARTNER, *asked[:2], cwd=cwd, check=False)
    assert half.returncode == 1 and "--amount" in half.stderr
    (tmp_path / "policy.yaml").write_text("key: documents\nwho: all\ncurrency: EUR\n")
    other = herkomst("audit", "runs/small", "--partner", PARTNER, *asked, cwd=cwd, check=False)
    assert other.returncode == 1 and "art. 6.1" in other.stderr


def test_the_same_state_has_no_change_and_another_tells_it(small_run: Path, tmp_path: Path) -> None:
    directory, name = RunDirectory(small_run), "statement-de-kade-pers-b-v"
    out = tmp_path / "out"
    audit_partner(directory, PARTNER, out)
    audit_partner(directory, PARTNER, out)
    values = json.loads((out / f"{name}.json").read_bytes())
    assert values["changes"] is None and not (out / f"{name}.previous.json").exists()
    assert set(values["digests"]["agreements"]) == {"de-kade-2026"} and all(values["digests"]["agreements"].values())
    values["state"], values["usage"]["tokens_read"] = "0" * 64, 1
    (out / f"{name}.json").write_text(json.dumps(values))
    for _ in range(2):
        audit_partner(directory, PARTNER, out)
        found = json.loads((out / f"{name}.json").read_bytes())["changes"]
        assert [one["what"] for one in found["differences"]] == ["tokens_read"]


def test_each_agreement_is_probed_and_only_its_partner_is_told(small_run: Path) -> None:
    suite = json.loads((small_run / "evaluation" / "memorisation.json").read_bytes())
    trained, held = suite["agreements"]["de-kade-2026"]["groups"]
    assert 0 < trained["documents"] <= 32 and 0 < held["documents"] <= 32
    record = "".join(
        json.dumps(entry.predicate["figures"])
        for entry in RunDirectory(small_run).record().entries()
        if entry.stage == "evaluate"
    )
    assert "visible_from" not in record and '"difference"' in record
