"""Legal bases other than a licence or an agreement, and what a reservation of rights does to each basis.

*DSM art. 3* is for scientific research by research organisations and cultural heritage institutions that have lawful
access. They may work with companies (recital 11) but not be under their decisive influence (recital 12), and neither
the purpose nor the result may be commercial, so a commercial run and one that sells outputs are refused. The copies are
kept securely and not handed on (art. 3(2)). Whether released weights hand copies on is open, so a person decides. A
reservation does not matter (art. 4(3) limits art. 4 alone), and terms that take the exception away cannot be enforced
(art. 7(1)), so a declared licence is recorded and changes nothing.

*DSM art. 4* is for anybody with lawful access, unless the right is expressly reserved. It needs the finding
``allowed``. ``disallowed`` is refused. ``unknown`` goes to review and is never admitted: it says that evidence is
missing, which a person can bring, and until then the document stays out just as if it were refused. Copies may be kept
only as long as mining needs them (art. 4(2)), so releasing the data is refused. Unlike art. 3 it yields to contract
terms.

*Own* work and *consent* need their evidence. A declaration on the document that would not be admitted by itself is
recorded as a conflict, and the stricter stands.
"""

from __future__ import annotations

from dataclasses import replace

from licensing.policy import Policy
from licensing.reservations.signal import Reservation
from licensing.rights import Basis, Decision, Declared, Duty, IntendedUse, Outcome, Rights
from licensing.verdict import SEVERITY

_DSM = "Directive (EU) 2019/790 art."
_RIGHT = "Directive 2001/29/EC art. 2"
_LICENCES: dict[Basis, str] = {
    "dsm-art-3": "LicenseRef-DSM-art-3",
    "dsm-art-4": "LicenseRef-DSM-art-4",
    "own": "LicenseRef-own",
    "consent": "LicenseRef-consent",
}
ALONE = frozenset(_LICENCES)
"""The bases that are judged here, by themselves."""
NO_CONTRACTS = frozenset(_LICENCES.values())
"""What is concluded on such a basis: names outside the licence table that stand for no agreement."""

_DECLARED: dict[Basis, str] = {
    "public-domain": "LicenseRef-public-domain",
    "official-work": "LicenseRef-official-work",
}


def stands_alone(rights: Rights) -> bool:
    """Say whether the basis of a document is one of those that are judged here."""
    return rights.agreement is None and rights.basis in ALONE


def declared_basis(rights: Rights) -> tuple[Declared, ...]:
    """What the configuration says of a work that needs no permission, as a declaration beside the document's own."""
    licence = _DECLARED.get(rights.basis) if rights.basis else None
    place = f"config: key basis ({rights.evidence})" if rights.evidence else "config: key basis"
    return (Declared(licence, place, "spdx"),) if licence else ()


def decide_by_basis(rights: Rights, use: IntendedUse) -> Decision:
    """Decide on a document that rests on art. 3, art. 4, own work or consent."""
    match rights.basis:
        case "dsm-art-3":
            return _by_article_3(rights, use)
        case "dsm-art-4":
            return _by_article_4(rights, use)
        case _:
            return _by_evidence(rights)


def with_declared(decision: Decision, other: Decision, quoted: str) -> Decision:
    """Set a decision on a basis against the one on what the document itself declares; the stricter stands.

    ``quoted`` are the declarations with their places.
    """
    if other.outcome == "admit":
        return decision
    if decision.basis == "dsm-art-3" or SEVERITY[decision.outcome] >= SEVERITY[other.outcome]:
        return replace(decision, conflict=quoted)
    told = f"{decision.explanation} But the document itself declares otherwise: {quoted}. {other.explanation}"
    return replace(other, explanation=told, conflict=quoted, basis=decision.basis)


def with_reservation(decision: Decision, reservation: Reservation | None, policy: Policy) -> Decision:
    """Set an admission by public licence against a reservation: the contradiction is recorded, the policy decides."""
    if decision.outcome != "admit" or decision.basis != "licence" or reservation is None:
        return decision
    if reservation.state != "disallowed":
        return decision
    said = f"reserved: {_quoted(reservation)}"
    conflict = f"{decision.conflict}; {said}" if decision.conflict else said
    outcome = policy.reservations_on_licensed
    if outcome == "admit":
        return replace(decision, conflict=conflict)
    told = f"{decision.explanation} But the publisher reserves text and data mining: {_quoted(reservation)}."
    return replace(
        decision,
        outcome=outcome,
        reason="licence-reserved",
        clause="policy.reservations_on_licensed",
        explanation=told,
        conflict=conflict,
        duties=(),
    )


def _by_article_3(rights: Rights, use: IntendedUse) -> Decision:
    if use.purpose == "commercial" or use.outputs_sold:
        what = "has a commercial purpose" if use.purpose == "commercial" else "sells what the model writes"
        told = f"Art. 3 is for scientific research only, and this run {what}."
        return _decision(rights, "refuse", "art-3-commercial", f"{_DSM} 3", told)
    if use.data_released:
        told = "Copies made under art. 3 are kept securely for research and not handed on; this run releases the data."
        return _decision(rights, "refuse", "art-3-sharing", f"{_DSM} 3(2)", told)
    if not rights.evidence:
        told = (
            "Art. 3 is for research organisations and cultural heritage institutions with lawful access; say in "
            "basis_evidence which one, and what shows it."
        )
        return _decision(rights, "review", "basis-evidence-absent", f"{_DSM} 2(1) and 3(1)", told)
    if use.weights_released:
        told = "Whether releasing the weights hands on copies made under art. 3 is not settled; a person must decide."
        return _decision(rights, "review", "art-3-release", f"{_DSM} 3(2)", told)
    told = f"Scientific research with lawful access: {rights.evidence}."
    return _decision(rights, "admit", "art-3-admitted", f"{_DSM} 3(1)", told)


def _by_article_4(rights: Rights, use: IntendedUse) -> Decision:
    found = rights.reservation
    state = found.state if found else "unknown"
    if found and state == "disallowed":
        told = f"The right to mine text and data is reserved: {_quoted(found)}."
        return _decision(rights, "refuse", "reserved", f"{_DSM} 4(3)", told)
    if use.data_released:
        told = "Copies made under art. 4 may be kept only as long as mining needs them; this run releases the data."
        return _decision(rights, "refuse", "art-4-sharing", f"{_DSM} 4(2)", told)
    if not found or state != "allowed":
        why = _quoted(found) if found and found.signals else "no stored answers of the publisher's site were looked at"
        told = f"Whether text and data mining is reserved is not known: {why}. Store the missing answers and run again."
        return _decision(rights, "review", "reservation-unknown", f"{_DSM} 4(3)", told)
    told = f"Lawful access, and no reservation was found in what was asked for up to {found.as_of}."
    duty = Duty("deletion", "delete the copies when text and data mining no longer needs them", f"{_DSM} 4(2)")
    return _decision(rights, "admit", "art-4-admitted", f"{_DSM} 4(1)", told, (duty,))


def _by_evidence(rights: Rights) -> Decision:
    own = rights.basis == "own"
    if not rights.evidence:
        told = f"The basis is '{rights.basis}' and basis_evidence does not say what shows it; a person must look."
        return _decision(rights, "review", "basis-evidence-absent", _RIGHT, told)
    told = f"{'Own work' if own else 'The rightsholder consents'}: {rights.evidence}."
    return _decision(rights, "admit", "own-admitted" if own else "consent-admitted", _RIGHT, told)


def _decision(
    rights: Rights, outcome: Outcome, reason: str, clause: str, told: str, duties: tuple[Duty, ...] = ()
) -> Decision:
    basis: Basis = rights.basis or "none"
    licence = _LICENCES[basis]
    return Decision(outcome, reason, clause, told, licence, licence, basis, None, duties)


def _quoted(found: Reservation) -> str:
    """The findings that carry the state, the first three in words."""
    said = [f"{one.protocol} '{one.text}' ({one.where})" for one in found.decisive]
    return "; ".join(said[:3]) + (f" and {len(said) - 3} more" if len(said) > 3 else "")
