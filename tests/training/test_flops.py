"""The count of operations against figures published for a known model, and against a count by torch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training.flops import flops_per_token, matmul_parameters
from training.settings import Shape

LLAMA_1B = Shape(16, 2048, 32, 8, 8192, 4096, 128_256)


def test_the_published_figures_of_a_model_of_a_billion_parameters() -> None:
    assert LLAMA_1B.parameters == 1_235_814_400
    assert round(flops_per_token(LLAMA_1B, 4096, causal=False) / 1e9, 2) == 9.03
    assert round(flops_per_token(LLAMA_1B, 4096) / 1e9, 2) == 8.22


def test_unused_rows_and_a_second_embedding_are_no_work() -> None:
    padded = replace(LLAMA_1B, vocabulary_size=128_200, vocabulary_multiple=128, tied=False)
    assert padded.embedding_rows == 128_256
    assert matmul_parameters(padded) == matmul_parameters(LLAMA_1B) - 56 * 2048


@pytest.mark.parametrize("architecture", ["llama", "olmo2", "qwen3"])
def test_torch_counts_the_same(architecture: str) -> None:
    """Forward and backward of one row on the eager path, which computes all scores."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from training.model import build_model

    shape = Shape(2, 64, 4, 2, 96, 32, 100, architecture=architecture, head_dimension=24)  # type: ignore[arg-type]
    model = build_model(shape, 1, 2, 0)
    model.set_attn_implementation("eager")
    with FlopCounterMode(display=False) as counter:
        model(input_ids=torch.zeros(1, 32, dtype=torch.long)).logits.sum().backward()
    assert counter.get_total_flops() == pytest.approx(32 * flops_per_token(shape, 32, causal=False), rel=1e-6)
