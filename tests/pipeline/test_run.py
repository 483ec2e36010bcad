"""The whole pipeline: same result however it was run, and nothing lost when it is stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline.conftest import digests, environment, herkomst, small_config, write_config


def test_two_workers_give_what_one_gives(small_run: Path, tmp_path: Path) -> None:
    write_config(tmp_path / "small.yaml")
    herkomst("run", "small.yaml", "--workers", 2, "--run-dir", "elsewhere", cwd=tmp_path)
    assert digests(tmp_path / "elsewhere") == digests(small_run)


@pytest.mark.parametrize("moment", ["work/partial/curate-*/tasks/000001", "checkpoints/step-00000003"])
def test_killed_and_continued_gives_what_an_undisturbed_run_gives(small_run: Path, tmp_path: Path, moment: str) -> None:
    write_config(tmp_path / "small.yaml")
    command = [sys.executable, "-m", "pipeline.cli", "run", "small.yaml", "--workers", "2"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(tmp_path), start_new_session=True, **quiet)
    wait_for(tmp_path / "runs" / "small", moment, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = herkomst("run", "small.yaml", "--workers", 2, cwd=tmp_path)
    assert "ingest done" not in done.stderr
    assert digests(tmp_path / "runs" / "small") == digests(small_run)
    assert herkomst("verify", "runs/small", cwd=tmp_path).returncode == 0


def wait_for(run: Path, pattern: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(6000):
        if any(run.glob(pattern)):
            return
        if process.poll() is not None:
            raise AssertionError(f"the run ended with {process.returncode} before {pattern} was there")
        time.sleep(0.01)
    raise AssertionError(f"{pattern} did not appear within a minute")


def test_a_second_run_has_nothing_to_do(small_run: Path) -> None:
    before = sorted(path.name for path in (small_run / "record").iterdir())
    done = herkomst("run", "small.yaml", cwd=small_run.parents[1])
    assert "Nothing to do" in done.stdout
    assert sorted(path.name for path in (small_run / "record").iterdir()) == before


def test_a_changed_evaluation_setting_runs_evaluation_and_report_only(small_run: Path, tmp_path: Path) -> None:
    shutil.copytree(small_run, tmp_path / "runs" / "small")
    shutil.copy(small_run.parents[1] / "key.pem", tmp_path / "key.pem")
    write_config(
        tmp_path / "small.yaml", evaluation={"items": 6, "bytes_per_language": 3000, "suites": ["bits-per-byte"]}
    )
    assert "Done: evaluate, report." in herkomst("run", "small.yaml", cwd=tmp_path).stdout


def test_two_runs_on_one_directory(small_run: Path, tmp_path: Path) -> None:
    import fcntl

    shutil.copytree(small_run, tmp_path / "runs" / "small")
    write_config(tmp_path / "small.yaml")
    with (tmp_path / "runs" / "small" / ".lock").open("a+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = herkomst("run", "small.yaml", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "is writing here" in done.stderr and "--run-dir" in done.stderr


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_stopped_training_saves_first_and_says_so(tmp_path: Path, processes: int) -> None:
    training = {"segments": [{"name": "main", "steps": 4000}], "batch": 8, "checkpoint_every": 10_000, "threads": 1}
    backend = {"backend": "ddp", "processes": 2} if processes == 2 else {}
    write_config(tmp_path / "small.yaml", training=training | backend)
    herkomst("run", "small.yaml", "--until", "pack", cwd=tmp_path)
    command = [sys.executable, "-m", "pipeline.cli", "run", "small.yaml", "--until", "train"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(tmp_path), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    wait_for(tmp_path / "runs" / "small", "training/log.jsonl", process)
    time.sleep(1.0)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 75
    assert "and saved; the same command continues" in told
    assert any((tmp_path / "runs" / "small" / "checkpoints").glob("step-*"))


@pytest.fixture
def copied(small_run: Path, tmp_path: Path) -> Path:
    """A finished run in a folder of its own, with the key that signed it."""
    shutil.copytree(small_run, tmp_path / "runs" / "small")
    shutil.copy(small_run.parents[1] / "key.pem", tmp_path / "key.pem")
    write_config(tmp_path / "small.yaml")
    return tmp_path


def test_force_does_a_stage_anew_and_nothing_that_did_not_change(copied: Path) -> None:
    done = herkomst("run", "small.yaml", "--force", "tokenizer", cwd=copied)
    assert "Done: tokenizer." in done.stdout


def test_forced_training_begins_anew_and_keeps_the_old_weights_aside(copied: Path) -> None:
    before = digests(copied / "runs" / "small")
    done = herkomst("run", "small.yaml", "--force", "train", cwd=copied)
    assert "Done: train, evaluate, report." in done.stdout
    assert digests(copied / "runs" / "small") == before
    assert list((copied / "runs" / "small" / "checkpoints" / "superseded").rglob("model.safetensors"))
    assert herkomst("verify", "runs/small", cwd=copied).returncode == 0


def test_only_one_stage_needs_what_it_rests_on(copied: Path) -> None:
    assert "Nothing to do" in herkomst("run", "small.yaml", "--only", "evaluate", cwd=copied).stdout
    write_config(copied / "small.yaml", seed=8)
    done = herkomst("run", "small.yaml", "--only", "evaluate", cwd=copied, check=False)
    assert done.returncode == 1 and "is stale and 'evaluate' rests on it" in done.stderr


def test_verify_says_when_a_later_stage_rests_on_an_older_result(copied: Path) -> None:
    write_config(copied / "small.yaml", seed=8)
    herkomst("run", "small.yaml", "--until", "commit", cwd=copied)
    done = herkomst("verify", "runs/small", cwd=copied, check=False)
    assert done.returncode == 1 and "was made from another result of stage commit" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["ddp", "deepspeed"])
def test_two_training_processes_by_a_switch_in_the_yaml(copied: Path, backend: str) -> None:
    training = small_config()["training"]
    assert isinstance(training, dict)
    changed = training | {"backend": backend, "processes": 2, "zero_stage": 2, "micro_batch": 4}
    write_config(copied / "small.yaml", training=changed)
    # The training is finished whatever the backend, so that it must be asked to begin anew.
    done = herkomst("run", "small.yaml", "--force", "train", cwd=copied)
    assert "Done: train, evaluate, report." in done.stdout
    assert herkomst("verify", "runs/small", cwd=copied).returncode == 0
    log = (copied / "runs" / "small" / "training" / "log.jsonl").read_text().splitlines()
    assert len(log) == 12
