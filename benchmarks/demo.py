"""Time and peak memory of the whole demo, and of a second run with nothing to do.

python benchmarks/demo.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from measure import REPOSITORY, herkomst, machine


def main() -> None:
    """Print both."""
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        arguments = ("run", REPOSITORY / "configs" / "demo.yaml", "--run-dir", Path(folder) / "demo")
        for name in ("whole demo", "nothing to do"):
            found = herkomst(*arguments, cwd=Path(folder))
            print(f"{name:<15}{found.seconds:8.1f} s  peak {found.tree_mib:6.0f} MiB, largest {found.largest_mib:.0f}")


if __name__ == "__main__":
    main()
