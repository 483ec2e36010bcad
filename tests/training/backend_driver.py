"""A training without corpus: a tiny model on tokens computed from the step, over any backend, one process of several.

``python -m tests.training.backend_driver TASKS.json`` does one task after another: train ``settings`` in ``folder`` up
to ``until`` steps from the newest checkpoint there, and write losses and norms to ``out``. ``forget`` deletes the
checkpoints after that many steps first; ``resave`` is a folder in which what was read is saved again at once; the
update of step ``drop`` is dropped; ``slow_write`` is how many seconds every file of a checkpoint takes; ``full_on`` is
the process whose disk is full from the second checkpoint on: what every process says to that goes to ``out``.
"""

from __future__ import annotations

import errno
import faulthandler
import json
import os
import shutil
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

STEPS, ROWS, LENGTH, VOCABULARY = 6, 8, 12, 61


@dataclass
class Task:
    """What to train, and where."""

    folder: str
    out: str
    until: int = STEPS
    every: int = 2
    settings: dict[str, Any] = field(default_factory=dict)
    micro: tuple[int, ...] = (1, 2)
    drop: int | None = 3
    forget: int | None = None
    resave: str = ""
    slow_write: float = 0.0
    full_on: int | None = None

    @property
    def losses(self) -> list[float]:
        return [line["loss"] for line in self.lines()]

    @property
    def norms(self) -> list[float]:
        return [line["norm"] for line in self.lines()]

    def lines(self) -> list[dict[str, float]]:
        return list(json.loads(Path(self.out).read_text())["lines"])

    @property
    def weights(self) -> str:
        return str(json.loads(Path(self.out).read_text())["weights"])


def job_of(task: Task) -> Any:
    from training.job import TrainingJob
    from training.settings import Shape, TrainingSettings

    settings = {"segments": [{"name": "main", "steps": STEPS}], "keep_checkpoints": 9, "clip": 0.5} | task.settings
    shape = Shape(2, 32, 4, 2, 48, LENGTH, VOCABULARY)
    checked = TrainingSettings.model_validate(settings)
    return TrainingJob("", "", "0" * 64, "1" * 64, "2" * 64, task.folder, "", shape, checked, 1e-2, 3)


def train(task: Task) -> None:
    """Do one task in this process."""
    from training.backends import start_backend
    from training.backends.processes import forget_accelerate
    from training.checkpoint import finished_checkpoints, read_state
    from training.control import Control
    from training.model import build_model
    from training.numerics import set_numerics
    from training.saving import Checkpoints

    job = job_of(task)
    set_numerics(1)
    backend = start_backend(job.settings, lambda: build_model(job.shape, 1, 2, job.seed))
    control = Control()
    if task.forget is not None and control.rank == 0:
        for folder in finished_checkpoints(Path(task.folder)):
            if read_state(folder).step > task.forget:
                shutil.rmtree(folder)
    checkpoints = Checkpoints(Path(task.folder), job.settings, control)
    state = checkpoints.resume(job, backend)
    if task.resave:
        again = Checkpoints(Path(task.resave), job.settings, control)
        again.save(backend, state)
        again.join()
    lines = []
    for step in range(state.step, task.until):
        loss, norm = one_step(backend, control, step, task)
        state = replace(state, step=step + 1)
        lines.append({"step": step, "loss": loss, "norm": norm})
        if (step + 1) % task.every == 0 or step + 1 == task.until:
            checkpoints.save(backend, state)
    last = checkpoints.join()
    if control.rank == 0 and task.out:
        found = {"lines": lines, "weights": last.weights_sha256 if last else "", "backend": backend.name}
        Path(task.out).write_text(json.dumps(found))
    # The group stays for the next task: made a second time in one process, it would meet its own old keys.
    forget_accelerate()


def one_step(backend: Any, control: Any, step: int, task: Task) -> tuple[float, float]:
    """One update on the global batch of a step; how many micro-batches there are changes from step to step."""
    import numpy as np
    import torch

    generator = torch.Generator().manual_seed(step)
    tokens = torch.randint(0, VOCABULARY, (ROWS, LENGTH), generator=generator)
    rows = ROWS // backend.world
    own = tokens[backend.rank * rows : (backend.rank + 1) * rows].to(backend.device)
    parts = own.chunk(task.micro[step % len(task.micro)])
    nats = 0.0
    for number, part in enumerate(parts, 1):
        logits = backend.model(input_ids=part).logits[:, :-1].float()
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), part[:, 1:].flatten(), reduction="sum")
        nats += float(loss.detach())
        backend.backward(loss / (ROWS * (LENGTH - 1)), last=number == len(parts))
    mean = float(control.sum(np.array([nats]))[0]) / (ROWS * (LENGTH - 1))
    if step == task.drop:
        backend.drop()
        return mean, 0.0
    return mean, float(backend.step(1e-2, 0.5))


def slow_down(seconds: float) -> None:
    """Let every file of a checkpoint take so long, as on a busy file system."""
    from training import saving

    quick = saving.write_tensors

    def slow(path: Path, tensors: Any) -> None:
        path.with_suffix(".half").write_bytes(b"half")
        time.sleep(seconds)
        quick(path, tensors)
        path.with_suffix(".half").unlink()

    saving.write_tensors = slow


def train_on_a_full_disk(task: Task) -> None:
    """The training must fail on every process alike."""
    from training import saving
    from training.backends.processes import forget_accelerate
    from training.checkpoint import CheckpointError

    quick, rank = saving.write_tensors, int(os.environ["RANK"])

    def full(path: Path, tensors: Any) -> None:
        quick(path, tensors)
        if rank == task.full_on and "00000004" in str(path):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

    saving.write_tensors = full
    try:
        train(task)
    except CheckpointError as fault:
        Path(f"{task.out}.{rank}").write_text(str(fault))
    forget_accelerate()
    saving.write_tensors = quick


def write_tasks(path: Path, tasks: list[Task]) -> Path:
    path.write_text(json.dumps([asdict(task) for task in tasks]))
    return path


def main(tasks: Path) -> None:
    import torch
    import torch.distributed as dist

    if "RANK" in os.environ:
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    for values in json.loads(tasks.read_text()):
        task = Task(**values)
        if task.slow_write:
            slow_down(task.slow_write)
        if task.full_on is None:
            train(task)
        else:
            train_on_a_full_disk(task)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    faulthandler.dump_traceback_later(100, exit=True)
    main(Path(sys.argv[1]))
