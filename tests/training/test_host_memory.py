"""Blocks that are freed and asked for again must not be filled with zeros by the kernel each time."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from training.host_memory import keep_memory
if sys.argv[1] == "keep":
    print(keep_memory(), file=sys.stderr)
def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for turn in range(6):
    before = faults()
    block = np.empty(40 << 20, dtype=np.uint8)
    block[::4096] = 1
    del block
print(faults() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is glibc's")
def test_a_block_freed_and_asked_for_again_costs_no_new_pages() -> None:
    def run(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
        return int(done.stdout)

    kept, given_back = run("keep"), run("leave")
    assert given_back > 20 and kept < given_back / 10
