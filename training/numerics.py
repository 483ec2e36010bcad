"""Same inputs, same bits: `torch` set up so that a computation does not vary from run to run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from licensing.errors import HerkomstError
from training.host_memory import keep_memory

if TYPE_CHECKING:
    import torch


def set_numerics(threads: int, deterministic: bool = True) -> None:
    """Set `torch` up on ``threads`` CPU threads; sums are split by thread, so their number counts.

    ``deterministic`` allows only algorithms that give the same bits each time; without it a GPU may add in any order,
    and a replay is equal within a tolerance alone. In fp32 a GPU really computes fp32: TF32, with its 10 bits of
    mantissa, is off.
    """
    keep_memory()
    if deterministic:
        # Without this variable cuBLAS is allowed to vary from call to call; it is read when the library starts.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    torch.use_deterministic_algorithms(deterministic)
    # Filling fresh memory would cost a sixth of a step; nothing here reads memory before it is written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined, unused-ignore]


def check_precision(precision: str, device: torch.device) -> str:
    """Say how ``precision`` is computed on ``device``; nothing is ever changed to another precision.

    Raises:
        HerkomstError: the GPU has no bf16.
    """
    import torch

    if precision == "fp32":
        return "fp32, without TF32"
    if device.type == "cpu":
        own = torch.ops.mkldnn._is_mkldnn_bf16_supported()
        return "bf16" if own else "bf16 by emulation: this processor has no instructions for it, so it gains no speed"
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise HerkomstError(
            f"training.precision: {torch.cuda.get_device_name(device)} has no bf16; nothing was trained. "
            "Use a card of compute capability 8.0 or more, or set precision: fp32."
        )
    return "bf16"
