"""The rights of a document that was made from others follow from theirs, and never exceed them.

Each parent is decided under its own rights first; the decisions are then combined. Everything a parent asks is asked of
what was made from it:

* the strictest outcome stands, and the parent that brought it is named;
* the duties of all are due; where a duty is a figure, the strictest one holds (fewest epochs, shortest passage, largest
  hold-out share, earliest end);
* two parents whose copyleft asks for different licences cannot both be followed, so that a person must look;
* the basis is the weakest, and the licence an expression in which all apply.

A text that is *cut* from another (a chunk, a copy) is a reproduction and needs no more than its parent's terms. A text
that is *made over* (translated, merged, synthesised) is an adaptation, an act of its own: Berne Convention art. 8 and
12, and what the terms call adapted material (CC 4.0 s. 1(a)). Terms that do not cover that act hold it back, on three
grounds: a licence without derivatives (CC BY-ND 4.0 s. 2(a)(1)(B), 3.0 s. 3); the exceptions for text and data mining,
which cover reproductions and extractions alone (Directive (EU) 2019/790 art. 3(1) and 4(1)); and an agreement or a
consent under which what was made does not itself stand, for its permission is for the texts it names. What follows is
the operator's choice (``policy.adaptations``). For a synthesised text the terms of the model that wrote it may be one
more parent.

Combining is commutative, associative and idempotent in outcome, duties, licence, branch and basis, so that no order or
nesting of merges yields more than all parents at once (``tests/licensing/test_lineage.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal, get_args

from licensing.expression import conjuncts, joined
from licensing.policy import Policy
from licensing.rights import Basis, Decision, Duty, Outcome
from licensing.table import LicenceTable
from licensing.verdict import SEVERITY

Operation = Literal["merged", "translated", "synthesised", "chunked", "deduplicated", "unstated"]
OPERATIONS: Final[tuple[str, ...]] = get_args(Operation)

OWN: Final = "its own terms"
"""How the explanation names what a document declares of itself."""

_WEAKEST_LAST: Final[tuple[Basis, ...]] = (
    "public-domain", "official-work", "own", "licence", "agreement", "consent", "dsm-art-4", "dsm-art-3", "none",
)  # fmt: skip
_MINING: Final = frozenset({"dsm-art-3", "dsm-art-4"})
_NEEDS_NONE: Final = frozenset({"LicenseRef-own"})
"""What the provider wrote itself it may make over; every other ``LicenseRef-`` outside the table is a contract."""

_UNKNOWN: Final = "NOASSERTION"
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Parent:
    """One document that another was made from: its id, and what was decided about it under its own rights."""

    id: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a document came about.

    ``unstated`` is for an operation that nobody named: it is taken for the one that the policy holds strictest.
    ``own`` is the decision on what the document declares of itself, or None where it declares nothing; it counts as
    one more parent, for whoever made the text may have rights in it too.
    """

    operation: Operation
    parents: tuple[Parent, ...]
    own: Decision | None = None


def decide_derived(derivation: Derivation, policy: Policy, table: LicenceTable) -> Decision:
    """Decide on a document by its parents; without a parent it is sent to review, for nothing is known of its origin.

    Reasons: ``parents-admitted``; ``parent-withdrawn``, ``parent-refused``, ``parent-review``, ``parent-adaptation``
    or ``parents-conflict``, with the deciding parent's id in the explanation; a reason of a parent that begins with
    ``parent`` itself is handed on. What decides on the document's own terms keeps its own reason.
    """
    if not derivation.parents:
        told = "It is said to be made from other documents, and none is named."
        return missing_parent("parent-unknown", "review", told)
    own = [Parent(OWN, derivation.own)] if derivation.own else []
    covered = frozenset(_licences(derivation.own)) if derivation.own else frozenset()
    parents = [_adapted(parent, derivation.operation, covered, policy, table) for parent in derivation.parents]
    return _combined([*own, *sorted(parents, key=_order)], derivation.operation, table)


def missing_parent(reason: str, outcome: Outcome, told: str) -> Decision:
    """A decision that stands for a parent about which nothing can be known."""
    return Decision(outcome, reason, "fail closed", told, _UNKNOWN, "", "none")


def declares_nothing(own: Decision) -> bool:
    """Say whether a document's own decision rests on the absence of any terms; its parents' then stand alone."""
    return own.reason == "licence-absent"


def _order(parent: Parent) -> tuple[str, str]:
    return parent.id, repr(parent.decision)


# ---- one parent under one operation


def _adapted(
    parent: Parent, operation: Operation, covered: frozenset[str], policy: Policy, table: LicenceTable
) -> Parent:
    """The parent's decision made stricter where its terms do not cover making another text from it."""
    outcome = policy.adaptations.of(operation)
    found = parent.decision
    if SEVERITY[outcome] <= SEVERITY[found.outcome]:
        return parent
    ground = _not_covered(found, covered, table)
    if ground is None:
        return parent
    clause, told = ground
    stricter = replace(found, outcome=outcome, reason="parent-adaptation", clause=clause, explanation=told, duties=())
    return Parent(parent.id, stricter)


def _not_covered(found: Decision, covered: frozenset[str], table: LicenceTable) -> tuple[str, str] | None:
    """The clause and sentence of the first ground on which making another text is not covered, or None."""
    for licence in _licences(found):
        entry = table.licences.get(licence)
        if entry is not None and "no-derivatives" in entry.restricts:
            return entry.clause, f"{licence} does not permit sharing what is made from the work. {entry.because}"
    if found.basis in _MINING:
        article = f"{found.basis.removeprefix('dsm-art-')}(1)"
        told = "The exception for text and data mining covers reproductions and extractions, not adaptations."
        return f"Directive (EU) 2019/790 art. {article}", told
    for licence in sorted(set(_licences(found)) - covered):
        if licence.startswith("LicenseRef-") and licence not in table.licences and licence not in _NEEDS_NONE:
            told = f"{licence} permits the use of its own documents; what was made from them does not stand under it."
            return "the agreement", told
    return None


# ---- all parents together


def _combined(parts: list[Parent], operation: Operation, table: LicenceTable) -> Decision:
    outcome = max((part.decision.outcome for part in parts), key=lambda one: SEVERITY[one])
    decisive = next(part for part in parts if part.decision.outcome == outcome)
    licence = _licence(parts)
    reason, told = _reason(decisive, parts, operation)
    clause = decisive.decision.clause
    if outcome == "admit" and (licence == _UNKNOWN or len(_copyleft(parts, table)) > 1):
        outcome, reason = "review", "parents-conflict"
        told = (
            f"{' and '.join(_copyleft(parts, table))} each ask that what is shared carries it; not all can be followed."
        )
        if licence == _UNKNOWN:
            told = f"The terms of its parents together cannot be read as one: {_quoted(parts)}."
    agreements = {part.decision.agreement for part in parts if part.decision.agreement}
    return Decision(
        outcome=outcome,
        reason=reason,
        clause=clause,
        explanation=told,
        licence=licence,
        branch=_branch(parts),
        basis=max((part.decision.basis for part in parts), key=_WEAKEST_LAST.index),
        agreement=agreements.pop() if len(agreements) == 1 else None,
        duties=combined_duties(duty for part in parts for duty in _named(part.decision)) if outcome == "admit" else (),
        conflict=_conflict(parts),
    )


def _reason(decisive: Parent, parts: list[Parent], operation: Operation) -> tuple[str, str]:
    found = decisive.decision
    if decisive.id == OWN and found.outcome != "admit":
        return found.reason, found.explanation
    if found.outcome == "admit":
        parents = [part.id for part in parts if part.id != OWN]
        more = f" and {len(parents) - _SHOWN} more" if len(parents) > _SHOWN else ""
        told = f"Every document that it was made from ({operation}) may be used: {', '.join(parents[:_SHOWN])}{more}."
        return "parents-admitted", told
    reason = found.reason
    if not reason.startswith("parent"):
        reason = {"withdrawn": "parent-withdrawn"}.get(reason, f"parent-{_STATE[found.outcome]}")
    return reason, f"It was made ({operation}) from {decisive.id}. {found.explanation}"


_STATE: Final[dict[str, str]] = {"refuse": "refused", "review": "review"}


def _licences(found: Decision) -> tuple[str, ...]:
    return tuple(part for part in found.branch.split(" AND ") if part not in ("", _UNKNOWN))


def _licence(parts: list[Parent]) -> str:
    found = {part.decision.licence for part in parts}
    if found & {"", _UNKNOWN}:
        return _UNKNOWN
    return joined(tuple(sorted({one for licence in found for one in conjuncts(licence)}))) or _UNKNOWN


def _branch(parts: list[Parent]) -> str:
    if not all(_licences(part.decision) for part in parts):
        return ""
    return " AND ".join(sorted({licence for part in parts for licence in _licences(part.decision)}))


def _copyleft(parts: list[Parent], table: LicenceTable) -> list[str]:
    """The licences that each ask for themselves; where there are several, none can be followed."""
    found = {licence for part in parts for licence in _licences(part.decision)}
    return sorted(one for one in found if one in table.licences and table.licences[one].copyleft != "none")


def _quoted(parts: list[Parent]) -> str:
    return "; ".join(f"'{licence}' ({where})" for licence, where in sorted(_first_of_each(parts).items()))


def _first_of_each(parts: list[Parent]) -> dict[str, str]:
    """Each known licence with the first part that stands under it."""
    first: dict[str, str] = {}
    for part in parts:
        if part.decision.licence != _UNKNOWN:
            first.setdefault(part.decision.licence, part.id)
    return first


def _conflict(parts: list[Parent]) -> str | None:
    """What the parents' terms are where they differ, after what was in conflict at a parent already."""
    before = sorted({part.decision.conflict for part in parts if part.decision.conflict})
    differ = [_quoted(parts)] if len(_first_of_each(parts)) > 1 else []
    return "; ".join(dict.fromkeys((*before, *differ))) or None


# ---- duties


def combined_duties(duties: Iterable[Duty]) -> tuple[Duty, ...]:
    """All duties, each once and in a fixed order; of those that are a figure, the strictest of each kind."""
    by_kind: dict[str, set[Duty]] = {}
    for duty in duties:
        by_kind.setdefault(duty.kind, set()).add(duty)
    kept: list[Duty] = []
    for kind in sorted(by_kind):
        same = sorted(by_kind[kind], key=lambda duty: (duty.value, duty.clause))
        if kind in _LOOSENESS:
            least = min(map(looseness, same))
            same = [duty for duty in same if looseness(duty) == least]
        kept += same
    return tuple(kept)


_LOOSENESS: Final = frozenset({"most-epochs", "verbatim-limit", "hold-out", "expiry"})


def looseness(duty: Duty) -> float:
    """A figure that is the smaller, the stricter the duty is; 0 for a duty that is not a figure."""
    if duty.kind == "expiry":
        return date.fromisoformat(duty.value).toordinal()
    if duty.kind == "hold-out":
        return -float(duty.value)
    return int(duty.value) if duty.kind in _LOOSENESS else 0


def _named(found: Decision) -> tuple[Duty, ...]:
    """Duties whose clause names its contract: beside those of another, 'art. 4.1' alone would say nothing."""
    if found.agreement is None or found.licence != f"LicenseRef-{found.agreement}":
        return found.duties
    prefix = f"{found.agreement}: "
    return tuple(
        duty if duty.clause.startswith(prefix) else replace(duty, clause=prefix + duty.clause) for duty in found.duties
    )
