"""The learning rate as a pure function of the step."""

from __future__ import annotations

import math

from training.settings import TrainingSettings


def learning_rate(step: int, steps: int, peak: float, settings: TrainingSettings) -> float:
    """The rate for a 0-based ``step`` of ``steps``, after a linear warm-up.

    ``wsd``: a plateau at ``peak`` and a "1 - sqrt" cool-down (Hägele et al. 2024, "Scaling Laws and Compute-Optimal
    Training Beyond Fixed Training Durations"). ``cosine``: half a cosine (Loshchilov & Hutter 2017, "SGDR"). The step
    after the last would have ``final_share`` of the peak.
    """
    warmup = settings.warmup_steps
    if warmup is None:
        warmup = max(1, round(steps * settings.warmup_share))
    if step < warmup:
        return peak * (step + 1) / warmup
    left = steps - step
    height = _cosine(left, steps - warmup) if settings.schedule == "cosine" else _wsd(left, steps, settings)
    return peak * (settings.final_share + (1 - settings.final_share) * height)


def _wsd(left: int, steps: int, settings: TrainingSettings) -> float:
    cooldown = round(steps * settings.cooldown_share)
    return 1 - math.sqrt(1 - left / (cooldown + 1)) if left <= cooldown else 1.0


def _cosine(left: int, falling: int) -> float:
    return (1 - math.cos(math.pi * left / (falling + 1))) / 2
