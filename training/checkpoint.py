"""Checkpoints: what stands in one, which are there, and which stay.

A checkpoint is a folder with the model as `transformers` loads it (`checkpoint_layout` says in which files), the
training state by parameter name, and ``herkomst.json``, which names plan, corpus and step. It knows nothing of the
processes and the backend that wrote it, so that any others can go on from it. `saving` writes and reads them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from licensing.canonical import canonical, digest_of
from licensing.errors import HerkomstError
from licensing.files import file_digest

if TYPE_CHECKING:
    import torch

STATE = "herkomst.json"
WEIGHTS = "model.safetensors"
FORMAT = 2
NOTHING_DRAWN = "none after initialisation"


class CheckpointError(HerkomstError):
    """A checkpoint that cannot be used."""


@dataclass(frozen=True, slots=True)
class TrainerState:
    """Where a checkpoint stands; ``step`` is the number of steps done, token counts are since the first step.

    ``order_digest`` is a chain over the tokens really fed, ``skipped_steps`` were read but not learnt from and
    ``recent_losses`` are what a spike is judged by. ``files`` are the SHA-256 of the tensor files by name.
    ``code_version``, ``torch_version``, ``world`` and ``backend`` say what wrote it; none of them is needed to go on.
    There is no state of a random generator: after the weights are made nothing is drawn, which ``random`` states.
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
    order_digest: str = ""
    skipped_steps: tuple[int, ...] = ()
    recent_losses: tuple[float, ...] = ()
    seed: int = 0
    code_version: str = ""
    torch_version: str = ""
    world: int = 1
    backend: str = ""
    files: dict[str, str] = field(default_factory=dict)
    random: str = NOTHING_DRAWN
    format: int = FORMAT


def checkpoint_folder(checkpoints: Path, step: int) -> Path:
    """``step-00000100`` and so on."""
    return checkpoints / f"step-{step:08d}"


def read_state(folder: Path) -> TrainerState:
    """Read where a checkpoint stands; one of another ``format`` can be asked about, but not continued from.

    Raises:
        CheckpointError: the folder is no checkpoint of ours.
    """
    try:
        values = {"format": 1} | json.loads((folder / STATE).read_bytes())
        state = TrainerState(**values)
        return replace(state, skipped_steps=tuple(state.skipped_steps), recent_losses=tuple(state.recent_losses))
    except (OSError, ValueError, TypeError) as fault:
        raise CheckpointError(
            f"{folder / STATE}: not readable as the state of a checkpoint ({fault}); it was not continued from. "
            "Delete the folder to continue from the one before."
        ) from fault


def refuse_other_format(folder: Path, state: TrainerState) -> None:
    """Raise CheckpointError where the files of a checkpoint are not those that this version reads."""
    if state.format != FORMAT:
        raise CheckpointError(
            f"{folder}: a checkpoint of format {state.format}, and this version continues from format {FORMAT} only; "
            "nothing was trained. Move the folder away to train anew, or continue with the version that wrote it."
        )


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
    """Write a model in one file as `transformers` loads it; returns the digest of its weights."""
    from safetensors.torch import save_file

    tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
    plain = {name: value.detach().cpu().contiguous() for name, value in weights.items() if name not in tied}
    save_file(plain, folder / WEIGHTS, metadata={"format": "pt"})
    model.config.save_pretrained(folder)
    return weights_digest(folder)


def weights_digest(folder: Path) -> str:
    """SHA-256 of a model's weights: of the file where there is one, else of the names and digests of the parts.

    Raises:
        CheckpointError: there are none.
    """
    files = {path.name: file_digest(path)[0] for path in folder.glob("model*.safetensors")}
    if not files:
        raise CheckpointError(f"{folder}: there are no weights in it ({WEIGHTS}). Restore it from a copy.")
    return joined_digest(files)


def joined_digest(files: Mapping[str, str]) -> str:
    """The digest of weights from those of their files: the only one's, else SHA-256 of the canonical JSON of all."""
    return next(iter(files.values())) if len(files) == 1 else digest_of(dict(files))


def save_state(folder: Path, state: TrainerState) -> None:
    """Write where the checkpoint stands; the last file to be written, its presence makes a checkpoint whole."""
    (folder / STATE).write_bytes(canonical(asdict(state)))
