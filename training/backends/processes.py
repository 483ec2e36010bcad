"""The processes of a training: how many there are, which device each has, and how they part."""

from __future__ import annotations

import os
from typing import Any


def launched() -> int:
    """How many processes were started for this training (``WORLD_SIZE``); 1 where nobody says."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def quiet_deepspeed(on_cpu: bool) -> None:
    """Keep DeepSpeed from looking for a GPU that is not there: accelerate imports it even where it is not used."""
    if on_cpu:
        os.environ.setdefault("DS_ACCELERATOR", "cpu")


def end_accelerate(accelerator: Any) -> None:
    """Leave the process group and forget accelerate's state, which would else hold for the next training as well."""
    accelerator.end_training()
    forget_accelerate()


def forget_accelerate() -> None:
    """Let the next `Accelerator` of this process be set up anew."""
    from accelerate.state import AcceleratorState, GradientState

    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
