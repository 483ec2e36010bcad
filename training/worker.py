"""One process of a training job: ``python -m training.worker JOB.json``.

Started by `training.launch`, by `torchrun` or by a cluster's launcher, it finds the others by RANK, LOCAL_RANK,
WORLD_SIZE, MASTER_ADDR and MASTER_PORT. It ends with 0 when the plan was trained to its end and with 75 (`REQUEUE`)
when it was stopped by a signal and saved; under `torchrun` with 0 then too, because that takes every other code for a
failure and ends the processes that are still saving.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from licensing.errors import HerkomstError
from licensing.processes import die_with
from training.job import TrainingJob
from training.loop import train
from training.stopping import TrainingStopped


def main(arguments: list[str]) -> int:
    """Train the job; returns the exit code."""
    try:
        state = train(TrainingJob.read(Path(arguments[0])), _print_progress)
    except TrainingStopped as stopped:
        if os.environ.get("RANK", "0") == "0" and "HERKOMST_PARENT" not in os.environ:
            print(stopped, file=sys.stderr)
        return 0 if "TORCHELASTIC_RUN_ID" in os.environ else stopped.exit_code
    except HerkomstError as fault:
        print(fault, file=sys.stderr)
        return fault.exit_code
    return 0 if state.step else 1


def run(arguments: list[str]) -> NoReturn:
    """Do ``main`` and leave at once with its exit code.

    Without the interpreter's own end: gloo's threads and the destructors of loaded libraries have no order there, and
    once in a while they abort ("terminate called without an active exception") a training that is finished and saved.
    """
    code = 1
    # Until it can save, a signal ends it as a signal: the code of an error would be taken for a fault of its own.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        die_with(int(os.environ.get("HERKOMST_PARENT", os.getppid())))
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
