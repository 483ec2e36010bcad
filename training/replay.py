"""Run some steps of a finished training again, and compare: the evidence that the committed order was really run.

A commitment proves which order was committed to, not that a machine followed it. Whoever repeats steps from a stored
checkpoint and arrives at the same losses and the same weights has shown it for those steps (Choi, Shavit & Duvenaud,
"Tools for Verifying Neural Models' Training Data", NeurIPS 2023). On the same kind of machine with the same number of
processes the weights are equal bit for bit; elsewhere the losses agree within a tolerance, which the result states.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from licensing.errors import HerkomstError
from training.checkpoint import CheckpointError, TrainerState, finished_checkpoints, read_state, weights_digest
from training.job import TrainingJob
from training.launch import launch
from training.loop import Tick
from training.step_log import whole_lines
from training.stopping import TrainingStopped

_NEVER = 2**53 - 1


class ReplayError(HerkomstError):
    """The steps asked for cannot be run again."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One step's loss in nats a token, as it was logged in training and as it is now."""

    step: int
    then: float | None
    now: float | None

    @property
    def difference(self) -> float:
        """How far the two are apart; 0 where both are no number, infinite where one is."""
        if self.then is None or self.now is None:
            return 0.0 if self.then is self.now else float("inf")
        return abs(self.then - self.now)


@dataclass(frozen=True, slots=True)
class Replay:
    """What was run again: steps ``begin`` … ``end - 1``, of which ``first`` … were asked for.

    ``checkpoint`` is the name of that begun from, None for the untrained model. ``then`` is the state of the training's
    own checkpoint after ``end`` steps, None where it kept none; ``now`` that of the replay. ``row_hashes`` is a file
    with 32 bytes for every row fed, in order.
    """

    begin: int
    first: int
    end: int
    checkpoint: str | None
    losses: tuple[Compared, ...]
    then: TrainerState | None
    now: TrainerState
    row_hashes: Path

    @property
    def largest_difference(self) -> float:
        """Of the losses, in nats a token."""
        return max((one.difference for one in self.losses), default=0.0)

    @property
    def bitwise(self) -> bool | None:
        """Whether the weights are those of the training, bit for bit; None where it kept no checkpoint to compare."""
        return None if self.then is None else self.then.weights_sha256 == self.now.weights_sha256

    @property
    def same_order(self) -> bool | None:
        """Whether the same rows were fed in the same order up to ``end``; None where there is nothing to compare."""
        return None if self.then is None else self.then.order_digest == self.now.order_digest


def replay(job: TrainingJob, first: int, end: int, folder: Path, tick: Tick) -> Replay:
    """Run steps ``first`` … ``end - 1`` of ``job`` again in the empty ``folder``, from the last checkpoint before them.

    Raises:
        ReplayError: the training did not do these steps, or its checkpoints do not reach back so far.
    """
    recorded = _recorded(job, first, end)
    begin = _begin(job, first)
    (folder / "checkpoints").mkdir(parents=True)
    if begin:
        _link(begin, folder / "checkpoints" / begin.name)
    kept = {"checkpoint_every": _NEVER, "keep_checkpoints": 2, "keep_every": None, "tensorboard": False}
    settings = job.settings.model_copy(update=kept)
    again = replace(
        job,
        settings=settings,
        checkpoints=str(folder / "checkpoints"),
        log=str(folder / "log.jsonl"),
        until=end,
        row_hashes=str(folder / "rows.bin"),
    )
    job_file = folder / "job.json"
    again.write(job_file)
    try:
        now = launch(again, job_file, tick)
    except TrainingStopped as stopped:
        raise ReplayError("The replay was stopped; nothing was signed. The same command begins it again.") from stopped
    repeated = _logged(folder / "log.jsonl")
    return Replay(
        begin=read_state(begin).step if begin else 0,
        first=first,
        end=end,
        checkpoint=begin.name if begin else None,
        losses=tuple(Compared(step, recorded[step], repeated[step]) for step in range(first, end)),
        then=_state_after(job, end),
        now=now,
        row_hashes=folder / "rows.bin",
    )


def _recorded(job: TrainingJob, first: int, end: int) -> dict[int, float | None]:
    """The losses that were logged of these steps and others, up to the newest checkpoint.

    What a killed training logged behind it will be done again, and is no part of the training yet.
    """
    done = max((state.step for state in _states(job).values()), default=0)
    recorded = {step: loss for step, loss in _logged(Path(job.log)).items() if step < done}
    if not 0 <= first < end <= done:
        told = f"it did steps 0 to {done - 1}" if done else "it did none"
        raise ReplayError(
            f"Steps {first}:{end} cannot be replayed: {told}. Nothing was run; ask for steps among those."
        )
    missing = [step for step in range(first, end) if step not in recorded]
    if missing:
        raise ReplayError(
            f"{job.log}: lacks step {missing[0]}, so there is nothing to compare it with; nothing was run. Restore the "
            "file, or ask for other steps."
        )
    return recorded


def _logged(path: Path) -> dict[int, float | None]:
    lines = [json.loads(line) for line in whole_lines(path)]
    return {line["step"]: line["loss"] for line in lines}


def _begin(job: TrainingJob, first: int) -> Path | None:
    """The newest checkpoint of this training that had not come further than ``first``."""
    for folder, state in reversed(_states(job).items()):
        if state.step <= first:
            return folder
    if job.begin is not None:
        raise ReplayError(
            f"Step {first} was trained before text was withdrawn, on text that is no longer there; nothing was run. "
            f"Ask for steps after {job.begin}."
        )
    return None


def _state_after(job: TrainingJob, step: int) -> TrainerState | None:
    """What the training's own checkpoint says, and the digest of the weights that really lie in it."""
    for folder, state in _states(job).items():
        if state.step == step and state.job_digest == job.digest():
            return replace(state, weights_sha256=weights_digest(folder))
    return None


def _states(job: TrainingJob) -> dict[Path, TrainerState]:
    """The checkpoints of this training that can be read, and the one that it began from."""
    states = {}
    for folder in finished_checkpoints(Path(job.checkpoints)):
        with suppress(CheckpointError):
            states[folder] = read_state(folder)
    digest = job.digest()
    return {path: one for path, one in states.items() if one.job_digest == digest or path.name == job.begin}


def _link(folder: Path, to: Path) -> None:
    """A copy of a checkpoint by hard links, so that a replay can delete its own without touching the training's."""
    to.mkdir()
    for path in sorted(folder.iterdir()):
        os.link(path, to / path.name)
