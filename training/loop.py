"""The training loop, to be read from top to bottom.

The order of the data is a pure function of the step (``training/plan.py``), the learning rate too, and nothing is drawn
after the weights are made. So a checkpoint needs weights, moments and a step number, and a resumed run is the
undisturbed one, with the same processes or others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from licensing.canonical import canonical
from licensing.errors import HerkomstError
from licensing.files import write_atomically
from training.backends import Backend, start_backend
from training.base_model import initial_model
from training.batches import Batch, Batches, ReadAhead
from training.checkpoint import TrainerState
from training.control import Control
from training.energy import Energy, EnergyMeter
from training.job import TrainingJob
from training.meter import Meter
from training.model import make_ready, token_losses
from training.numerics import set_numerics
from training.pack import PackedCorpus, read_packed
from training.plan import Plan
from training.saving import Checkpoints
from training.schedule import learning_rate
from training.settings import TrainingSettings
from training.skipped import laid_digest
from training.spikes import SpikeGuard
from training.step_log import StepDone, StepLog
from training.stop_signal import StopSignal
from training.stopping import TrainingStopped
from training.tensorboard_log import TensorBoardLog

if TYPE_CHECKING:
    import torch

Tick = Callable[[int, int, str], None]

SPEED = "speed.json"
"""Beside the log: what the meter says of the steps since training was started last."""


def train(job: TrainingJob, tick: Tick) -> TrainerState:
    """Train from the newest checkpoint of this job, or from the start, to the end of the plan or to ``job.until``.

    ``tick(steps done, steps in all, note)`` is called after every step by the main process.

    Raises:
        BackendError: another backend than the configured one would run.
        TrainingStopped: SIGTERM, SIGINT or SIGUSR2 came; a checkpoint was written first.
    """
    settings = job.settings
    set_numerics(settings.threads, settings.deterministic)
    packed, plan = _read(job)
    end = min(plan.steps, job.until or plan.steps)

    # ---- processes, model, and the checkpoint to go on from
    computed: list[str] = []
    backend = start_backend(settings, lambda: _make_model(job, packed, computed))
    control = Control()
    checkpoints = Checkpoints(Path(job.checkpoints), settings, control)
    state = checkpoints.resume(job, backend)
    batches = Batches(packed, plan, control.rank, control.world)
    hashes = Path(job.row_hashes) if job.row_hashes else None
    log = StepLog(Path(job.log), packed, plan, control, state.step, state.order_digest, hashes)
    guard = SpikeGuard(settings.skip_spikes, state.recent_losses) if settings.skip_spikes else None
    used = _Used(state, settings, control)
    first = control.rank == 0
    meter = Meter(job.shape, plan.sequence_length, backend.device, control.world, settings.meter_skip, on=first)
    board = TensorBoardLog(_board(job), state.step) if settings.tensorboard and first else None

    # ---- the steps
    begun = state.step
    backend.model.train()
    with StopSignal() as stop, ReadAhead(batches, state.step, end) as ahead:
        for step in range(state.step, end):
            meter.begin(step)
            batch = ahead.take()
            meter.waited(ahead.waited)
            counted = np.array([batch.scored.sum(), batch.read, stop.is_set, checkpoints.failed], dtype=np.float64)
            scored, read, stopping, failed = control.sum(counted).tolist()
            if failed:
                # What could not be written will not be written later: to train on would be to lose more.
                checkpoints.join()
            rate = learning_rate(step, plan.steps, job.learning_rate, settings)
            learnt = _learn(backend, control, guard, batch, job, packed.end_of_document, int(scored), rate)
            meter.end()
            log.add(_done(batch, learnt, rate, int(read)))
            state = _after(state, learnt.dropped, int(read), int(scored))

            ending = bool(stopping) or step + 1 == end
            saving = ending or (step + 1) % settings.checkpoint_every == 0
            if saving or (step + 1) % settings.log_every == 0:
                lines = _flushed(log, meter, checkpoints)
                if board:
                    board.add_all(lines)
            if first:
                tick(step + 1, plan.steps, meter.note(log.loss))
            if saving:
                recent = tuple(guard.recent) if guard else ()
                state = replace(state, order_digest=log.order.hex(), recent_losses=recent)
                checkpoints.save(backend, used.added_to(state))
            if ending:
                break
        # While signals still only ask: a second one must not cut off the last checkpoint.
        state = checkpoints.join() or state
    if first and begun < end:
        write_atomically(Path(job.log).with_name(SPEED), canonical(meter.figures() | {"computed": computed}))
    if board:
        board.close()
    used.close()
    backend.close()
    if state.step < end:
        raise TrainingStopped(f"training stopped after step {state.step} and saved; the same command continues.")
    return state


def _read(job: TrainingJob) -> tuple[PackedCorpus, Plan]:
    """The text and its order, which must be those that the job was made for: its digest names both."""
    packed, plan = read_packed(Path(job.tokens)), Plan.from_json(Path(job.plan).read_text(encoding="utf-8"))
    held = ((job.plan, laid_digest(plan), job.plan_digest), (job.tokens, packed.root, job.tokens_root))
    for path, found, named in held:
        if found != named:
            raise HerkomstError(
                f"{path}: is not what this training was made for (its digest is {found[:12]}, not {named[:12]}); "
                "nothing was trained. Restore it, or run `herkomst run` to train on what is there now."
            )
    return packed, plan


def _make_model(job: TrainingJob, packed: PackedCorpus, computed: list[str]) -> Any:
    """The model to begin with, the same in every process, attending and compiled as the settings say.

    ``computed`` gets in words how.
    """
    model = initial_model(job, packed.end_of_document, packed.padding)
    computed += make_ready(model, job.settings)
    return model


def _board(job: TrainingJob) -> Path:
    """Beside the folder of the training, which is signed: TensorBoard's files are named for time and machine."""
    return Path(job.log).parents[1] / "tensorboard"


# ---- what it took


class _Used:
    """Energy and time since the first step, over all restarts that ended in a checkpoint."""

    def __init__(self, base: TrainerState, settings: TrainingSettings, control: Control) -> None:
        self._base, self._control, self._began = base, control, time.monotonic()
        self._energy = EnergyMeter(settings.watts_estimate, control.rank)

    def added_to(self, state: TrainerState) -> TrainerState:
        """The state with both; every process must ask."""
        energy = self._energy.read(self._control.gather, last=True)
        method, detail = _told_together(self._base, energy)
        return replace(
            state,
            joules=self._base.joules + energy.joules,
            energy_method=method,
            energy_detail=detail,
            seconds=self._base.seconds + time.monotonic() - self._began,
        )

    def close(self) -> None:
        """Stop reading counters."""
        self._energy.close()


def _told_together(base: TrainerState, energy: Energy) -> tuple[str, str]:
    """How the sum was found: it is measured only where all of it was; other machines before a restart are named too."""
    if not base.joules or base.energy_detail.endswith(energy.detail):
        return base.energy_method if base.joules else energy.method, base.energy_detail or energy.detail
    method = energy.method if base.energy_method == energy.method else "estimated"
    return method, f"{base.energy_detail}; after a restart: {energy.detail}"


# ---- one step


@dataclass(frozen=True, slots=True)
class _Learnt:
    """What a step gave: loss of each of this process's rows in nats, [rows]; the gradient's norm before clipping."""

    nats: torch.Tensor
    norm: torch.Tensor | None
    dropped: bool = False


def _learn(
    backend: Backend,
    control: Control,
    guard: SpikeGuard | None,
    batch: Batch,
    job: TrainingJob,
    end_of_document: int,
    scored: int,
    rate: float,
) -> _Learnt:
    """One update from this process's rows; ``scored`` is the number of targets over all processes."""
    import torch

    if not scored:
        # Every row of the step was withdrawn: there is nothing to learn, and it passes without an update.
        return _Learnt(torch.zeros(len(batch.tokens)), None)
    nats = _gradients(backend, batch, job, end_of_document, scored)
    if guard is not None:
        loss = float(control.sum(np.array([nats.double().sum().item()]))[0]) / scored
        if guard.drops(loss):
            backend.drop()
            return _Learnt(nats, None, dropped=True)
    return _Learnt(nats, backend.step(rate, job.settings.clip))


def _gradients(backend: Backend, batch: Batch, job: TrainingJob, end_of_document: int, scored: int) -> torch.Tensor:
    """Add up the gradients of the step, micro-batch by micro-batch; returns the loss of each row in nats, [rows]."""
    import torch

    rows = len(batch.tokens)
    micro = min(job.settings.micro_batch or rows, rows)
    nats = []
    for first in range(0, rows, micro):
        tokens = torch.from_numpy(batch.tokens[first : first + micro])
        counts = torch.from_numpy(batch.scored[first : first + micro])
        losses, penalty = token_losses(
            backend.model, tokens, counts, end_of_document, job.settings.document_mask, job.settings.z_loss
        )
        # Every scored token of the global batch weighs the same, wherever it is.
        backend.backward((losses.sum() + penalty) / scored, last=first + micro >= rows)
        nats.append(losses.detach().sum(dim=1))
    return torch.cat(nats)


def _done(batch: Batch, learnt: _Learnt, rate: float, read: int) -> StepDone:
    return StepDone(
        step=batch.step,
        learning_rate=rate,
        read=read,
        nats=learnt.nats,
        targets=batch.scored.sum(axis=1),
        hashes=batch.hashes,
        every_stream=batch.every_stream,
        gradient_norm=learnt.norm,
        dropped=learnt.dropped,
    )


def _flushed(log: StepLog, meter: Meter, checkpoints: Checkpoints) -> list[dict[str, Any]]:
    """Put the steps in the log; a checkpoint that is still being written is finished before a bad one ends training."""
    try:
        return log.flush(meter)
    except HerkomstError:
        checkpoints.join()
        raise


def _after(state: TrainerState, dropped: bool, read: int, scored: int) -> TrainerState:
    """The state one step on; what a dropped step read was drawn, but not learnt from, and is not counted."""
    if dropped:
        return replace(state, step=state.step + 1, skipped_steps=(*state.skipped_steps, state.step))
    return replace(
        state,
        step=state.step + 1,
        tokens_read=state.tokens_read + read,
        tokens_scored=state.tokens_scored + scored,
    )
