"""The counters of energy that a machine may have: where they are, what they cover, and how they run over.

No counter covers everything. The node counter of HPE Cray EX does; RAPL covers processors and their memory, NVML whole
devices; Slurm has what its plug-in reads. Names say which, so that a figure is never taken for more than it is.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from training.nvml import device_counters

# A file that is written while it is read gave 2^64 less a little in practice; no machine has used so much.
_ABSURD = 2.0**60


@dataclass(frozen=True, slots=True)
class Counter:
    """``read`` gives joules since some moment, or None where it fails; after ``wraps_at`` joules it starts from 0.

    ``covers`` says in words what is counted.
    """

    name: str
    covers: str
    read: Callable[[], float | None]
    wraps_at: float | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look for counters; the defaults are those of Linux, HPE Cray EX and Slurm."""

    powercap: Path = Path("/sys/class/powercap")
    cray: Path = Path("/sys/cray/pm_counters")
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    nvml: Callable[[], Any] | None = None


def node_counters(places: Places) -> list[Counter]:
    """Counters of this node that overlap nowhere: the node's own where there is one, else processors and devices.

    The accelerators' counters of HPE Cray EX (``accel*_energy``) are parts of the node's and are not added to it.
    """
    return _cray(places.cray) or [*_rapl(places.powercap), *_nvml(places)]


def _cray(folder: Path) -> list[Counter]:
    """The node counter of HPE Cray EX (HPE Cray Operating System, "pm_counters": text ``JOULES J MICROSECONDS us``)."""
    counter = Counter("pm_counters energy", "the whole node", partial(_cray_joules, folder / "energy"))
    return [counter] if counter.read() is not None else []


def _cray_joules(file: Path) -> float | None:
    try:
        number, unit = file.read_text().split()[:2]
        return _plausible(float(number)) if unit == "J" else None
    except (OSError, ValueError):
        return None


def _rapl(folder: Path) -> list[Counter]:
    """Processor packages, and memory where it has a counter of its own (Linux powercap; AMD uses the same names).

    The zone ``psys`` holds the packages once more, ``core`` and ``uncore`` are parts of one, and ``intel-rapl-mmio`` is
    the same counter by another way: none of them is read.
    """
    found = []
    for zone in sorted(folder.glob("intel-rapl:*")):
        kind = _text(zone / "name").split("-")[0]
        covers = {"package": "processors", "dram": "memory"}.get(kind)
        joules = partial(_microjoules, zone / "energy_uj")
        # Since Linux 5.10 often only root may read it.
        if covers and joules() is not None:
            found.append(Counter(f"RAPL {zone.name}", covers, joules, _microjoules(zone / "max_energy_range_uj")))
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _microjoules(file: Path) -> float | None:
    text = _text(file)
    return _plausible(int(text) / 1e6) if text.isdecimal() else None


def _nvml(places: Places) -> list[Counter]:
    """NVIDIA devices (Volta and later) that this job may use, each once however many processes share it."""
    visible = places.environment.get("CUDA_VISIBLE_DEVICES")
    devices = device_counters(visible, places.nvml) if places.nvml else device_counters(visible)
    return [Counter(f"NVML {name}", "devices", read) for name, read in devices]


def slurm_counter(environment: Mapping[str, str]) -> Counter | None:
    """What Slurm has counted for this step on all its nodes, if it has a plug-in that counts energy.

    Nodes are counted whole, so it is the job's own use only where it has its nodes to itself; the value comes as often
    as the site samples (``JobAcctGatherFrequency``).
    """
    job = environment.get("SLURM_JOB_ID")
    plugin = _slurm_plugin() if job else None
    if not plugin:
        return None
    step = f"{job}.{environment.get('SLURM_STEP_ID', 'batch')}"
    return Counter(f"Slurm {plugin}", "the job's nodes as Slurm counts them", partial(_slurm_joules, step))


def _slurm_plugin() -> str | None:
    for line in _output("scontrol", "show", "config").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "AcctGatherEnergyType":
            name = value.strip().removeprefix("acct_gather_energy/")
            return None if name in ("", "none", "(null)") else name
    return None


def _slurm_joules(step: str) -> float | None:
    text = _output("sstat", "--noheader", "--parsable2", "--format=ConsumedEnergyRaw", f"--jobs={step}").strip()
    first = text.split("\n")[0].strip("|")
    return _plausible(float(first)) if first.isdecimal() else None


def _output(*command: str) -> str:
    """What a command prints, nothing where it is not installed, fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _plausible(joules: float) -> float | None:
    return joules if 0 <= joules < _ABSURD else None
