"""Steps whose update was dropped, in the plan: the plan as laid, before training, and the plan as run, after it.

Both give the same order; they differ in the lists ``skipped_steps`` of their segments, which are empty as laid. A job,
its checkpoints and a plan that takes over from another all name the digest *as laid*, which is known before the first
step and can be had from the plan as run by emptying the lists. The record signs the digest as run.

During training ``plan.json`` is the plan as laid, and every checkpoint carries the steps skipped up to it; at the end
the plan as run takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from training.plan import Plan
from training.plan_parts import PlanError


def with_skipped(plan: Plan, steps: Iterable[int]) -> Plan:
    """The plan in which exactly these steps were read and their updates dropped; the order stays.

    Raises:
        PlanError: the plan has no such step.
    """
    skipped = sorted(set(steps))
    for step in skipped:
        if not 0 <= step < plan.steps:
            raise PlanError(
                f"plan: step {step} is to be noted as skipped, but there are steps 0 to {plan.steps - 1}; nothing was "
                "noted. The checkpoint and the plan are not of one training: restore the one that was changed."
            )
    segments = tuple(
        replace(one, skipped_steps=tuple(s for s in skipped if one.first_step <= s < one.last_step_exclusive))
        for one in plan.segments
    )
    return replace(plan, segments=segments)


def skipped_steps(plan: Plan) -> list[int]:
    """All steps whose update was dropped, rising."""
    return [step for segment in plan.segments for step in segment.skipped_steps]


def as_laid(plan: Plan) -> Plan:
    """The plan before any step was run: nothing is skipped."""
    return with_skipped(plan, ())


def laid_digest(plan: Plan) -> str:
    """The digest that jobs and checkpoints of this plan name."""
    return as_laid(plan).digest()
