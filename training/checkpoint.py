"""Checkpoints: written aside, synced, renamed; each names the plan, the corpus and the step it stands at."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from licensing.canonical import canonical
from licensing.errors import HerkomstError
from licensing.files import file_digest

if TYPE_CHECKING:
    import torch

STATE = "herkomst.json"
WEIGHTS = "model.safetensors"
OPTIMIZER = "optimizer.safetensors"


class CheckpointError(HerkomstError):
    """A checkpoint that cannot be used."""


@dataclass(frozen=True, slots=True)
class TrainerState:
    """Where a checkpoint stands; ``step`` is the number of steps done, token counts are since the first step.

    ``skipped_steps`` are those of them whose update was dropped; their tokens are not counted.
    """

    step: int
    job_digest: str
    plan_digest: str
    corpus_root: str
    tokens_root: str
    tokens_read: int
    tokens_scored: int
    joules: float
    energy_method: str
    energy_detail: str
    seconds: float
    weights_sha256: str = ""
    skipped_steps: list[int] = field(default_factory=list)


def checkpoint_folder(checkpoints: Path, step: int) -> Path:
    """``step-00000100`` and so on."""
    return checkpoints / f"step-{step:08d}"


def read_state(folder: Path) -> TrainerState:
    """Read where a checkpoint stands.

    Raises:
        CheckpointError: the folder is no checkpoint of ours.
    """
    try:
        return TrainerState(**json.loads((folder / STATE).read_bytes()))
    except (OSError, ValueError, TypeError) as fault:
        raise CheckpointError(
            f"{folder / STATE}: not readable as the state of a checkpoint ({fault}); it was not continued from. "
            "Delete the folder to continue from the one before."
        ) from fault


def finished_checkpoints(checkpoints: Path) -> list[Path]:
    """All whole checkpoints, oldest first; what is still being written has a hidden name."""
    return sorted(path for path in checkpoints.glob("step-*") if (path / STATE).exists())


def latest_checkpoint(checkpoints: Path, job_digest: str) -> tuple[Path, TrainerState] | None:
    """The newest checkpoint of this very job, or None."""
    for folder in reversed(finished_checkpoints(checkpoints)):
        state = read_state(folder)
        if state.job_digest == job_digest:
            return folder, state
    return None


def beginning(checkpoints: Path, begin: str, weights_sha256: str) -> tuple[Path, TrainerState]:
    """The checkpoint of an earlier job that this one goes on from.

    Raises:
        CheckpointError: it is not there or holds other weights than were chosen.
    """
    folder = checkpoints / begin
    state = read_state(folder)
    if state.weights_sha256 != weights_sha256:
        raise CheckpointError(
            f"{folder}: holds other weights than those chosen to go on from; nothing was trained. Restore it, or run "
            "with --force train to begin from the first step."
        )
    return folder, state


def set_aside_others(checkpoints: Path, job_digest: str | None, keep_to: int = 0) -> list[Path]:
    """Move checkpoints of other jobs than this one into ``superseded/``: no weights are lost by a changed setting.

    Those after at most ``keep_to`` steps stay: this job goes on from the last of them.
    """
    moved = []
    for folder in finished_checkpoints(checkpoints):
        state = read_state(folder)
        other = state.job_digest
        if other != job_digest and state.step > keep_to:
            target = checkpoints / "superseded" / other[:12] / folder.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                shutil.rmtree(target)
            folder.rename(target)
            moved.append(target)
    return moved


def keep_newest(checkpoints: Path, keep: int, every: int | None) -> None:
    """Delete all but the newest ``keep`` checkpoints and those after a multiple of ``every`` steps."""
    for folder in finished_checkpoints(checkpoints)[:-keep]:
        if not every or int(folder.name.removeprefix("step-")) % every:
            shutil.rmtree(folder)


def save_weights(folder: Path, model: Any, weights: dict[str, torch.Tensor]) -> str:
    """Write the model as `transformers` loads it; returns the digest of the weights file."""
    from safetensors.torch import save_file

    tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
    plain = {name: value.detach().cpu().contiguous() for name, value in weights.items() if name not in tied}
    save_file(plain, folder / WEIGHTS, metadata={"format": "pt"})
    model.config.save_pretrained(folder)
    return file_digest(folder / WEIGHTS)[0]


def save_state(folder: Path, state: TrainerState) -> None:
    """Write where the checkpoint stands; the last file to be written, its presence makes a checkpoint whole."""
    (folder / STATE).write_bytes(canonical(asdict(state)))


def optimizer_tensors(model: Any, optimizer: Any) -> dict[str, torch.Tensor]:
    """AdamW's moments and step counts by parameter name, so that they can be saved without pickling."""
    import torch

    tensors = {}
    for name, parameter in model.named_parameters():
        for key, value in sorted(optimizer.state.get(parameter, {}).items()):
            tensors[f"{name}:{key}"] = torch.as_tensor(value).detach().cpu().contiguous()
    return tensors


def load_optimizer(model: Any, optimizer: Any, path: Path) -> None:
    """Put the moments of ``optimizer_tensors`` back."""
    from safetensors.torch import load_file

    tensors = load_file(path)
    for name, parameter in model.named_parameters():
        prefix = f"{name}:"
        state = {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
        optimizer.state[parameter] = {
            key: value.clone() if key == "step" else value.to(parameter.device) for key, value in state.items()
        }
