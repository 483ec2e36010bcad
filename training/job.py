"""What a training process needs to know, as one file: the same for a laptop and for every rank of a cluster."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from licensing.canonical import canonical, digest_of
from training.settings import Shape, TrainingSettings

_KEEPING = {
    "checkpoint_every",
    "keep_checkpoints",
    "keep_every",
    "checkpoint_async",
    "checkpoint_file_bytes",
    "checkpoint_timeout",
    "log_every",
    "meter_skip",
    "tensorboard",
    "watts_estimate",
}
# These change the last bits of the sums and nothing else, so a training may go on with others.
_SPREADING = {
    "backend",
    "zero_stage",
    "processes",
    "micro_batch",
    "threads",
    "attention",
    "compile",
    "deterministic",
}


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A training run in full; two equal jobs give equal weights on the same hardware with the same threads.

    ``begin`` is the name of a checkpoint of another job to go on from, left by a training that had read nothing of what
    was withdrawn since; ``begin_weights`` is the digest of its weights. ``base`` is the folder of a model to continue
    from instead of random weights, ``base_weights`` the digest of its configuration and weights. ``until`` is a step to
    stop before, ``row_hashes`` a file for the hash of every row fed: both a replay's, and no part of the digest.
    """

    tokens: str
    plan: str
    plan_digest: str
    corpus_root: str
    tokens_root: str
    checkpoints: str
    log: str
    shape: Shape
    settings: TrainingSettings
    learning_rate: float
    seed: int
    begin: str | None = None
    begin_weights: str | None = None
    until: int | None = None
    row_hashes: str | None = None
    base: str | None = None
    base_weights: str | None = None

    def digest(self) -> str:
        """What the weights depend on; a checkpoint of another digest is never continued."""
        parts = [*self._recipe(), self.plan_digest, self.tokens_root]
        return digest_of([*parts, self.begin_weights] if self.begin_weights else parts)

    def recipe(self) -> str:
        """What the weights depend on besides the text and its order."""
        return digest_of(self._recipe())

    def _recipe(self) -> list[Any]:
        free = _KEEPING | _SPREADING
        settings = {k: v for k, v in self.settings.model_dump(mode="json").items() if k not in free}
        parts = [asdict(self.shape), settings, self.learning_rate, self.seed]
        return [*parts, self.base_weights] if self.base_weights else parts

    def write(self, path: Path) -> None:
        """Save as JSON."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values |= {"shape": asdict(self.shape), "settings": self.settings.model_dump(mode="json")}
        path.write_bytes(canonical(values))

    @classmethod
    def read(cls, path: Path) -> TrainingJob:
        """Load what ``write`` saved."""
        values = json.loads(path.read_bytes())
        values["shape"] = Shape(**values["shape"])
        values["settings"] = TrainingSettings.model_validate(values["settings"])
        return cls(**values)
