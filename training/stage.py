"""From packed tokens to a trained model: the plan is laid, the job described, and the processes started."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from licensing.errors import HerkomstError
from licensing.files import write_atomically
from training.base_model import BaseModel, shape_of
from training.checkpoint import TrainerState, beginning, checkpoint_folder, set_aside_others
from training.goldfish import goldfish_rules
from training.job import TrainingJob
from training.launch import launch
from training.loop import SPEED, Tick
from training.mixture import SegmentWanted, make_plan
from training.pack import PackedCorpus, PackedStream, read_packed
from training.plan import Plan, StreamRef
from training.retrain import beginning_after_withdrawal
from training.settings import (
    ModelSettings,
    Shape,
    TrainingSettings,
    resolve_batch,
    resolve_learning_rate,
    resolve_shape,
)
from training.skipped import with_skipped


def train_run(
    tokens: Path,
    corpus_root: str,
    training: Path,
    checkpoints: Path,
    model: ModelSettings,
    settings: TrainingSettings,
    seed: int,
    tick: Tick,
    restart: bool = False,
    base: BaseModel | None = None,
) -> dict[str, Any]:
    """Lay the plan, train to its end, and return the figures for the record.

    ``training`` gets ``plan.json``, ``job.json`` and ``log.jsonl``. Checkpoints of another job are set aside, never
    deleted; checkpoints of this job are continued, unless ``restart`` asks to begin anew. With a ``base`` training
    begins from its weights and with its shape.
    """
    packed = read_packed(tokens)
    try:
        shape = shape_of(base.folder, model) if base else resolve_shape(model, packed.vocabulary_size)
    except ValueError as fault:
        raise HerkomstError(str(fault)) from fault
    training.mkdir(parents=True, exist_ok=True)
    checkpoints.mkdir(parents=True, exist_ok=True)
    job = TrainingJob(
        tokens=str(tokens.resolve()),
        plan=str((training / "plan.json").resolve()),
        plan_digest="",
        corpus_root=corpus_root,
        tokens_root=packed.root,
        checkpoints=str(checkpoints.resolve()),
        log=str((training / "log.jsonl").resolve()),
        shape=shape,
        settings=settings,
        learning_rate=resolve_learning_rate(settings, shape),
        seed=seed,
        base=str(base.folder.resolve()) if base else None,
        base_weights=base.weights_sha256 if base else None,
    )
    begin = None if restart else beginning_after_withdrawal(packed, training, checkpoints, corpus_root, job.recipe())
    plan = begin.plan if begin else lay_plan(packed, shape, settings, seed, corpus_root)
    write_atomically(training / "plan.json", plan.to_json().encode())
    job = replace(job, plan_digest=plan.digest())
    if begin:
        job = replace(job, begin=begin.checkpoint, begin_weights=begin.weights_sha256)
    job_file = training / "job.json"
    job.write(job_file)
    set_aside_others(checkpoints, None if restart else job.digest(), plan.parent.step if plan.parent else 0)
    state = _trained(job, plan) or launch(job, job_file, tick)
    plan = with_skipped(plan, state.skipped_steps)
    write_atomically(training / "plan.json", plan.to_json().encode())
    streams = _streams(packed, plan)
    return {
        "steps": state.step,
        "parameters": shape.parameters,
        "shape": {name: getattr(shape, name) for name in Shape.__slots__},
        "batch": resolve_batch(settings, shape),
        "learning_rate": job.learning_rate,
        "tokens_read": state.tokens_read,
        "tokens_scored": state.tokens_scored,
        "skipped_steps": len(state.skipped_steps),
        "order_digest": state.order_digest,
        "seconds": round(state.seconds, 3),
        "tokens_per_second": round(state.tokens_read / state.seconds, 1) if state.seconds else None,
        "joules": round(state.joules, 1),
        "speed": _speed(training / SPEED),
        "energy_method": state.energy_method,
        "energy_detail": state.energy_detail,
        "weights_sha256": state.weights_sha256,
        "checkpoint": checkpoint_folder(checkpoints, state.step).name,
        "plan_digest": plan.digest(),
        "parent": asdict(plan.parent) if plan.parent else None,
        "documents_read": sum(row["documents_read"] for row in streams),
        "streams": streams,
    }


def _speed(path: Path) -> dict[str, Any] | None:
    """What the meter measured; None where this training had no step to do."""
    return dict(json.loads(path.read_bytes())) if path.exists() else None


def _trained(job: TrainingJob, plan: Plan) -> TrainerState | None:
    """The state that training begins with, where that is its end: what was withdrawn had never been read."""
    if job.begin is None or job.begin_weights is None or plan.parent is None or plan.parent.step < plan.steps:
        return None
    return beginning(Path(job.checkpoints), job.begin, job.begin_weights)[1]


def lay_plan(packed: PackedCorpus, shape: Shape, settings: TrainingSettings, seed: int, corpus_root: str) -> Plan:
    """Resolve the configured segments and goldfish rules to a plan over the packed streams.

    Raises:
        PlanError: a glob fits no stream, or the mixture is impossible, for instance under a most-epochs duty.
    """
    refs = [
        StreamRef(
            name=stream.name,
            sequences=stream.sequences(shape.sequence_length),
            documents=stream.documents,
            tokens=stream.tokens,
            most_epochs=stream.most_epochs,
        )
        for stream in packed.trained()
    ]
    batch = resolve_batch(settings, shape)
    wanted = [
        SegmentWanted(part.name, part.steps, part.batch or batch, part.temperature, part.weights)
        for part in settings.segments
    ]
    rules = goldfish_rules([ref.name for ref in refs], settings.goldfish)
    return make_plan(refs, wanted, shape.sequence_length, seed, corpus_root, packed.root, goldfish=rules)


def _streams(packed: PackedCorpus, plan: Plan) -> list[dict[str, Any]]:
    by_name = {stream.name: stream for stream in packed.trained()}
    rows = []
    for index, used in enumerate(plan.consumed()):
        stream = by_name[used.name]
        rows.append(
            {
                "name": stream.name,
                "group": stream.group,
                "licence": stream.licence,
                "language": stream.language,
                "documents": stream.documents,
                "documents_read": documents_read(packed, stream, plan, index),
                "tokens": stream.tokens,
                "sequences": used.sequences,
                "read": used.read,
                "epochs": round(used.epochs, 4),
                "most_epochs": stream.most_epochs,
            }
        )
    return rows


def documents_read(packed: PackedCorpus, stream: PackedStream, plan: Plan, index: int) -> int:
    """How many documents of a stream have at least one token in a sequence that some step reads.

    A short training reads less than the corpus: what was prepared for training and what was trained on differ.
    """
    tokens = packed.open(stream, plan.sequence_length)
    read = np.zeros(tokens.sequences + 1, dtype=np.int64)
    sequences, _, _ = plan.find(index, np.arange(tokens.sequences, dtype=np.uint64))
    read[sequences] = 1
    before = np.concatenate([[0], np.cumsum(read)])
    begins = np.concatenate([[0], np.asarray(tokens.ends[:-1], dtype=np.int64)])
    first, last = begins // plan.sequence_length, -(-(begins + tokens.lengths) // plan.sequence_length)
    return int(((before[last] - before[first] > 0) & (tokens.lengths > 0)).sum())
