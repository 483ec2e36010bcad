"""Taking text back: said first, signed on demand, gone from every file and step, refused by every later run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from data_curation.settings import DuplicatesSettings
from data_curation.withdrawn import WITHDRAWN
from data_curation.withdrawn_copies import read_signatures
from evaluation.statement_vocabulary import vocabulary_values
from licensing.record import Entry
from licensing.withdrawal import WithdrawalError, obeyed, read_filed, withdrawals_of
from pipeline.reporting import open_for
from pipeline.run_directory import RunDirectory
from pipeline.runner import newest_entries
from pipeline.trace import Tracer, as_text
from pipeline.usage import usage_of
from pipeline.usage_table import usage_table
from pipeline.verify_withdrawals import withdrawn_stays_out
from pipeline.withdrawal_state import withdrawal_values
from tests.pipeline.conftest import REPOSITORY, digests, environment, herkomst, small_config, write_config
from tests.pipeline.test_run import wait_for

PARTNER = "De Kade Pers B.V."
ARTICLES = REPOSITORY / "configs/demo/de-kade/articles.jsonl"


def copied(run: Path, folder: Path) -> Path:
    """A run in a folder of its own, with its register, its key and its configuration."""
    shutil.copytree(run.parent, folder / "runs")
    shutil.copy(run.parents[1] / "key.pem", folder / "key.pem")
    write_config(folder / "small.yaml")
    return folder


def latest_read(run: Path) -> dict[str, Any]:
    """The trained article whose first reading is the latest: a checkpoint from before it is in place."""
    tracer = Tracer(RunDirectory(run))
    rows = [row for row in tracer.ledger.rows(PARTNER) if row["use"] == "train" and tracer.exposure(row).times]
    return max(rows, key=lambda row: (tracer.exposure(row).first_step, row["id"]))


@pytest.fixture(scope="module")
def asked(small_run: Path) -> dict[str, Any]:
    return latest_read(small_run)


@pytest.fixture(scope="module")
def withdrawn(small_run: Path, asked: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run from which one article was withdrawn, and which was then made again."""
    folder = copied(small_run, tmp_path_factory.mktemp("withdrawn"))
    herkomst(
        "withdraw", "runs/small", "--document", asked["native_id"], "--reason", "a letter", "--confirm", cwd=folder
    )
    done = herkomst("run", "small.yaml", cwd=folder)
    assert "Done: commit, tokenizer, pack, train, evaluate, report." in done.stdout
    return folder


def test_a_plan_changes_nothing(small_run: Path, asked: dict[str, Any], tmp_path: Path) -> None:
    folder = copied(small_run, tmp_path)
    before = sorted((folder / "runs").rglob("*"))
    told = herkomst("withdraw", "runs/small", "--document", asked["id"], "--reason", "x", "--json", cwd=folder)
    plan = json.loads(told.stdout)
    assert sorted((folder / "runs").rglob("*")) == before
    tracer = Tracer(RunDirectory(small_run))
    touched = [asked, *(tracer.ledger.find(copy["id"]) for copy in plan["copies"])]
    steps = sorted({step for row in touched if row for step, _ in tracer.positions(row)})
    assert plan["documents"] == [asked["id"]] and plan["steps"] == steps
    assert asked["id"] not in [copy["id"] for copy in plan["copies"]]
    assert plan["clean_checkpoint"] is not None and plan["clean_checkpoint"] <= steps[0]
    assert plan["retraining"]["steps"] == 12 - plan["clean_checkpoint"]
    assert all((small_run / name).is_file() for name in plan["shards"])


def test_the_new_record_verifies_and_no_step_reads_the_document(withdrawn: Path, asked: dict[str, Any]) -> None:
    assert herkomst("verify", "runs/small", cwd=withdrawn).returncode == 0
    answer = json.loads(herkomst("trace", "runs/small", "--document", asked["id"], "--json", cwd=withdrawn).stdout)
    assert answer["positions"] == [] and answer["tokens"] is None
    assert (answer["use"], answer["reason"]) == ("none", "withdrawn")
    tracer = Tracer(RunDirectory(withdrawn / "runs" / "small"))
    named = {part["id"] for step in range(12) for row in tracer.step(step)["rows"] for part in row["documents"]}
    assert asked["id"] not in named and named


def test_that_the_vocabulary_was_learnt_from_it_is_still_told(withdrawn: Path, asked: dict[str, Any]) -> None:
    run = RunDirectory(withdrawn / "runs" / "small")
    figures = newest_entries(run)["tokenizer"].predicate["figures"]
    tracer = Tracer(run)
    gone = [row["id"] for row in tracer.rows(PARTNER) if row["reason"] in WITHDRAWN]
    sampled = [one for one in gone if tracer.in_vocabulary_sample(one)]
    assert asked["id"] in sampled
    assert figures["kept_after_withdrawal"] and figures["withdrawn_from_sample"] == len(sampled)
    assert "vocabulary   yes" in as_text(tracer.document(asked["id"]))
    files, _ = open_for(run, PARTNER)
    found = vocabulary_values(files, PARTNER)
    assert found and found["withdrawn"] == len(sampled) < found["documents"]


def test_training_went_on_from_the_last_clean_checkpoint(small_run: Path, withdrawn: Path) -> None:
    run = RunDirectory(withdrawn / "runs" / "small")
    figures = newest_entries(run)["train"].predicate["figures"]
    one = withdrawal_values(run)[0]
    assert figures["parent"]["step"] == one["clean_checkpoint"] > 0
    assert digests(run.path)["tokenizer"] == digests(small_run)["tokenizer"]
    assert digests(run.path)["weights"] != digests(small_run)["weights"]
    assert [state["state"] for state in one["states"]] == ["requested", "frozen", "removed", "retrained"]
    assert one["checkpoints_with"] == []


def test_the_partner_is_told_how_far_it_has_come(withdrawn: Path, asked: dict[str, Any]) -> None:
    herkomst("audit", "runs/small", "--partner", PARTNER, "--out", "told", cwd=withdrawn)
    told = json.loads(next((withdrawn / "told").glob("*.json")).read_text(encoding="utf-8"))["withdrawals"]
    assert [(one["number"], one["documents"], one["reason"]) for one in told] == [(1, 1, "a letter")]
    steps = [int(name.rpartition("-")[2]) for name in told[0]["set_aside_with"]]
    assert steps and all(step > told[0]["clean_checkpoint"] for step in steps)
    for language, sentence in (("en", "were set aside and still contain it"), ("nl", "die de tekst nog bevatten")):
        page = next((withdrawn / "told").glob(f"*.{language}.html")).read_text(encoding="utf-8")
        assert sentence in page and "a letter" in page


def test_an_amount_is_shared_out_over_what_is_left(withdrawn: Path) -> None:
    run = RunDirectory(withdrawn / "runs" / "small")
    table, tracer = usage_table(run), Tracer(run)
    assert PARTNER in table
    for partner, use in table.items():
        usage = usage_of(tracer, partner)
        assert usage and (use.tokens_scored, use.documents) == (usage.tokens_scored, usage.documents)


def test_the_register_names_the_withdrawn_document_by_its_own_digests(withdrawn: Path, asked: dict[str, Any]) -> None:
    for filed in (*withdrawals_of(withdrawn / "runs" / "small"), read_filed(registered(withdrawn))):
        (row,) = [row for row in filed.rows() if row["why"] == "asked"]
        assert row["id"] == asked["id"] and row["end_token"] > row["first_token"] >= 0
        assert row["final_sha256"] == asked["final_sha256"] and row["similarity"] is None
        (piece,) = read_signatures(filed.signatures, DuplicatesSettings())
        assert piece.ids.tolist() == [bytes.fromhex(asked["id"])]
        assert filed.withdrawal.copies == len(list(filed.rows())) - 1 == 0


def registered(folder: Path) -> Path:
    return next((folder / "runs" / "withdrawals").iterdir())


def test_the_text_is_in_no_file_of_the_run(withdrawn: Path, asked: dict[str, Any]) -> None:
    text = next(
        row["text"]
        for row in map(json.loads, ARTICLES.read_text(encoding="utf-8").splitlines())
        if row["id"] == asked["native_id"]
    )
    phrase = max(text.split("."), key=len).strip()[:60]
    assert len(phrase) > 30
    for path in (withdrawn / "runs").rglob("*"):
        if path.suffix == ".parquet":
            assert phrase not in str(pq.read_table(path).to_pylist()), path
        elif path.is_file():
            assert phrase.encode() not in path.read_bytes(), path


def test_a_second_run_has_nothing_to_do(withdrawn: Path) -> None:
    assert "Nothing to do" in herkomst("run", "small.yaml", cwd=withdrawn).stdout


@pytest.mark.slow
def test_a_kill_in_the_middle_changes_nothing(
    small_run: Path, withdrawn: Path, asked: dict[str, Any], tmp_path: Path
) -> None:
    folder = copied(small_run, tmp_path)
    herkomst(
        "withdraw", "runs/small", "--document", asked["native_id"], "--reason", "a letter", "--confirm", cwd=folder
    )
    command = [sys.executable, "-m", "pipeline.cli", "run", "small.yaml"]
    for moment in ("tokens/train/*/withdrawn-001.bin", "training/parents/*.json"):
        process = subprocess.Popen(
            command, cwd=folder, env=environment(folder), start_new_session=True, stderr=subprocess.DEVNULL
        )
        wait_for(folder / "runs" / "small", moment, process)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    herkomst("run", "small.yaml", cwd=folder)
    assert digests(folder / "runs" / "small") == digests(withdrawn / "runs" / "small")
    assert herkomst("verify", "runs/small", cwd=folder).returncode == 0


def other_run(folder: Path, rows: list[dict[str, str]]) -> Iterator[dict[str, Any]]:
    """The ledger of another run beside the first, with text that came in some other way."""
    (folder / "other.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    source = {
        "name": "web",
        "partner": "A web archive",
        "reader": "jsonl",
        "path": "other.jsonl",
        "licence": "CC0-1.0",
        "language": "nl",
        "columns": {"id": "id", "text": "text"},
    }
    own = small_config()["sources"]
    assert isinstance(own, list)
    write_config(folder / "other.yaml", name="other", sources=[source, own[1]])
    herkomst("run", "other.yaml", "--until", "commit", cwd=folder)
    return Tracer(RunDirectory(folder / "runs" / "other")).rows()


def test_every_run_beside_it_refuses_the_text_and_near_copies(
    withdrawn: Path, asked: dict[str, Any], tmp_path: Path
) -> None:
    folder = copied(withdrawn / "runs" / "small", tmp_path)
    articles = {row["id"]: row["text"] for row in map(json.loads, ARTICLES.read_text(encoding="utf-8").splitlines())}
    text = articles[asked["native_id"]]
    unrelated = next(text for name, text in articles.items() if name == "DK-2025-0412")
    changed = text.replace(" de ", " een ", 2) + " Einde."
    rows = {
        row["native_id"]: row
        for row in other_run(
            folder,
            [{"id": "same", "text": text}, {"id": "changed", "text": changed}, {"id": "free", "text": unrelated}],
        )
    }
    for name in ("same", "changed"):
        assert (rows[name]["use"], rows[name]["reason"]) == ("none", "withdrawn-copy"), name
        assert "a letter" not in rows[name]["decision_explanation"]
    assert rows["free"]["reason"] != "withdrawn-copy"
    assert herkomst("verify", "runs/other", cwd=folder).returncode == 0


def test_a_register_that_cannot_be_read_stops_every_run(withdrawn: Path, tmp_path: Path) -> None:
    folder = copied(withdrawn / "runs" / "small", tmp_path)
    entry = next((folder / "runs" / "withdrawals").iterdir())
    table = entry / "documents.parquet"
    table.write_bytes(table.read_bytes()[:-1] + b"x")
    done = herkomst("run", "small.yaml", cwd=folder, check=False)
    assert done.returncode == 1 and "differs from what was signed" in done.stderr and "nothing is run" in done.stderr
    shutil.rmtree(entry / "signatures")
    assert "signatures is missing" in herkomst("run", "small.yaml", cwd=folder, check=False).stderr


def test_a_withdrawal_of_later_waits_for_its_day(small_run: Path, asked: dict[str, Any], tmp_path: Path) -> None:
    folder = copied(small_run, tmp_path)
    herkomst(
        *("withdraw", "runs/small", "--document", asked["id"], "--reason", "x", "--confirm"),
        *("--effective", "2027-01-01"),
        cwd=folder,
    )
    assert "Nothing to do" in herkomst("run", "small.yaml", cwd=folder).stdout
    assert herkomst("verify", "runs/small", cwd=folder).returncode == 0
    told = withdrawal_values(RunDirectory(folder / "runs" / "small"))[0]
    assert told["states"] == [{"state": "requested", "date": told["requested"]}]
    policy = small_config()["policy"]
    assert isinstance(policy, dict)
    write_config(folder / "small.yaml", policy=policy | {"as_of": "2027-01-01"})
    herkomst("run", "small.yaml", "--until", "commit", cwd=folder)
    row = Tracer(RunDirectory(folder / "runs" / "small")).ledger.find(asked["id"])
    assert row is not None and row["reason"] == "withdrawn"


@pytest.mark.slow
def test_a_partner_that_takes_everything_back(small_run: Path, tmp_path: Path) -> None:
    folder = copied(small_run, tmp_path)
    write_config(folder / "small.yaml", evaluation={"bytes_per_language": 4000, "suites": ["bits-per-byte"]})
    herkomst("withdraw", "runs/small", "--agreement", "de-kade-2026", "--reason", "end", "--confirm", cwd=folder)
    herkomst("run", "small.yaml", cwd=folder)
    assert herkomst("verify", "runs/small", cwd=folder).returncode == 0
    rows = list(Tracer(RunDirectory(folder / "runs" / "small")).ledger.rows(PARTNER))
    assert rows and {row["use"] for row in rows} == {"none"}
    again = herkomst("withdraw", "runs/small", "--partner", PARTNER, "--reason", "end", cwd=folder, check=False)
    assert again.returncode == 1 and "withdrawn already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--document", "0" * 64], "nothing was received under this id"),
        (["--partner", "Nobody"], "nothing received fits partner Nobody"),
        (["--partner", PARTNER, "--agreement", "de-kade-2026"], "exactly one of"),
        ([], "exactly one of"),
        (["--partner", PARTNER, "--effective", "tomorrow"], "Write it as 2026-11-24"),
    ],
)
def test_what_cannot_be_withdrawn_is_said(small_run: Path, arguments: list[str], told: str) -> None:
    done = herkomst("withdraw", "runs/small", *arguments, "--reason", "x", cwd=small_run.parents[1], check=False)
    assert done.returncode == 1 and told in done.stderr
    assert not (small_run / "withdrawals").exists()


def test_no_run_lies_in_the_register(tmp_path: Path) -> None:
    write_config(tmp_path / "small.yaml", name="withdrawals")
    done = herkomst("run", "small.yaml", "--until", "ingest", cwd=tmp_path, check=False)
    assert done.returncode == 1 and "register of withdrawals" in done.stderr


def entries(folder: Path) -> tuple[RunDirectory, dict[str, Entry]]:
    run = RunDirectory(folder / "runs" / "small")
    return run, newest_entries(run)


def test_verify_finds_a_withdrawal_that_was_changed_or_lost(withdrawn: Path, tmp_path: Path) -> None:
    folder = copied(withdrawn / "runs" / "small", tmp_path)
    path = folder / "runs" / "small" / "withdrawals" / "0001" / "withdrawal.json"
    path.write_bytes(path.read_bytes().replace(b"a letter", b"a ladder"))
    done = herkomst("verify", "runs/small", cwd=folder, check=False)
    assert done.returncode == 1 and "differs from the withdrawal that was signed" in done.stdout
    path.unlink()
    done = herkomst("verify", "runs/small", cwd=folder, check=False)
    assert done.returncode == 1 and "is missing; a withdrawal was signed for it" in done.stdout


def test_tokens_put_back_are_found(withdrawn: Path, small_run: Path, tmp_path: Path) -> None:
    folder = copied(withdrawn / "runs" / "small", tmp_path)
    run, newest = entries(folder)
    assert not list(withdrawn_stays_out(run, newest))
    stream = next((run.path / "tokens" / "train").glob("*/withdrawn-001.bin")).parent
    shutil.copyfile(small_run / "tokens" / "train" / stream.name / "tokens.bin", stream / "tokens.bin")
    assert any("holds tokens of document" in str(one) for one in withdrawn_stays_out(run, newest))


def test_going_on_from_a_checkpoint_that_had_read_it_is_found(withdrawn: Path, tmp_path: Path) -> None:
    from training.plan import Parent
    from training.retrain import read_plan

    folder = copied(withdrawn / "runs" / "small", tmp_path)
    run, newest = entries(folder)
    path = run.training / "plan.json"
    plan = read_plan(path)
    assert plan.parent is not None
    path.write_text(replace(plan, parent=Parent(plan.parent.plan_digest, plan.steps)).to_json(), encoding="utf-8")
    assert any("is not carried out" in str(one) for one in withdrawn_stays_out(run, newest))


def test_a_withdrawal_not_yet_carried_out_is_found(small_run: Path, asked: dict[str, Any], tmp_path: Path) -> None:
    folder = copied(small_run, tmp_path)
    herkomst("withdraw", "runs/small", "--document", asked["id"], "--reason", "x", "--confirm", cwd=folder)
    done = herkomst("verify", "runs/small", cwd=folder, check=False)
    assert done.returncode == 1 and "without regard to it" in done.stdout


def test_a_released_model_that_contains_it_is_named(small_run: Path, asked: dict[str, Any], tmp_path: Path) -> None:
    folder = copied(small_run, tmp_path)
    run = RunDirectory(folder / "runs" / "small")
    weights = newest_entries(run)["train"].predicate["figures"]["weights_sha256"]
    release = {"name": "small-1", "weights_sha256": weights, "released": "2026-11-02", "where": "internal"}
    write_config(folder / "small.yaml", releases=[release])
    herkomst("run", "small.yaml", cwd=folder)
    told = herkomst("withdraw", "runs/small", "--document", asked["id"], "--reason", "x", "--json", cwd=folder).stdout
    assert json.loads(told)["releases_with"] == ["small-1"]


def test_an_entry_that_was_signed_again_with_less_in_it_stops_a_run_that_carried_it_out(
    small_run: Path, tmp_path: Path
) -> None:
    folder = copied(small_run, tmp_path)
    herkomst("withdraw", "runs/small", "--partner", PARTNER, "--reason", "x", "--confirm", cwd=folder)
    own = withdrawals_of(folder / "runs" / "small")[0]
    entry = next((folder / "runs" / "withdrawals").iterdir())
    fewer = replace(own.withdrawal, documents=0, files={})
    (entry / "withdrawal.json").write_bytes(fewer.to_json())
    with pytest.raises(WithdrawalError, match="differs from what was signed"):
        read_filed(entry)
    shutil.rmtree(entry)
    shutil.rmtree(own.folder)
    with pytest.raises(WithdrawalError, match="no longer to be found"):
        obeyed(folder / "runs" / "small", own.withdrawal.effective, {own.digest})
