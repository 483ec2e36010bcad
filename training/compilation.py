"""torch.compile for the model's layers: tried out first, and refused in words where it cannot work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from licensing.errors import HerkomstError

if TYPE_CHECKING:
    import torch

# Rows of a micro-batch times powers of two of documents in it (``attention.document_starts``): a handful in practice.
_MOST_SHAPES = 64


def compile_layers(model: Any, device: torch.device, deterministic: bool) -> None:
    """Compile each layer of a plain model in place; names of parameters stay. Call it before the model is wrapped.

    Layer by layer, because all are alike: the first is compiled, the others use what it left. A new shape of batch is
    compiled anew, and never by a kernel for any shape: which of the two ran would depend on the batches before, and a
    resumed run would not repeat the bits. With ``deterministic`` the compiler also chooses kernels by rule, not by a
    race on the device, which another run may decide otherwise.

    Raises:
        HerkomstError: the compiler, or what it needs, is not there; or the model has no list of layers.
    """
    import torch
    import torch._dynamo.config
    import torch._inductor.config

    torch._inductor.config.deterministic = deterministic
    # Beyond its limit torch would go on uncompiled without a word.
    torch._dynamo.config.fail_on_recompile_limit_hit = True
    torch._dynamo.config.recompile_limit = _MOST_SHAPES
    if not len(_layers(model)):
        raise HerkomstError(
            f"training.compile: a {type(model).__name__} has no list of layers to compile. Nothing was trained. "
            "Set compile: false."
        )
    _try_out(device)
    for layer in _layers(model):
        layer.compile(dynamic=False)


def is_compiled(model: Any) -> bool:
    """Whether :func:`compile_layers` was called on this plain model."""
    return any(layer._compiled_call_impl is not None for layer in _layers(model)[:1])


def _layers(model: Any) -> Any:
    """The alike layers of a decoder; a base model of another build may call them otherwise, and has none here."""
    return getattr(model.get_decoder(), "layers", ())


def _try_out(device: torch.device) -> None:
    """Compile and run one small function: what is missing shows here, and not in the first step."""
    import torch

    try:
        torch.compile(lambda x: (x * 2).tanh().sum())(torch.ones(64, device=device))
    # Whatever the cause, from a missing compiler to missing Python headers, it is an error of its own class.
    except Exception as fault:
        needed = "a C++ compiler" if device.type == "cpu" else "triton and a C compiler"
        raise HerkomstError(
            f"training.compile: torch cannot compile for {device.type} here ({str(fault).strip().splitlines()[0]}). "
            f"Nothing was trained. Install {needed} (and Python's headers), or set compile: false."
        ) from fault
