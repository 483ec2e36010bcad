"""Proof that the backend that runs is the one asked for.

Several combinations run something else without an error: DeepSpeed asked for on a machine without a GPU becomes plain
DDP, or two unsynchronised trainings; FSDP becomes DDP or nothing. So process count, distributed type, wrapped class,
ZeRO stage and the kind of the parameters are compared with what was asked, and training stops where they differ.
"""

from __future__ import annotations

import os
from typing import Any

from training.backends.processes import launched
from training.backends.protocol import BackendError
from training.settings import TrainingSettings

_KINDS = {
    "single": ({"NO"}, None),
    "ddp": ({"MULTI_CPU", "MULTI_GPU"}, "DistributedDataParallel"),
    "deepspeed": ({"DEEPSPEED"}, "DeepSpeedEngine"),
}


def check_launched(settings: TrainingSettings) -> None:
    """Stop unless as many processes were started as the settings say.

    Raises:
        BackendError: naming the setting, what runs instead, and what to do.
    """
    found: dict[str, tuple[object, object]] = {"processes launched": (launched(), settings.processes)}
    if settings.backend != "single":
        found["RANK in the environment"] = ("RANK" in os.environ, True)
    _compare(settings, found)


def check_accelerate(accelerator: Any, model: Any, plain: Any, settings: TrainingSettings) -> None:
    """Stop unless what accelerate prepared is what was asked for; raises BackendError."""
    types, wrapped = _KINDS[settings.backend]
    kind = accelerator.distributed_type.name
    _compare(
        settings,
        {
            "processes": (accelerator.num_processes, settings.processes),
            "distributed type": (kind, kind if kind in types else " or ".join(sorted(types))),
            "wrapped class": (type(model).__name__, wrapped or type(plain).__name__),
        },
    )


def check_deepspeed(engine: Any, settings: TrainingSettings) -> None:
    """Stop unless the ZeRO stage in force is the one asked for; raises BackendError."""
    optimizer = engine.optimizer
    kind = type(optimizer).__name__
    if kind == "DeepSpeedZeroOptimizer_Stage3":
        stage = 3
    elif kind == "BF16_Optimizer":
        stage = 1
    else:
        stage = 2 if getattr(optimizer, "partition_gradients", False) else 1
    configured = engine.zero_optimization_stage() if kind != "NoneType" else 0
    _compare(
        settings,
        {
            "ZeRO stage configured": (configured, settings.zero_stage),
            f"ZeRO stage of {kind}": (stage, settings.zero_stage),
        },
    )


def check_fsdp(model: Any, layers: int, world: int, settings: TrainingSettings) -> None:
    """Stop unless the model and each of its layers are sharded, and so every parameter; raises BackendError."""
    from torch.distributed.fsdp import FSDPModule
    from torch.distributed.tensor import DTensor

    whole = [name for name, parameter in model.named_parameters() if not isinstance(parameter, DTensor)]
    wrapped = sum(isinstance(module, FSDPModule) for module in model.modules())
    _compare(
        settings,
        {
            "processes": (world, settings.processes),
            "sharded modules": (wrapped, layers + 1),
            "parameters that are not sharded": (len(whole), 0),
        },
    )


def _compare(settings: TrainingSettings, found: dict[str, tuple[object, object]]) -> None:
    wrong = [f"{what} is {is_}, not {should}" for what, (is_, should) in found.items() if is_ != should]
    if wrong:
        raise BackendError(
            f"training.backend: '{settings.backend}' with {settings.processes} process(es) was asked for, but "
            f"{'; '.join(wrong)}. Nothing was trained: the result would come from another kind of run. "
            "Check how the processes were launched and which devices are visible."
        )
