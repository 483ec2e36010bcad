"""Negative log likelihood of tokens from their logits, and the penalty on the logits' scale ("z-loss").

Both come from one sum: nats = log Σ exp(logits) - logit of the target, and z-loss = coefficient x (log Σ exp)², which
keeps the sum near one so that bf16 logits do not drift (Chowdhery et al. 2022, "PaLM", section 5; 1e-4 there).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch.nn.functional import cross_entropy

IGNORED = -100
# float32 logits held at once by the chunked way, 512 MiB.
_MOST_LOGITS = 1 << 27


def losses(
    logits: torch.Tensor, targets: torch.Tensor, z_loss: float, compiled: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Nats of every target and the penalty, in float32.

    Logits in float32 are used as they are. Lower precisions are raised to float32 a chunk of positions at a time, or,
    where the model is ``compiled``, inside one fused kernel: a float32 copy of all logits never exists.

    Args:
        logits: shape [N, V].
        targets: ids, shape [N]; ``IGNORED`` where a position does not count.
        z_loss: the penalty's coefficient, 0 for none.
        compiled: torch.compile is in use.

    Returns:
        Nats of shape [N], 0 at ignored targets; the penalty summed over the targets that count, a scalar.
    """
    if compiled:
        nats, penalty = _compiled()(logits, targets, z_loss)
    elif logits.dtype == torch.float32:
        nats, penalty = _plain(logits, targets, z_loss)
    else:
        nats, sums = _Chunked.apply(logits, targets)  # type: ignore[no-untyped-call]
        penalty = _penalty(sums, targets, z_loss)
    return nats, penalty


def _plain(logits: torch.Tensor, targets: torch.Tensor, z_loss: float) -> tuple[torch.Tensor, torch.Tensor]:
    raised = logits.float()
    nats = cross_entropy(raised, targets, ignore_index=IGNORED, reduction="none")
    if not z_loss:
        return nats, nats.new_zeros(())
    return nats, _penalty(raised.logsumexp(dim=-1), targets, z_loss)


@lru_cache(maxsize=1)
def _compiled() -> Any:
    return torch.compile(_plain, dynamic=False)


def _penalty(sums: torch.Tensor, targets: torch.Tensor, z_loss: float) -> torch.Tensor:
    return z_loss * torch.where(targets != IGNORED, sums.square(), 0.0).sum()


class _Chunked(torch.autograd.Function):
    """Nats and log-sums of logits in bf16; backward computes the probabilities again instead of keeping them."""

    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        nats = torch.empty(len(targets), dtype=torch.float32, device=logits.device)
        sums = torch.empty_like(nats)
        for part in _chunks(logits):
            chances = logits[part].log_softmax(dim=-1, dtype=torch.float32)
            wanted = targets[part].clamp_min(0)[:, None]
            cost = -chances.gather(1, wanted)[:, 0]
            sums[part] = cost + logits[part].gather(1, wanted)[:, 0]
            nats[part] = torch.where(targets[part] == IGNORED, 0.0, cost)
        ctx.save_for_backward(logits, targets)
        return nats, sums

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, of_nats: torch.Tensor, of_sums: torch.Tensor) -> tuple[torch.Tensor, None]:
        logits, targets = ctx.saved_tensors
        of_nats = torch.where(targets == IGNORED, 0.0, of_nats)
        gradient = torch.empty_like(logits)
        for part in _chunks(logits):
            slope = logits[part].softmax(dim=-1, dtype=torch.float32)
            slope *= (of_nats + of_sums)[part, None]
            rows = torch.arange(len(slope), device=slope.device)
            wanted = targets[part].clamp_min(0)
            slope[rows, wanted] = slope[rows, wanted] - of_nats[part]
            gradient[part] = slope
        return gradient, None


def _chunks(logits: torch.Tensor) -> list[slice]:
    size = max(1, _MOST_LOGITS // logits.shape[1])
    return [slice(first, first + size) for first in range(0, len(logits), size)]
