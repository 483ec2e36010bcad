"""How much arithmetic a trained token takes: the figure under every "model FLOP/s utilisation"."""

from __future__ import annotations

from training.settings import Shape


def matmul_parameters(shape: Shape) -> int:
    """Parameters that multiply something: the blocks' matrices, and the output head once.

    The embedding is looked up, not multiplied, so it counts only as the head, tied or not. Rows of the head that no
    token uses (``vocabulary_multiple``) and the norms do not count.
    """
    return shape.depth * shape.block_matrices + shape.vocabulary_size * shape.width


def flops_per_token(shape: Shape, length: int, causal: bool = True) -> float:
    """Floating point operations to train on one token, forward and backward, in sequences of ``length`` tokens.

    ``6 N + 12 D A T``, or ``6 N + 6 D A T`` with ``causal``: N = :func:`matmul_parameters` (two operations a
    multiply-add, three passes: forward, gradient of inputs, gradient of weights), D = depth, A = heads x head
    dimension, T = length. A causal mask leaves half of the scores to compute, which is why two forms are in use:
    PaLM (Chowdhery et al. 2022, appendix B), llm-foundry and torchtitan count all of them, MaxText only the half.
    Masks between documents and recomputed activations change neither: the figure is the model's, not the machine's.

    Args:
        shape: the model's figures.
        length: T, tokens in a sequence.
        causal: count the scores below the diagonal alone.
    """
    attention = (6 if causal else 12) * shape.depth * shape.heads * shape.head * length
    return float(6 * matmul_parameters(shape) + attention)
