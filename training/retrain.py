"""Where training goes on from after a withdrawal: the last checkpoint that had read nothing of what was withdrawn.

The order does not change: the new plan has the streams, segments and seeds of the old one as laid, other roots, and
names the old plan with the step at which it took over. Up to that step both plans read the same tokens, for none of
them was withdrawn; behind it, padding stands where the withdrawn documents stood.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from licensing.files import write_atomically
from training.checkpoint import finished_checkpoints, read_state
from training.job import TrainingJob
from training.pack import PackedCorpus
from training.plan import Parent, Plan, PlanError
from training.skipped import as_laid, laid_digest

PARENTS = "parents"


@dataclass(frozen=True, slots=True)
class Beginning:
    """A plan that takes over from another, and the checkpoint of the other that it goes on from."""

    plan: Plan
    checkpoint: str
    weights_sha256: str


def beginning_after_withdrawal(
    packed: PackedCorpus, training: Path, checkpoints: Path, corpus_root: str, recipe: str
) -> Beginning | None:
    """Find where to go on from, and keep the old plan in ``training/parents``.

    Returns None where training begins anew: the tokens are not those trained on with documents taken out, no clean
    checkpoint is left, or ``recipe`` (`TrainingJob.recipe`) has changed as well.
    """
    before = _read_job(training / "job.json")
    if before is None or before.recipe() != recipe:
        return None
    try:
        plan = read_plan(training / "plan.json")
    except (PlanError, OSError):
        return None
    if (plan.tokens_root, plan.corpus_root) == (packed.root, corpus_root):
        if laid_digest(plan) == before.plan_digest:
            begin, weights = before.begin, before.begin_weights
            return Beginning(as_laid(plan), begin, weights) if begin and weights else None
        # A kill came between writing the plan and writing the job.
        plan = read_plan(training / PARENTS / f"{before.plan_digest}.json")
    if plan.tokens_root not in packed.taken_from:
        return None
    first = first_step_read(packed, plan, packed.taken_from.index(plan.tokens_root) + 1)
    clean = clean_checkpoint(checkpoints, lineage(plan, training), first)
    if clean is None:
        return None
    write_atomically(training / PARENTS / f"{laid_digest(plan)}.json", plan.to_json().encode())
    state = read_state(clean)
    parent = Parent(laid_digest(plan), state.step)
    follows = replace(as_laid(plan), corpus_root=corpus_root, tokens_root=packed.root, parent=parent)
    return Beginning(follows, clean.name, state.weights_sha256)


def first_step_read(packed: PackedCorpus, plan: Plan, time: int) -> int | None:
    """The first step of ``plan`` that reads a document taken out the ``time``-th time or later; None if none does.

    A step whose update was dropped counts too: without the document's text it need not have been dropped.
    """
    first: list[int] = []
    by_name = {stream.name: stream for stream in packed.trained()}
    for index, ref in enumerate(plan.streams):
        tokens = packed.open(by_name[ref.name], plan.sequence_length)
        touched = [np.arange(*_sequences(tokens.former_span(place), plan)) for place in tokens.taken_out(time).tolist()]
        if touched:
            _, steps, _ = plan.find(index, np.unique(np.concatenate(touched)).astype(np.uint64), include_skipped=True)
            first += steps[:1].tolist()
    return min(first, default=None)


def _sequences(span: tuple[int, int], plan: Plan) -> tuple[int, int]:
    first, end = span
    return (first // plan.sequence_length, -(-end // plan.sequence_length)) if end > first else (0, 0)


def lineage(plan: Plan, training: Path) -> dict[str, int]:
    """The plans that a training has followed: digest of each as laid, and the step to which its checkpoints count."""
    found, last = {laid_digest(plan): plan.steps}, plan.steps
    while plan.parent is not None:
        last = min(last, plan.parent.step)
        found[plan.parent.plan_digest] = last
        plan = read_plan(training / PARENTS / f"{plan.parent.plan_digest}.json")
    return found


def clean_checkpoint(checkpoints: Path, plans: dict[str, int], first_step: int | None) -> Path | None:
    """The newest checkpoint of a training that had not come to ``first_step``.

    A checkpoint after N steps has read steps 0 to N - 1. None where every one is later.
    """
    for folder in reversed(finished_checkpoints(checkpoints)):
        state = read_state(folder)
        if state.step <= plans.get(state.plan_digest, -1) and (first_step is None or state.step <= first_step):
            return folder
    return None


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        PlanError: it is no plan, or not the one that its place says.
        OSError: it is not there.
    """
    plan = Plan.from_json(path.read_text(encoding="utf-8"))
    if path.parent.name == PARENTS and laid_digest(plan) != path.stem:
        raise PlanError(f"{path}: is not the plan that it is named for; no position can be relied on. Restore it.")
    return plan


def _read_job(path: Path) -> TrainingJob | None:
    try:
        return TrainingJob.read(path)
    except (OSError, ValueError, KeyError, TypeError):
        return None
