"""What a user may set for the evaluation of a run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from licensing.settings import Section

Suite = Literal["bits-per-byte", "continuation", "memorisation"]


class EvaluationSettings(Section):
    """Which suites are run, and how much of the held-out text each one reads.

    ``bytes_per_language`` bounds the held-out text scored in each language; ``items`` is the number of questions of the
    continuation task and of probed documents per group in the memorisation suite; ``prefix`` and ``suffix`` are the
    tokens shown and asked for by the memorisation probe, ``offsets`` the places in a document where a probe starts.
    ``agreement_items`` is the most documents probed besides for each agreement, trained and held out each; 0 for none.
    """

    suites: list[Suite] = Field(default=["bits-per-byte", "continuation", "memorisation"])
    bytes_per_language: int = Field(default=200_000, ge=1_000)
    items: int = Field(default=120, ge=1)
    agreement_items: int = Field(default=32, ge=0)
    prefix: int = Field(default=32, ge=1)
    suffix: int = Field(default=64, ge=1)
    offsets: list[int] = Field(default=[0, 64])
    batch: int = Field(default=32, ge=1)
