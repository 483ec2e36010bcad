"""Counts that only statements and the section on reservations need, read in batches like `evaluation.ledger_figures`.

What no document carries is None here and "not recorded" on the page: it may never have been asked for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from evaluation.ledger_figures import tables_of

_COLUMNS = ("native_id", "iscc", "basis", "basis_evidence", "reservation")


@dataclass(slots=True)
class Reservations:
    """What rightholders had reserved where documents came from; counts are of documents.

    ``states`` maps allowed, disallowed and unknown; ``signals`` maps (protocol, value); ``first`` and ``last`` are the
    earliest and latest day as of which they were judged (ISO), None where none is recorded.
    """

    states: Counter[str] = field(default_factory=Counter)
    signals: Counter[tuple[str, str]] = field(default_factory=Counter)
    first: str | None = None
    last: str | None = None

    def add(self, reservation: dict[str, Any]) -> None:
        """Count one document's reservation."""
        self.states[str(reservation["state"])] += 1
        day = reservation.get("as_of")
        if day:
            day = str(day)[:10]
            self.first, self.last = min(self.first or day, day), max(self.last or day, day)
        for signal in {(str(one["protocol"]), str(one["value"])) for one in reservation.get("signals") or ()}:
            self.signals[signal] += 1

    def values(self) -> dict[str, Any]:
        """Return them as plain values in a fixed order."""
        return {
            "states": [{"state": state, "documents": n} for state, n in sorted(self.states.items())],
            "signals": [
                {"protocol": protocol, "value": value, "documents": n}
                for (protocol, value), n in sorted(self.signals.items())
            ],
            "first": self.first,
            "last": self.last,
        }


@dataclass(slots=True)
class StatementFigures:
    """How documents are identified and what is recorded of their legal basis; None where no document has any."""

    own_ids: int = 0
    isccs: int | None = None
    bases: Counter[str] = field(default_factory=Counter)
    with_evidence: Counter[str] = field(default_factory=Counter)
    reservations: Reservations | None = None


def read_statement_figures(ledger: Path, partner: str | None = None) -> StatementFigures:
    """Count one partner's rows, or the whole ledger."""
    found = StatementFigures()
    for table in tables_of(ledger, _COLUMNS, partner):
        _count(found, table)
    return found


def _count(found: StatementFigures, table: pa.Table) -> None:
    found.own_ids += int(pc.sum(pc.fill_null(pc.not_equal(table["native_id"], ""), False)).as_py() or 0)
    codes = pc.count(table["iscc"]).as_py()
    found.isccs = (found.isccs or 0) + codes if codes else found.isccs
    for basis in table["basis"].to_pylist():
        found.bases[basis or "none"] += 1
    for basis in table.filter(pc.is_valid(table["basis_evidence"]))["basis"].to_pylist():
        found.with_evidence[basis or "none"] += 1
    for reservation in table["reservation"].drop_null().to_pylist():
        found.reservations = found.reservations or Reservations()
        found.reservations.add(reservation)
