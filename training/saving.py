"""Write checkpoints beside the training and go on from them.

At a step every process copies what it is to write to host memory; a thread writes it, so that training goes on. All
write into one hidden folder, and a mark of each there says that its files are synced. When process 0 sees every mark,
it adds ``herkomst.json`` and renames the folder; the others wait until they see it. A kill at any moment leaves the
checkpoint before, and what was half written is removed when training begins again.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from licensing.canonical import canonical
from licensing.files import file_digest, hidden_beside, publish, recover, sync_entry, write_atomically
from training.backends import Backend
from training.checkpoint import (
    CheckpointError,
    TrainerState,
    beginning,
    checkpoint_folder,
    joined_digest,
    keep_newest,
    latest_checkpoint,
    read_state,
    refuse_other_format,
    save_state,
)
from training.checkpoint_layout import Layout, lay_out
from training.checkpoint_tensors import Tensors, gather_files, scatter_files, write_index
from training.control import Control
from training.job import TrainingJob
from training.settings import TrainingSettings
from training.versions import code_version

_POLL = 0.02
_PARTING = 30.0


class _CancelledError(Exception):
    """Another process could not write its part, so that this one need not."""


class Checkpoints:
    """The checkpoints of one training; every method is called by all processes alike."""

    def __init__(self, folder: Path, settings: TrainingSettings, control: Control) -> None:
        self._folder, self._settings, self._control = folder, settings, control
        self._writing: _Writing | None = None
        if control.rank == 0:
            folder.mkdir(parents=True, exist_ok=True)
            for name in {path.name[1:].rpartition(".")[0] for path in folder.glob(".step-*")}:
                recover(folder / name)
        control.barrier()

    def resume(self, job: TrainingJob, backend: Backend) -> TrainerState:
        """Give the backend the newest checkpoint of this job, or that which it is to begin from, if there is one.

        Raises:
            CheckpointError: it cannot be used, or the processes do not see the same checkpoints.
        """
        found = latest_checkpoint(self._folder, job.digest()) or _beginning(job)
        steps = self._control.gather(np.array([found[1].step if found else -1]))
        if len(set(steps.ravel().tolist())) > 1:
            raise CheckpointError(
                f"{self._folder}: the processes see different checkpoints (steps {sorted(set(steps.ravel().tolist()))}"
                "); nothing was trained. The folder must be on a file system that all machines share; run again when "
                "all of them see it."
            )
        if found:
            refuse_other_format(*found)
            self._refuse_changed(*found)
            scatter_files(backend, found[0])
        return _by(found[1] if found else _first_state(job), job, backend)

    def save(self, backend: Backend, state: TrainerState) -> TrainerState:
        """Copy a checkpoint to memory and begin to write it; the one before is whole when this returns.

        Returns the state as given; `join` returns it with the digest of the weights.

        Raises:
            CheckpointError: this or the former checkpoint could not be written, on any process.
        """
        self.join()
        layout = lay_out(backend.shapes(), self._settings.precision, self._settings.checkpoint_file_bytes)
        self._writing = _Writing(
            target=checkpoint_folder(self._folder, state.step),
            files=gather_files(backend, layout),
            layout=layout,
            model_config=backend.plain.config,
            state=state,
            rank=self._control.rank,
            world=self._control.world,
            timeout=self._settings.checkpoint_timeout,
            published=self._keep_newest,
        )
        self._writing.start()
        if not self._settings.checkpoint_async:
            self.join()
        return state

    def join(self) -> TrainerState | None:
        """Wait until the last checkpoint is whole on all processes; returns its state with the digest of its weights.

        Raises:
            CheckpointError: a process could not write its part. The checkpoint before is whole.
        """
        writing = self._writing
        if writing is None:
            return None
        while True:
            running, failed = self._control.sum(np.array([writing.running, writing.fault is not None], dtype=float))
            if failed:
                self._give_up(writing)
            if not running:
                return read_state(writing.target)
            time.sleep(_POLL)

    def _refuse_changed(self, folder: Path, state: TrainerState) -> None:
        """Raise CheckpointError where a file is not what was written; each process looks at its share of them."""
        share = sorted(state.files)[self._control.rank :: self._control.world]
        changed = [name for name in share if _digest(folder / name) != state.files[name]]
        if self._control.sum(np.array([len(changed)], dtype=float))[0]:
            what = ", ".join(changed) or "a file that another process names"
            raise CheckpointError(
                f"{folder}: {what} is missing or differs from its digest in the checkpoint; nothing was trained. "
                "Restore it from a copy, or delete the folder to continue from the checkpoint before."
            )

    @property
    def failed(self) -> bool:
        """Whether this process could not write its part: training need not go on until `save` says so."""
        return self._writing is not None and self._writing.fault is not None

    def _give_up(self, writing: _Writing) -> None:
        writing.cancelled.set()
        # What still writes would put new files into the folder that is to be removed.
        writing.wait(_PARTING)
        self._writing = None
        self._control.barrier()
        if self._control.rank == 0:
            shutil.rmtree(hidden_beside(writing.target), ignore_errors=True)
        fault = writing.fault
        what = f"could not be written ({fault})" if fault else "could not be written by another process, which says why"
        raise CheckpointError(
            f"{writing.target}: {what}. The checkpoints before it are whole: make room or give access, and run the "
            "same command again; it continues from the last one."
        ) from fault

    def _keep_newest(self) -> None:
        keep_newest(self._folder, self._settings.keep_checkpoints, self._settings.keep_every)


@dataclass
class _Writing:
    """One checkpoint being written by this process's thread."""

    target: Path
    files: dict[str, Tensors]
    layout: Layout
    model_config: Any
    state: TrainerState
    rank: int
    world: int
    timeout: float
    published: Callable[[], None]
    fault: BaseException | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin; a thread that hangs in a file system must not keep the process from ending."""
        self._thread = threading.Thread(target=self._run, name="checkpoint", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the thread is still at work."""
        return self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Give the thread so long to end."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            self._write_own()
            if self.rank == 0:
                self._finish()
            else:
                self._wait(self._is_visible, f"the checkpoint to be finished by process 0 and seen at {self.target}")
        except _CancelledError:
            pass
        except BaseException as fault:
            self.fault = fault

    def _write_own(self) -> None:
        """Write and sync this process's files, then say so by a mark with their digests."""
        hidden = hidden_beside(self.target)
        hidden.mkdir(parents=True, exist_ok=True)
        digests = {}
        for file in self.layout.owned(self.rank, self.world):
            self._stop_if_cancelled()
            write_tensors(hidden / file.name, self.files.pop(file.name))
            digests[file.name] = file_digest(hidden / file.name)[0]
        write_atomically(self._mark(self.rank), canonical(digests))

    def _finish(self) -> None:
        """Wait for the marks of all, add what there is once, and give the folder its name."""
        marks = [self._mark(rank) for rank in range(self.world)]
        self._wait(lambda: all(mark.exists() for mark in marks), f"the files of all processes in {marks[0].parent}")
        digests: dict[str, str] = {}
        for mark in marks:
            digests |= json.loads(mark.read_bytes())
            mark.unlink()
        hidden = hidden_beside(self.target)
        self.model_config.save_pretrained(hidden)
        write_index(hidden, self.layout)
        weights = {file.name: digests[file.name] for file in self.layout.files if not file.is_state}
        save_state(hidden, replace(self.state, weights_sha256=joined_digest(weights), files=digests))
        for path in hidden.glob("*.json"):
            _sync(path)
        publish(self.target)
        self.published()

    def _mark(self, rank: int) -> Path:
        return hidden_beside(self.target) / f"written-{rank}"

    def _is_visible(self) -> bool:
        if hidden_beside(self.target).exists():
            return False
        with suppress(CheckpointError):
            return read_state(self.target).step == self.state.step
        return False

    def _stop_if_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise _CancelledError

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + self.timeout
        while not done():
            self._stop_if_cancelled()
            if time.monotonic() > end:
                raise CheckpointError(
                    f"process {self.rank} waited {self.timeout:.0f} s (training.checkpoint_timeout) for {what}"
                )
            time.sleep(_POLL)


def write_tensors(path: Path, tensors: Tensors) -> None:
    """Write one file and sync it; equal tensors give equal bytes."""
    from safetensors.torch import save_file

    save_file(tensors, path, metadata={"format": "pt"})
    _sync(path)
    sync_entry(path.parent)


def _digest(path: Path) -> str:
    try:
        return file_digest(path)[0]
    except OSError:
        return ""


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _by(state: TrainerState, job: TrainingJob, backend: Backend) -> TrainerState:
    """The state as this training will write it."""
    import torch

    return replace(
        state,
        seed=job.seed,
        code_version=code_version(),
        torch_version=torch.__version__,
        world=backend.world,
        backend=backend.name,
    )


def _beginning(job: TrainingJob) -> tuple[Path, TrainerState] | None:
    """Another job's checkpoint to go on from, with its state as if this job had come so far."""
    if job.begin is None or job.begin_weights is None:
        return None
    folder, state = beginning(Path(job.checkpoints), job.begin, job.begin_weights)
    ours = replace(
        state,
        job_digest=job.digest(),
        plan_digest=job.plan_digest,
        corpus_root=job.corpus_root,
        tokens_root=job.tokens_root,
    )
    return folder, ours


def _first_state(job: TrainingJob) -> TrainerState:
    return TrainerState(
        step=0,
        job_digest=job.digest(),
        plan_digest=job.plan_digest,
        corpus_root=job.corpus_root,
        tokens_root=job.tokens_root,
        tokens_read=0,
        tokens_scored=0,
        joules=0.0,
        energy_method="none",
        energy_detail="",
        seconds=0.0,
    )
