"""What is known about a document's legal position, and what was decided about it.

*Declared* is what somebody wrote, kept as written with the place where it stands. *Concluded* is what the table and the
policy make of it. The two are never merged (SPDX 3.0 keeps the same split: hasDeclaredLicense, hasConcludedLicense).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

from licensing.reservations.signal import Reservation
from licensing.settings import Section

Outcome = Literal["admit", "review", "refuse"]
Form = Literal["spdx", "dep5", "url", "prose"]
Basis = Literal[
    "licence", "agreement", "public-domain", "official-work", "dsm-art-3", "dsm-art-4", "own", "consent", "none"
]


@dataclass(frozen=True, slots=True)
class Declared:
    """One licence as somebody declared it.

    ``text`` is as written, ``where`` is the place (``FILE:LINE``, an element path, ``column NAME``), ``form`` says how
    to read it: an SPDX expression, a Debian DEP-5 short name expression, the address of a licence, or free prose.
    """

    text: str
    where: str
    form: Form


@dataclass(frozen=True, slots=True)
class Rights:
    """All that is known of one document's legal position before a decision.

    ``basis`` is what the configuration says the use rests on (None: what the declarations give), ``evidence`` what
    shows that, ``reservation`` what the publisher's site and the page say about text and data mining (None: not looked
    at).
    """

    declared: tuple[Declared, ...] = ()
    agreement: str | None = None
    published: date | None = None
    withdrawn: bool = False
    basis: Basis | None = None
    evidence: str | None = None
    reservation: Reservation | None = None


class IntendedUse(Section):
    """What this run is for; every decision is made against it."""

    purpose: Literal["commercial", "research"]
    weights_released: bool
    data_released: bool
    outputs_sold: bool


@dataclass(frozen=True, slots=True)
class Duty:
    """An obligation that travels with a document: what, how much of it, and the clause it rests on."""

    kind: Literal[
        "attribution", "notice", "share-alike", "expiry", "most-epochs", "hold-out", "verbatim-limit", "deletion"
    ]
    value: str
    clause: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for one document.

    ``reason`` is a stable code (``licence-admitted``, ``licence-unknown``, …), ``clause`` the legal text or contract
    clause it rests on, ``explanation`` one plain sentence for people. ``licence`` is the concluded SPDX expression
    (``LicenseRef-…`` for an agreement or notice, ``NOASSERTION`` where nothing could be concluded) and ``branch`` the
    part of a dual licence that was chosen.
    """

    outcome: Outcome
    reason: str
    clause: str
    explanation: str
    licence: str
    branch: str
    basis: Basis
    agreement: str | None = None
    duties: tuple[Duty, ...] = ()
    conflict: str | None = None
    basis_evidence: str | None = None
    reservation: Reservation | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the decision as plain values for JSON."""
        return asdict(self)
