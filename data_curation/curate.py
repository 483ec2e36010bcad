"""Curation: admitted documents through language, quality and personal data, then duplicates over all of them.

Documents that were not admitted on their rights go along as far as a signature, so that no copy of theirs is used
unnoticed (`data_curation.copies`); their text goes no further.

`datatrove` carries the documents: one task is one shard, a step is one of its pipeline steps, and its executor runs the
tasks in as many processes as are given. Two things differ from its habits. A step never drops a document, it marks it
with stage, reason and detail, so that the ledger has a row for everything; and a task's output appears under its final
name only when it is whole, so that a killed task leaves nothing that a later run would take for finished.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from data_curation.copies import barred_by, folded_sha256
from data_curation.duplicates import find_duplicates
from data_curation.language import Languages
from data_curation.minhash import signature
from data_curation.personal_data import PersonalData
from data_curation.quality import Quality, read_quality
from data_curation.settings import CurationSettings
from data_curation.shards import CURATED, Row, read_shard, shards, write_shard
from data_curation.shared_terms import write_terms
from data_curation.signatures import SignatureWriter
from data_curation.words import RegexWords, word_hashes
from licensing.canonical import canonical
from licensing.files import atomic_folder, write_atomically

_TEXT_COLUMNS = ["id", "text", "language_declared"]


@dataclass(frozen=True, slots=True)
class CurationJob:
    """What curation reads, its rules, and the folder in which finished tasks wait for the rest."""

    received: Path
    decisions: Path
    settings: CurationSettings
    quality_rules: Path
    partial: Path

    def shards(self) -> list[Path]:
        """The shards in a fixed order; the place in this list is the task's number."""
        return shards(self.received)


def curate(
    job: CurationJob, workers: int, expect: Callable[[int, int], None], advance: Callable[[int], None]
) -> dict[str, Any]:
    """Curate everything that was admitted; results lie in ``job.partial / "out"``.

    ``expect(tasks in all, tasks done before)`` and ``advance(tasks)`` tell the progress.

    Returns:
        Figures: documents, kept, removed by reason, personal data by kind, duplicates.
    """
    tasks = len(job.shards())
    (job.partial / "tasks").mkdir(parents=True, exist_ok=True)
    write_atomically(job.partial / "first-shards.json", canonical(_first_shards(job)))
    with _Watch(job.partial / "tasks", tasks, expect, advance):
        _execute(job, tasks, workers)
    with atomic_folder(job.partial / "out") as out:
        figures = find_duplicates(
            [task / "signatures" for task in _finished(job, tasks)],
            out / "duplicates.parquet",
            job.settings.duplicates,
            job.partial / "bands",
            out / "copies.parquet",
        )
        write_terms(out / "duplicates.parquet", job.decisions, out / "terms.parquet")
        (out / "documents").mkdir()
        for number, task in enumerate(_finished(job, tasks)):
            os.link(task / "documents.parquet", out / "documents" / f"{number:06d}.parquet")
            # Near copies of what is withdrawn one day are found by these, when the text is gone.
            (out / "signatures" / f"{number:06d}").mkdir(parents=True)
            for path in sorted((task / "signatures").iterdir()):
                os.link(path, out / "signatures" / f"{number:06d}" / path.name)
        return _figures(out, asdict(figures))


def _first_shards(job: CurationJob) -> dict[str, int]:
    """Where a document that came more than once came first: only that copy is curated."""
    arrays = [np.load(path) for path in sorted(job.received.glob("*/repeated-documents.npy"))]
    repeated = {format(prefix, "016x") for array in arrays for prefix in array.tolist()}
    first: dict[str, int] = {}
    for number, path in enumerate(job.shards() if repeated else []):
        for row in read_shard(path, ["id"]):
            if row["id"][:16] in repeated:
                first.setdefault(row["id"], number)
    return first


def _finished(job: CurationJob, tasks: int) -> list[Path]:
    return [job.partial / "tasks" / f"{number:06d}" for number in range(tasks)]


def _execute(job: CurationJob, tasks: int, workers: int) -> None:
    from data_curation.executor import QuietExecutor

    executor = QuietExecutor(
        pipeline=[step(job) for step in STEPS],
        tasks=tasks,
        workers=min(workers, tasks),
        logging_dir=str(job.partial / "datatrove"),
        skip_completed=True,
    )
    executor.run()


class _Step:
    """A datatrove pipeline step that passes every document on; removed ones are left alone by later steps."""

    name = "step"
    stage = "curate"

    def __init__(self, job: CurationJob) -> None:
        self.job = job

    def __call__(self, data: Any, rank: int, world_size: int) -> Iterator[Any]:
        self.prepare()
        for document in data:
            if not document.metadata["removed"]:
                self.treat(document)
            yield document

    def prepare(self) -> None:
        """Load what the step needs, once a task and in the process that runs it."""

    def treat(self, document: Any) -> None:
        """Change or mark one document; the first and the last step treat none."""

    def remove(self, document: Any, reason: str, detail: str | None = None) -> None:
        """Mark a document as removed."""
        document.metadata["removed"] = reason
        self.tell(document, "removed", reason, detail)

    def tell(self, document: Any, outcome: str, reason: str | None, detail: str | None = None) -> None:
        """Add to the document's account."""
        event = {"stage": self.stage, "outcome": outcome, "reason": reason, "detail": detail}
        document.metadata["events"].append(event)


class ReadAdmitted(_Step):
    """Reads one shard and keeps what was admitted, and what bars its copies."""

    def __call__(self, data: Any, rank: int, world_size: int) -> Iterator[Any]:
        """Yield the admitted and the barred documents of shard ``rank``."""
        from datatrove.data import Document

        path = self.job.shards()[rank]
        first = json.loads((self.job.partial / "first-shards.json").read_bytes())
        wanted = {one.id: one for one in _wanted(self.job.decisions / path.relative_to(self.job.received))}
        previous = None
        for row in read_shard(path, _TEXT_COLUMNS):
            if row["text"] is None or row["id"] not in wanted:
                continue
            if row["id"] != previous and first.get(row["id"], rank) == rank:
                previous = row["id"]
                metadata = {
                    "declared": row["language_declared"],
                    "rank": wanted[row["id"]].rank,
                    "barred": wanted[row["id"]].barred,
                    "received": folded_sha256(row["text"]),
                    "removed": None,
                    "events": [],
                    "personal_data": {},
                    "language": None,
                }
                yield Document(text=row["text"], id=row["id"], metadata=metadata)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A document that is read: its rank among copies of one text, or the reason why it bars its copies."""

    id: str
    rank: int
    barred: str | None


def _wanted(decisions: Path) -> Iterator[_Wanted]:
    """The documents of a shard that are admitted or barred; among admitted copies the strictest terms come first.

    Were the freest copy to survive, a text delivered under an agreement could be used on the word of somebody who put a
    copy of it on the web under an open licence.
    """
    for row in read_shard(decisions, ["id", "outcome", "reason", "basis", "duties"]):
        barred = barred_by(row["outcome"], row["reason"])
        if barred or row["outcome"] == "admit":
            rank = 0 if row["basis"] == "agreement" else 100 - min(99, len(row["duties"] or ()))
            yield _Wanted(row["id"], rank, barred)


class SettleLanguage(_Step):
    """Declared against detected language."""

    def prepare(self) -> None:
        """Load the detector."""
        settings = self.job.settings
        self._least = settings.language.least_confidence
        self._languages = Languages(
            settings.language.candidates,
            settings.languages,
            short_characters=settings.language.short_characters,
            keep_under_detected=settings.language.keep_under_detected,
        )

    def treat(self, document: Any) -> None:
        """Settle the language or remove the document."""
        found = self._languages.judge(document.text, document.metadata["declared"], self._least)
        document.metadata |= {"language": found.language, "confidence": found.confidence}
        told = f"{found.language} at {found.confidence:.2f}, declared {found.declared or 'nothing'}"
        if document.metadata["barred"]:
            return
        if found.outcome == "remove":
            self.remove(document, found.reason, told)
        else:
            self.tell(document, "language", found.reason, told)


class JudgeQuality(_Step):
    """Heuristic quality rules of the document's language."""

    def prepare(self) -> None:
        """Read the rules."""
        self._quality = Quality(read_quality(self.job.quality_rules))

    def treat(self, document: Any) -> None:
        """Remove what breaks a rule; a barred document is compared whatever its quality."""
        if document.metadata["barred"]:
            return
        found = self._quality.judge(document.text, document.metadata["language"])
        if not found.keep:
            self.remove(document, found.reason or "quality")


class ReplacePersonalData(_Step):
    """Typed placeholders for personal data; only kind and count are kept, never the value."""

    def prepare(self) -> None:
        """Set up the patterns."""
        self._personal = PersonalData(self.job.settings.personal_data)

    def treat(self, document: Any) -> None:
        """Replace in the text."""
        redacted = self._personal.replace(document.text, document.metadata["language"])
        document.text = redacted.text
        counts = Counter(found.kind for found in redacted.found)
        document.metadata["personal_data"] = dict(sorted(counts.items()))
        if counts:
            told = ", ".join(f"{count} x {kind}" for kind, count in sorted(counts.items()))
            self.tell(document, "changed", "personal-data", told)


class WriteCurated(_Step):
    """Writes a task's documents and signatures, whole or not at all."""

    def __call__(self, data: Any, rank: int, world_size: int) -> Iterator[Any]:
        """Take every document; nothing comes after this step."""
        folder = self.job.partial / "tasks" / f"{rank:06d}"
        if (folder / "documents.parquet").exists():
            return
        words = RegexWords()
        rows: list[Row] = []
        with atomic_folder(folder) as partial:
            with SignatureWriter(partial / "signatures", self.job.settings.duplicates) as signatures:
                for document in data:
                    row = _curated_row(document)
                    if row["kept"]:
                        hashes = word_hashes(words.word_tokenize(document.text))
                        signatures.add(
                            document.id,
                            row["final_sha256"],
                            document.metadata["language"],
                            document.metadata["rank"],
                            signature(hashes, self.job.settings.duplicates),
                            received=document.metadata["received"],
                            barred=document.metadata["barred"],
                        )
                    if not document.metadata["barred"]:
                        rows.append(row)
            write_shard(partial / "documents.parquet", rows, CURATED)
            (partial / "counts.json").write_bytes(canonical(_counts(rows)))
        yield from ()


def _curated_row(document: Any) -> Row:
    kept = not document.metadata["removed"]
    encoded = document.text.encode()
    return {
        "id": document.id,
        "kept": kept,
        "reason": document.metadata["removed"],
        "language": document.metadata["language"],
        "language_confidence": document.metadata.get("confidence"),
        "text": document.text if kept else None,
        "final_sha256": hashlib.sha256(encoded).hexdigest() if kept else None,
        "text_bytes": len(encoded) if kept else 0,
        "personal_data": [{"kind": kind, "count": n} for kind, n in document.metadata["personal_data"].items()],
        "events": document.metadata["events"],
    }


def _counts(rows: list[Row]) -> dict[str, Any]:
    personal: Counter[str] = Counter()
    for row in rows:
        personal.update({item["kind"]: item["count"] for item in row["personal_data"]})
    removed = Counter(row["reason"] for row in rows if not row["kept"])
    return {"documents": len(rows), "removed": dict(removed), "personal_data": dict(personal)}


def _figures(out: Path, duplicates: dict[str, Any]) -> dict[str, Any]:
    removed: Counter[str] = Counter()
    personal: Counter[str] = Counter()
    documents = 0
    for path in shards(out / "documents"):
        for row in read_shard(path, ["reason", "kept", "personal_data"]):
            documents += 1
            removed.update([row["reason"]] if not row["kept"] else [])
            personal.update({item["kind"]: item["count"] for item in row["personal_data"]})
    with pq.ParquetFile(out / "duplicates.parquet") as file:
        for batch in file.iter_batches(columns=["kind"]):
            removed.update(f"duplicate-{kind}" for kind in batch.column(0).to_pylist())
    return {
        "documents": documents,
        "kept": documents - sum(removed.values()),
        "removed": dict(sorted(removed.items())),
        "personal_data": dict(sorted(personal.items())),
        "duplicates": duplicates,
    }


STEPS: tuple[type[_Step], ...] = (ReadAdmitted, SettleLanguage, JudgeQuality, ReplacePersonalData, WriteCurated)


class _Watch:
    """Counts finished tasks on disk while the executor, which tells nothing, runs."""

    def __init__(
        self, folder: Path, tasks: int, expect: Callable[[int, int], None], advance: Callable[[int], None]
    ) -> None:
        self._folder, self._advance = folder, advance
        self._seen = self._finished()
        expect(tasks, self._seen)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _finished(self) -> int:
        return sum(1 for _ in self._folder.glob("[0-9]*/counts.json"))

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            self._tell()

    def _tell(self) -> None:
        now = self._finished()
        if now > self._seen:
            self._advance(now - self._seen)
            self._seen = now

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._tell()
