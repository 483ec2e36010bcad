"""What a partner receives, as plain values: its own amount, how it came about, and nothing of any other partner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from licensing.agreement import Agreement
from licensing.remuneration import (
    KEYS,
    Remuneration,
    RemunerationError,
    RemunerationPolicy,
    UsageTable,
    remunerate,
)


def remuneration_values(
    table: UsageTable,
    policy: RemunerationPolicy,
    policy_sha256: str,
    amount: int,
    partner: str,
    agreements: Mapping[str, Agreement],
) -> dict[str, Any]:
    """Share ``amount`` (cents) out and return one partner's part of it.

    Raises:
        RemunerationError: the policy pays by another key than an agreement of this partner names, or the partner is
            not in the table.
    """
    for agreement in agreements.values():
        agreed = agreement.remuneration_key
        if agreement.partner == partner and agreed not in (policy.key, "none"):
            raise RemunerationError(
                f"the policy pays by '{policy.key}', but agreement {agreement.id} with {partner} names '{agreed}' "
                f"({agreement.clause('remuneration_key')}), so no amount was stated. Correct the policy, or amend the "
                "agreement first."
            )
    return _values(remunerate(table, policy, amount, partner), table, policy, policy_sha256, partner)


def _values(
    told: Remuneration, table: UsageTable, policy: RemunerationPolicy, policy_sha256: str, partner: str
) -> dict[str, Any]:
    payment, settlement = told.payment, told.settlement
    return {
        "policy_sha256": policy_sha256,
        "key": policy.key,
        "who": policy.who,
        "currency": policy.currency,
        "amount": settlement.amount,
        "paid": payment.cents,
        "undistributed": settlement.undistributed,
        "count": _whole(payment.count),
        "count_of_all": _whole(sum(use.by(policy.key) for use in table.values())),
        "share": _share(payment.share.numerator, payment.share.denominator),
        "proportional": round(payment.proportional),
        "floor": policy.floor,
        "at_floor": payment.at_floor,
        "cap_cents": policy.cap.cents if policy.cap else None,
        "cap_share": float(policy.cap.share) if policy.cap and policy.cap.share is not None else None,
        "at_cap": payment.at_cap,
        "notes": list(settlement.notes),
        "alternatives": [
            {"key": key, "count": _whole(table[partner].by(key)), "cents": told.alternatives[key]} for key in KEYS
        ],
        "one_percent_more": told.sensitivity.one_percent_more,
        "one_percent_less": told.sensitivity.one_percent_less,
        "lowest": told.sensitivity.lowest,
        "highest": told.sensitivity.highest,
    }


def _whole(count: Any) -> int:
    return int(count)


def _share(numerator: int, denominator: int) -> float:
    """For the eye only: nothing is computed from it again."""
    return numerator / denominator
