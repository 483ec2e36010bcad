"""Counts from the ledger, read in batches: memory grows with the number of kinds of rows, not with the rows.

Bytes are of the documents as received, except where a name says ``text``: that is the curated text. A document counts
once however often it was delivered.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from licensing.ledger import Ledger

_BATCH_ROWS = 16_384
_MOST_CLAUSES = 3
_MOST_EXAMPLES = 20
_MOST_AUTHORS = 2_000
_CREDITED = ("attribution", "notice", "share-alike")

End = Literal[
    "unreadable", "review", "refused", "language", "quality", "duplicates", "other", "unexplained", "train", "held-out"
]  # fmt: skip
"""Where a document's way through the pipeline ended."""

Row = dict[str, Any]


@dataclass(slots=True)
class Size:
    """How much of something: documents, their bytes as received, and the bytes of their curated text."""

    documents: int = 0
    received_bytes: int = 0
    text_bytes: int = 0

    def add(self, documents: int, received_bytes: int, text_bytes: int) -> None:
        """Add another amount."""
        self.documents += documents
        self.received_bytes += received_bytes
        self.text_bytes += text_bytes


@dataclass(slots=True)
class Verdicts:
    """Documents of one source and licence that met the same decision for the same reason.

    ``clauses`` are the first few different ones in ledger order and ``more_clauses`` says that there are others;
    ``explanation`` is that of the first document.
    """

    size: Size = field(default_factory=Size)
    clauses: list[str] = field(default_factory=list)
    more_clauses: bool = False
    explanation: str = ""


@dataclass(slots=True)
class Credit:
    """What a licence or agreement asks of whoever passes the model on, and whom it names.

    ``duties`` maps each kind (attribution, notice, share-alike) to its clause. ``authors`` maps a name to its
    documents, up to a bound; ``more_authors`` counts documents of authors beyond it.
    """

    duties: dict[str, str] = field(default_factory=dict)
    documents: int = 0
    without_author: int = 0
    authors: dict[str, int] = field(default_factory=dict)
    more_authors: int = 0

    def add(self, author: str | None, documents: int = 1) -> None:
        """Count documents of one author."""
        self.documents += documents
        if not author:
            self.without_author += documents
        elif author in self.authors or len(self.authors) < _MOST_AUTHORS:
            self.authors[author] = self.authors.get(author, 0) + documents
        else:
            self.more_authors += documents


@dataclass(slots=True)
class PersonalData:
    """Places replaced by a placeholder, and the documents they stood in."""

    places: int = 0
    documents: int = 0


def _sizes() -> defaultdict[Any, Size]:
    return defaultdict(Size)


@dataclass(slots=True)
class LedgerFigures:
    """All that reports count in a ledger, each figure by the key named here.

    verdicts: (source, licence, decision, decision reason); ends: (source, end); reasons: (end, final reason);
    languages: (language, use); branches: (licence, branch, decision) of dual licences; bases: legal basis;
    conflicts: (source, decision); credits: (source, value of the duty, agreement); agreements: (agreement, end);
    alterations: documents by the reason code of a change to their text, personal data aside; personal_data: kind.
    """

    total: Size = field(default_factory=Size)
    verdicts: defaultdict[tuple[str, str, str, str], Verdicts] = field(default_factory=lambda: defaultdict(Verdicts))
    ends: defaultdict[tuple[str, End], Size] = field(default_factory=_sizes)
    reasons: defaultdict[tuple[End, str], Size] = field(default_factory=_sizes)
    languages: defaultdict[tuple[str, str], Size] = field(default_factory=_sizes)
    branches: defaultdict[tuple[str, str, str], Size] = field(default_factory=_sizes)
    bases: defaultdict[str, Size] = field(default_factory=_sizes)
    agreements: defaultdict[tuple[str, End], Size] = field(default_factory=_sizes)
    conflicts: defaultdict[tuple[str, str], Size] = field(default_factory=_sizes)
    conflict_examples: list[Row] = field(default_factory=list)
    credits: dict[tuple[str, str, str], Credit] = field(default_factory=dict)
    alterations: Counter[str] = field(default_factory=Counter)
    personal_data: defaultdict[str, PersonalData] = field(default_factory=lambda: defaultdict(PersonalData))
    repeated_deliveries: int = 0

    def end(self, *ends: End) -> Size:
        """Return how much ended in any of these ways, over all sources."""
        found = Size()
        for (_, end), size in self.ends.items():
            if end in ends:
                found.add(size.documents, size.received_bytes, size.text_bytes)
        return found

    def sources(self) -> list[str]:
        """Return the names of all sources in order."""
        return sorted({source for source, _ in self.ends})


def way_ended(decision: str, reason: str, use: str) -> End:
    """Say where a document's way ended, from its decision, its final reason code and its use."""
    if use == "train":
        return "train"
    if use == "held-out":
        return "held-out"
    if decision == "review":
        return "review"
    if decision == "refuse":
        return "unreadable" if reason.startswith("unreadable-") else "refused"
    if reason.endswith("-admitted"):
        return "unexplained"
    if reason.startswith(("duplicate-", "repeats-")):
        return "duplicates"
    if reason.startswith("language-"):
        return "language"
    return "quality" if reason.startswith("quality-") else "other"


def read_figures(ledger: Path, partner: str | None = None) -> LedgerFigures:
    """Count a whole ledger, or one partner's rows of it."""
    figures = LedgerFigures()
    for table in _tables(ledger, _COUNTED, partner):
        _count_amounts(figures, table)
        _count_verdicts(figures, table)
        _count_credits(figures, table)
        _count_conflicts(figures, table)
        _count_personal_data(figures, table)
        _count_alterations(figures, table)
    return figures


def documents_of(ledger: Path, partner: str, most: int | None = None) -> Iterator[Row]:
    """Yield a partner's rows in ledger order, the first ``most`` of them if given."""
    left = most
    for table in _tables(ledger, _SHOWN, partner):
        rows = table.slice(0, left) if left is not None else table
        yield from rows.to_pylist()
        if left is not None:
            left -= rows.num_rows
            if left <= 0:
                return


def tables_of(ledger: Path, columns: Sequence[str], partner: str | None = None) -> Iterator[pa.Table]:
    """Yield the columns asked for, of one partner or of all, batch by batch."""
    yield from _tables(ledger, [*columns, "partner"], partner)


_SHOWN = (
    "id", "source", "partner", "native_id", "title", "published", "licence", "branch", "decision", "reason", "use",
    "survivor", "similarity", "conflict", "received_bytes", "text_bytes", "received_sha256", "final_sha256", "iscc",
)  # fmt: skip
_AMOUNTS = (
    "source", "licence", "branch", "basis", "agreement", "decision", "decision_reason", "reason", "use", "language",
)  # fmt: skip
_COUNTED = (
    *_AMOUNTS, "id", "partner", "native_id", "title", "author", "decision_clause", "decision_explanation", "conflict",
    "duties", "events", "personal_data", "times_received", "received_bytes", "text_bytes",
)  # fmt: skip
_SUMS = [([], "count_all"), ("received_bytes", "sum"), ("text_bytes", "sum")]


def _tables(ledger: Path, columns: Sequence[str], partner: str | None) -> Iterator[pa.Table]:
    for batch in Ledger(ledger).batches(partner, columns, _BATCH_ROWS):
        yield pa.Table.from_batches([batch])


def _groups(table: pa.Table, keys: Sequence[str], extra: Sequence[tuple[str, str]] = ()) -> list[Row]:
    # One thread: several would hand the groups back in an order that depends on them.
    return list(table.group_by(list(keys), use_threads=False).aggregate([*_SUMS, *extra]).to_pylist())


def _amount(group: Row) -> tuple[int, int, int]:
    return group["count_all"], group["received_bytes_sum"] or 0, group["text_bytes_sum"] or 0


def _count_amounts(figures: LedgerFigures, table: pa.Table) -> None:
    for group in _groups(table, _AMOUNTS):
        amount = _amount(group)
        end = way_ended(group["decision"], group["reason"], group["use"])
        figures.total.add(*amount)
        figures.ends[group["source"], end].add(*amount)
        figures.reasons[end, group["reason"]].add(*amount)
        figures.bases[group["basis"] or "none"].add(*amount)
        if group["use"] != "none":
            figures.languages[group["language"] or "", group["use"]].add(*amount)
        if group["agreement"]:
            figures.agreements[group["agreement"], end].add(*amount)
        if " OR " in (group["licence"] or ""):
            figures.branches[group["licence"], group["branch"] or "", group["decision"]].add(*amount)
    figures.repeated_deliveries += (pc.sum(table["times_received"]).as_py() or 0) - table.num_rows


def _count_verdicts(figures: LedgerFigures, table: pa.Table) -> None:
    keys = ("source", "licence", "decision", "decision_reason", "decision_clause")
    for group in _groups(table, keys, [("decision_explanation", "first")]):
        found = figures.verdicts[group["source"], group["licence"] or "", group["decision"], group["decision_reason"]]
        found.size.add(*_amount(group))
        found.explanation = found.explanation or group["decision_explanation_first"] or ""
        clause = group["decision_clause"]
        if clause and clause not in found.clauses:
            if len(found.clauses) < _MOST_CLAUSES:
                found.clauses.append(clause)
            else:
                found.more_clauses = True


def _count_credits(figures: LedgerFigures, table: pa.Table) -> None:
    """Clauses as the last document says them, and each document once for every value that it asks for."""
    asked = _asked(table.filter(pc.not_equal(table["use"], "none")).combine_chunks())
    credit = ["source", "value", "agreement"]
    said = asked.group_by([*credit, "kind"], use_threads=False)
    for one in said.aggregate([("clause", "last", pc.ScalarAggregateOptions(skip_nulls=False))]).to_pylist():
        found = figures.credits.setdefault((one["source"], one["value"], one["agreement"]), Credit())
        found.duties[one["kind"]] = one["clause_last"]
    once = asked.group_by(["row", *credit, "author"], use_threads=False).aggregate([])
    for one in once.group_by([*credit, "author"], use_threads=False).aggregate([([], "count_all")]).to_pylist():
        figures.credits[one["source"], one["value"], one["agreement"]].add(one["author"], one["count_all"])


def _asked(used: pa.Table) -> pa.Table:
    """The duties to name or notify of all rows, one after another; under an agreement it is the attribution alone."""
    duties = used["duties"].combine_chunks()
    row, duty = pc.list_parent_indices(duties), duties.flatten()
    agreement = pc.fill_null(used["agreement"], "")
    asked = pa.table(
        {
            "row": row,
            "source": used["source"].take(row),
            "agreement": agreement.take(row),
            "author": used["author"].take(row),
            **{name: pc.struct_field(duty, name) for name in ("kind", "value", "clause")},
        }
    )
    attribution = pc.equal(asked["kind"], "attribution")
    of_licence = pc.and_(pc.equal(asked["agreement"], ""), pc.is_in(asked["kind"], pa.array(_CREDITED)))
    return asked.filter(pc.or_(attribution, of_licence))


def _count_conflicts(figures: LedgerFigures, table: pa.Table) -> None:
    torn = table.filter(pc.is_valid(table["conflict"]))
    for group in _groups(torn, ("source", "decision")):
        figures.conflicts[group["source"], group["decision"]].add(*_amount(group))
    wanted = _MOST_EXAMPLES - len(figures.conflict_examples)
    if wanted > 0:
        shown = ["id", "source", "native_id", "title", "decision", "reason", "conflict"]
        figures.conflict_examples += torn.select(shown).slice(0, wanted).to_pylist()


def _count_personal_data(figures: LedgerFigures, table: pa.Table) -> None:
    found = table["personal_data"].combine_chunks().flatten()
    kinds = pa.table({name: pc.struct_field(found, name) for name in ("kind", "count")}).group_by(["kind"])
    for one in kinds.aggregate([("count", "sum"), ([], "count_all")]).to_pylist():
        figures.personal_data[one["kind"]].places += one["count_sum"] or 0
        figures.personal_data[one["kind"]].documents += one["count_all"]


def _count_alterations(figures: LedgerFigures, table: pa.Table) -> None:
    """Count the documents whose text was shortened or changed; each step changes a document at most once."""
    events = table["events"].combine_chunks().flatten()
    changed = events.filter(pc.equal(pc.struct_field(events, "outcome"), "changed"))
    for one in pc.value_counts(pc.struct_field(changed, "reason")).to_pylist():
        if one["values"] != "personal-data":
            figures.alterations[one["values"]] += one["counts"]
