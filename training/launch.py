"""Start the training processes: this one where one is enough, else `torchrun` on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from licensing.errors import HerkomstError
from training.checkpoint import TrainerState, latest_checkpoint
from training.job import TrainingJob
from training.loop import Tick, train


def launch(job: TrainingJob, job_file: Path, tick: Tick) -> TrainerState:
    """Train a job to its end with the configured number of processes.

    Raises:
        HerkomstError: a process failed; the last checkpoint is whole and the same command continues from it.
    """
    if job.settings.backend == "single":
        if job.settings.processes != 1:
            raise HerkomstError(
                f"training.processes is {job.settings.processes} with backend 'single'; nothing was trained. "
                "Set backend to ddp or deepspeed, or processes to 1."
            )
        return train(job, tick)
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc_per_node={job.settings.processes}",
        "-m",
        "training.worker",
        str(job_file),
    ]
    environment = {
        "OMP_WAIT_POLICY": "PASSIVE",
        **os.environ,
        "OMP_NUM_THREADS": str(job.settings.threads),
        "PYTHONPATH": _import_path(),
    }
    code = _run_forwarding(command, environment)
    latest = latest_checkpoint(Path(job.checkpoints), job.digest())
    if code or latest is None:
        at = f"the last checkpoint is {latest[0].name}" if latest else "there is no checkpoint yet"
        raise HerkomstError(
            f"training.backend {job.settings.backend}: a process ended with code {code}; {at}. "
            "Its message stands above; the same command continues."
        )
    return latest[1]


def _run_forwarding(command: list[str], environment: dict[str, str]) -> int:
    """Run `torchrun` and hand it the signals that stop this process; returns its exit code.

    Were only this process to end, the training would go on without the lock of its run directory.
    """
    process = subprocess.Popen(command, env=environment)

    def forward(number: int, _: object) -> None:
        # torchrun knows SIGTERM: it asks every worker to stop, and each saves first.
        process.send_signal(signal.SIGTERM if number == signal.SIGUSR2 else number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)}
    try:
        return process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _import_path() -> str:
    here = str(Path(__file__).resolve().parent.parent)
    return os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
