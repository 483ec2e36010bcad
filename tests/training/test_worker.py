"""How a training process ends: what it says is its exit code, whatever native libraries do at their own end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from training import worker
from training.stopping import TrainingStopped

ENDS = """
import atexit, os, sys
atexit.register(os.abort)
from training import worker
def main(arguments):
    print("told")
    {body}
worker.main = main
worker.run([])
"""


@pytest.mark.parametrize(("body", "code"), [("return 0", 0), ("return 1", 1), ("raise RuntimeError('lost')", 1)])
def test_no_abort_at_exit_turns_a_finished_training_into_a_failure(body: str, code: int) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", ENDS.format(body=body)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, "told\n")
    assert ("RuntimeError: lost" in done.stderr) == ("raise" in body)


@pytest.mark.parametrize(("by_torchrun", "code"), [(False, 75), (True, 0)])
def test_a_stopped_training_asks_to_be_put_back_in_the_queue(
    by_torchrun: bool, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`torchrun` would take any code but 0 for a failure and end the others."""

    def stopped(*_: object) -> None:
        raise TrainingStopped("training stopped after step 7 and saved; the same command continues.")

    monkeypatch.setattr(worker, "train", stopped)
    monkeypatch.setattr(worker.TrainingJob, "read", lambda path: path)
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    if by_torchrun:
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    assert worker.main(["job.json"]) == code
