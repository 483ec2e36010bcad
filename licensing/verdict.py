"""What one licence means for an intended use: the table's answer, then the policy's where the table leaves one open."""

from __future__ import annotations

from dataclasses import dataclass

from licensing.policy import Policy
from licensing.rights import Duty, IntendedUse, Outcome
from licensing.table import Copyleft, Licence, LicenceTable, Use

SEVERITY: dict[Outcome, int] = {"admit": 0, "review": 1, "refuse": 2}
_REACH: dict[Copyleft, int] = {"none": 0, "file": 1, "share-alike": 2, "strong": 3}
_COPYLEFT_REASON = {"file": "file-copyleft", "share-alike": "share-alike", "strong": "strong-copyleft"}
_USE_WORDS: dict[Use, str] = {
    "training": "training",
    "commercial": "commercial use",
    "share_weights": "releasing the weights",
    "share_data": "releasing the data",
    "sell_outputs": "selling outputs",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one licence id, with its reason code, clause and sentence; ``entry`` is None outside the table."""

    licence: str
    outcome: Outcome
    reason: str
    clause: str
    explanation: str
    entry: Licence | None = None

    @property
    def reach(self) -> int:
        """How far the licence's copyleft reaches, 0 (not at all) to 3 (the whole work)."""
        return _REACH[self.entry.copyleft] if self.entry else max(_REACH.values())


def needed_uses(use: IntendedUse) -> tuple[Use, ...]:
    """List the permissions an intended use needs; training always."""
    wanted: tuple[tuple[Use, bool], ...] = (
        ("training", True),
        ("commercial", use.purpose == "commercial"),
        ("share_weights", use.weights_released),
        ("share_data", use.data_released),
        ("sell_outputs", use.outputs_sold),
    )
    return tuple(name for name, needed in wanted if needed)


def use_words(use: Use) -> str:
    """Name a use in a sentence."""
    return _USE_WORDS[use]


def judge(licence: str, use: IntendedUse, policy: Policy, table: LicenceTable) -> Verdict:
    """Judge one licence id; the strictest of its answers stands, and the first of equals."""
    entry = table.licences.get(licence)
    if entry is None:
        told = f"{licence} is not in the licence table; add it there with its clauses, or leave its documents out."
        return Verdict(licence, "review", "licence-not-in-table", "", told)
    override = policy.licences.get(licence)
    if override is not None:
        return _by_name(licence, override, entry)
    answers = [_use_answer(licence, entry, name, policy) for name in needed_uses(use)]
    answers.append(_copyleft_answer(licence, entry, use, policy))
    return max(answers, key=lambda answer: SEVERITY[answer.outcome])


def duties_of(verdict: Verdict) -> tuple[Duty, ...]:
    """Return the duties that travel with text under this licence."""
    if verdict.entry is None:
        return ()
    value = f"{verdict.licence} ({verdict.entry.url})"
    return tuple(Duty(kind, value, clause) for kind, clause in sorted(verdict.entry.duties.items()))


def _by_name(licence: str, outcome: Outcome, entry: Licence) -> Verdict:
    reason = {"admit": "policy-admitted", "review": "policy-review", "refuse": "policy-refused"}[outcome]
    told = f"The policy of this run says '{outcome}' for {licence} by name."
    return Verdict(licence, outcome, reason, f"policy.licences.{licence}", told, entry)


def _use_answer(licence: str, entry: Licence, use: Use, policy: Policy) -> Verdict:
    answer = entry.permits.of(use)
    if answer == "yes":
        told = f"{licence} permits the intended use. {entry.because}"
        return Verdict(licence, "admit", "licence-admitted", entry.clause, told, entry)
    outcome: Outcome = "refuse" if answer == "no" else policy.unsettled
    if outcome == "admit":
        told = f"Whether {licence} permits {use_words(use)} is not settled; the policy of this run admits it."
        return Verdict(licence, outcome, "licence-admitted", entry.clause, told, entry)
    verb = "does not permit" if answer == "no" else "may not permit"
    told = f"{licence} {verb} {use_words(use)}. {entry.because}"
    reason, clause = _restriction(entry, use, answer)
    return Verdict(licence, outcome, reason, clause, told, entry)


def _restriction(entry: Licence, use: Use, answer: str) -> tuple[str, str]:
    """Give the reason code of an answer that is no plain yes, and its clause."""
    if "non-commercial" in entry.restricts and use in ("commercial", "sell_outputs"):
        return "non-commercial", entry.restricts["non-commercial"]
    if "no-derivatives" in entry.restricts:
        return "no-derivatives", entry.restricts["no-derivatives"]
    return ("use-not-permitted" if answer == "no" else "use-unsettled"), entry.clause


def _copyleft_answer(licence: str, entry: Licence, use: IntendedUse, policy: Policy) -> Verdict:
    outcome = _copyleft_outcome(entry.copyleft, use, policy)
    if outcome == "admit":
        told = f"{licence} permits the intended use. {entry.because}"
        return Verdict(licence, outcome, "licence-admitted", entry.clause, told, entry)
    clause = entry.duties.get("share-alike", entry.clause)
    told = f"{licence}: {entry.because} The policy of this run says '{outcome}' for such licences."
    return Verdict(licence, outcome, _COPYLEFT_REASON[entry.copyleft], clause, told, entry)


def _copyleft_outcome(copyleft: Copyleft, use: IntendedUse, policy: Policy) -> Outcome:
    """Copyleft binds what is passed on; a commercial run is built for that, so strong copyleft counts there too."""
    passed_on = use.weights_released or use.data_released or use.outputs_sold
    if copyleft == "strong" and (passed_on or use.purpose == "commercial"):
        return policy.strong_copyleft
    if copyleft == "none" or not passed_on:
        return "admit"
    return {"file": policy.file_copyleft, "share-alike": policy.share_alike}.get(copyleft, "admit")
