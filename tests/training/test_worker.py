"""How a training process ends: what it says is its exit code, whatever native libraries do at their own end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
