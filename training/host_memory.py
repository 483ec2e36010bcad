"""Memory on the CPU that is kept from step to step.

glibc hands every block of 32 MiB and more back to the kernel when it is freed, and smaller ones when enough lie at the
end, and gets them back as fresh pages, each filled with zeros at its first touch. A training step frees and asks for
the same blocks again and again: logits, their softmax, the gradient. Blocks of 2 MiB and more are also asked for in
large pages, where the kernel grants them on request (``transparent_hugepage`` is ``madvise`` or ``always``).
"""

from __future__ import annotations

import ctypes
import os

# mallopt(3)
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4


def keep_memory() -> bool:
    """Let this process keep what it frees for its next step; False where the C library knows of no such thing.

    To be called before the first large tensor is made, when torch reads the variable set here.
    Memory stays at its peak until the process ends, which a training needs anyhow. Results are not touched.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_MMAP_MAX, 0) and mallopt(_TRIM_THRESHOLD, 2**31 - 1))
