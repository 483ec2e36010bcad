"""Attention as `transformers` calls it, for what it does not offer itself: torch's own varlen and flex kernels.

Each takes queries, keys and values of shape [rows, heads, L, head] and returns [rows, L, heads, head] and no weights.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from licensing.errors import HerkomstError

if TYPE_CHECKING:
    import torch


def varlen(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within documents that lie end to end in one row.

    ``cu_seq_lens_q`` holds where each document begins and the last one ends, int32, filled up with that end;
    ``max_length_q`` bounds their lengths. Without them attention is causal and nothing more.
    """
    _refuse_changed_scores(others)
    if cu_seq_lens_q is None or max_length_q is None:
        return _causal(query, key, value, scaling), None
    if query.device.type == "cpu":
        return _each_document(query, key, value, cu_seq_lens_q, scaling), None
    from torch.nn.attention.varlen import varlen_attn

    query, key, value = (part[0].transpose(0, 1) for part in _of_one_kind(query, key, value))
    gqa = query.shape[1] != key.shape[1]
    starts, most = cu_seq_lens_q, max_length_q
    causal = {"window_size": (-1, 0), "scale": scaling, "enable_gqa": gqa}
    found: Any = varlen_attn(query, key, value, starts, starts, most, most, **causal)  # type: ignore[arg-type]
    return found[None], None


def _refuse_changed_scores(others: dict[str, Any]) -> None:
    """Some architectures cap or shift their scores; a kernel that left that out would train another model."""
    named = [name for name in ("softcap", "s_aux", "position_bias") if others.get(name) is not None]
    if named:
        raise HerkomstError(
            f"training.attention: the model's attention has {', '.join(named)}, which varlen and flex do not compute. "
            "Nothing was trained. Choose block-mask."
        )


def _of_one_kind(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Rotary positions and norms leave queries and keys in fp32 under autocast, which knows nothing of our kernels."""
    return query.to(value.dtype), key.to(value.dtype), value


def _causal(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None) -> torch.Tensor:
    """Plain causal attention, [rows, heads, L, head] to [rows, L, heads, head]."""
    from torch.nn.functional import scaled_dot_product_attention

    query, key, value = _of_one_kind(query, key, value)
    gqa = query.shape[1] != key.shape[1]
    found = scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=gqa)
    return found.transpose(1, 2)


def _each_document(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, starts: torch.Tensor, scaling: float | None
) -> torch.Tensor:
    import torch

    def computed(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        bounds = [bound for bound in starts.tolist() if bound < query.shape[2]] + [query.shape[2]]
        pieces = [slice(begin, end) for begin, end in pairwise(bounds)]
        return torch.cat([_causal(query[:, :, p], key[:, :, p], value[:, :, p], scaling) for p in pieces], dim=1)

    # A loop over as many documents as the batch happens to hold cannot be compiled.
    found: torch.Tensor = torch.compiler.disable(computed)(query, key, value)  # type: ignore[no-untyped-call]
    return found


@lru_cache(maxsize=1)
def _compiled_flex() -> Any:
    import torch
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=False)


def flex(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    scaling: float | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Attention through a sparse block mask; eager on a CPU, where it serves tests alone."""
    import torch
    from torch.nn.attention.flex_attention import flex_attention

    _refuse_changed_scores(others)
    if attention_mask is None:
        return _causal(query, key, value, scaling), None
    inside = query.device.type == "cpu" or torch.compiler.is_compiling()
    function = flex_attention if inside else _compiled_flex()
    query, key, value = _of_one_kind(query, key, value)
    gqa = query.shape[1] != key.shape[1]
    found = function(query, key, value, block_mask=attention_mask, scale=scaling, enable_gqa=gqa)
    return found.transpose(1, 2), None
