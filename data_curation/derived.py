"""Documents that a partner made from others: decided once more, by what was decided about their parents.

A row may name its parents by the partner's own ids, within the same source (``columns.parents``). Once every document
has been decided by itself, the derived ones are settled here, parents before children, by `licensing.lineage`. A parent
that was not received, and one that leads back to the document itself, hold it back.

Memory is bounded: what links documents lies in a database on disk, and decisions are rewritten shard by shard. The
result does not depend on the order in which documents are settled, for each is a function of its parents alone.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from data_curation.shards import DECIDED, Row, read_shard, shards, write_shard
from licensing.lineage import OPERATIONS, Derivation, Parent, decide_derived, declares_nothing, missing_parent
from licensing.policy import Policy
from licensing.rights import Decision, Duty
from licensing.table import LicenceTable

MOST_ORIGINS: Final = 1024
"""More original documents than these are not kept track of behind one text; it then waits for a person."""

_BATCH = 512
_FIELDS: Final = (
    "outcome", "reason", "clause", "explanation", "licence", "branch", "basis", "agreement", "duties", "conflict",
)  # fmt: skip
"""What a decision takes over from parents; whatever else its row holds is the document's own and stays."""

_TABLES = """
CREATE TABLE document (
    id TEXT PRIMARY KEY, native TEXT NOT NULL, own TEXT NOT NULL, decision TEXT NOT NULL, operation TEXT,
    derived INTEGER NOT NULL, origins TEXT NOT NULL, settled INTEGER NOT NULL, waits_for INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE made_from (child TEXT NOT NULL, parent TEXT NOT NULL, PRIMARY KEY (child, parent)) WITHOUT ROWID;
CREATE INDEX parent ON made_from (parent, child);
CREATE INDEX native ON document (native);
CREATE INDEX next ON document (settled, waits_for, id);
"""


def settle_derived(received: Path, decisions: Path, policy: Policy, table: LicenceTable) -> Counter[str]:
    """Decide on all derived documents below ``received`` and rewrite their rows below ``decisions``.

    Returns:
        How the number of documents of each (outcome, reason) changed, as ``"outcome:reason"``.
    """
    changed: Counter[str] = Counter()
    for source in sorted(path for path in received.iterdir() if path.is_dir()):
        if any(row["parents"] for path in shards(source) for row in read_shard(path, ["parents"])):
            with tempfile.TemporaryDirectory(dir=decisions, prefix=".lineage-") as work:
                changed.update(_settle_source(source, decisions / source.name, policy, table, Path(work)))
    return changed


def _settle_source(source: Path, decisions: Path, policy: Policy, table: LicenceTable, work: Path) -> Counter[str]:
    with closing(sqlite3.connect(work / "lineage.sqlite", isolation_level=None)) as database:
        database.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN; {_TABLES}")
        for path in shards(source):
            _link(database, path)
        for path in shards(source):
            _load(database, path, decisions / path.relative_to(source))
        _settle(database, policy, table)
        changed: Counter[str] = Counter()
        for path in shards(source):
            changed.update(_rewrite(database, path, decisions / path.relative_to(source), work))
        database.execute("COMMIT")
        return changed


# ---- reading


def _link(database: sqlite3.Connection, received: Path) -> None:
    rows = read_shard(received, ["id", "parents"])
    links = ((row["id"], parent) for row in rows for parent in row["parents"] or ())
    database.executemany("INSERT OR IGNORE INTO made_from VALUES (?, ?)", links)


def _load(database: sqlite3.Connection, received: Path, decided: Path) -> None:
    """Take in the documents that are linked; those of one id are one document, however often it came."""
    own = read_shard(decided)
    for row, decision in zip(read_shard(received, ["id", "native_id", "parents", "operation"]), own, strict=True):
        derived = bool(row["parents"])
        if derived or database.execute("SELECT 1 FROM made_from WHERE parent = ?", [row["native_id"]]).fetchone():
            text = json.dumps({name: decision[name] for name in _FIELDS})
            origins = json.dumps([] if derived else [row["id"]])
            values = (row["id"], row["native_id"], text, text, row["operation"], derived, origins, not derived, 0)
            database.execute("INSERT OR IGNORE INTO document VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


# ---- settling


def _settle(database: sqlite3.Connection, policy: Policy, table: LicenceTable) -> None:
    """Settle parents before children; what is left when nothing more can be settled leads back to itself."""
    database.execute(
        "UPDATE document SET waits_for = (SELECT count(*) FROM made_from JOIN document AS before"
        " ON before.native = made_from.parent WHERE made_from.child = document.id AND before.derived) WHERE derived"
    )
    ready = "SELECT id, native FROM document WHERE settled = 0 AND waits_for = 0 ORDER BY id LIMIT ?"
    while batch := database.execute(ready, [_BATCH]).fetchall():
        for name, native in batch:
            parents = list(_parents(database, name))
            _store(database, name, parents, _origins(database, name), policy, table)
            database.execute(
                "UPDATE document SET waits_for = waits_for - 1"
                " WHERE id IN (SELECT child FROM made_from WHERE parent = ?)",
                [native],
            )
    told = "Its parents cannot be settled: it is said to be made from itself, directly or through others."
    circle = missing_parent("parent-cycle", "refuse", told)
    while batch := database.execute("SELECT id FROM document WHERE settled = 0 LIMIT ?", [_BATCH]).fetchall():
        for (name,) in batch:
            _store(database, name, [Parent(name, circle)], [], policy, table)


def _parents(database: sqlite3.Connection, name: str) -> Iterator[Parent]:
    """The parents of a document; all documents that one id of the partner's stands for count."""
    linked = database.execute(
        "SELECT made_from.parent, document.id, document.decision FROM made_from"
        " LEFT JOIN document ON document.native = made_from.parent WHERE made_from.child = ? ORDER BY 1, 2",
        [name],
    )
    for native, found, decision in linked:
        if found is None:
            told = f"The partner's id '{native}' is not among the documents of this source."
            yield Parent(native, missing_parent("parent-unknown", "review", told))
        else:
            yield Parent(found, _decision(decision))


def _origins(database: sqlite3.Connection, name: str) -> list[str]:
    """Ids of the original documents behind one, in order; at most one more than are kept track of."""
    linked = database.execute(
        "SELECT document.origins FROM made_from JOIN document ON document.native = made_from.parent"
        " WHERE made_from.child = ?",
        [name],
    )
    found: set[str] = set()
    for (origins,) in linked:
        found.update(json.loads(origins))
        if len(found) > MOST_ORIGINS:
            break
    return sorted(found)[: MOST_ORIGINS + 1]


def _store(
    database: sqlite3.Connection,
    name: str,
    parents: list[Parent],
    origins: list[str],
    policy: Policy,
    table: LicenceTable,
) -> None:
    own_text, named = database.execute("SELECT own, operation FROM document WHERE id = ?", [name]).fetchone()
    own = _decision(own_text)
    if len(origins) > MOST_ORIGINS:
        told = f"More than {MOST_ORIGINS} original documents lie behind it; a person must look at them."
        parents, origins = [*parents, Parent("its origins", missing_parent("parents-many", "review", told))], []
    operation: Any = named if named in OPERATIONS else "unstated"
    derivation = Derivation(operation, tuple(parents), None if declares_nothing(own) else own)
    decision = decide_derived(derivation, policy, table)
    database.execute(
        "UPDATE document SET settled = 1, decision = ?, origins = ? WHERE id = ?",
        [json.dumps({field: decision.as_dict()[field] for field in _FIELDS}), json.dumps(origins), name],
    )


def _decision(text: str) -> Decision:
    values = json.loads(text)
    duties = tuple(Duty(**duty) for duty in values.pop("duties") or ())
    return Decision(**values, duties=duties)


# ---- writing


def _rewrite(database: sqlite3.Connection, received: Path, decided: Path, work: Path) -> Counter[str]:
    changed: Counter[str] = Counter()
    if not any(row["parents"] for row in read_shard(received, ["parents"])):
        return changed
    rows: list[Row] = []
    for row in read_shard(decided):
        found = database.execute("SELECT decision, origins FROM document WHERE id = ? AND derived", [row["id"]])
        settled = found.fetchone()
        if settled is not None:
            changed[f"{row['outcome']}:{row['reason']}"] -= 1
            row |= {**json.loads(settled[0]), "origins": json.loads(settled[1]) or None}
            changed[f"{row['outcome']}:{row['reason']}"] += 1
        rows.append(row)
    write_shard(work / decided.name, rows, DECIDED)
    (work / decided.name).replace(decided)
    return changed
