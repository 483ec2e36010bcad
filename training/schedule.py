"""Warm-up, stable, decay: the learning rate as a pure function of the step."""

from __future__ import annotations

import math


def learning_rate(step: int, steps: int, peak: float, warmup_share: float, cooldown_share: float) -> float:
    """The rate for a 0-based ``step`` of ``steps``.

    Linear warm-up, a plateau at ``peak``, and a "1 - sqrt" cool-down to zero (Hägele et al. 2024, "Scaling Laws and
    Compute-Optimal Training Beyond Fixed Training Durations").
    """
    warmup = max(1, round(steps * warmup_share))
    cooldown = round(steps * cooldown_share)
    if step < warmup:
        return peak * (step + 1) / warmup
    left = steps - step
    if left <= cooldown:
        return peak * (1 - math.sqrt(1 - left / (cooldown + 1)))
    return peak
