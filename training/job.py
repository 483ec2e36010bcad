"""What a training process needs to know, as one file: the same for a laptop and for every rank of a cluster."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from licensing.canonical import canonical, digest_of
from training.settings import Shape, TrainingSettings


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A training run in full; two equal jobs give equal weights on the same hardware with the same threads."""

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

    def digest(self) -> str:
        """What the weights depend on; a checkpoint of another digest is never continued."""
        free = {"checkpoint_every", "keep_checkpoints", "watts_estimate"}
        settings = {k: v for k, v in self.settings.model_dump(mode="json").items() if k not in free}
        parts = [asdict(self.shape), settings, self.learning_rate, self.seed, self.plan_digest, self.tokens_root]
        return digest_of(parts)

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
