"""Which tensor stands in which file of a checkpoint: a function of the model alone, never of the processes.

``model.safetensors`` (or ``model-00001-of-0000K.safetensors`` with an index) holds the weights as `transformers` loads
them. ``state-00001-of-0000K.safetensors`` hold for every parameter NAME the tensors ``NAME:exp_avg``,
``NAME:exp_avg_sq``, ``NAME:step`` and, where the model file is less precise, the fp32 ``NAME:weight``. Parameters are
taken in the model's order, and a new file begins where the next one would go over the size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

INDEX = "model.safetensors.index.json"

_BYTES = {"float32": 4, "bfloat16": 2}


@dataclass(frozen=True, slots=True)
class File:
    """One file: the parameters in it, and whether it holds their training state or their weights."""

    name: str
    parameters: tuple[str, ...]
    is_state: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """All files; ``model_dtype`` is that of the weights in the model files, ``float32`` or ``bfloat16``."""

    files: tuple[File, ...]
    model_dtype: str
    model_bytes: int

    @property
    def has_masters(self) -> bool:
        """Whether the fp32 weights stand in the state files, because the model files are rounded."""
        return self.model_dtype != "float32"

    def owned(self, rank: int, world: int) -> list[File]:
        """The files that one process writes: every ``world``-th."""
        return list(self.files[rank::world])

    def index(self) -> dict[str, object] | None:
        """What `transformers` needs to find the weights in several files; None where one holds them all."""
        files = [file for file in self.files if not file.is_state]
        if len(files) == 1:
            return None
        where = {name: file.name for file in files for name in file.parameters}
        return {"metadata": {"total_size": self.model_bytes}, "weight_map": where}


def lay_out(shapes: Mapping[str, Sequence[int]], precision: str, most_bytes: int) -> Layout:
    """Cut a model's parameters into files of at most ``most_bytes`` each, but for a parameter that is larger alone."""
    dtype = "bfloat16" if precision == "bf16" else "float32"
    weight = _BYTES[dtype]
    # Two moments, the step and perhaps the fp32 weight.
    state = 8 if dtype == "float32" else 12
    counts = {name: math.prod(shape) for name, shape in shapes.items()}
    models = _cut(counts, lambda count: count * weight, most_bytes)
    states = _cut(counts, lambda count: count * state + 4, most_bytes)
    one = len(models) == 1
    files = [File("model.safetensors" if one else _name("model", models, k), group, False) for k, group in models]
    files += [File(_name("state", states, k), group, True) for k, group in states]
    return Layout(tuple(files), dtype, weight * sum(counts.values()))


def _cut(counts: Mapping[str, int], size: Callable[[int], int], most_bytes: int) -> list[tuple[int, tuple[str, ...]]]:
    groups: list[list[str]] = []
    filled = 0
    for name, count in counts.items():
        if not groups or filled + size(count) > most_bytes:
            groups.append([])
            filled = 0
        groups[-1].append(name)
        filled += size(count)
    return list(enumerate(map(tuple, groups), 1))


def _name(kind: str, groups: Sequence[object], number: int) -> str:
    return f"{kind}-{number:05d}-of-{len(groups):05d}.safetensors"
