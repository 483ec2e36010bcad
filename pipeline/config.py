"""One YAML per run: what it is for, where its text comes from, and how it is curated, trained and evaluated."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml
from pydantic import Field, field_validator, model_validator

from data_curation.readers import Source
from data_curation.settings import CurationSettings
from evaluation.settings import EvaluationSettings
from licensing.policy import Policy
from licensing.reading import UnreadableFile, read_section
from licensing.rights import IntendedUse
from licensing.settings import Section
from training.settings import BaseModelSettings, ModelSettings, TokenizerSettings, TrainingSettings

SHIPPED = Path(__file__).resolve().parent.parent / "configs"


class CorpusSettings(Section):
    """``held_out_share`` of the documents is set aside by digest and never trained on; an agreement may ask more."""

    held_out_share: float = Field(default=0.01, ge=0, le=0.5)


class ReportSettings(Section):
    """Who answers for the report: the provider's name and a contact that a reader can reach."""

    provider: str
    contact: str
    title: str | None = None


class Release(Section):
    """A model that was handed out: its name, the digest of its weights, the day, where, and when it was recalled."""

    name: str = Field(min_length=1)
    weights_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    released: date
    where: str = Field(min_length=1)
    recalled: date | None = None


class ReleaseSettings(Section):
    """What an exported model says of itself: the ``licence`` that its provider gives it (SPDX), missing if None.

    Partners under agreements are named in a release, with the ids of their agreements, only with ``name_partners``.
    """

    licence: str | None = Field(default=None, min_length=1)
    name_partners: bool = False


class ComputeSettings(Section):
    """How many processes curate. It changes the speed and never the result, so it is no part of any fingerprint."""

    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)


class Config(Section):
    """A whole run."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    seed: int = Field(ge=0)
    intended_use: IntendedUse
    policy: Policy
    sources: list[Source] = Field(min_length=1)
    curation: CurationSettings
    corpus: CorpusSettings = CorpusSettings()
    tokenizer: TokenizerSettings = TokenizerSettings()
    base_model: BaseModelSettings | None = None
    model: ModelSettings
    training: TrainingSettings
    evaluation: EvaluationSettings = EvaluationSettings()
    report: ReportSettings
    release: ReleaseSettings = ReleaseSettings()
    releases: list[Release] = Field(default_factory=list)
    compute: ComputeSettings = Field(default_factory=ComputeSettings)

    @field_validator("sources")
    @classmethod
    def _names_differ(cls, sources: list[Source]) -> list[Source]:
        names = [source.name for source in sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two sources are called {', '.join(twice)}; a document's id rests on its source's name")
        return sources

    @model_validator(mode="after")
    def _fits_its_base(self) -> Config:
        """A base brings shape and tokenizer; a learning rate meant for random weights would undo what it has learnt."""
        if self.base_model is None and self.model.depth is None:
            raise ValueError("model.depth is missing and there is no base_model to take it from")
        learnt = self.tokenizer.model_fields_set - {"parallel", "gate"} if self.base_model else set()
        if learnt:
            raise ValueError(f"base_model brings its own tokenizer; take out tokenizer.{min(learnt)}")
        if self.base_model is not None and self.training.learning_rate is None:
            raise ValueError(
                "training.learning_rate is needed with base_model: the default is for training from nothing and would "
                "undo what the base has learnt"
            )
        return self


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration together with the folder it was read from, against which its relative paths resolve."""

    config: Config
    path: Path

    @property
    def root(self) -> Path:
        """The folder of the file."""
        return self.path.parent

    def resolve(self, name: str | Path) -> Path:
        """Find a file named in the configuration: beside it, or among those shipped with Herkomst.

        Raises:
            UnreadableFile: it is in neither place.
        """
        for folder in (self.root, SHIPPED):
            candidate = folder / name
            if candidate.exists():
                return candidate
        raise UnreadableFile(
            f"{self.path}: '{name}' is neither in {self.root} nor among the shipped configurations; nothing was run. "
            "Correct the path."
        )

    def as_resolved(self) -> bytes:
        """The configuration with every default written out, as YAML."""
        values = self.config.model_dump(mode="json", exclude={"compute"})
        if self.config.base_model is not None:
            # Defaults for random weights and for a vocabulary of our own were not what the run was made with.
            for section in ("model", "tokenizer"):
                values[section] = getattr(self.config, section).model_dump(mode="json", exclude_unset=True)
            values["model"]["sequence_length"] = self.config.model.sequence_length
        return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120).encode()


def load_config(path: Path) -> Loaded:
    """Read a run's configuration.

    Raises:
        UnreadableFile: with file, line, key and, for a misspelt key, the nearest valid one.
    """
    return Loaded(read_section(path, Config), path.resolve())


__all__ = ["SHIPPED", "Config", "Loaded", "load_config"]
