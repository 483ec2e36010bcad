"""From rights to a decision: pure, without a clock, and closed where anything is missing.

Every statement about a document must be satisfied, for nobody here can know which of two is true. So statements that
differ are read as one expression in which all apply: the stricter one stands, an admission carries the duties of each,
and both are recorded. Within it, the alternatives of dual licences are tried and the one that serves best is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from licensing.agreement import Agreement
from licensing.basis import decide_by_basis, declared_basis, stands_alone, with_declared, with_reservation
from licensing.contract import decide_by_agreement
from licensing.expression import branches, joined, spdx
from licensing.policy import Policy
from licensing.reasons import REASONS
from licensing.rights import Basis, Decision, Declared, Duty, IntendedUse, Outcome, Rights
from licensing.table import LicenceTable
from licensing.verdict import SEVERITY, Verdict, duties_of, judge

__all__ = ["REASONS", "decide"]


def decide(
    rights: Rights,
    use: IntendedUse,
    policy: Policy,
    table: LicenceTable,
    agreements: Mapping[str, Agreement],
    source: str,
) -> Decision:
    """Decide whether a document of ``source`` may be used as intended.

    A withdrawn document is refused before anything else. An agreement goes before a public licence and before a
    reservation, which is recorded; a declaration on the document that would not be admitted by itself sends it to
    review all the same, for it may be a third party's. Other bases: see ``licensing.basis``.
    """
    decision = _decided(rights, use, policy, table, agreements, source)
    return replace(decision, basis_evidence=rights.evidence, reservation=rights.reservation)


def _decided(
    rights: Rights,
    use: IntendedUse,
    policy: Policy,
    table: LicenceTable,
    agreements: Mapping[str, Agreement],
    source: str,
) -> Decision:
    if rights.withdrawn:
        return withdrawn_decision(rights.agreement)
    if stands_alone(rights):
        alone = decide_by_basis(rights, use)
        if not rights.declared:
            return alone
        return with_declared(alone, _by_declarations(rights.declared, use, policy, table), _quoted(rights.declared))
    if rights.agreement is None and rights.basis != "agreement":
        declared = (*declared_basis(rights), *rights.declared)
        return with_reservation(_by_declarations(declared, use, policy, table), rights.reservation, policy)
    agreement = agreements.get(rights.agreement or "")
    if agreement is None:
        told = f"Agreement {rights.agreement} is not among the agreements of this run; add it to policy.agreements."
        return _without_licence("refuse", "agreement-unknown", told, rights)
    decision = decide_by_agreement(rights, use, policy, agreement, source)
    if decision.outcome != "admit" or not rights.declared:
        return decision
    return _against_declarations(decision, rights.declared, _by_declarations(rights.declared, use, policy, table))


def withdrawn_decision(agreement: str | None) -> Decision:
    """The decision on a withdrawn document, whatever else is known of it."""
    told = "The document was withdrawn and is not used again."
    return Decision("refuse", "withdrawn", "", told, "NOASSERTION", "", "none", agreement)


def _without_licence(outcome: Outcome, reason: str, told: str, rights: Rights) -> Decision:
    return Decision(outcome, reason, "", told, "NOASSERTION", "", "none", rights.agreement)


def _against_declarations(decision: Decision, declared: tuple[Declared, ...], other: Decision) -> Decision:
    if other.outcome == "admit" or all(_is_own(statement, decision) for statement in declared):
        return decision
    told = (
        f"{decision.explanation} But the document itself declares otherwise: {_quoted(declared)}. "
        "A person must say whether the agreement covers it."
    )
    return replace(
        decision, outcome="review", reason="licence-conflict", explanation=told, duties=(), conflict=_quoted(declared)
    )


def _is_own(statement: Declared, decision: Decision) -> bool:
    return statement.form == "spdx" and statement.text.strip() == decision.licence


def _by_declarations(declared: tuple[Declared, ...], use: IntendedUse, policy: Policy, table: LicenceTable) -> Decision:
    """Decide on public licences alone."""
    if not declared:
        return Decision("refuse", "licence-absent", "", REASONS["licence-absent"].en, "NOASSERTION", "", "none")
    read = {statement: spdx(statement, table.by_url) for statement in declared}
    expressions = tuple(dict.fromkeys(found for found in read.values() if found))
    unread = [statement for statement, found in read.items() if found is None]
    conflict = _quoted(tuple(read)) if len(expressions) + len({s.text for s in unread}) > 1 else None
    known = _by_expressions(expressions, use, policy, table) if expressions else None
    if unread and (known is None or known.outcome != "refuse"):
        known = _unread(unread[0])
    return replace(known, conflict=conflict) if known else _unread(declared[0])


def _unread(statement: Declared) -> Decision:
    reason = "licence-prose" if statement.form == "prose" else "licence-unknown"
    text = " ".join(statement.text.split())[:120]
    told = f"{REASONS[reason].en} {statement.where}: '{text}'."
    return Decision("review", reason, statement.where, told, "NOASSERTION", "", "none")


def _quoted(declared: tuple[Declared, ...]) -> str:
    """All statements with their places, in the order found; one of many places stands for those that say the same."""
    first = {statement.text: statement for statement in reversed(declared)}
    distinct = [statement for statement in declared if first[statement.text] is statement]
    return "; ".join(f"'{' '.join(one.text.split())[:120]}' ({one.where})" for one in distinct)


@dataclass(frozen=True, slots=True)
class _Branch:
    """One way to satisfy every statement: the licences that then all apply, and what each of them says."""

    licences: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def decisive(self) -> Verdict:
        return max(self.verdicts, key=lambda verdict: SEVERITY[verdict.outcome])

    @property
    def copyleft(self) -> tuple[str, ...]:
        """The licences that each ask for themselves; in one statement or in several makes no difference."""
        return tuple(verdict.licence for verdict in self.verdicts if verdict.reach)

    @property
    def torn(self) -> bool:
        """Whether different copyleft licences all apply, so that none can be followed."""
        return len(self.copyleft) > 1

    @property
    def duties(self) -> tuple[Duty, ...]:
        return tuple(duty for verdict in self.verdicts for duty in duties_of(verdict))

    @property
    def outcome(self) -> Outcome:
        return "review" if self.torn and self.decisive.outcome == "admit" else self.decisive.outcome

    def rank(self) -> tuple[int, int, int, int, list[str]]:
        """Best first: the outcome, how far copyleft reaches, the number of duties and of licences, the alphabet."""
        reach = max(verdict.reach for verdict in self.verdicts)
        return SEVERITY[self.outcome], reach, len(self.duties), len(self.licences), sorted(self.licences)


def _by_expressions(expressions: tuple[str, ...], use: IntendedUse, policy: Policy, table: LicenceTable) -> Decision:
    whole = joined(expressions)
    if whole is None:
        return _too_many(expressions, use, policy, table)
    best = min(_branches(expressions, use, policy, table), key=_Branch.rank)
    decisive = best.decisive
    if best.torn and decisive.outcome == "admit":
        told = f"{' and '.join(best.copyleft)} each ask that what is shared carries it; not all can be followed."
        return Decision("review", "licence-conflict", decisive.clause, told, whole, "", "none")
    return Decision(
        outcome=decisive.outcome,
        reason=decisive.reason,
        clause=decisive.clause,
        explanation=decisive.explanation,
        licence=whole,
        branch=" AND ".join(best.licences),
        basis=_basis(best),
        duties=best.duties if decisive.outcome == "admit" else (),
    )


def _too_many(expressions: tuple[str, ...], use: IntendedUse, policy: Policy, table: LicenceTable) -> Decision:
    """Refuse where one statement is refused by itself, for no other can heal that; review everything else."""
    for expression in sorted(expressions):
        alone = _by_expressions((expression,), use, policy, table)
        if alone.outcome == "refuse":
            return alone
    told = "The declarations together have more alternatives than can be read; a person must look at them."
    return Decision("review", "licence-conflict", "", told, "NOASSERTION", "", "none")


def _branches(expressions: tuple[str, ...], use: IntendedUse, policy: Policy, table: LicenceTable) -> list[_Branch]:
    choices: list[tuple[tuple[str, ...], ...]] = [()]
    for expression in expressions:
        choices = [(*chosen, branch) for chosen in choices for branch in branches(expression)]
    return [_judged(chosen, use, policy, table) for chosen in choices]


def _judged(parts: tuple[tuple[str, ...], ...], use: IntendedUse, policy: Policy, table: LicenceTable) -> _Branch:
    licences = tuple(dict.fromkeys(licence for part in parts for licence in part))
    return _Branch(licences, tuple(judge(licence, use, policy, table) for licence in licences))


def _basis(branch: _Branch) -> Basis:
    """A licence, unless every part rests on there being no right at all."""
    found: list[Basis] = [verdict.entry.basis if verdict.entry else "none" for verdict in branch.verdicts]
    return found[0] if len(set(found)) == 1 else "licence"
