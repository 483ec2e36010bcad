"""Bring the rights of every received document to a decision, shard by shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from data_curation.ingest import native_key
from data_curation.shards import DECIDED, read_shard, write_shard
from licensing.agreement import Agreement
from licensing.canonical import canonical
from licensing.decide import decide
from licensing.policy import Policy
from licensing.reservations import AgentTable, Reservation, Resolver, Signal, page_reservation, reservation, rsl
from licensing.reservations.pages import as_page, from_headers
from licensing.reservations.signal import Evidence
from licensing.rights import Basis, Decision, Declared, IntendedUse, Rights
from licensing.table import LicenceTable

_COLUMNS = [
    "id",
    "source",
    "partner",
    "native_id",
    "received_sha256",
    "declared",
    "agreement",
    "published",
    "withdrawn",
    "url",
    "page",
    "headers",
    "problem",
    "detail",
]


@dataclass(frozen=True)
class Ground:
    """What the configuration says that the use of one source rests on, and how its reservations are judged."""

    basis: Basis | None = None
    evidence: str | None = None
    resolver: Resolver | None = None


@dataclass(frozen=True)
class Admission:
    """Everything a decision rests on besides the document itself; ``grounds`` by source name."""

    use: IntendedUse
    policy: Policy
    table: LicenceTable
    agreements: Mapping[str, Agreement]
    grounds: Mapping[str, Ground] = field(default_factory=dict)
    agents: AgentTable | None = None


def admit_shard(received: Path, repeated: Path, out: Path, admission: Admission) -> Counter[str]:
    """Decide on every document of one shard; writes ``out`` with one row a document.

    Returns:
        How many documents had each (outcome, reason), as ``"outcome:reason"``.
    """
    held_back = set(np.load(repeated).tolist())
    known: dict[Any, Decision] = {}
    rows = []
    for row in read_shard(received, _COLUMNS):
        decision = _decide(row, held_back, admission, known)
        rows.append({"id": row["id"], **decision.as_dict()})
    write_shard(out, rows, DECIDED)
    return Counter(f"{row['outcome']}:{row['reason']}" for row in rows)


def _decide(row: dict[str, Any], held_back: set[int], admission: Admission, known: dict[Any, Decision]) -> Decision:
    if row["problem"]:
        return _without_licence("refuse", f"unreadable-{row['problem']}", row["detail"] or "It could not be read.")
    if native_key(row["native_id"]) in held_back:
        return _without_licence(
            "review",
            "native-id-repeated",
            f"The supplier's id '{row['native_id']}' stands for more than one content, so that a later withdrawal "
            "could not say which is meant.",
        )
    ground = admission.grounds.get(row["source"], Ground())
    reservation = _reservation(row, ground.resolver, admission)
    rights = replace(rights_of(row), basis=ground.basis, evidence=ground.evidence, reservation=reservation)
    key = (row["source"], rights)
    if key not in known:
        known[key] = _of_anothers_contract(row, admission) or decide(
            rights, admission.use, admission.policy, admission.table, admission.agreements, row["source"]
        )
    return known[key]


def _of_anothers_contract(row: Mapping[str, Any], admission: Admission) -> Decision | None:
    """A refusal where the agreement named is with another partner: sources are told apart by name alone there."""
    agreement = admission.agreements.get(row["agreement"] or "")
    if agreement is None or agreement.partner == row["partner"] or row["withdrawn"]:
        return None
    told = "The agreement that is named for this source is with another partner than the one who delivered it."
    return _without_licence("refuse", "agreement-partner", told)


def _reservation(row: Mapping[str, Any], resolver: Resolver | None, admission: Admission) -> Reservation | None:
    """What the site, the document's own headers and its page say; where no site was looked at, what came with it."""
    where = row["url"] or f"{row['source']}/{row['native_id']}"
    headers = _headers(row)
    page = None
    if row["page"] is not None:
        page = Evidence(where, as_page(row["page"]), "", row["received_sha256"])
    if resolver is not None:
        return resolver.resolve(row["url"], headers, page)
    if admission.agents is None:
        return None
    as_of = admission.policy.as_of
    found = page_reservation(page, admission.agents, as_of) if page is not None and page.data else None
    told = _said_by_headers(Evidence(where, canonical(headers), ""), headers, admission.agents) if headers else []
    return reservation([*told, *(found.signals if found else ())], as_of.isoformat()) if found or told else None


def _headers(row: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """The headers of the answer that the document came in; None where it came in none."""
    if row.get("headers") is None:
        return None
    found: dict[str, list[str]] = {}
    for line in row["headers"]:
        name, _, value = line.partition(": ")
        found.setdefault(name, []).append(value)
    return found


def _said_by_headers(record: Evidence, headers: Mapping[str, list[str]], agents: AgentTable) -> list[Signal]:
    """What the headers reserve; terms that they only name are unknown, for nobody has stored them."""
    found = from_headers(record, headers, agents)
    named = (record.signal(rsl.PROTOCOL, "unknown", f"names terms at {link}", "header Link") for link in found.licences)
    return [*found.signals, *named]


def rights_of(row: Mapping[str, Any]) -> Rights:
    """Rebuild what is known of a document's rights from its row."""
    return Rights(
        declared=tuple(Declared(**declared) for declared in row["declared"] or ()),
        agreement=row["agreement"],
        published=date.fromisoformat(row["published"][:10]) if row["published"] else None,
        withdrawn=bool(row["withdrawn"]),
    )


def _without_licence(outcome: Any, reason: str, explanation: str) -> Decision:
    return Decision(
        outcome=outcome,
        reason=reason,
        clause="fail closed",
        explanation=explanation,
        licence="NOASSERTION",
        branch="NOASSERTION",
        basis="none",
    )
