"""The terms of an agreement as a statement shows them: which the software acts on, and what was found of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.ledger_figures import LedgerFigures
from licensing.agreement import ENFORCED, Agreement, Period


def agreement_values(
    agreement: Agreement,
    figures: LedgerFigures,
    most_read: float | None,
    probes: Mapping[str, Any],
    counts: Mapping[str, int | None],
) -> dict[str, Any]:
    """Return an agreement with its clauses as plain values.

    ``figures`` are the partner's, ``most_read`` is the most often that one of its documents was read, ``probes`` are
    the memorisation groups, ``counts`` the partner's count for each key of remuneration. None is "not measured".
    """
    found = _found(figures, most_read, _longest(agreement, probes))
    key = agreement.remuneration_key
    # Counts are of all the partner's documents; they are this agreement's only if no other text of it was trained on.
    alone = figures.agreements[agreement.id, "train"].documents == figures.end("train").documents
    return {
        "id": agreement.id,
        "partner": agreement.partner,
        "contact": agreement.contact,
        "attribution": agreement.attribution,
        "remuneration": {
            "key": key,
            "clause": agreement.clause("remuneration_key"),
            "count": counts.get(key) if alone else None,
        },
        "notice": {"days": agreement.notice_period_days, "clause": agreement.clause("notice_period_days")},
        "enforced": [
            {"field": name, "says": _says(agreement, name), "clause": agreement.clause(name), "found": found[name]}
            for name in ENFORCED
            if getattr(agreement, name) is not None
        ],
        "not_enforced": [
            {"field": name, "says": said, "clause": clause} for name, said, clause in agreement.not_enforced()
        ],
    }


def _says(agreement: Agreement, name: str) -> Any:
    value = getattr(agreement, name)
    if isinstance(value, Period):
        return {"start": value.start.isoformat(), "until": value.until.isoformat() if value.until else None}
    if name == "permitted_uses":
        return value.model_dump()
    return ", ".join(value) if name == "sources" else value


def _longest(agreement: Agreement, probes: Mapping[str, Any]) -> int | None:
    """The longest passage given back of a trained document under this agreement; of any, where that was not probed."""
    groups = [one for one in probes["own"] if one["agreement"] == agreement.id and one["trained"]] or [probes]
    return max((one["trained"]["longest_characters"] for one in groups if one["trained"]), default=None)


def _found(figures: LedgerFigures, most_read: float | None, longest: int | None) -> dict[str, dict[str, Any]]:
    """What was found of each term, by its name; counts are of documents."""
    codes: dict[str, int] = {}
    for (_, code), size in figures.reasons.items():
        codes[code] = codes.get(code, 0) + size.documents
    held_out, trained = figures.end("held-out").documents, figures.end("train").documents
    kept = held_out + trained
    return {
        "sources": {"n": codes.get("agreement-source", 0)},
        "permitted_uses": {"n": codes.get("agreement-use", 0)},
        "content_period": {"n": codes.get("agreement-period", 0), "undated": codes.get("date-absent", 0)},
        "use_period": {"n": codes.get("agreement-expired", 0) + codes.get("agreement-not-begun", 0)},
        "most_epochs": {"most": most_read},
        "verbatim_limit": {"longest": longest},
        "hold_out_share": {"held_out": held_out, "kept": kept, "share": held_out / kept if kept else None},
        "attribution": {},
    }
