"""What the loop and the checkpoints ask of a backend, however the model is spread over processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from licensing.errors import HerkomstError

if TYPE_CHECKING:
    import torch


class BackendError(HerkomstError):
    """The backend that would run is not the one that was asked for."""


class Backend(Protocol):
    """A model with its optimizer on one device of each of ``world`` processes.

    ``model`` is called for the forward pass; ``plain`` is the `transformers` model inside it, with its ``config``.
    Gradients are true sums over micro-batches and processes: nothing is averaged, so the loss must be divided by the
    scored tokens of the whole batch. Every method is called by all processes alike.
    """

    name: str
    model: Any
    plain: Any
    device: torch.device
    rank: int
    world: int

    def backward(self, loss: torch.Tensor, last: bool) -> None:
        """Add the gradients of one micro-batch; ``last`` says that the step's other micro-batches came before."""
        ...

    def step(self, rate: float, clip: float) -> torch.Tensor:
        """Clip by the global norm, update with AdamW, forget the gradients; returns the norm before clipping, []."""
        ...

    def drop(self) -> None:
        """Forget the gradients of this step without an update."""
        ...

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Full shape of every parameter by its name in ``plain``, in the model's order; a tied one stands once."""
        ...

    def gather(self, name: str, keep: bool) -> dict[str, torch.Tensor]:
        """The parameter's whole ``weight``, ``exp_avg`` and ``exp_avg_sq`` (fp32) and ``step`` [], in host memory.

        Processes that do not ``keep`` it take part and get an empty answer.
        """
        ...

    def scatter(self, name: str, tensors: Mapping[str, torch.Tensor]) -> None:
        """Put back what ``gather`` gave; every process has the whole tensors and takes its part."""
        ...

    def loaded(self) -> None:
        """Say that every parameter was put back."""
        ...

    def close(self) -> None:
        """Leave the process group."""
        ...
