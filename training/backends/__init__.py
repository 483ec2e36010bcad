"""How the model lies over the processes: one, or several that sum gradients (ddp) and share state (deepspeed, fsdp)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from training.backends.checks import check_launched
from training.backends.protocol import Backend, BackendError
from training.settings import TrainingSettings

__all__ = ["Backend", "BackendError", "start_backend"]


def start_backend(settings: TrainingSettings, make_model: Callable[[], Any]) -> Backend:
    """Join this process to the others and set the model up; ``make_model`` gives equal weights in every process.

    Raises:
        BackendError: another backend than the configured one would run, or with another number of processes.
    """
    check_launched(settings)
    if settings.backend == "fsdp":
        from training.backends.fsdp import Fsdp

        return Fsdp(settings, make_model)
    if settings.backend == "deepspeed":
        from training.backends.deepspeed import DeepSpeed

        return DeepSpeed(settings, make_model)
    from training.backends.replicated import Ddp, Single

    return Ddp(settings, make_model) if settings.backend == "ddp" else Single(settings, make_model)
