"""`herkomst replay` on a whole run: it agrees, says so under a signature, and notices what was changed."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from evaluation.run_files import replayed
from licensing.attestation import EvidenceError, load_or_create_key
from pipeline.replay import replay_run, row_agrees
from pipeline.run_directory import RunDirectory
from pipeline.runner import newest_entries
from pipeline.trace import Tracer
from pipeline.verify import verify
from tests.pipeline.conftest import REPOSITORY, herkomst
from tests.pipeline.made_order import make_order
from training.batches import HASH_BYTES, row_hash
from training.job import TrainingJob
from training.replay import replay


@pytest.fixture
def copied(small_run: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_run, tmp_path / "runs" / "small")
    shutil.copy(small_run.parents[1] / "key.pem", tmp_path / "key.pem")
    return tmp_path / "runs" / "small"


def test_a_run_agrees_and_the_statement_is_signed(copied: Path) -> None:
    cwd = copied.parents[1]
    told = json.loads(herkomst("replay", "runs/small", "--steps", "3:9", "--json", cwd=cwd).stdout)
    assert told["agrees"] and (told["weights"], told["order"]) == ("equal", "equal")
    assert told["rows_traced"] == 6 * 8 and told["rows_disagreeing"] == 0
    entry = newest_entries(RunDirectory(copied))["replay"]
    assert entry.predicate["figures"] == told
    assert not verify(RunDirectory(copied))
    assert not (copied / "work" / "replay").exists()


def test_a_changed_log_is_noticed(copied: Path) -> None:
    cwd = copied.parents[1]
    log = copied / "training" / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    lines[4]["loss"] += 1
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = herkomst("replay", "runs/small", "--steps", "3:5", cwd=cwd, check=False)
    assert done.returncode == 1 and "DOES NOT AGREE" in done.stdout


def test_files_that_the_training_did_not_sign_do_not_agree(copied: Path) -> None:
    """Changed by less than the tolerance; and a later replay that agrees does not hide it from the report."""
    run, cwd, log = RunDirectory(copied), copied.parents[1], copied / "training" / "log.jsonl"
    signed = log.read_text()
    lines = [json.loads(line) for line in signed.splitlines()]
    lines[4]["loss"] += 1e-5
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = herkomst("replay", "runs/small", "--steps", "3:5", cwd=cwd, check=False)
    assert done.returncode == 1 and "NOT AS SIGNED: training/log.jsonl" in done.stdout
    log.write_text(signed)
    assert "AGREES" in herkomst("replay", "runs/small", "--steps", "6:7", cwd=cwd).stdout
    told = replayed({name: entry.predicate for name, entry in newest_entries(run).items()})
    assert told is not None and not told["agrees"] and told["steps"] == [3, 5]


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("checkpoints/step-00000006/herkomst.json", "NOT AS SIGNED: checkpoints/step-00000006/herkomst.json"),
        ("training/plan.json", "nothing was signed"),
        ("tokens/streams.json", "nothing was signed"),
    ],
)
def test_a_file_that_is_gone_is_no_agreement(copied: Path, lost: str, said: str) -> None:
    (copied / lost).unlink()
    done = herkomst("replay", "runs/small", "--steps", "3:6", cwd=copied.parents[1], check=False)
    assert done.returncode == 1 and said in done.stdout + done.stderr and "Traceback" not in done.stderr


def test_a_replay_of_a_training_that_was_done_again_since_is_not_told_of() -> None:
    figures = {"agrees": True, "steps": [3, 5]}
    entry = {"training": "a", "figures": figures, "disagreed": None, "finished": "2026-11-24T01:02:03"}
    assert replayed({"train": {"outputs_digest": "a"}, "replay": entry}) == {**figures, "on": "2026-11-24"}
    assert replayed({"train": {"outputs_digest": "b"}, "replay": entry}) is None


def test_rows_of_a_step_whose_update_was_dropped_agree_with_the_trace_that_leaves_them_out(tmp_path: Path) -> None:
    tracer = Tracer(make_order(tmp_path, 3, skipped=(2, 9)))
    plan = tracer.plan
    assert plan is not None
    for step in (1, 2, 9, 10):
        for row, (stream, sequence) in enumerate(zip(*(part.tolist() for part in plan.at(step)), strict=True)):
            known = tracer.stream(plan.streams[stream].name, "train")
            assert known is not None
            fed = row_hash(known[1].sequence(sequence)).tobytes()
            assert row_agrees(tracer, plan, step, row, fed)
            assert not row_agrees(tracer, plan, step, row, bytes(HASH_BYTES))


def test_another_key_is_refused_before_anything_is_run(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.replay.replay", lambda *_: pytest.fail("it was run"))
    with pytest.raises(EvidenceError, match="somebody else's account"):
        replay_run(RunDirectory(copied), (3, 6), 1e-3, load_or_create_key(copied / "other.pem"), lambda *_: None)


@pytest.mark.parametrize(("steps", "said"), [("3", "write the first step"), ("5:99", "it did steps 0 to 11")])
def test_what_cannot_be_replayed_is_said(copied: Path, steps: str, said: str) -> None:
    done = herkomst("replay", "runs/small", "--steps", steps, cwd=copied.parents[1], check=False)
    assert done.returncode != 0 and said in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_trace_and_replay_agree_on_100_rows_of_the_demo(tmp_path: Path) -> None:
    """The rows that a second training was fed are those that the trace names, forwards and backwards."""
    run = RunDirectory(REPOSITORY / "runs" / "demo")
    if not (run.training / "job.json").exists():
        pytest.skip("runs/demo is not there; `make demo` makes it")
    tracer = Tracer(run)
    done = replay(TrainingJob.read(run.training / "job.json"), 340, 360, tmp_path / "again", lambda *_: None)
    fed = np.fromfile(done.row_hashes, dtype=np.uint8).reshape(-1, HASH_BYTES)
    plan = tracer.plan
    assert plan is not None
    batch = plan.segment_of(done.begin).batch
    for at in random.Random(5).sample(range(len(fed)), 100):
        step, row = done.begin + at // batch, at % batch
        assert row_agrees(tracer, plan, step, row, fed[at].tobytes())
        assert not row_agrees(tracer, plan, step, (row + 1) % batch, fed[at].tobytes())


def test_report_and_statement_tell_of_a_replay(copied: Path) -> None:
    from pipeline.reporting import Asked, audit_partner

    run, cwd = RunDirectory(copied), copied.parents[1]
    state = json.loads(herkomst("audit", "runs/small", "--partner", "De Kade Pers B.V.", "--json", cwd=cwd).stdout)
    herkomst("replay", "runs/small", "--steps", "3:6", cwd=cwd)
    pages = {path.name: path.read_text() for path in audit_partner(run, "De Kade Pers B.V.", cwd / "out", Asked())}
    english, dutch = (next(v for k, v in pages.items() if k.endswith(f"{end}.html")) for end in ("en", "nl"))
    assert "steps 3 to 5 of the training were run again" in english and "bit for bit" in english
    assert "stap 3 tot en met 5 van de training overgedaan" in dutch
    after = json.loads(herkomst("audit", "runs/small", "--partner", "De Kade Pers B.V.", "--json", cwd=cwd).stdout)
    assert after["proof"] == state["proof"]
