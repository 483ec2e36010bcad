"""Several processes from one command: they stop together, save, and never outlive it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from licensing.errors import HerkomstError
from tests.training.conftest import make_job
from training.checkpoint import finished_checkpoints, read_state
from training.job import TrainingJob
from training.launch import run_workers
from training.stopping import REQUEUE

STEPS = 60
LAUNCH = """
import sys
from pathlib import Path
from licensing.errors import HerkomstError
from training.job import TrainingJob
from training.launch import launch
path = Path(sys.argv[1])
try:
    launch(TrainingJob.read(path), path, lambda *_: None)
except HerkomstError as fault:
    print(fault)
    sys.exit(fault.exit_code)
"""


def launched(job: TrainingJob, folder: Path) -> subprocess.Popen[str]:
    job.write(folder / "job.json")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", LAUNCH, str(folder / "job.json")]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def wait_for(happened: Callable[[], bool], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


def children(process: int) -> list[int]:
    told = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True, check=False)
    return [int(line) for line in told.stdout.split()]


def alive(process: int) -> bool:
    """Whether it still runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def by_two(packed_folder: Path, out: Path) -> TrainingJob:
    return make_job(
        packed_folder, out, steps=STEPS, backend="ddp", processes=2, keep_checkpoints=99, checkpoint_every=5
    )


@pytest.mark.slow
def test_two_processes_stop_at_one_step_and_go_on(packed_folder: Path, tmp_path: Path) -> None:
    job = by_two(packed_folder, tmp_path)
    checkpoints = tmp_path / "checkpoints"
    with launched(job, tmp_path) as process:
        wait_for(lambda: len(finished_checkpoints(checkpoints)) > 1)
        # To one of the workers only, as a cluster's launcher may: the others agree.
        os.kill(children(process.pid)[0], signal.SIGUSR2)
        assert process.wait() == REQUEUE == 75
        assert process.stdout is not None
        said = process.stdout.read()
    stopped = read_state(finished_checkpoints(checkpoints)[-1])
    assert stopped.step < STEPS
    assert f"after step {stopped.step} and saved; the same command continues" in said
    with launched(job, tmp_path) as process:
        assert process.wait() == 0
    assert read_state(finished_checkpoints(checkpoints)[-1]).step == STEPS
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == list(range(STEPS))


@pytest.mark.slow
def test_workers_die_with_a_killed_command(packed_folder: Path, tmp_path: Path) -> None:
    with launched(by_two(packed_folder, tmp_path), tmp_path) as process:
        wait_for(lambda: bool(finished_checkpoints(tmp_path / "checkpoints")))
        workers = children(process.pid)
        assert len(workers) == 2
        process.kill()
    wait_for(lambda: not any(map(alive, workers)), seconds=5)


ONE_FAILS = """
import os, sys, time
if os.environ["RANK"] == "1":
    sys.exit(3)
time.sleep(60)
"""


def test_one_that_fails_ends_the_others(packed_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training import launch

    monkeypatch.setattr(launch, "GRACE", 0.3)
    began = time.monotonic()
    assert run_workers([sys.executable, "-c", ONE_FAILS], by_two(packed_folder, tmp_path).settings) == 3
    assert time.monotonic() - began < 20


STOPPED = """
import os, signal, sys, time
def stop(*_):
    sys.exit(75)
signal.signal(signal.SIGTERM, stop)
if os.environ["RANK"] == "0":
    os.kill(os.getppid(), signal.SIGTERM)
time.sleep(60)
"""


def test_a_signal_to_the_command_reaches_every_worker(packed_folder: Path, tmp_path: Path) -> None:
    """Also one that comes before a worker knows what to do with it, and ends it."""
    settings = by_two(packed_folder, tmp_path).settings
    assert run_workers([sys.executable, "-c", STOPPED], settings) == REQUEUE


LOADING = """
import os, signal, time
from training import worker
def main(arguments):
    if os.environ["RANK"] == "0":
        os.kill(os.getppid(), signal.SIGINT)
    time.sleep(60)
worker.main = main
worker.run([])
"""


def test_ctrl_c_while_the_model_is_loaded_is_no_failure(packed_folder: Path, tmp_path: Path) -> None:
    assert run_workers([sys.executable, "-c", LOADING], by_two(packed_folder, tmp_path).settings) == REQUEUE


def test_a_killed_process_is_said_to_be_killed(
    packed_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training import launch

    job = by_two(packed_folder, tmp_path)
    monkeypatch.setattr(launch, "run_workers", lambda command, settings: -signal.SIGKILL)
    with pytest.raises(HerkomstError, match=r"runs out of memory.*there is no checkpoint yet"):
        launch.launch(job, tmp_path / "job.json", lambda *_: None)
