"""How long one document and one step take to trace, warm, in one process.

python benchmarks/trace.py runs/demo
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from measure import REPOSITORY, machine

sys.path.insert(0, str(REPOSITORY))


def main() -> None:
    """Print medians and the slowest."""
    from pipeline.run_directory import RunDirectory
    from pipeline.trace import Tracer

    tracer = Tracer(RunDirectory(Path(sys.argv[1])))
    ids = [row["id"] for row in tracer.rows()][::37]
    print(machine())
    for name, work, values in (
        ("document", tracer.document, ids),
        ("step", tracer.step, list(range(0, tracer.steps_done, 7))),
    ):
        times = []
        for value in values:
            began = time.perf_counter()
            work(value)  # type: ignore[operator]
            times.append((time.perf_counter() - began) * 1000)
        print(
            f"{name:<10}{len(times):>6} traced, median {statistics.median(times):6.1f} ms, slowest {max(times):.1f} ms"
        )


if __name__ == "__main__":
    main()
