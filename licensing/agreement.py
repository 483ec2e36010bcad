"""An agreement with a partner as data: one file per contract, each enforceable field tied to its clause.

The file is YAML, as described at `Agreement`, or an ODRL 2.2 policy in JSON-LD (``.json``, ``.jsonld``; see
`licensing.odrl`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictBool, StrictInt, StringConstraints, model_validator

from licensing.reading import UnreadableFile, read_section
from licensing.settings import Section

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]

ENFORCED = (
    "sources",
    "permitted_uses",
    "content_period",
    "use_period",
    "most_epochs",
    "verbatim_limit",
    "hold_out_share",
    "attribution",
)
"""Fields that the pipeline acts on: each that is given must name its clause."""

NOT_ENFORCED = ("purpose", "territory", "deletion_duty", "notice_period_days", "remuneration_key")
"""Fields that people must see to; reports list them as not enforced by software."""


class PermittedUses(Section):
    """What the partner allows, one plain yes or no for each; nothing is allowed by being left out."""

    training: StrictBool
    commercial: StrictBool
    share_weights: StrictBool
    share_data: StrictBool
    sell_outputs: StrictBool


class Period(Section):
    """Days from and until, both included; ``until: null`` is an open end."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: date = Field(alias="from")
    until: date | None

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        if self.until is not None and self.until < self.start:
            raise ValueError(f"the period ends on {self.until}, before it begins on {self.start}; nothing is covered")
        return self

    def contains(self, day: date) -> bool:
        """Say whether the day lies in the period; first and last day count."""
        return self.start <= day and (self.until is None or day <= self.until)

    def __str__(self) -> str:
        return f"{self.start} to {self.until or 'no end'}"


class Agreement(Section):
    """One contract with one partner.

    The file, in full (every key is required; ``null`` says "the contract sets none"; text in English or Dutch)::

        id: de-kade-2026                # lower case, digits, hyphens; documents and the ledger name it
        partner: De Kade                # the other party, as reports name it
        sources: [de-kade]              # names of the sources in the run config that it covers
        permitted_uses:                 # each true or false
          training: true                # train a model on the text
          commercial: true              # for a commercial purpose
          share_weights: true           # release the model's weights
          share_data: false             # release the text itself
          sell_outputs: true            # sell what the model writes
        purpose: Training and evaluating language models for Dutch.
        territory: European Union
        content_period:                 # publication dates that are covered, first and last day included
          from: 2015-01-01
          until: 2025-12-31
        use_period:                     # days on which the text may be used; judged on the policy's as_of date
          from: 2026-01-01
          until: 2028-12-31             # null: no end
        most_epochs: 4                  # times a document may be read in training, or null
        verbatim_limit: 160             # longest literal passage in characters the model may give back, or null
        hold_out_share: 0.1             # share of documents set aside and never trained on, 0 to 0.5
        attribution: "Bron: De Kade"    # the words to show, or null
        deletion_duty: Delete all copies within 30 days of the end of the use period.   # or null
        remuneration_key: tokens-scored # tokens-scored, documents, distinct-documents or none
        notice_period_days: 90          # notice to end the contract, in days
        contact: rights@de-kade.example
        clauses:                        # field: its clause; required for each enforced field that is set
          sources: art. 2.1
          permitted_uses: art. 3.1
          permitted_uses.share_data: art. 3.4     # optional, where one use has a clause of its own
          content_period: art. 2.2
          use_period: art. 9.1
          most_epochs: art. 4.2
          verbatim_limit: art. 4.3
          hold_out_share: art. 4.4
          attribution: art. 5.1
          deletion_duty: art. 9.3       # optional for fields that software cannot enforce
    """

    id: Name
    partner: Text
    sources: tuple[Text, ...] = Field(min_length=1)
    permitted_uses: PermittedUses
    purpose: Text
    territory: Text
    content_period: Period
    use_period: Period
    most_epochs: StrictInt | None = Field(ge=1)
    verbatim_limit: StrictInt | None = Field(ge=0)
    hold_out_share: float = Field(ge=0, le=0.5)
    attribution: Text | None
    deletion_duty: Text | None
    remuneration_key: Literal["tokens-scored", "documents", "distinct-documents", "none"]
    notice_period_days: StrictInt = Field(ge=0)
    contact: Text
    clauses: dict[str, Text]

    @model_validator(mode="after")
    def _clauses_complete(self) -> Agreement:
        missing = [field for field in ENFORCED if self._is_set(field) and field not in self.clauses]
        if missing:
            raise ValueError(
                f"clauses: no clause for {', '.join(missing)}; a decision must name the clause it rests on"
            )
        uses = {f"permitted_uses.{use}" for use in PermittedUses.model_fields}
        unknown = sorted(set(self.clauses) - set(ENFORCED) - set(NOT_ENFORCED) - uses)
        if unknown:
            raise ValueError(f"clauses: {', '.join(unknown)} is no field of an agreement; correct the name")
        return self

    def _is_set(self, field: str) -> bool:
        value = getattr(self, field)
        return value is not None and value != 0

    def clause(self, field: str) -> str:
        """Return the clause of a field, that of its group where it has none of its own, or the contract as a whole."""
        return self.clauses.get(field) or self.clauses.get(field.partition(".")[0]) or "the agreement"

    def not_enforced(self) -> tuple[tuple[str, str, str], ...]:
        """Return (field, what it says, clause) for each duty that software cannot see to."""
        said = [(field, getattr(self, field)) for field in NOT_ENFORCED]
        return tuple((field, str(value), self.clause(field)) for field, value in said if value not in (None, "none"))


ODRL_ENDINGS = (".json", ".jsonld")


def load_agreement(path: Path) -> Agreement:
    """Read one contract; raises ``UnreadableFile`` naming file and line or place, and the field."""
    return _from_odrl(path) if path.suffix.lower() in ODRL_ENDINGS else read_section(path, Agreement)


def _from_odrl(path: Path) -> Agreement:
    from licensing.odrl import from_odrl

    try:
        return from_odrl(path.read_bytes())
    except (OSError, UnreadableFile) as error:
        raise UnreadableFile(f"{path} cannot be used, so nothing is run or decided on it. {error}") from error


def load_agreements(paths: Iterable[Path]) -> dict[str, Agreement]:
    """Read contracts by id, in the order given; two with one id are an error, for a decision must rest on one text."""
    found: dict[str, Agreement] = {}
    for path in paths:
        agreement = load_agreement(path)
        if agreement.id in found:
            raise UnreadableFile(f"{path}: id: '{agreement.id}' is taken by another agreement; give each its own id")
        found[agreement.id] = agreement
    return found
