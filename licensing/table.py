"""The licence table: what each licence permits, on which terms, and the clause each judgement rests on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from licensing.expression import canonical, plain_address
from licensing.policy import Policy
from licensing.reading import UnreadableFile, read_section
from licensing.settings import Section

Copyleft = Literal["none", "file", "share-alike", "strong"]
Use = Literal["training", "commercial", "share_weights", "share_data", "sell_outputs"]
DutyName = Literal["attribution", "notice", "share-alike"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _yes_or_no(value: object) -> object:
    """YAML 1.1 reads a bare ``yes`` as true; the table is for people, so it may stand there bare."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


Answer = Annotated[Literal["yes", "no", "unsettled"], BeforeValidator(_yes_or_no)]


class Permits(Section):
    """What a licence permits provided that its duties are met; ``unsettled`` where lawyers may differ."""

    training: Answer
    commercial: Answer
    share_weights: Answer
    share_data: Answer
    sell_outputs: Answer

    def of(self, use: Use) -> Literal["yes", "no", "unsettled"]:
        """Return the answer for one use."""
        return {
            "training": self.training,
            "commercial": self.commercial,
            "share_weights": self.share_weights,
            "share_data": self.share_data,
            "sell_outputs": self.sell_outputs,
        }[use]


class Licence(Section):
    """One licence of the table.

    ``copyleft`` says how far its terms reach into what is made from the text; whether that includes a model's weights
    is for the policy. ``duties`` maps each duty to its clause, ``clause`` and ``because`` carry the judgement as a
    whole, ``urls`` are addresses by which the licence is declared.
    """

    name: Text
    copyleft: Copyleft
    permits: Permits
    restricts: tuple[Literal["non-commercial", "no-derivatives"], ...] = ()
    duties: dict[DutyName, Text] = Field(default_factory=dict)
    basis: Literal["licence", "public-domain", "official-work"]
    clause: Text
    because: Text
    url: Text
    urls: tuple[Text, ...] = ()


class LicenceTable(Section):
    """All licences that a run can decide on, by SPDX id or ``LicenseRef-``."""

    licences: dict[str, Licence] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_and_addresses(self) -> LicenceTable:
        unknown = [name for name in self.licences if canonical(name) != name]
        if unknown:
            raise ValueError(
                f"{', '.join(unknown)}: no SPDX id in its canonical spelling and no LicenseRef-; correct it"
            )
        owners: dict[str, str] = {}
        for name, address in self._addresses():
            if owners.setdefault(address, name) != name:
                raise ValueError(
                    f"{name}.urls: {address} belongs to {owners[address]} already; an address names one licence"
                )
        return self

    def _addresses(self) -> list[tuple[str, str]]:
        found = []
        for name, licence in self.licences.items():
            own = (licence.url, *licence.urls, f"https://spdx.org/licenses/{name}")
            found += [(name, plain_address(address)) for address in own]
        return found

    @cached_property
    def by_url(self) -> Mapping[str, str]:
        """Licence ids by address, as ``plain_address`` gives it."""
        return {address: name for name, address in self._addresses()}


def load_table(path: Path) -> LicenceTable:
    """Read a licence table; raises ``UnreadableFile`` naming file, line, entry and field."""
    return read_section(path, LicenceTable)


def check_policy(policy: Policy, table: LicenceTable) -> None:
    """Stop where the policy decides on a licence that the table lacks: without an entry its duties are not known."""
    missing = sorted(set(policy.licences) - set(table.licences))
    if missing:
        raise UnreadableFile(
            f"policy.licences: {', '.join(missing)} is not in the licence table, so its duties are not known "
            f"and it stays out; add it to {policy.table} or correct the name"
        )
