"""`accelerate` set up for the backend asked for, and proof that it is the one that runs.

Several combinations run something else without an error: DeepSpeed asked for on a machine without a GPU becomes plain
DDP, or two unsynchronised trainings. So after ``prepare`` the process count, the distributed type and the class of the
wrapped model are compared with what was asked, and training stops where they differ.
"""

from __future__ import annotations

import os
from typing import Any

from licensing.errors import HerkomstError
from training.settings import TrainingSettings


class BackendError(HerkomstError):
    """The backend that would run is not the one that was asked for."""


_EXPECTED = {
    "single": ({"NO"}, None),
    "ddp": ({"MULTI_CPU", "MULTI_GPU"}, "DistributedDataParallel"),
    "deepspeed": ({"DEEPSPEED"}, "DeepSpeedEngine"),
}


def make_accelerator(settings: TrainingSettings, accumulation: int) -> Any:
    """Make the accelerator for the configured backend; without a GPU the processes talk through gloo."""
    import torch

    on_cpu = not torch.cuda.is_available()
    if on_cpu:
        # DeepSpeed is imported by accelerate even where it is not used, and would look for a GPU and complain.
        os.environ.setdefault("DS_ACCELERATOR", "cpu")
    from accelerate import Accelerator
    from accelerate.utils import DeepSpeedPlugin, InitProcessGroupKwargs

    common: dict[str, Any] = {
        "gradient_accumulation_steps": accumulation,
        "mixed_precision": "bf16" if settings.precision == "bf16" else "no",
    }
    if settings.backend != "deepspeed":
        return Accelerator(cpu=on_cpu, **common)
    if on_cpu:
        _without_compiled_operators()
    plugin = DeepSpeedPlugin(
        zero_stage=settings.zero_stage,
        gradient_accumulation_steps=accumulation,
        gradient_clipping=settings.clip,
        zero3_save_16bit_model=True,
    )
    plugin.deepspeed_config["train_micro_batch_size_per_gpu"] = 1
    plugin.deepspeed_config["zero_allow_untested_optimizer"] = True
    handlers = [InitProcessGroupKwargs(backend="gloo")] if on_cpu else []
    return Accelerator(deepspeed_plugin=plugin, kwargs_handlers=handlers, **common)


def _without_compiled_operators() -> None:
    """Keep DeepSpeed from compiling its shared-memory operator at start: it needs a compiler and gains nothing here."""
    import deepspeed.ops

    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False


def check_backend(accelerator: Any, model: Any, settings: TrainingSettings) -> None:
    """Stop unless what was prepared is what was asked for.

    Raises:
        BackendError: naming the setting, what runs instead, and what to do.
    """
    types, wrapped = _EXPECTED[settings.backend]
    kind = accelerator.distributed_type.name
    launched = int(os.environ.get("WORLD_SIZE", "1"))
    found = {
        "processes": (accelerator.num_processes, settings.processes),
        "processes launched": (launched, settings.processes),
        "distributed type": (kind, kind if kind in types else " or ".join(sorted(types))),
        "wrapped class": (type(model).__name__, wrapped or type(accelerator.unwrap_model(model)).__name__),
    }
    wrong = [f"{what} is {is_}, not {should}" for what, (is_, should) in found.items() if is_ != should]
    if wrong:
        raise BackendError(
            f"training.backend: '{settings.backend}' with {settings.processes} process(es) was asked for, but "
            f"{'; '.join(wrong)}. Nothing was trained: the result would come from another kind of run. "
            "Check how the processes were launched and which devices are visible."
        )
