"""The training loop, to be read from top to bottom.

The order of the data is a pure function of the step (``training/plan.py``), the learning rate too, and there is no
dropout. So a checkpoint needs weights, moments and a step number, and a resumed run is the undisturbed one.
"""

from __future__ import annotations

import json
import math
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from licensing.errors import HerkomstError
from licensing.files import atomic_folder, write_atomically
from training.backend import check_backend, make_accelerator
from training.checkpoint import (
    OPTIMIZER,
    TrainerState,
    beginning,
    checkpoint_folder,
    keep_newest,
    latest_checkpoint,
    load_optimizer,
    optimizer_tensors,
    save_state,
    save_weights,
)
from training.energy import EnergyMeter
from training.job import TrainingJob
from training.model import build_model, token_losses
from training.numerics import set_numerics
from training.pack import PackedCorpus, read_packed
from training.plan import Plan
from training.schedule import learning_rate

Tick = Callable[[int, int, str], None]


class TrainingStopped(HerkomstError):
    """Training was asked to stop and saved before it did."""


def train(job: TrainingJob, tick: Tick) -> TrainerState:
    """Train from the newest checkpoint of this job, or from the start, to the end of the plan.

    ``tick(steps done, steps in all, note)`` is called after every step by the main process.

    Raises:
        BackendError: another backend than the configured one would run.
        TrainingStopped: SIGTERM, SIGINT or SIGUSR2 came; a checkpoint was written first.
    """
    settings = job.settings
    set_numerics(settings.threads)
    packed, plan = read_packed(Path(job.tokens)), Plan.from_json(Path(job.plan).read_text(encoding="utf-8"))
    batches = _Batches(packed, plan)
    world = int(os.environ.get("WORLD_SIZE", "1"))
    rows, micro = _rows_per_process(plan, settings.micro_batch, world)

    # ---- model, optimizer, backend
    accelerator = make_accelerator(settings, rows // micro)
    model = build_model(job.shape, packed.end_of_document, packed.padding, job.seed)
    checkpoints = Path(job.checkpoints)
    resumed = latest_checkpoint(checkpoints, job.digest()) or _beginning(job)
    if resumed:
        _load_weights(model, resumed[0])
    optimizer = _make_optimizer(model, job)
    model, optimizer = accelerator.prepare(model, optimizer)
    check_backend(accelerator, model, settings)
    if resumed:
        _load_optimizer(accelerator, model, optimizer, resumed[0], settings.backend)
    state = resumed[1] if resumed else _initial_state(job)

    # ---- the loop
    main = accelerator.is_main_process
    log = _Log(Path(job.log), state.step, main)
    meter = _Meter(state, EnergyMeter(settings.watts_estimate))
    model.train()
    with _StopFlag() as stop:
        for step in range(state.step, plan.steps):
            began = time.monotonic()
            streams, tokens = batches.at(step)
            rate = learning_rate(step, plan.steps, job.learning_rate, settings.warmup_share, settings.cooldown_share)
            scored = packed.scored(tokens)
            # Where every row of a step was withdrawn there is nothing to learn, and the step passes without an update.
            nats = np.zeros(len(tokens))
            if scored:
                nats = _update(accelerator, model, optimizer, job, packed, tokens, micro, rate)
            loss = float(nats.sum()) / max(1, scored)
            if not math.isfinite(loss):
                raise HerkomstError(
                    f"step {step}: the loss is {loss}; nothing of this step was saved. The last checkpoint is whole: "
                    "lower training.learning_rate or training.clip and run again."
                )
            state = meter.after(state, int((tokens != packed.padding).sum()), scored)
            seconds = time.monotonic() - began
            log.add(step, loss, rate, tokens.size, seconds, batches.bits_per_byte(streams, tokens, nats))
            if main:
                tick(step + 1, plan.steps, f"loss {loss:.3f}, {tokens.size / seconds:,.0f} tokens/s")
            stopping = stop.agreed(accelerator)
            if stopping or step + 1 == plan.steps or (step + 1) % settings.checkpoint_every == 0:
                log.flush()
                state = _save(accelerator, model, optimizer, job, state)
            if stopping and step + 1 < plan.steps:
                raise TrainingStopped(
                    f"training stopped on a signal after step {step + 1} of {plan.steps} and was saved. "
                    "Run the same command again to continue."
                )
    accelerator.end_training()
    return state


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


def _update(
    accelerator: Any,
    model: Any,
    optimizer: Any,
    job: TrainingJob,
    packed: PackedCorpus,
    tokens: NDArray[np.int64],
    micro: int,
    rate: float,
) -> NDArray[np.float64]:
    """One optimizer step on the global batch ``tokens`` [batch, L]; returns the loss of every row in nats, [batch]."""
    import torch

    settings, rows = job.settings, len(tokens) // accelerator.num_processes
    for group in optimizer.param_groups:
        group["lr"] = rate
    nats = np.zeros(len(tokens))
    begin = accelerator.process_index * rows
    for first in range(begin, begin + rows, micro):
        with accelerator.accumulate(model):
            ids = torch.from_numpy(tokens[first : first + micro]).to(accelerator.device)
            losses = token_losses(model, ids, packed.end_of_document, packed.padding, settings.document_mask)
            # backward() divides by the accumulation, and the processes average: both are undone here, so that every
            # scored token of the global batch weighs the same.
            scale = (rows // micro) * accelerator.num_processes / packed.scored(tokens)
            accelerator.backward(losses.sum() * scale)
            # DeepSpeed clips by itself, as its configuration says.
            if accelerator.sync_gradients and settings.backend != "deepspeed":
                accelerator.clip_grad_norm_(model.parameters(), settings.clip)
            optimizer.step()
            optimizer.zero_grad()
        nats[first : first + micro] = losses.detach().sum(dim=1).float().cpu().numpy()
    return _summed_over_processes(accelerator, nats)


class _Meter:
    """Tokens, time and energy since the first step, over all restarts that ended in a checkpoint."""

    def __init__(self, base: TrainerState, energy: EnergyMeter) -> None:
        self._base, self._energy, self._began = base, energy, time.monotonic()

    def after(self, state: TrainerState, read: int, scored: int) -> TrainerState:
        """The state one step on."""
        used = self._energy.read()
        return replace(
            state,
            step=state.step + 1,
            tokens_read=state.tokens_read + read,
            tokens_scored=state.tokens_scored + scored,
            joules=self._base.joules + used.joules,
            energy_method=used.method,
            energy_detail=used.detail,
            seconds=self._base.seconds + time.monotonic() - self._began,
        )


class _Batches:
    """Rows of tokens for any step, straight from the memory-mapped streams."""

    def __init__(self, packed: PackedCorpus, plan: Plan) -> None:
        by_name = {stream.name: stream for stream in packed.trained()}
        self._plan = plan
        self._padding = packed.padding
        self._packed = [by_name[ref.name] for ref in plan.streams]
        self._streams = [packed.open(stream, plan.sequence_length) for stream in self._packed]

    def at(self, step: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Stream index of every row, shape [batch], and the tokens, shape [batch, L]."""
        streams, sequences = self._plan.at(step)
        rows = [self._streams[i].sequence(int(number)) for i, number in zip(streams, sequences, strict=True)]
        return streams, np.stack(rows)

    def bits_per_byte(
        self, streams: NDArray[np.int64], tokens: NDArray[np.int64], sums: NDArray[np.float64]
    ) -> dict[str, float]:
        """Training loss by language in bits per byte of text; bytes are the stream's mean per token."""
        nats: dict[str, float] = defaultdict(float)
        size: dict[str, float] = defaultdict(float)
        for row, index in enumerate(streams):
            stream = self._packed[index]
            nats[stream.language] += float(sums[row])
            size[stream.language] += (
                int((tokens[row, 1:] != self._padding).sum()) * stream.bytes / max(1, stream.tokens)
            )
        return {name: round(nats[name] / math.log(2) / size[name], 4) for name in sorted(nats) if size[name]}


class _Log:
    """One JSON line a step; what a killed run wrote after its last checkpoint is cut off before it is written again."""

    def __init__(self, path: Path, first_step: int, enabled: bool) -> None:
        self._path, self._enabled = path, enabled
        self._lines: list[str] = []
        if enabled:
            kept = [line for line in self._read() if json.loads(line)["step"] < first_step]
            write_atomically(path, "".join(line + "\n" for line in kept).encode())

    def _read(self) -> list[str]:
        if not self._path.exists():
            return []
        whole = self._path.read_text(encoding="utf-8").split("\n")[:-1]
        return [line for line in whole if line.startswith("{") and line.endswith("}")]

    def add(
        self, step: int, loss: float, rate: float, tokens: int, seconds: float, by_language: dict[str, float]
    ) -> None:
        values = {
            "step": step,
            "loss": round(loss, 6),
            "learning_rate": rate,
            "tokens": tokens,
            "seconds": round(seconds, 4),
            "bits_per_byte": by_language,
        }
        self._lines.append(json.dumps(values, sort_keys=True))
        if len(self._lines) >= 20:
            self.flush()

    def flush(self) -> None:
        if self._enabled and self._lines:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(line + "\n" for line in self._lines))
        self._lines = []


class _StopFlag:
    """A signal sets it; at the next step all processes agree on it, so that none saves alone."""

    def __init__(self) -> None:
        self._set = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _StopFlag:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2):
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        # What runs after training must stop on a signal at once.
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, *_: object) -> None:
        self._set = True

    def agreed(self, accelerator: Any) -> bool:
        """True on every process as soon as one of them was asked to stop."""
        if accelerator.num_processes == 1:
            return self._set
        import torch

        flag = torch.tensor([int(self._set)], device=accelerator.device)
        return bool(accelerator.reduce(flag, reduction="sum").item())


def _rows_per_process(plan: Plan, micro_batch: int | None, world: int) -> tuple[int, int]:
    batches = {segment.batch for segment in plan.segments}
    if len(batches) != 1:
        raise HerkomstError("training.segments: all segments must have the same batch; nothing was trained.")
    batch = batches.pop()
    rows = batch // world
    micro = min(micro_batch or rows, rows)
    if batch % world or rows % micro:
        raise HerkomstError(
            f"training.batch {batch} does not divide over {world} process(es) in micro-batches of {micro}; nothing was "
            "trained. Choose a batch that is a multiple of processes x micro_batch."
        )
    return rows, micro


def _make_optimizer(model: Any, job: TrainingJob) -> Any:
    """AdamW with decay on matrices only (Loshchilov & Hutter 2019; norms are scales, not directions)."""
    import torch

    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": job.settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    fused = job.settings.backend != "deepspeed"
    return torch.optim.AdamW(groups, lr=job.learning_rate, betas=(0.9, 0.95), eps=1e-8, fused=fused)


def _load_weights(model: Any, folder: Path) -> None:
    from safetensors.torch import load_model

    load_model(model, folder / "model.safetensors", strict=False)


def _load_optimizer(accelerator: Any, model: Any, optimizer: Any, folder: Path, backend: str) -> None:
    if backend == "deepspeed":
        accelerator.load_state(str(folder / "deepspeed"))
    else:
        load_optimizer(accelerator.unwrap_model(model), optimizer.optimizer, folder / OPTIMIZER)


def _save(accelerator: Any, model: Any, optimizer: Any, job: TrainingJob, state: TrainerState) -> TrainerState:
    """Write a checkpoint aside and rename it; returns the state with the digest of its weights."""
    from safetensors.torch import save_file

    target = checkpoint_folder(Path(job.checkpoints), state.step)
    weights = accelerator.get_state_dict(model)
    if job.settings.backend == "deepspeed":
        _save_deepspeed(accelerator, target)
    if accelerator.is_main_process:
        with atomic_folder(target) as folder:
            plain = accelerator.unwrap_model(model)
            state = replace(state, weights_sha256=save_weights(folder, plain, weights))
            if job.settings.backend == "deepspeed":
                _aside(target).rename(folder / "deepspeed")
            else:
                save_file(optimizer_tensors(plain, optimizer.optimizer), folder / OPTIMIZER)
            save_state(folder, state)
        keep_newest(Path(job.checkpoints), job.settings.keep_checkpoints, job.settings.keep_every)
    accelerator.wait_for_everyone()
    return state


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.deepspeed")


def _save_deepspeed(accelerator: Any, target: Path) -> None:
    """Every process writes its shard into a hidden folder, which the main process then moves into the checkpoint."""
    import shutil

    if accelerator.is_main_process and _aside(target).exists():
        shutil.rmtree(_aside(target))
    accelerator.wait_for_everyone()
    accelerator.save_state(str(_aside(target)))
    accelerator.wait_for_everyone()


def _summed_over_processes(accelerator: Any, sums: NDArray[np.float64]) -> NDArray[np.float64]:
    if accelerator.num_processes == 1:
        return sums
    import torch

    total = accelerator.reduce(torch.from_numpy(sums).float().to(accelerator.device), reduction="sum")
    return np.asarray(total.cpu().numpy(), dtype=np.float64)


def _initial_state(job: TrainingJob) -> TrainerState:
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
