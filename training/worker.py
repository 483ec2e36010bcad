"""One process of a training job that was started by `torchrun`: ``python -m training.worker JOB.json``."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from licensing.errors import HerkomstError
from training.job import TrainingJob
from training.loop import train


def main(arguments: list[str]) -> int:
    """Train the job; the exit code is 0 only when the whole plan was trained."""
    try:
        state = train(TrainingJob.read(Path(arguments[0])), _print_progress)
    except HerkomstError as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0 if state.step else 1


def run(arguments: list[str]) -> NoReturn:
    """Do ``main`` and leave at once with its exit code.

    Without the interpreter's own end: gloo's threads and the destructors of loaded libraries have no order there, and
    once in a while they abort ("terminate called without an active exception") a training that is finished and saved.
    """
    code = 1
    try:
        code = main(arguments)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _print_progress(done: int, total: int, note: str) -> None:
    if done % 20 == 0 or done == total:
        print(f"  train: step {done} of {total}, {note}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(sys.argv[1:])
