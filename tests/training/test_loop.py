"""Training itself: resumed is undisturbed, documents do not see each other, and another backend is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.conftest import make_job
from training.checkpoint import finished_checkpoints, latest_checkpoint, read_state, set_aside_others
from training.job import TrainingJob
from training.loop import train


def quiet(done: int, total: int, note: str) -> None:
    """No progress."""


def test_resumed_from_any_checkpoint_gives_the_same_weights(packed_folder: Path, tmp_path: Path) -> None:
    whole = train(make_job(packed_folder, tmp_path / "whole", keep_checkpoints=9), quiet)
    for kept in (1, 2):
        out = tmp_path / f"resumed{kept}"
        shutil.copytree(tmp_path / "whole", out)
        for folder in finished_checkpoints(out / "checkpoints")[kept:]:
            shutil.rmtree(folder)
        resumed = train(make_job(packed_folder, out, keep_checkpoints=9), quiet)
        assert resumed.weights_sha256 == whole.weights_sha256
        assert (resumed.tokens_read, resumed.tokens_scored) == (whole.tokens_read, whole.tokens_scored)
        steps = [json.loads(line)["step"] for line in (out / "log.jsonl").read_text().splitlines()]
        assert steps == list(range(6))


def test_a_half_written_checkpoint_is_not_continued_from(packed_folder: Path, tmp_path: Path) -> None:
    job = make_job(packed_folder, tmp_path / "run", keep_checkpoints=9)
    train(job, quiet)
    newest = finished_checkpoints(tmp_path / "run" / "checkpoints")[-1]
    (newest / "herkomst.json").unlink()
    found = latest_checkpoint(tmp_path / "run" / "checkpoints", job.digest())
    assert found is not None and found[1].step == 4


def test_checkpoints_of_another_job_are_kept_aside(packed_folder: Path, tmp_path: Path) -> None:
    job = make_job(packed_folder, tmp_path / "run")
    train(job, quiet)
    moved = set_aside_others(tmp_path / "run" / "checkpoints", "another job")
    assert len(moved) == 3 and all(read_state(folder).job_digest == job.digest() for folder in moved)
    assert finished_checkpoints(tmp_path / "run" / "checkpoints") == []


def test_the_loss_falls(packed_folder: Path, tmp_path: Path) -> None:
    train(make_job(packed_folder, tmp_path / "run", steps=40, checkpoint_every=40), quiet)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_another_backend_than_asked_for_is_refused(packed_folder: Path, tmp_path: Path) -> None:
    """Two processes asked for and one launched: without the check this trains, on half the batch."""
    from training.backends import BackendError

    with pytest.raises(BackendError, match="processes launched is 1, not 2"):
        train(make_job(packed_folder, tmp_path / "run", backend="ddp", processes=2), quiet)


def launched(job: TrainingJob, folder: Path) -> subprocess.CompletedProcess[str]:
    job.write(folder / "job.json")
    processes = job.settings.processes
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    arguments = ["-m", "training.worker", str(folder / "job.json")]
    return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "stage"), [("fsdp", 2)])
def test_two_processes_train_as_one_does_and_resume(
    packed_folder: Path, tmp_path: Path, backend: str, stage: int
) -> None:
    single = make_job(packed_folder, tmp_path / "single")
    train(single, quiet)
    job = make_job(packed_folder, tmp_path / "two", backend=backend, zero_stage=stage, processes=2, keep_checkpoints=9)
    done = launched(job, tmp_path / "two")
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = (
        [json.loads(line)["loss"] for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("single", "two")
    )
    assert two == pytest.approx(one, abs=2e-4)
    weights = read_state(finished_checkpoints(tmp_path / "two" / "checkpoints")[-1]).weights_sha256
    for folder in finished_checkpoints(tmp_path / "two" / "checkpoints")[1:]:
        shutil.rmtree(folder)
    assert launched(job, tmp_path / "two").returncode == 0
    assert read_state(finished_checkpoints(tmp_path / "two" / "checkpoints")[-1]).weights_sha256 == weights
