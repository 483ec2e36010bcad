"""The model cut over all processes with torch's `fully_shard` (FSDP2), one group a decoder layer and one for the rest.

Torch directly, not through accelerate, which without a GPU runs DDP or nothing in its place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from training.backends.checks import check_fsdp
from training.backends.optimizer import MOMENTS, make_optimizer, set_rate, state_of
from training.settings import TrainingSettings

if TYPE_CHECKING:
    import torch


class Fsdp:
    """Parameters, gradients and moments are DTensors, each process holding its rows."""

    name = "fsdp"

    def __init__(self, settings: TrainingSettings, make_model: Callable[[], Any]) -> None:
        import torch.distributed as dist

        self.device = _join_group()
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        self.plain = make_model()
        layers = _shard(self.plain, self.device, self.world, settings.precision)
        self.model = self.plain
        self._optimizer = make_optimizer(self.plain, settings.weight_decay)
        self._named = dict(self.plain.named_parameters())
        check_fsdp(self.plain, layers, self.world, settings)

    def backward(self, loss: torch.Tensor, last: bool) -> None:
        """Add the gradients of one micro-batch; the last one brings the sum over all processes."""
        self.model.set_is_last_backward(last)
        self.model.set_requires_gradient_sync(last)
        loss.backward()  # type: ignore[no-untyped-call]

    def step(self, rate: float, clip: float) -> torch.Tensor:
        """Clip, update, forget the gradients; returns the norm before clipping."""
        import torch

        set_rate(self._optimizer, rate)
        norm: Any = torch.nn.utils.clip_grad_norm_(self._named.values(), clip)
        self._optimizer.step()
        self.drop()
        whole: torch.Tensor = norm.full_tensor()
        return whole

    def drop(self) -> None:
        """Forget the gradients."""
        self._optimizer.zero_grad(set_to_none=True)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Full shape of every parameter."""
        return {name: tuple(parameter.shape) for name, parameter in self._named.items()}

    def gather(self, name: str, keep: bool) -> dict[str, torch.Tensor]:
        """Put a parameter and its moments together from all processes."""
        parameter = self._named[name]
        state = state_of(self._optimizer, parameter)
        parts: dict[str, Any] = {"weight": parameter} | {moment: state[moment] for moment in MOMENTS}
        whole = {}
        for key, value in parts.items():
            full = value.detach().full_tensor()
            if keep:
                whole[key] = full.to("cpu", copy=True)
        return whole | {"step": _local(state["step"]).detach().to("cpu", copy=True)} if keep else {}

    def scatter(self, name: str, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take this process's part of a parameter and its moments."""
        parameter = self._named[name]
        state = state_of(self._optimizer, parameter)
        _take(parameter.data, tensors["weight"])
        for moment in MOMENTS:
            _take(state[moment], tensors[moment])
        _local(state["step"]).copy_(tensors["step"])

    def loaded(self) -> None:
        """Nothing is kept twice."""

    def close(self) -> None:
        """Leave the process group."""
        import torch.distributed as dist

        dist.destroy_process_group()


def _join_group() -> torch.device:
    import torch
    import torch.distributed as dist

    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
        if not dist.is_initialized():
            dist.init_process_group("nccl", device_id=device)
        return device
    if not dist.is_initialized():
        dist.init_process_group("gloo")
    return torch.device("cpu")


def _shard(model: Any, device: torch.device, world: int, precision: str) -> int:
    """Cut the model in place; returns how many layers it has. The tied embedding is in the group of the rest."""
    import torch
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard

    mesh = init_device_mesh(device.type, (world,))
    policy = MixedPrecisionPolicy()
    if precision == "bf16":
        policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    layers = [module for module in model.modules() if type(module).__name__ in set(model._no_split_modules)]
    for module in (*layers, model):
        fully_shard(module, mesh=mesh, mp_policy=policy)
    for module in model.modules():
        if isinstance(module, FSDPModule):
            # A true sum; gloo and some GPU libraries know no other reduction.
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
    return len(layers)


def _take(part: Any, whole: torch.Tensor) -> None:
    from torch.distributed.tensor import distribute_tensor

    # Without a source each process takes its rows from its own copy, and nothing is sent.
    cut: Any = distribute_tensor(whole.to(part.device), part.device_mesh, part.placements, src_data_rank=None)
    part.to_local().copy_(cut.to_local())


def _local(value: Any) -> torch.Tensor:
    local: torch.Tensor = value.to_local() if hasattr(value, "to_local") else value
    return local
