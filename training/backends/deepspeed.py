"""DeepSpeed ZeRO through accelerate: optimizer state (1), gradients too (2), parameters too (3) cut over processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from training.backends.checks import check_accelerate, check_deepspeed
from training.backends.optimizer import MOMENTS, make_optimizer, set_rate, state_of
from training.backends.processes import end_accelerate, quiet_deepspeed
from training.backends.protocol import BackendError
from training.settings import TrainingSettings

if TYPE_CHECKING:
    import torch

_FLAT = {
    "DeepSpeedZeroOptimizer": "single_partition_of_fp32_groups",
    "DeepSpeedZeroOptimizer_Stage3": "fp32_partitioned_groups_flat",
    "BF16_Optimizer": "fp32_groups_flat_partition",
}


class DeepSpeed:
    """Each process updates its part of flat fp32 tensors, which hold the parameters of a group one after another."""

    name = "deepspeed"

    def __init__(self, settings: TrainingSettings, make_model: Callable[[], Any]) -> None:
        self._accelerator = _accelerator(settings)
        self.device = self._accelerator.device
        self.rank, self.world = self._accelerator.process_index, self._accelerator.num_processes
        self.plain = make_model()
        self._shapes = {name: tuple(parameter.shape) for name, parameter in self.plain.named_parameters()}
        begun = _copies(self.plain) if settings.precision == "bf16" else {}
        optimizer = make_optimizer(self.plain, settings.weight_decay)
        self.model, _ = self._accelerator.prepare(self.plain, optimizer)
        check_accelerate(self._accelerator, self.model, self.plain, settings)
        check_deepspeed(self.model, settings)
        self._zero = self.model.optimizer
        self._named = dict(self.plain.named_parameters())
        self._make_states()
        # DeepSpeed rounds the weights to bf16 before it copies them to fp32.
        for name, weight in begun.items():
            self._set(self._named[name], weight, None)

    def backward(self, loss: torch.Tensor, last: bool) -> None:
        """Add the gradients of one micro-batch; ZeRO 2 and 3 must send them at once, ZeRO 1 sends at the last."""
        self.model.set_gradient_accumulation_boundary(last)
        # DeepSpeed averages over the processes.
        self.model.backward(loss * self.world, scale_wrt_gas=False)

    def step(self, rate: float, clip: float) -> torch.Tensor:
        """Clip, update, forget the gradients; returns the norm before clipping."""
        import torch

        set_rate(self._zero.optimizer, rate)
        self._zero.clip_grad = clip
        self.model.step()
        if not self.model.was_step_applied():
            raise BackendError(
                "training.backend: DeepSpeed left out an update by itself, because a gradient was not finite; what was "
                "trained since the last checkpoint was not saved. Lower training.learning_rate or training.clip and "
                "run again."
            )
        return torch.as_tensor(self.model.get_global_grad_norm(), dtype=torch.float32)

    def drop(self) -> None:
        """Forget the gradients."""
        self._zero.zero_grad(set_to_none=True)
        _forget_sums(self._zero)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Full shape of every parameter."""
        return dict(self._shapes)

    def gather(self, name: str, keep: bool) -> dict[str, torch.Tensor]:
        """Put a parameter's fp32 weight and moments together from all processes."""
        from deepspeed.utils import safe_get_full_fp32_param, safe_get_full_optimizer_state

        parameter = self._named[name]
        whole = {}
        for key in ("weight", *MOMENTS):
            full: Any = (
                safe_get_full_fp32_param(parameter)
                if key == "weight"
                else safe_get_full_optimizer_state(parameter, key)
            )
            if keep:
                whole[key] = full.detach().to("cpu", copy=True)
        return whole | {"step": self._steps().detach().to("cpu", copy=True)} if keep else {}

    def scatter(self, name: str, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take this process's part of a parameter and its moments."""
        parameter = self._named[name]
        self._set(parameter, tensors["weight"], None)
        for moment in MOMENTS:
            self._set(parameter, tensors[moment], moment)
        for flat in self._flat():
            self._zero.optimizer.state[flat]["step"].copy_(tensors["step"])

    def loaded(self) -> None:
        """Renew the parameters that the model computes with from their fp32 copies."""
        if type(self._zero).__name__ != "DeepSpeedZeroOptimizer_Stage3":
            self._zero.update_lp_params()
            return
        self._zero._partition_all_parameters()
        for group in range(len(self._zero.fp16_groups)):
            self._zero._reassign_or_swap_out_partitioned_parameters(group)
        # Small parameters stay whole in every process; they too are to be the new ones.
        kept = self._zero.persistent_parameters
        if kept:
            kept[0].all_gather(kept)

    def close(self) -> None:
        """Leave the process group."""
        self.model.destroy()
        end_accelerate(self._accelerator)

    def _flat(self) -> list[torch.Tensor]:
        return list(getattr(self._zero, _FLAT[type(self._zero).__name__]))

    def _steps(self) -> torch.Tensor:
        steps: torch.Tensor = self._zero.optimizer.state[self._flat()[0]]["step"]
        return steps

    def _make_states(self) -> None:
        """Make the moments now, not at the first update, so that they can be put back."""
        for flat in self._flat():
            state_of(self._zero.optimizer, flat)
        if hasattr(self._zero, "_lazy_init_hp_params_optimizer_state"):
            self._zero._lazy_init_hp_params_optimizer_state()

    def _set(self, parameter: Any, whole: torch.Tensor, moment: str | None) -> None:
        value = whole.to(device=self.device, dtype=self._steps().dtype)
        if hasattr(parameter, "ds_id"):
            self._zero.set_local_hp_param(_part(parameter, value, self.rank), parameter, moment)
        else:
            parameter.set_full_hp_param(value, moment)


def zero_configuration(settings: TrainingSettings) -> dict[str, Any]:
    """DeepSpeed's configuration for these settings.

    The batch figures are only there because DeepSpeed wants them: which micro-batch is the last of a step is told to it
    at each. In bf16 the sums of gradients are kept and sent in fp32.
    """
    configuration: dict[str, Any] = {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        "gradient_clipping": settings.clip,
        "steps_per_print": 2**31,
        "zero_allow_untested_optimizer": True,
        "zero_optimization": {"stage": settings.zero_stage, "contiguous_gradients": True, "overlap_comm": True},
    }
    if settings.precision == "bf16":
        configuration |= {
            "bf16": {"enabled": True},
            "data_types": {"grad_accum_dtype": "fp32"},
            "communication_data_type": "fp32",
        }
    return configuration


def _accelerator(settings: TrainingSettings) -> Any:
    import torch

    on_cpu = not torch.cuda.is_available()
    quiet_deepspeed(on_cpu)
    from accelerate import Accelerator
    from accelerate.utils import DeepSpeedPlugin, InitProcessGroupKwargs

    if on_cpu:
        _without_compiled_operators()
    plugin = DeepSpeedPlugin(hf_ds_config=zero_configuration(settings))
    # Without this accelerate takes a machine without a GPU for one process.
    handlers = [InitProcessGroupKwargs(backend="gloo")] if on_cpu else []
    mixed = "bf16" if settings.precision == "bf16" else "no"
    return Accelerator(deepspeed_plugin=plugin, mixed_precision=mixed, kwargs_handlers=handlers)


def _without_compiled_operators() -> None:
    """Keep DeepSpeed from compiling its shared-memory operator at start: it needs a compiler and gains nothing here."""
    import deepspeed.ops

    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False


def _copies(model: Any) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().float().clone() for name, parameter in model.named_parameters()}


def _part(parameter: Any, whole: torch.Tensor, rank: int) -> torch.Tensor:
    """This process's part of a ZeRO-3 parameter: equal lengths, the last ones padded with zeros."""
    size = parameter.ds_tensor.numel()
    part = whole.new_zeros(size)
    own = whole.flatten()[rank * size : (rank + 1) * size]
    part[: own.numel()] = own
    return part


def _forget_sums(zero: Any) -> None:
    """ZeRO keeps the sums of gradients apart from the parameters; stage 3 overwrites them by itself."""
    if hasattr(zero, "clear_hp_grads"):
        zero.clear_hp_grads()
    if hasattr(zero, "all_grad_tensors"):
        zero._release_preflattened_grad_buffers()
        for sums in (zero.averaged_gradients, zero.all_grad_tensors):
            for group in sums:
                sums[group] = None
        zero.micro_step_id = -1
