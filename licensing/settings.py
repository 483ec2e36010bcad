"""The base of every section a user writes in YAML: unknown keys are refused and nothing can be changed later."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a configuration file; an unknown key is an error, and values are fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
