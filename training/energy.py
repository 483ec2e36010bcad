"""Energy used by a stretch of work: from the machines' own counters, else an estimate that says so; each node once.

Only the first process of a node reads counters. What the nodes used is added up with two numbers a process, so every
process can call :meth:`EnergyMeter.read` with the same gather, and each gets the same figure.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.energy_counters import Counter, Places, node_counters, slurm_counter

Gather = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# Processors' counters run over within minutes under full load (65 kJ on some), so they are looked at far more often.
_SAMPLE_SECONDS = 20.0
# Slurm's own samples are half a minute apart, and each question goes to every node.
_SLURM_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Energy:
    """``joules`` used on ``nodes`` machines; ``method`` is ``measured`` or ``estimated``, ``detail`` says by what."""

    joules: float
    method: str
    detail: str
    nodes: int = 1


def alone(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The gather of a training with one process: shape [k] to [1, k]."""
    return values[None]


class EnergyMeter:
    """Starts counting when made; every process makes one, and only the first of each node reads counters.

    Args:
        watts_estimate: what a node is taken to draw where nothing can be read, in watts.
        rank: this process among all.
        local_rank: this process on its node.
        places: where counters are looked for.
    """

    def __init__(
        self, watts_estimate: float, rank: int = 0, local_rank: int | None = None, places: Places | None = None
    ) -> None:
        places = places or Places()
        if local_rank is None:
            named = places.environment.get("LOCAL_RANK", places.environment.get("SLURM_LOCALID", "0"))
            local_rank = int(named)
        self._watts, self._rank, self._reads = watts_estimate, rank, local_rank == 0
        self._began = time.monotonic()
        self._node = [_Running(counter) for counter in node_counters(places)] if self._reads else []
        self._job = None
        if self._reads and rank == 0 and not self._node:
            counter = slurm_counter(places.environment)
            self._job = _Running(counter, _SLURM_SECONDS) if counter else None
        self._ended = threading.Event()
        if any(running.counter.wraps_at for running in self._node):
            threading.Thread(target=self._keep_sampling, daemon=True, name="energy").start()

    def read(self, gather: Gather = alone, last: bool = False) -> Energy:
        """Energy of all nodes since the meters were made; ``last`` asks slow counters once more.

        Args:
            gather: float64 [3] of each process to [world, 3] in the order of ranks, on every process.
        """
        rows = gather(self._mine(last))
        readers = rows[rows[:, 0] > 0]
        job = readers[0, 2]
        if job > 0:
            return Energy(float(job), "measured", f"{self._told(len(readers))}", len(readers))
        measured = ~np.isnan(readers[:, 1])
        estimates = self._watts * (time.monotonic() - self._began)
        joules = float(np.where(measured, readers[:, 1], estimates).sum())
        if measured.all():
            return Energy(joules, "measured", self._told(len(readers)), len(readers))
        return Energy(joules, "estimated", self._guess(int(measured.sum()), len(readers)), len(readers))

    def close(self) -> None:
        """Stop sampling."""
        self._ended.set()

    def _mine(self, last: bool) -> NDArray[np.float64]:
        """Whether this process reads; joules of its node, and of the whole job, NaN where they cannot be read."""
        node = sum(running.used() for running in self._node) if self._node else np.nan
        job = self._job.used(last) if self._job else np.nan
        return np.array([float(self._reads), node, job])

    def _told(self, nodes: int) -> str:
        running = self._node or ([self._job] if self._job else [])
        names = ", ".join(dict.fromkeys(one.counter.name for one in running))
        covers = " and ".join(dict.fromkeys(one.counter.covers for one in running))
        lost = sum(one.lost for one in running)
        rest = "" if covers.startswith("the ") else "; what else the machine draws is not counted"
        told = f"{names} ({covers}){rest}; {_nodes(nodes)}, read once each by its first process"
        return told + (f"; {lost} readings made no sense and were left out" if lost else "")

    def _guess(self, measured: int, nodes: int) -> str:
        told = f"{self._watts:g} W assumed for the whole machine (training.watts_estimate) over the time measured"
        if nodes > 1:
            told += f", for {nodes - measured} of {nodes} nodes" if measured else f", for each of {nodes} nodes"
        return told

    def _keep_sampling(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            for running in self._node:
                running.used()


class _Running:
    """A counter's sum since this was made, over restarts of the counter; safe to be asked by two threads."""

    def __init__(self, counter: Counter, every: float = 0.0) -> None:
        self.counter, self.lost = counter, 0
        self._every, self._sum = every, 0.0
        self._lock = threading.Lock()
        self._before = counter.read()
        self._asked = time.monotonic()

    def used(self, now: bool = False) -> float:
        """Joules so far; asks the counter unless it was asked less than ``every`` seconds ago."""
        with self._lock:
            if now or time.monotonic() - self._asked >= self._every:
                self._asked = time.monotonic()
                self._add(self.counter.read())
            return self._sum

    def _add(self, value: float | None) -> None:
        if value is None:
            self.lost += 1
            return
        if self._before is not None:
            gone = value - self._before
            if gone < 0 and self.counter.wraps_at:
                gone += self.counter.wraps_at
            # A counter that falls and has no end was set back (a driver loaded anew): what lay between is not known.
            self.lost += gone < 0
            self._sum += max(0.0, gone)
        self._before = value


def _nodes(count: int) -> str:
    return "one node" if count == 1 else f"{count} nodes"
