"""Tensors from a backend into the files of a checkpoint, and back into any other backend."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.backends import Backend
from training.backends.optimizer import MOMENTS
from training.checkpoint import CheckpointError
from training.checkpoint_layout import INDEX, File, Layout

if TYPE_CHECKING:
    import torch

Tensors = dict[str, "torch.Tensor"]


def gather_files(backend: Backend, layout: Layout) -> dict[str, Tensors]:
    """Copy what this process writes to host memory: tensors by file name and their name in the file.

    Parameter by parameter, with all processes taking part, so that none holds more than its files and one parameter.
    """
    owned = layout.owned(backend.rank, backend.world)
    files: dict[str, Tensors] = {file.name: {} for file in owned}
    for name in backend.shapes():
        mine = [file for file in owned if name in file.parameters]
        tensors = backend.gather(name, keep=bool(mine))
        for file in mine:
            files[file.name] |= _in_file(file, name, tensors, layout)
    return files


def _in_file(file: File, name: str, tensors: Mapping[str, torch.Tensor], layout: Layout) -> Tensors:
    import torch

    if not file.is_state:
        return {name: tensors["weight"].to(getattr(torch, layout.model_dtype))}
    kept = (*MOMENTS, "step", *(["weight"] if layout.has_masters else []))
    return {f"{name}:{key}": tensors[key] for key in kept}


def scatter_files(backend: Backend, folder: Path) -> None:
    """Give a backend the weights and the training state of a checkpoint, whoever wrote it.

    Raises:
        CheckpointError: a file or a tensor is missing, or of another model.
    """
    with ExitStack() as stack:
        weights = _opened(stack, folder, "model*.safetensors")
        states = _opened(stack, folder, "state-*.safetensors")
        for name, shape in backend.shapes().items():
            tensors = {key: _read(states, f"{name}:{key}", folder) for key in (*MOMENTS, "step")}
            master = f"{name}:weight"
            source, key = (states, master) if master in states else (weights, name)
            tensors["weight"] = _read(source, key, folder).float()
            if tuple(tensors["weight"].shape) != shape:
                raise CheckpointError(
                    f"{folder}: {name} has the shape {tuple(tensors['weight'].shape)}, and the model wants {shape}; "
                    "nothing was trained. It is the checkpoint of another model: move it away."
                )
            backend.scatter(name, tensors)
    backend.loaded()


def write_index(folder: Path, layout: Layout) -> None:
    """Write where each weight stands, if there are several model files."""
    index = layout.index()
    if index is not None:
        (folder / INDEX).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _opened(stack: ExitStack, folder: Path, pattern: str) -> dict[str, Any]:
    """The mapped file of every tensor by the tensor's name."""
    from safetensors import SafetensorError, safe_open

    where: dict[str, Any] = {}
    for path in sorted(folder.glob(pattern)):
        try:
            file = stack.enter_context(safe_open(path, framework="pt"))
        except (OSError, SafetensorError) as fault:
            raise CheckpointError(
                f"{path}: not readable ({fault}); nothing was trained. Delete the folder to continue from the "
                "checkpoint before."
            ) from fault
        where |= dict.fromkeys(file.keys(), file)
    return where


def _read(files: Mapping[str, Any], name: str, folder: Path) -> torch.Tensor:
    if name not in files:
        raise CheckpointError(
            f"{folder}: there is no tensor '{name}' in it; nothing was trained. Delete the folder to continue from the "
            "checkpoint before."
        )
    tensor: torch.Tensor = files[name].get_tensor(name)
    return tensor
