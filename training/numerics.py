"""Same inputs, same bits: `torch` set up so that a computation does not vary from run to run."""

from __future__ import annotations

import os


def set_numerics(threads: int) -> None:
    """Make `torch` deterministic on ``threads`` CPU threads; sums are split by thread, so their number counts."""
    # Without this variable cuBLAS is allowed to vary from call to call; it is read when the library starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # Filling fresh memory would cost a sixth of a step; nothing here reads memory before it is written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined, unused-ignore]
