"""Put the corpus in its final order: the ledger, the streams of text, and the Merkle roots that commit to both.

The id space is taken one slice at a time, so that memory is bounded by a slice and not by the corpus; ids are digests,
so slices are of equal size. Every document ever received comes out as one ledger row, kept or not.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from data_curation.copies import from_copy, set_aside, with_copy
from data_curation.held_back import HeldBack, held_back
from data_curation.ledger_table import LEDGER, LedgerWriter
from data_curation.parallel import run_tasks
from data_curation.repeats.cut import NOTHING_LEFT, Cut, Cutter
from data_curation.repeats.settings import RepeatsSettings
from data_curation.shards import CURATED, RECEIVED, Row, shards, slice_bounds
from data_curation.shared_terms import SharedTerms
from data_curation.spread import InOrder, in_slices, row_groups
from data_curation.streams import StreamWriters, stream_name
from data_curation.withdrawn import WITHDRAWN, Refusal, Withdrawn
from data_curation.words import Words
from licensing.canonical import canonical
from licensing.errors import HerkomstError
from licensing.leaf import partner_leaf
from licensing.leaf_hashes import leaf_hashes
from licensing.ledger import Ledger, LedgerPartner
from licensing.merkle import leaf_hash, root_of, write_levels
from licensing.rights import Outcome

_SLICE_BYTES = 16 << 20

_RECEIVED_COLUMNS = [name for name in RECEIVED.names if name not in ("text", "withdrawn")]
_CURATED_COLUMNS = [name for name in CURATED.names if name not in ("language_confidence", "quality")]


@dataclass(frozen=True, slots=True)
class CommitInputs:
    """Where the tables before it lie, how much of each partner's text is set aside, and what was withdrawn."""

    received: Path
    decisions: Path
    curated: Path
    duplicates: Path
    seed: int
    held_out_share: float
    agreement_held_out: Mapping[str, float] = field(default_factory=dict)
    withdrawn: Withdrawn | None = None
    copies: Path | None = None
    copies_not_admitted: Outcome = "review"
    terms: SharedTerms | None = None
    repeats: Path | None = None
    repeats_settings: RepeatsSettings | None = None


def commit(inputs: CommitInputs, ledger: Path, corpus: Path, workers: int = 1) -> Generator[int]:
    """Write ledger and corpus, yielding the number of ledger rows after each slice; ``workers`` build the trees.

    ``corpus/roots.json`` holds the root over the partners' roots and each partner's root and size;
    ``corpus/merkle`` holds the leaves of each partner's tree in the order of document ids.
    """
    (corpus / "text").mkdir(parents=True)
    ledger.mkdir(parents=True, exist_ok=True)
    # Text lies there as it does in the corpus, and goes with an unfinished one if the process is killed.
    work = corpus / ".slices"
    with ExitStack() as stack:
        stack.callback(_delete, work)
        writer = LedgerWriter(ledger)
        streams = StreamWriters(corpus)
        stack.callback(streams.close)
        held = held_back(inputs.received, inputs.curated, inputs.withdrawn, inputs.copies, inputs.duplicates)
        for part in _slices(inputs, work):
            for row, text in _rows_of(inputs, held, part):
                writer.add(row)
                if text is not None:
                    streams.add(row, text)
            streams.flush()
            yield writer.rows
    writer.finish()
    (corpus / "streams.json").write_bytes(canonical({"streams": [asdict(info) for info in streams.infos()]}))
    (corpus / "roots.json").write_bytes(canonical(build_trees(Ledger(ledger), corpus / "merkle", workers)))


def _delete(work: Path) -> None:
    # Not ignoring errors: what was left would become a part of the corpus.
    if work.exists():
        shutil.rmtree(work)


def _text_bytes(received: Path) -> int:
    return sum(json.loads(path.read_bytes()).get("text_bytes", 0) for path in received.glob("*/counts.json"))


@dataclass(frozen=True, slots=True)
class _Slice:
    """The rows of one slice of ids: of the shards in their order, and of the tables over all of them."""

    received: Iterator[Row]
    decided: Iterator[Row]
    curated: Iterator[Row]
    removed: list[Row]
    copies: list[Row]
    terms: list[Row]
    repeats: list[Row]


def _slices(inputs: CommitInputs, work: Path) -> Iterator[_Slice]:
    bounds = slice_bounds(max(1, _text_bytes(inputs.received) // _SLICE_BYTES))

    def sliced(folder: Path, columns: list[str] | None, name: str) -> Iterator[Iterator[Row]]:
        return in_slices(row_groups(shards(folder), columns), bounds, work / name)

    received = sliced(inputs.received, _RECEIVED_COLUMNS, "received")
    decided = sliced(inputs.decisions, None, "decided")
    curated = sliced(inputs.curated, _CURATED_COLUMNS, "curated")
    terms = inputs.terms.path if inputs.terms else None
    repeats = inputs.repeats if inputs.repeats_settings else None
    over_all = [InOrder(path) for path in (inputs.duplicates, inputs.copies, terms, repeats)]
    for (_, high), one, two, three in zip(bounds, received, decided, curated, strict=True):
        yield _Slice(one, two, three, *(table.before(high) for table in over_all))


def _rows_of(inputs: CommitInputs, held: HeldBack, part: _Slice) -> Iterator[tuple[Row, str | None]]:
    """The ledger rows of one slice in order, each with its final text where it is kept."""
    decided = {row["id"]: row for row in part.decided}
    curated = {row["id"]: row for row in part.curated}
    removed = {row["id"]: row for row in part.removed}
    copies = {row["id"]: row for row in part.copies}
    terms = {row["id"]: row["terms"] for row in part.terms}
    cuts = _cuts(inputs, curated, part.repeats)
    received: dict[str, Row] = {}
    for row in part.received:
        known = received.setdefault(row["id"], row | {"times_received": 0})
        known["times_received"] += 1
    for name in sorted(received):
        decision, stricter = decided[name], None
        if inputs.terms and name in terms:
            decision, stricter = inputs.terms.settle(decision, terms[name])
        row, text = _ledger_row(inputs, received[name], decision, curated.get(name), removed.get(name), cuts.get(name))
        if stricter is not None and text is not None:
            row, text = set_aside(row, stricter.outcome, stricter.reason, stricter.clause, stricter.explanation), None
        if name in copies and text is not None:
            row, text = with_copy(row, text, copies[name], inputs.copies_not_admitted)
        if name in held.withdrawn and row["reason"] not in WITHDRAWN:
            row, text = _withdrawn(row, held.withdrawn[name]), None
        if name in held.copies and text is not None:
            row, text = from_copy(row, text, held.copies[name], inputs.copies_not_admitted)
        yield row, text


def _cuts(inputs: CommitInputs, curated: Mapping[str, Row], repeats: Iterable[Row]) -> dict[str, Cut]:
    """What is left of the texts of one slice that hold passages which other documents keep, by id."""
    if inputs.repeats_settings is None:
        return {}
    # A document whose text was withdrawn since has no curated row any more.
    here = {name: row["text"] for name, row in curated.items() if row["text"] is not None}
    known = {row["id"]: row for row in repeats if row["id"] in here}
    texts = ((here[name], row) for name, row in known.items())
    cuts = Cutter(inputs.repeats_settings).cut_all((text, Words.of(text), row) for text, row in texts)
    return dict(zip(known, cuts, strict=True))


def _ledger_row(
    inputs: CommitInputs, row: Row, decision: Row, curated: Row | None, duplicate: Row | None, cut: Cut | None
) -> tuple[Row, str | None]:
    if curated is None and decision["outcome"] == "admit":
        raise HerkomstError(
            f"document {row['id']} was admitted and curation tells nothing of it, so that its row in the ledger would "
            "not say why it is not used; nothing was committed. Curate again: `herkomst run CONFIG --force curate`."
        )
    events = [_event("ingest", "unreadable" if row["problem"] else "received", row["problem"], row["detail"])]
    events.append(_event("admit", decision["outcome"], decision["reason"], decision["explanation"]))
    row = {name: row.get(name) for name in LEDGER.names} | {
        "licence": decision["licence"],
        "branch": decision["branch"],
        "basis": decision["basis"],
        "conflict": decision["conflict"],
        "basis_evidence": decision["basis_evidence"],
        "reservation": decision["reservation"],
        "duties": decision["duties"],
        "origins": decision["origins"],
        "decision": decision["outcome"],
        "decision_reason": decision["reason"],
        "decision_clause": decision["clause"],
        "decision_explanation": decision["explanation"],
        "reason": decision["reason"],
        "use": "none",
        "text_bytes": 0,
    }
    text: str | None = None
    if curated is not None:
        events += curated["events"]
        row |= {name: curated[name] for name in ("language", "personal_data", "replacements")}
        if not curated["kept"]:
            row["reason"] = curated["reason"]
        elif duplicate is not None:
            row["reason"] = f"duplicate-{duplicate['kind']}"
            row["survivor"], row["similarity"] = duplicate["survivor"], duplicate["similarity"]
            told = f"kept instead: {duplicate['survivor']} (similarity {duplicate['similarity']:.2f})"
            events.append(_event("curate", "removed", row["reason"], told))
        else:
            text = _kept(inputs, row, curated, cut, events)
    row["events"] = events
    before = curated["final_sha256"] if curated is not None else None
    for final in dict.fromkeys((before, row["final_sha256"])) if inputs.withdrawn else ():
        refusal = inputs.withdrawn.refusal(row, final) if inputs.withdrawn else None
        if refusal:
            return _withdrawn(row, refusal), None
    return row, text


def _kept(inputs: CommitInputs, row: Row, curated: Row, cut: Cut | None, events: list[Row]) -> str | None:
    """Complete the row of a document that stays; returns its final text, None where too little is left of it."""
    text: str = curated["text"]
    row |= {"final_sha256": curated["final_sha256"], "text_bytes": curated["text_bytes"]}
    if cut is not None and cut.reason:
        events.append(cut.event())
        if cut.reason == NOTHING_LEFT:
            row |= {"reason": NOTHING_LEFT, "final_sha256": None, "text_bytes": 0}
            return None
        text, encoded = cut.text, cut.text.encode()
        row |= {"final_sha256": hashlib.sha256(encoded).hexdigest(), "text_bytes": len(encoded)}
    row["use"] = "held-out" if _held_out(inputs, row) else "train"
    row["stream"] = stream_name(row)
    events.append(_event("commit", row["use"], None, f"stream {row['stream']}"))
    return text


def _withdrawn(row: Row, refusal: Refusal) -> Row:
    """The row of a document that a withdrawal takes out, whatever had become of it before."""
    row["events"] = [event for event in row["events"] if event["stage"] != "commit"]
    row["events"].append(_event("withdraw", "removed", refusal.reason, refusal.detail))
    return row | {
        "decision": "refuse",
        "decision_reason": refusal.reason,
        "decision_clause": "withdrawal",
        "decision_explanation": refusal.detail,
        "reason": refusal.reason,
        "final_sha256": None,
        "text_bytes": 0,
        "use": "none",
        "stream": None,
        "survivor": None,
        "similarity": None,
    }


def _event(stage: str, outcome: str, reason: str | None, detail: str | None) -> Row:
    return {"stage": stage, "outcome": outcome, "reason": reason, "detail": detail}


def _held_out(inputs: CommitInputs, row: Row) -> bool:
    """Draw by digest, so that the choice was fixed before training and depends on nothing but seed and document.

    A text made from others is drawn by the documents behind it, so that no part of what is set aside is trained on.
    """
    agreed = [float(duty["value"]) for duty in row["duties"] or () if duty["kind"] == "hold-out"]
    share = max(inputs.held_out_share, inputs.agreement_held_out.get(row["agreement"] or "", 0.0), *agreed)
    return any(_drawn(inputs.seed, name) < share * 2**64 for name in row["origins"] or [row["id"]])


def _drawn(seed: int, name: str) -> int:
    drawn = hashlib.sha256(f"herkomst-held-out-v1\0{seed}\0{name}".encode()).digest()
    return int.from_bytes(drawn[:8], "big")


def build_trees(ledger: Ledger, folder: Path, workers: int = 1) -> dict[str, Any]:
    """Build every partner's tree and the tree over their roots; returns what ``roots.json`` holds.

    ``folder`` gets a folder a partner with the levels of its tree; memory stays at a batch of rows for each worker.
    """
    tasks = [_TreeTask(ledger.folder, one, folder / one.folder) for one in ledger.partners()]
    # Large ones first, so that no worker is left with the largest at the end.
    tasks.sort(key=lambda task: (-task.partner.rows, task.partner.partner))
    roots = {task.partner.partner: root for task, root in run_tasks(_build_tree, tasks, workers)}
    partners = [
        {"partner": one.partner, "root": roots[one.partner].hex(), "size": one.rows} for one in ledger.partners()
    ]
    top = root_of(leaf_hash(partner_leaf(partner)) for partner in partners)
    return {"root": top.hex(), "partners": partners}


@dataclass(frozen=True, slots=True)
class _TreeTask:
    ledger: Path
    partner: LedgerPartner
    levels: Path


def _build_tree(task: _TreeTask) -> bytes:
    task.levels.mkdir(parents=True)
    return write_levels(task.levels, leaf_hashes(Ledger(task.ledger), task.partner.partner))
