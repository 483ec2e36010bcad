"""Loss spikes: a step whose loss stands out from those before it is not learnt from.

The rule of OLMo's step-skipping optimizer: more than ``sigma`` standard deviations above the mean of the last
``window`` steps. The losses are the same on every process and stand in the checkpoint, so that a resumed training
decides as the undisturbed one. Which steps were dropped is written into the plan (`training.plan`): what they read was
drawn, but not learnt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, pstdev

from training.settings import SpikeSettings


class SpikeGuard:
    """Judges one loss after another; ``recent`` are those of the last steps that were learnt from."""

    def __init__(self, settings: SpikeSettings, recent: Sequence[float]) -> None:
        self._settings = settings
        self.recent = list(recent)[-settings.window :]

    def drops(self, loss: float) -> bool:
        """Say whether the step with this loss is to be dropped; one that is not will be compared with later."""
        if self._stands_out(loss):
            return True
        self.recent = [*self.recent, loss][-self._settings.window :]
        return False

    def _stands_out(self, loss: float) -> bool:
        if not math.isfinite(loss):
            return True
        if len(self.recent) < self._settings.window:
            return False
        return loss > fmean(self.recent) + self._settings.sigma * pstdev(self.recent)
