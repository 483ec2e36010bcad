"""The whole model in every process: one process alone (`single`), or several that sum their gradients (`ddp`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from training.backends.checks import check_accelerate
from training.backends.optimizer import MOMENTS, make_optimizer, set_rate, state_of
from training.backends.processes import end_accelerate, quiet_deepspeed
from training.settings import TrainingSettings

if TYPE_CHECKING:
    import torch


class Single:
    """One process."""

    name = "single"

    def __init__(self, settings: TrainingSettings, make_model: Callable[[], Any]) -> None:
        self._accelerator = _accelerator(settings)
        self.device = self._accelerator.device
        self.rank, self.world = self._accelerator.process_index, self._accelerator.num_processes
        self.plain = make_model()
        self.model = self._accelerator.prepare(self.plain)
        self._optimizer = make_optimizer(self.plain, settings.weight_decay)
        self._named = dict(self.plain.named_parameters())
        check_accelerate(self._accelerator, self.model, self.plain, settings)

    def backward(self, loss: torch.Tensor, last: bool) -> None:
        """Add the gradients of one micro-batch."""
        loss.backward()  # type: ignore[no-untyped-call]

    def step(self, rate: float, clip: float) -> torch.Tensor:
        """Clip, update, forget the gradients; returns the norm before clipping."""
        import torch

        set_rate(self._optimizer, rate)
        norm = torch.nn.utils.clip_grad_norm_(self._named.values(), clip)
        self._optimizer.step()
        self.drop()
        return norm

    def drop(self) -> None:
        """Forget the gradients."""
        self._optimizer.zero_grad(set_to_none=True)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every parameter."""
        return {name: tuple(parameter.shape) for name, parameter in self._named.items()}

    def gather(self, name: str, keep: bool) -> dict[str, torch.Tensor]:
        """Copy a parameter and its state to host memory; no process needs another for it."""
        if not keep:
            return {}
        parameter = self._named[name]
        tensors = {"weight": parameter, **state_of(self._optimizer, parameter)}
        return {key: value.detach().to("cpu", copy=True) for key, value in tensors.items()}

    def scatter(self, name: str, tensors: Mapping[str, torch.Tensor]) -> None:
        """Put a parameter and its state back."""
        parameter = self._named[name]
        state = state_of(self._optimizer, parameter)
        parameter.data.copy_(tensors["weight"])
        for key in (*MOMENTS, "step"):
            state[key].copy_(tensors[key])

    def loaded(self) -> None:
        """Nothing is kept twice."""

    def close(self) -> None:
        """Leave the process group."""
        end_accelerate(self._accelerator)


class Ddp(Single):
    """Several processes with torch's DistributedDataParallel; gradients are summed at the last micro-batch only."""

    name = "ddp"

    def __init__(self, settings: TrainingSettings, make_model: Callable[[], Any]) -> None:
        super().__init__(settings, make_model)
        # The hook's signature is checked by name.
        self.model.register_comm_hook(None, lambda state, bucket: _sum(bucket))
        self.model.require_backward_grad_sync = False
        self._settle_buckets()

    def backward(self, loss: torch.Tensor, last: bool) -> None:
        """Add the gradients of one micro-batch; the last one brings the sum over all processes."""
        if not last:
            return super().backward(loss, last)
        with self._accelerator.trigger_sync_in_backward(self.model):
            return super().backward(loss, last)

    def _settle_buckets(self) -> None:
        """Pass once backwards through a loss of 0 that touches every parameter, the model's last one first.

        DDP packs gradients into other buckets after its first backward pass, and sums of more than two processes depend
        on the buckets in their last bits: a resumed run would differ from the undisturbed one in its first step.
        """
        self.backward(sum(parameter.sum() * 0.0 for parameter in self._named.values()), last=True)
        self.drop()


def _accelerator(settings: TrainingSettings) -> Any:
    import torch

    on_cpu = not torch.cuda.is_available()
    quiet_deepspeed(on_cpu)
    from accelerate import Accelerator
    from accelerate.utils import DistributedDataParallelKwargs

    options = DistributedDataParallelKwargs(gradient_as_bucket_view=True)
    mixed = "bf16" if settings.precision == "bf16" else "no"
    return Accelerator(cpu=on_cpu, mixed_precision=mixed, kwargs_handlers=[options])


def _sum(bucket: Any) -> Any:
    """DDP's own reduction averages."""
    import torch.distributed as dist

    future = dist.all_reduce(bucket.buffer(), async_op=True).get_future()
    return future.then(lambda done: done.value()[0])
