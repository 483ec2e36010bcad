"""TEMPORARY stand-in until the fast one is merged."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.trace import Tracer


@dataclass(frozen=True)
class Reach:
    places: dict[tuple[str, str], list[tuple[str, int, int]]]
    steps: NDArray[np.int64]
    tokens: int
    tokens_read: int

    @property
    def streams(self) -> list[tuple[str, str]]:
        return sorted(self.places)

    @property
    def first_step(self) -> int | None:
        return int(self.steps[0]) if len(self.steps) else None

    @property
    def last_step(self) -> int | None:
        return int(self.steps[-1]) if len(self.steps) else None

    def spans(self) -> dict[str, tuple[int, int]]:
        return {name: (a, b) for rows in self.places.values() for name, a, b in rows}


def reach_of(tracer: Tracer, ids: Collection[str]) -> Reach:
    places: dict[tuple[str, str], list[tuple[str, int, int]]] = {}
    steps: set[int] = set()
    tokens = read = 0
    for name in ids:
        row = tracer.ledger.find(name)
        if row is None:
            continue
        answer = tracer.answer(row)
        span = answer["tokens"]
        if span:
            places.setdefault((span["stream"], span["use"]), []).append((name, span["first"], span["end"]))
            tokens += span["count"]
            steps |= {step for step, _ in answer["positions"]}
            read += tracer.exposure(row).tokens_read
    return Reach(places, np.array(sorted(steps), dtype=np.int64), tokens, read)
