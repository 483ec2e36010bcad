"""Loss spikes: a step whose loss stands out from those before it is not learnt from.

The rule of OLMo's step-skipping optimizer: more than ``sigma`` standard deviations above the mean of the last
``window`` steps, those that were dropped among them. Were they left out, a loss that rises for good, as where a segment
brings harder text, would be compared with easier text for ever, and no step would be learnt from any more. The losses
are the same on every process and stand in the checkpoint, so that a resumed training decides as the undisturbed one.
Which steps were dropped is written into the plan (`training.plan`): what they read was drawn, but not learnt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, pstdev

from training.settings import SpikeSettings


class SpikeGuard:
    """Judges one loss after another; ``recent`` are the last that are numbers."""

    def __init__(self, settings: SpikeSettings, recent: Sequence[float]) -> None:
        self._settings = settings
        self.recent = list(recent)[-settings.window :]

    def drops(self, loss: float) -> bool:
        """Say whether the step with this loss is to be dropped; later ones will be compared with it either way."""
        dropped = self._stands_out(loss)
        if math.isfinite(loss):
            self.recent = [*self.recent, loss][-self._settings.window :]
        return dropped

    def _stands_out(self, loss: float) -> bool:
        if not math.isfinite(loss):
            return True
        if len(self.recent) < self._settings.window:
            return False
        return loss > fmean(self.recent) + self._settings.sigma * pstdev(self.recent)
