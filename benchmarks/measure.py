"""Run a command and watch its process tree: wall time, and the peak resident memory of all processes together."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Measured:
    """One run: seconds of wall time, and the peaks in MiB of the tree together and of its largest process."""

    seconds: float
    tree_mib: float
    largest_mib: float


def herkomst(*arguments: object, cwd: Path) -> Measured:
    """Run the command line and measure it; proportional set size, so that shared pages count once."""
    command = [sys.executable, "-m", "pipeline.cli", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "HF_HUB_OFFLINE": "1"}
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=cwd, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    tree = largest = 0.0
    while process.poll() is None:
        sizes = [_proportional(member) for member in _members(process.pid)]
        tree, largest = max(tree, sum(sizes)), max(largest, *sizes, 0.0)
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Measured(time.monotonic() - began, tree / 2**20, largest / 2**20)


def _members(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _proportional(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0


def machine() -> str:
    """The machine in a line."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"
