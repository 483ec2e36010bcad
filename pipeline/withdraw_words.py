"""The plan of a withdrawal, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.withdraw_plan import Cost, WithdrawalPlan


def as_text(plan: WithdrawalPlan) -> str:
    """The plan for a person."""
    reach = plan.reach
    partners = sorted(plan.documents["partner"].unique().to_pylist())
    lines = [
        f"withdrawal of {plan.asked.by} {', '.join(plan.asked.value)}, in effect from {plan.effective}",
        f"documents     {len(plan.documents):,}, of {'; '.join(partners)}",
        f"and besides   {len(plan.copies):,} that are copies of them or made from them, refused as well",
        f"tokens        {reach.tokens:,} in the corpus, read at {reach.positions:,} places (step, row) of the training",
        f"files         {len(plan.shards):,} hold the text or its tokens",
    ]
    lines += [f"              {name}" for name in plan.shards[:8]]
    lines += [f"              and {len(plan.shards) - 8:,} more (all with --json)"] if len(plan.shards) > 8 else []
    if reach.first_step is None:
        lines += ["steps         none: no step read any of it", "retraining    not needed: the model never read it"]
        return "\n".join(lines)
    lines.append(f"steps         {len(reach.steps):,}: {_ranges(reach.steps)}")
    lines.append(f"checkpoints   that read it: {', '.join(map(str, plan.tainted)) or 'none in place'} (steps done)")
    lines += [f"              set aside earlier, may contain it: {name}" for name in plan.set_aside]
    clean = f"after {plan.clean} steps" if plan.clean is not None else "none is left: training begins anew"
    lines.append(f"last clean    {clean}")
    lines.append(f"retraining    {_cost_in_words(plan.cost)}")
    lines.append(f"released      {', '.join(plan.releases) or 'no released model is named in the configuration'}")
    return "\n".join(lines)


def _ranges(steps: np.ndarray[Any, Any], most: int = 12) -> str:
    """Steps as ranges: 3-7, 12, 15-18."""
    edges = np.flatnonzero(np.diff(steps) > 1)
    begins, ends = steps[np.concatenate([[0], edges + 1])], steps[np.concatenate([edges, [len(steps) - 1]])]
    told = [f"{b}" if b == e else f"{b}-{e}" for b, e in zip(begins.tolist(), ends.tolist(), strict=True)]
    return ", ".join(told[:most]) + (
        f" and {len(told) - most} more ranges (all with --json)" if len(told) > most else ""
    )


def _cost_in_words(cost: Cost | None) -> str:
    if cost is None:
        return "nothing was trained yet"
    told = f"{cost.steps:,} steps from step {cost.from_step}"
    told += f", about {cost.device_hours:.2g} device hours" if cost.device_hours is not None else ""
    return told + (f" and {cost.kilowatt_hours:.2g} kWh" if cost.kilowatt_hours is not None else "")
