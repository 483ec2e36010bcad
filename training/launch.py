"""Start the training processes of this machine: this one where one is enough, else workers that end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from licensing.errors import HerkomstError
from training.checkpoint import TrainerState, latest_checkpoint
from training.job import TrainingJob
from training.loop import Tick, train
from training.settings import TrainingSettings
from training.stop_signal import SIGNALS
from training.stopping import REQUEUE, TrainingStopped

GRACE = 20.0
"""Seconds that the other processes get to end by themselves after one has failed."""
_POLL = 0.1


def launch(job: TrainingJob, job_file: Path, tick: Tick) -> TrainerState:
    """Train a job to its end with the configured number of processes.

    Raises:
        TrainingStopped: a signal came; a checkpoint was written first.
        HerkomstError: a process failed; the last checkpoint is whole and the same command continues from it.
    """
    if job.settings.backend == "single":
        if job.settings.processes != 1:
            raise HerkomstError(
                f"training.processes is {job.settings.processes} with backend 'single'; nothing was trained. "
                "Set backend to ddp, deepspeed or fsdp, or processes to 1."
            )
        return train(job, tick)
    code = run_workers([sys.executable, "-m", "training.worker", str(job_file)], job.settings)
    latest = latest_checkpoint(Path(job.checkpoints), job.digest())
    if code == REQUEUE:
        if latest is None:
            raise TrainingStopped("training was stopped before its first checkpoint; the same command begins anew.")
        raise TrainingStopped(f"training stopped after step {latest[1].step} and saved; the same command continues.")
    if code or latest is None:
        at = f"the last checkpoint is {latest[0].name}" if latest else "there is no checkpoint yet"
        raise HerkomstError(
            f"training.backend {job.settings.backend}: a process {_how_it_ended(code)}; {at}. "
            "The same command continues."
        )
    return latest[1]


def _how_it_ended(code: int) -> str:
    if code != -signal.SIGKILL:
        return f"ended with code {code}, and its message stands above"
    return "was killed (SIGKILL), as a machine does that runs out of memory: look there, not in the messages above"


def run_workers(command: Sequence[str], settings: TrainingSettings) -> int:
    """Run ``settings.processes`` copies of ``command``, which find each other through a store in this process.

    The signals that stop this process are handed on, and workers die with it, be it by ``kill -9``: else the training
    would go on without the lock of its run directory. `torchrun` would do neither, and ends workers that save for more
    than half a minute.

    Returns:
        0 where all ended well, `REQUEUE` where they were stopped and saved, else the code of the first that failed.
    """
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    workers: list[subprocess.Popen[bytes]] = []
    with _handing_on(workers) as stopped:
        try:
            for rank in range(settings.processes):
                environment = _environment(settings, rank, store.port)
                # In a session of their own: Ctrl-C reaches them once, from here.
                workers.append(subprocess.Popen(command, env=environment, start_new_session=True))
            for number in stopped:
                # It came while the last of them were not there yet.
                _send(workers, number)
            return _outcome(workers, stopped)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()


def _outcome(workers: Sequence[subprocess.Popen[bytes]], stopped: Sequence[int]) -> int:
    """Wait for all; after a failure the others get some time, as they may wait for the one that is gone."""
    end, failed = float("inf"), 0
    while True:
        codes = [worker.poll() for worker in workers]
        if not failed and (failed := next((code for code in codes if code not in (None, 0, REQUEUE)), 0) or 0):
            end = time.monotonic() + GRACE
        if None not in codes or time.monotonic() > end:
            break
        time.sleep(_POLL)
    # A signal that came before a worker was ready for it has ended it.
    if failed and -failed not in stopped:
        return failed
    return REQUEUE if failed or REQUEUE in codes else 0


@contextmanager
def _handing_on(workers: list[subprocess.Popen[bytes]]) -> Iterator[list[int]]:
    """Hand signals on to the workers; yields the list of those that came."""
    came: list[int] = []

    def hand_on(number: int, _: object) -> None:
        came.append(number)
        _send(workers, number)

    before = {number: signal.signal(number, hand_on) for number in SIGNALS}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _send(workers: Sequence[subprocess.Popen[bytes]], number: int) -> None:
    for worker in workers:
        worker.send_signal(number)


def _environment(settings: TrainingSettings, rank: int, port: int) -> dict[str, str]:
    """What `torchrun` would set, and who the parent is."""
    return {
        "OMP_WAIT_POLICY": "PASSIVE",
        **os.environ,
        "OMP_NUM_THREADS": str(settings.threads),
        "PYTHONPATH": _import_path(),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(settings.processes),
        "LOCAL_WORLD_SIZE": str(settings.processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "HERKOMST_PARENT": str(os.getpid()),
    }


def _import_path() -> str:
    here = str(Path(__file__).resolve().parent.parent)
    return os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
