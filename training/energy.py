"""Energy used by a stretch of work: from the machine's own counters, else an estimate that says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

_RAPL = Path("/sys/class/powercap")


@dataclass(frozen=True, slots=True)
class Energy:
    """``joules`` used; ``method`` is ``measured`` or ``estimated`` and ``detail`` says by what."""

    joules: float
    method: str
    detail: str


class EnergyMeter:
    """Starts counting when made. Counters are read per node, so make one a node, not one a process."""

    def __init__(self, watts_estimate: float) -> None:
        self._watts = watts_estimate
        self._began = time.monotonic()
        self._counters = [*_rapl_counters(), *_nvml_counters()]
        self._start = [read() for _, read in self._counters]

    def read(self) -> Energy:
        """Energy since the meter was made."""
        seconds = time.monotonic() - self._began
        if not self._counters:
            detail = f"{self._watts:g} W assumed for the whole machine (training.watts_estimate) over the time measured"
            return Energy(self._watts * seconds, "estimated", detail)
        used = sum(max(0.0, read() - start) for (_, read), start in zip(self._counters, self._start, strict=True))
        return Energy(used, "measured", ", ".join(name for name, _ in self._counters))


def _rapl_counters() -> list[tuple[str, Callable[[], float]]]:
    """Package counters of the processor (Linux powercap), in microjoules; unreadable ones are left out."""
    found: list[tuple[str, Callable[[], float]]] = []
    for folder in sorted(_RAPL.glob("intel-rapl:[0-9]")) if _RAPL.exists() else []:
        counter = folder / "energy_uj"
        try:
            counter.read_text()
        except OSError:
            continue
        found.append((f"RAPL {folder.name}", partial(_microjoules, counter)))
    return found


def _microjoules(counter: Path) -> float:
    return int(counter.read_text()) / 1e6


def _nvml_counters() -> list[tuple[str, Callable[[], float]]]:
    """Total energy of each NVIDIA device, in millijoules (Volta and later)."""
    try:
        import pynvml  # type: ignore[import-not-found, unused-ignore]

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        for handle in handles:
            pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except Exception:  # no library, no driver or a device without the counter: there is nothing to read
        return []
    energy = pynvml.nvmlDeviceGetTotalEnergyConsumption
    return [(f"NVML device {i}", partial(_joules, energy, handle)) for i, handle in enumerate(handles)]


def _joules(energy: Callable[[object], float], handle: object) -> float:
    return energy(handle) / 1e3
