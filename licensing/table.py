"""The licence table: what each licence permits, on which terms, and the clause each judgement rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from licensing.expression import canonical, plain_address
from licensing.policy import Policy
from licensing.reading import UnreadableFile, read_section
from licensing.settings import Section

Copyleft = Literal["none", "file", "share-alike", "strong"]
Use = Literal["training", "commercial", "share_weights", "share_data", "sell_outputs"]
DutyName = Literal["attribution", "notice", "share-alike"]
Restriction = Literal["non-commercial", "no-derivatives"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

_OWN = ("name", "url", "urls", "same_as")
"""Fields that ``same_as`` never takes over: they say which licence an entry is, not how it is judged."""


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
    is for the policy. ``duties`` and ``restricts`` map each duty and each restriction to its clause, ``clause`` and
    ``because`` carry the judgement as a whole, ``urls`` are addresses by which the licence is declared, ``same_as`` is
    the entry whose judgement was taken over where this one gives none of its own.
    """

    name: Text
    copyleft: Copyleft
    permits: Permits
    restricts: dict[Restriction, Text] = Field(default_factory=dict)
    duties: dict[DutyName, Text] = Field(default_factory=dict)
    basis: Literal["licence", "public-domain", "official-work"]
    clause: Text
    because: Text
    url: Text
    urls: tuple[Text, ...] = ()
    same_as: str | None = None

    def port(self, base: str, place: str, code: str, because: str) -> Licence:
        """Return the entry of a port of this licence (id ``base``) to the law of ``place``: the same judgement.

        Every clause names ``base``, for the port's own numbering may differ.
        """
        return self.model_copy(
            update={
                "name": f"{self.name}, port to {place}",
                "restricts": {name: f"{base} {clause}" for name, clause in self.restricts.items()},
                "duties": {name: f"{base} {clause}" for name, clause in self.duties.items()},
                "clause": f"{base} {self.clause}",
                "because": f"Port of {base} to {place}. {because} {self.because}",
                "url": f"{self.url}{code}/",
                "urls": tuple(f"{address}{code}/" for address in self.urls),
                "same_as": base,
            }
        )


class Ports(Section):
    """Ports of licences to national law that have an address but no SPDX id: one judgement for all of them.

    Each licence of ``of`` has, for each code of ``places``, a port at its own address with the code behind it.
    """

    of: tuple[Text, ...] = Field(min_length=1)
    places: dict[str, Text] = Field(min_length=1)
    because: Text


class LicenceTable(Section):
    """All licences that a run can decide on, by SPDX id or ``LicenseRef-``.

    ``licences`` holds the entries as written, completed by ``same_as``, and one ``LicenseRef-BASE-CODE`` for each port
    in ``ports`` that has no entry of its own.
    """

    licences: dict[str, Licence] = Field(min_length=1)
    ports: tuple[Ports, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        """Take over from the entry that ``same_as`` names whatever an entry does not say itself."""
        written = data.get("licences") if isinstance(data, dict) else None
        if not isinstance(written, dict):
            return data
        _stop(_bad_references(written))
        return {**data, "licences": {name: _completed(entry, written) for name, entry in written.items()}}

    @model_validator(mode="after")
    def _with_ports(self) -> LicenceTable:
        _stop(_bad_names(self.licences))
        _stop(_bad_ports(self.ports, self.licences))
        self.licences.update(self._ported())
        _stop(_shared_addresses(self._addresses()))
        return self

    def _ported(self) -> dict[str, Licence]:
        return {
            f"LicenseRef-{base}-{code.upper()}": self.licences[base].port(base, place, code, group.because)
            for group in self.ports
            for base in group.of
            for code, place in group.places.items()
            if not {f"{base}-{code.upper()}", f"LicenseRef-{base}-{code.upper()}"} & self.licences.keys()
        }

    def _addresses(self) -> Iterator[tuple[str, str]]:
        for name, licence in self.licences.items():
            for address in (licence.url, *licence.urls, f"https://spdx.org/licenses/{name}"):
                yield name, plain_address(address)

    @cached_property
    def by_url(self) -> Mapping[str, str]:
        """Licence ids by address, as ``plain_address`` gives it."""
        return {address: name for name, address in self._addresses()}


Problem = tuple[tuple[str | int, ...], object, str]
"""Where in the file, what stands there, and what is wrong with it."""


def _stop(problems: Iterable[Problem]) -> None:
    """Raise every problem at its own place in the file, if there are any."""
    found = [
        InitErrorDetails(type=PydanticCustomError("licence_table", "{told}", {"told": told}), loc=place, input=value)
        for place, value, told in problems
    ]
    if found:
        raise ValidationError.from_exception_data("LicenceTable", found)


def _bad_references(written: dict[str, Any]) -> Iterator[Problem]:
    for name, entry in written.items():
        other = entry.get("same_as") if isinstance(entry, dict) else None
        if other is None:
            continue
        base = written.get(other) if isinstance(other, str) else None
        if not isinstance(base, dict):
            yield ("licences", name, "same_as"), other, "no such entry, so there is no judgement to take over"
        elif "same_as" in base:
            told = (
                f"{other} takes its own judgement from {base['same_as']}; name that entry, so that one look is enough"
            )
            yield ("licences", name, "same_as"), other, told


def _completed(entry: Any, written: dict[str, Any]) -> Any:
    if not isinstance(entry, dict) or "same_as" not in entry:
        return entry
    taken = {field: value for field, value in written[entry["same_as"]].items() if field not in _OWN}
    return {**taken, **entry}


def _bad_names(licences: Mapping[str, Licence]) -> Iterator[Problem]:
    told = "no SPDX id in its canonical spelling and no LicenseRef-; correct it"
    return ((("licences", name), name, told) for name in licences if canonical(name) != name)


def _bad_ports(ports: tuple[Ports, ...], licences: Mapping[str, Licence]) -> Iterator[Problem]:
    for number, group in enumerate(ports):
        for base in group.of:
            if base not in licences:
                yield ("ports", number, "of"), base, f"{base} is not in the table, so its ports cannot be judged by it"
            elif not all(address.endswith("/") for address in (licences[base].url, *licences[base].urls)):
                yield ("licences", base, "url"), licences[base].url, "no port can follow an address without a final '/'"


def _shared_addresses(addresses: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, address in addresses:
        owner = owners.setdefault(address, name)
        if owner != name:
            yield ("licences", name, "url"), address, f"belongs to {owner} already; an address names one licence"


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
