"""A text that came in several times under terms that were all admitted: the duties of each are due.

Of equal and nearly equal texts one survives, the one under the strictest terms, and is used under its own licence. The
terms of the copies that it stands for do not vanish with them: their duties are added to its own (`licensing.lineage`,
operation ``deduplicated``), its row says which terms there are and how many copies stand under each, and copies whose
copyleft licences cannot both be followed send it to a person.

Whose agreement another copy stands under is between us and that partner: a row of one partner names the other copy by
its id alone, and duties that are words (attribution, deletion) are named there and not quoted.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from data_curation.shards import ROW_GROUP, Row, shards, slice_bounds
from data_curation.spread import InOrder, in_slices, row_groups
from licensing.basis import NO_CONTRACTS
from licensing.expression import canonical, conjuncts
from licensing.lineage import Derivation, Parent, decide_derived
from licensing.policy import Policy
from licensing.rights import Decision, Duty
from licensing.table import LicenceTable

TERMS = pa.schema(
    [
        ("id", pa.string()),
        ("terms", pa.list_(pa.struct([("copy", pa.string()), ("count", pa.int64()), ("decision", pa.string())]))),
    ]
)
"""For each survivor the different terms of the copies it stands for: the first copy, how many, and their decision."""

_ROWS_IN_SLICE: Final = 200_000
_SURVIVORS_AT_ONCE: Final = 4096
_DECIDED: Final = ["id", "outcome", "reason", "clause", "licence", "branch", "basis", "agreement", "duties"]
_IN_WORDS: Final = frozenset({"attribution", "deletion", "notice", "share-alike"})


# ---- after the search for duplicates


def write_terms(duplicates: Path, decisions: Path, out: Path) -> int:
    """Write ``out`` (`TERMS`, sorted by id) from the removed documents and all decisions; returns the survivors."""
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=out.parent, prefix=".terms-")))
        database = stack.enter_context(closing(sqlite3.connect(work / "terms.sqlite", isolation_level=None)))
        database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;")
        database.execute("CREATE TABLE removed (survivor TEXT, id TEXT, decision TEXT)")
        for rows in _removed(duplicates, decisions, work):
            database.executemany("INSERT INTO removed VALUES (?, ?, ?)", rows)
        return _write(database, out)


def _removed(duplicates: Path, decisions: Path, work: Path) -> Iterator[list[tuple[str, str, str]]]:
    with pq.ParquetFile(duplicates) as file:
        removed = file.metadata.num_rows
    if not removed:
        return
    bounds, pairs = slice_bounds(1 + removed // _ROWS_IN_SLICE), InOrder(duplicates, ["id", "survivor"])
    decided = in_slices(row_groups(shards(decisions), _DECIDED), bounds, work / "decided")
    for (_, high), rows in zip(bounds, decided, strict=True):
        survivors = {row["id"]: row["survivor"] for row in pairs.before(high)}
        found: dict[str, tuple[str, str, str]] = {}
        for row in rows:
            name = row.pop("id")
            if name in survivors:
                found[name] = (survivors[name], name, json.dumps(row | {"explanation": ""}, sort_keys=True))
        yield list(found.values())


def _write(database: sqlite3.Connection, out: Path) -> int:
    listed = database.execute(
        "SELECT survivor, min(id), count(*), decision FROM removed GROUP BY survivor, decision ORDER BY survivor, 2"
    )
    written, waiting = 0, list[Row]()
    with pq.ParquetWriter(out, TERMS, compression="zstd") as writer:
        for survivor, group in groupby(listed, key=lambda row: row[0]):
            terms = [{"copy": copy, "count": count, "decision": decision} for _, copy, count, decision in group]
            waiting.append({"id": survivor, "terms": terms})
            written += 1
            if len(waiting) == _SURVIVORS_AT_ONCE:
                writer.write_table(pa.Table.from_pylist(waiting, schema=TERMS), row_group_size=ROW_GROUP)
                waiting = []
        writer.write_table(pa.Table.from_pylist(waiting, schema=TERMS), row_group_size=ROW_GROUP)
    return written


# ---- in the ledger


@dataclass(frozen=True, slots=True)
class SharedTerms:
    """The terms of copies by survivor, and what is needed to decide on them."""

    path: Path
    policy: Policy
    table: LicenceTable

    def settle(self, decision: Row, terms: list[Row]) -> tuple[Row, Decision | None]:
        """The survivor's decision with the duties of all, and the stricter decision where they cannot all be met."""
        own = _decision(decision)
        others = [(one, parsed) for one in terms if not _same(parsed := _decision(json.loads(one["decision"])), own)]
        if not others:
            return decision, None
        parents = tuple(Parent(one["copy"], _discreet(parsed, own, one["copy"], self.table)) for one, parsed in others)
        found = decide_derived(Derivation("deduplicated", parents, own), self.policy, self.table)
        told = f"Copies of this text came in under other terms: {_listed(others, own, self.table)}."
        conflict = "; ".join(part for part in (decision["conflict"], told) if part)
        if found.outcome != "admit":
            return decision | {"conflict": conflict}, replace(found, conflict=conflict, explanation=told)
        duties = [{"kind": one.kind, "value": one.value, "clause": one.clause} for one in found.duties]
        return decision | {"conflict": conflict, "duties": duties}, None


def _decision(row: Row) -> Decision:
    duties = tuple(Duty(**duty) for duty in row["duties"] or ())
    known: dict[str, Any] = {name: row[name] for name in _DECIDED if name not in ("id", "duties")}
    return Decision(**known, explanation="", duties=duties)


def _same(one: Decision, other: Decision) -> bool:
    return (one.branch, one.basis, one.agreement, one.duties) == (
        other.branch,
        other.basis,
        other.agreement,
        other.duties,
    )


def _is_anothers(found: Decision, own: Decision, table: LicenceTable) -> bool:
    """Whether terms rest on a contract that the survivor's do not; terms of several contracts name none by itself."""
    return bool(_contracts(found, table) - _contracts(own, table))


def _contracts(decision: Decision, table: LicenceTable) -> set[str]:
    named = {decision.agreement} - {None}
    parts = conjuncts(decision.branch) if canonical(decision.branch) else (decision.branch,)
    return {f"LicenseRef-{one}" for one in named} | {
        part
        for part in parts
        if part.startswith("LicenseRef-") and part not in table.licences and part not in NO_CONTRACTS
    }


def _discreet(found: Decision, own: Decision, copy: str, table: LicenceTable) -> Decision:
    """The terms of a copy under another's agreement, with nothing in them that tells whose it is."""
    if not _is_anothers(found, own, table):
        return found
    clause = f"the terms of document {copy}"
    duties = tuple(
        replace(duty, clause=clause, value=f"as agreed for document {copy}" if duty.kind in _IN_WORDS else duty.value)
        for duty in found.duties
    )
    name = f"LicenseRef-document-{copy[:16]}"
    return replace(found, duties=duties, licence=name, branch=name, agreement=None, clause=clause)


def _listed(others: list[tuple[Row, Decision]], own: Decision, table: LicenceTable) -> str:
    return "; ".join(
        f"{one['count']} x {terms} (document {one['copy']})"
        for one, found in others
        for terms in ["an agreement" if _is_anothers(found, own, table) else found.branch]
    )
