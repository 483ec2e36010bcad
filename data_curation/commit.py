"""Put the corpus in its final order: the ledger, the streams of text, and the Merkle roots that commit to both.

The id space is taken one slice at a time, so that memory is bounded by a slice and not by the corpus; ids are digests,
so slices are of equal size. Every document ever received comes out as one ledger row, kept or not.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data_curation.shards import EVENT, Row, read_slice, shards, slice_bounds
from licensing.canonical import canonical
from licensing.leaf import ledger_leaf, partner_leaf
from licensing.merkle import leaf_hash, root_of, write_levels

_SLICE_BYTES = 16 << 20
_LEDGER_PART_ROWS = 1_000_000
_ROW_GROUP = 4096

LEDGER = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("group", pa.string()),
        ("partner", pa.string()),
        ("native_id", pa.string()),
        ("title", pa.string()),
        ("author", pa.string()),
        ("url", pa.string()),
        ("published", pa.string()),
        ("received_sha256", pa.string()),
        ("received_bytes", pa.int64()),
        ("times_received", pa.int64()),
        ("language_declared", pa.string()),
        ("language", pa.string()),
        ("declared", pa.list_(pa.struct([("text", pa.string()), ("where", pa.string()), ("form", pa.string())]))),
        ("licence", pa.string()),
        ("branch", pa.string()),
        ("basis", pa.string()),
        ("agreement", pa.string()),
        ("conflict", pa.string()),
        ("duties", pa.list_(pa.struct([("kind", pa.string()), ("value", pa.string()), ("clause", pa.string())]))),
        ("decision", pa.string()),
        ("decision_reason", pa.string()),
        ("decision_clause", pa.string()),
        ("decision_explanation", pa.string()),
        ("reason", pa.string()),
        ("events", pa.list_(EVENT)),
        ("personal_data", pa.list_(pa.struct([("kind", pa.string()), ("count", pa.int64())]))),
        ("survivor", pa.string()),
        ("similarity", pa.float64()),
        ("final_sha256", pa.string()),
        ("text_bytes", pa.int64()),
        ("use", pa.string()),
        ("stream", pa.string()),
    ]
)
TEXT = pa.schema([("id", pa.string()), ("text", pa.large_string()), ("text_bytes", pa.int64())])
_RECEIVED = [name for name in LEDGER.names if name not in ("language", "licence")] + ["detail", "problem"]


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream of text: documents of one (source group, licence, language) put to one use."""

    name: str
    use: str
    group: str
    licence: str
    language: str
    documents: int
    bytes: int
    most_epochs: int | None
    file: str


@dataclass(frozen=True, slots=True)
class CommitInputs:
    """Where the tables before it lie, and how much of each partner's text is set aside."""

    received: Path
    decisions: Path
    curated: Path
    duplicates: Path
    seed: int
    held_out_share: float
    agreement_held_out: Mapping[str, float] = field(default_factory=dict)


def read_streams(corpus: Path) -> list[StreamInfo]:
    """The streams of a committed corpus, in the order of their names."""
    return [StreamInfo(**values) for values in json.loads((corpus / "streams.json").read_bytes())["streams"]]


def commit(inputs: CommitInputs, ledger: Path, corpus: Path) -> Iterator[int]:
    """Write ledger and corpus, yielding the number of ledger rows after each slice.

    ``corpus/roots.json`` holds the root over the partners' roots and each partner's root and size;
    ``corpus/merkle`` holds the leaves of each partner's tree in the order of document ids.
    """
    (corpus / "text").mkdir(parents=True)
    (corpus / "merkle").mkdir()
    ledger.mkdir(parents=True, exist_ok=True)
    parts = max(1, _text_bytes(inputs.received) // _SLICE_BYTES)
    with ExitStack() as stack:
        writer = _LedgerWriter(ledger)
        stack.callback(writer.close)
        streams = _StreamWriters(corpus)
        stack.callback(streams.close)
        leaves = _LeafFiles(corpus / "merkle", stack)
        for low, high in slice_bounds(parts):
            for row, text in _rows_of(inputs, low, high):
                writer.add(row)
                leaves.add(row)
                if text is not None:
                    streams.add(row, text)
            streams.flush()
            yield writer.rows
    (corpus / "streams.json").write_bytes(canonical({"streams": [asdict(info) for info in streams.infos()]}))
    (corpus / "roots.json").write_bytes(canonical(leaves.build()))


def _text_bytes(received: Path) -> int:
    return sum(json.loads(path.read_bytes()).get("text_bytes", 0) for path in received.glob("*/counts.json"))


def _rows_of(inputs: CommitInputs, low: str, high: str) -> Iterator[tuple[Row, str | None]]:
    """The ledger rows of one slice in order, each with its final text where it is kept."""
    decided: dict[str, Row] = {}
    for path in shards(inputs.decisions):
        decided.update((row["id"], row) for row in read_slice(path, low, high))
    curated: dict[str, Row] = {}
    for path in shards(inputs.curated):
        curated.update((row["id"], row) for row in read_slice(path, low, high))
    removed = {row["id"]: row for row in read_slice(inputs.duplicates, low, high)}
    received: dict[str, Row] = {}
    for path in shards(inputs.received):
        for row in read_slice(path, low, high, [name for name in _RECEIVED if name in _received_names()]):
            known = received.setdefault(row["id"], row | {"times_received": 0})
            known["times_received"] += 1
    for name in sorted(received):
        yield _ledger_row(inputs, received[name], decided[name], curated.get(name), removed.get(name))


def _received_names() -> list[str]:
    from data_curation.shards import RECEIVED

    return list(RECEIVED.names)


def _ledger_row(
    inputs: CommitInputs, row: Row, decision: Row, curated: Row | None, duplicate: Row | None
) -> tuple[Row, str | None]:
    events = [_event("ingest", "unreadable" if row["problem"] else "received", row["problem"], row["detail"])]
    events.append(_event("admit", decision["outcome"], decision["reason"], decision["explanation"]))
    row = {name: row.get(name) for name in LEDGER.names} | {
        "licence": decision["licence"],
        "branch": decision["branch"],
        "basis": decision["basis"],
        "conflict": decision["conflict"],
        "duties": decision["duties"],
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
        row["language"], row["personal_data"] = curated["language"], curated["personal_data"]
        if not curated["kept"]:
            row["reason"] = curated["reason"]
        elif duplicate is not None:
            row["reason"] = f"duplicate-{duplicate['kind']}"
            row["survivor"], row["similarity"] = duplicate["survivor"], duplicate["similarity"]
            told = f"kept instead: {duplicate['survivor']} (similarity {duplicate['similarity']:.2f})"
            events.append(_event("curate", "removed", row["reason"], told))
        else:
            text = curated["text"]
            row |= {"final_sha256": curated["final_sha256"], "text_bytes": curated["text_bytes"]}
            row["use"] = "held-out" if _held_out(inputs, row) else "train"
            row["stream"] = stream_name(row)
            events.append(_event("commit", row["use"], None, f"stream {row['stream']}"))
    row["events"] = events
    return row, text


def _event(stage: str, outcome: str, reason: str | None, detail: str | None) -> Row:
    return {"stage": stage, "outcome": outcome, "reason": reason, "detail": detail}


def _held_out(inputs: CommitInputs, row: Row) -> bool:
    """Draw by digest, so that the choice was fixed before training and depends on nothing but seed and document."""
    share = max(inputs.held_out_share, inputs.agreement_held_out.get(row["agreement"] or "", 0.0))
    drawn = hashlib.sha256(f"herkomst-held-out-v1\0{inputs.seed}\0{row['id']}".encode()).digest()
    return int.from_bytes(drawn[:8], "big") < share * 2**64


def stream_name(row: Mapping[str, Any]) -> str:
    """The stream a kept document belongs to: source group, licence it is used under, language."""
    parts = (row["group"], row["branch"], row["language"])
    return "~".join(re.sub(r"[^A-Za-z0-9.+-]+", "_", str(part)) for part in parts)


class _LedgerWriter:
    """Ledger rows into parquet parts, in row groups small enough that one row is found quickly."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._buffer = folder, list[Row]()
        self._file: pq.ParquetWriter | None = None
        self._in_part = self._parts = 0
        self.rows = 0

    def add(self, row: Row) -> None:
        self._buffer.append(row)
        self.rows += 1
        if len(self._buffer) >= _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._file is None or self._in_part >= _LEDGER_PART_ROWS:
            if self._file is not None:
                self._file.close()
            self._file = pq.ParquetWriter(self._folder / f"part-{self._parts:05d}.parquet", LEDGER, compression="zstd")
            self._parts, self._in_part = self._parts + 1, 0
        self._file.write_table(pa.Table.from_pylist(self._buffer, schema=LEDGER))
        self._in_part += len(self._buffer)
        self._buffer = []

    def close(self) -> None:
        self._flush()
        if self._file is not None:
            self._file.close()


class _StreamWriters:
    """One parquet file of text a stream and use; what a slice brings is written at its end."""

    def __init__(self, corpus: Path) -> None:
        self._corpus = corpus
        self._files: dict[tuple[str, str], pq.ParquetWriter] = {}
        self._waiting: dict[tuple[str, str], list[Row]] = {}
        self._known: dict[tuple[str, str], dict[str, Any]] = {}

    def add(self, row: Row, text: str) -> None:
        key = (row["stream"], row["use"])
        known = self._known.setdefault(key, _stream_values(row))
        known["documents"] += 1
        known["bytes"] += row["text_bytes"]
        epochs = [int(duty["value"]) for duty in row["duties"] or () if duty["kind"] == "most-epochs"]
        known["most_epochs"] = min([*epochs, *([known["most_epochs"]] if known["most_epochs"] else [])], default=None)
        self._waiting.setdefault(key, []).append({"id": row["id"], "text": text, "text_bytes": row["text_bytes"]})

    def flush(self) -> None:
        for key, rows in sorted(self._waiting.items()):
            if key not in self._files:
                path = self._corpus / self._known[key]["file"]
                self._files[key] = pq.ParquetWriter(path, TEXT, compression="zstd")
            self._files[key].write_table(pa.Table.from_pylist(rows, schema=TEXT), row_group_size=256)
        self._waiting = {}

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def infos(self) -> list[StreamInfo]:
        return [StreamInfo(**values) for _, values in sorted(self._known.items())]


def _stream_values(row: Row) -> dict[str, Any]:
    return {
        "name": row["stream"],
        "use": row["use"],
        "group": row["group"],
        "licence": row["branch"],
        "language": row["language"],
        "documents": 0,
        "bytes": 0,
        "most_epochs": None,
        "file": f"text/{row['stream']}.{row['use']}.parquet",
    }


class _LeafFiles:
    """Leaf hashes by partner, on disk until the trees are built."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._files: dict[str, Any] = {}
        self._sizes: Counter[str] = Counter()

    def add(self, row: Row) -> None:
        partner = row["partner"]
        if partner not in self._files:
            path = self._folder / f".{partner_folder(partner)}.hashes"
            self._files[partner] = self._stack.enter_context(path.open("wb"))
        self._files[partner].write(leaf_hash(ledger_leaf(row)))
        self._sizes[partner] += 1

    def build(self) -> dict[str, Any]:
        """Build every partner's tree and the tree over their roots; returns what ``roots.json`` holds."""
        partners = []
        for partner in sorted(self._files):
            hashes = self._folder / f".{partner_folder(partner)}.hashes"
            folder = self._folder / partner_folder(partner)
            folder.mkdir()
            root = write_levels(folder, _hashes_in(hashes))
            hashes.unlink()
            partners.append({"partner": partner, "root": root.hex(), "size": self._sizes[partner]})
        top = root_of(leaf_hash(partner_leaf(partner)) for partner in partners)
        return {"root": top.hex(), "partners": partners}


def partner_folder(partner: str) -> str:
    """A folder name for a partner: readable, and different for different partners."""
    slug = re.sub(r"[^a-z0-9]+", "-", partner.lower()).strip("-") or "partner"
    return f"{slug[:40]}-{hashlib.sha256(partner.encode()).hexdigest()[:8]}"


def _hashes_in(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while leaf := file.read(32):
            yield leaf
