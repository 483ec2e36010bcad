"""Small sums and gathers between the training processes, on the CPU.

They have a group of their own over gloo, so that counting and agreeing never waits for what a GPU is still computing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Control:
    """How the processes of one training agree; with one process every call answers at once."""

    def __init__(self) -> None:
        import torch.distributed as dist

        several = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
        self._group = dist.new_group(backend="gloo") if several else None
        self.rank = dist.get_rank() if several else 0
        self.world = dist.get_world_size() if several else 1

    def sum(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up float64 arrays of the same shape over all processes; exact for whole numbers below 2**53."""
        if self._group is None:
            return values
        import torch
        import torch.distributed as dist

        total = torch.from_numpy(values.copy())
        dist.all_reduce(total, group=self._group)
        return np.asarray(total.numpy())

    def gather(self, values: NDArray[Any]) -> NDArray[Any]:
        """Collect arrays of the same shape and type from all processes, shape [processes, ...] in order of rank."""
        if self._group is None:
            return values[None]
        import torch
        import torch.distributed as dist

        own = torch.from_numpy(np.ascontiguousarray(values))
        every = [torch.empty_like(own) for _ in range(self.world)]
        dist.all_gather(every, own, group=self._group)
        return np.stack([one.numpy() for one in every])

    def barrier(self) -> None:
        """Wait until every process has come here."""
        self.sum(np.zeros(1))
