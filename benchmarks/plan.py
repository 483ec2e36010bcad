"""How long the training order takes to answer: 100 streams, 244 million sequences, three segments.

python benchmarks/plan.py
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from measure import REPOSITORY, machine

sys.path.insert(0, str(REPOSITORY))


def main() -> None:
    """Print medians over warm calls."""
    from training.mixture import SegmentWanted, make_plan
    from training.permutation import Permutation
    from training.plan import StreamRef

    streams = [StreamRef(f"s{i:03}/nl", 2_440_000 + i, 1000, 10**10 + i) for i in range(100)]
    wanted = [
        SegmentWanted("warm-up", 2000, 1024, 0.7),
        SegmentWanted("main", 200_000, 1024),
        SegmentWanted("annealing", 30_000, 1024, 0.5, {"s001*": 3.0}),
    ]
    plan = make_plan(streams, wanted, 4096, 1, "0" * 64, "0" * 64)
    permutation, batch = Permutation(10**9 + 7, b"benchmark"), np.arange(1024, dtype=np.uint64)
    print(machine())
    told("permute 1,024 indices of 10^9", lambda: permutation.forward(batch))
    told("a step of 1,024 rows", lambda: plan.at(5000))
    told("positions of one document", lambda: plan.positions(3, 1000, 1002))
    everything = np.arange(1_200_000, dtype=np.uint64)
    told("positions of 1.2 million sequences", lambda: plan.find(3, everything), times=3)


def told(name: str, action: Callable[[], object], times: int = 30) -> None:
    """Print the median of warm calls in milliseconds."""
    action()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        found.append((time.perf_counter() - began) * 1000)
    print(f"{name:<38}{statistics.median(found):9.3f} ms")


if __name__ == "__main__":
    main()
