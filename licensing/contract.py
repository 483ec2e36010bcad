"""Deciding by agreement: every clause that software can judge is judged, the severest first."""

from __future__ import annotations

from licensing.agreement import Agreement
from licensing.policy import Policy
from licensing.rights import Decision, Duty, IntendedUse, Outcome, Rights
from licensing.verdict import needed_uses, use_words


def decide_by_agreement(
    rights: Rights, use: IntendedUse, policy: Policy, agreement: Agreement, source: str
) -> Decision:
    """Decide on a document that is delivered under an agreement.

    Its publication date must lie in the agreement's content period and the policy's ``as_of`` in its use period; first
    and last days count.
    """
    return (
        _by_source(agreement, source)
        or _by_use_period(policy, agreement)
        or _by_use(use, agreement)
        or _by_content_period(rights, agreement)
        or _admitted(agreement)
    )


def _by_source(agreement: Agreement, source: str) -> Decision | None:
    if source in agreement.sources:
        return None
    told = f"Agreement {agreement.id} covers {', '.join(agreement.sources)}, not the source {source}."
    return _decision(agreement, "refuse", "agreement-source", agreement.clause("sources"), told)


def _by_use_period(policy: Policy, agreement: Agreement) -> Decision | None:
    period = agreement.use_period
    if period.contains(policy.as_of):
        return None
    reason = "agreement-not-begun" if policy.as_of < period.start else "agreement-expired"
    told = f"Agreement {agreement.id} permits use from {period}; this run is judged on {policy.as_of}."
    return _decision(agreement, "refuse", reason, agreement.clause("use_period"), told)


def _by_use(use: IntendedUse, agreement: Agreement) -> Decision | None:
    for name in needed_uses(use):
        if not getattr(agreement.permitted_uses, name):
            told = f"Agreement {agreement.id} does not permit {use_words(name)}."
            return _decision(agreement, "refuse", "agreement-use", agreement.clause(f"permitted_uses.{name}"), told)
    return None


def _by_content_period(rights: Rights, agreement: Agreement) -> Decision | None:
    period, clause = agreement.content_period, agreement.clause("content_period")
    if rights.published is None:
        told = f"Agreement {agreement.id} covers publications from {period}; this document carries no date."
        return _decision(agreement, "review", "date-absent", clause, told)
    if period.contains(rights.published):
        return None
    told = f"Agreement {agreement.id} covers publications from {period}; this one is of {rights.published}."
    return _decision(agreement, "refuse", "agreement-period", clause, told)


def _admitted(agreement: Agreement) -> Decision:
    told = f"Agreement {agreement.id} with {agreement.partner} permits the intended use."
    clause = agreement.clause("permitted_uses")
    return _decision(agreement, "admit", "agreement-admitted", clause, told, agreement_duties(agreement))


def agreement_duties(agreement: Agreement) -> tuple[Duty, ...]:
    """Return the duties an agreement lays on every document under it, each with its clause."""
    until = agreement.use_period.until
    duties = (
        ("attribution", agreement.attribution, "attribution"),
        ("most-epochs", agreement.most_epochs, "most_epochs"),
        ("hold-out", agreement.hold_out_share or None, "hold_out_share"),
        ("verbatim-limit", agreement.verbatim_limit, "verbatim_limit"),
        ("deletion", agreement.deletion_duty, "deletion_duty"),
        ("expiry", until and until.isoformat(), "use_period"),
    )
    return tuple(
        Duty(kind, str(value), agreement.clause(field))  # type: ignore[arg-type]
        for kind, value, field in duties
        if value is not None
    )


def _decision(
    agreement: Agreement, outcome: Outcome, reason: str, clause: str, told: str, duties: tuple[Duty, ...] = ()
) -> Decision:
    name = f"LicenseRef-{agreement.id}"
    return Decision(outcome, reason, clause, told, name, name, "agreement", agreement.id, duties)
