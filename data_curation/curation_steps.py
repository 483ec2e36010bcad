"""The steps of curation, one document at a time: read, language, quality, harm, evaluation items, personal data, write.

Blocks of datatrove that the configuration names run between them.

A step never drops a document, it marks it with stage, reason and detail, so that the ledger has a row for everything.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_curation.blocks import BlockSettings, made, passed
from data_curation.contamination.match import CONTAMINATED, EvaluationSets, event
from data_curation.contamination.table import ContaminationWriter
from data_curation.copies import barred_by, folded_sha256
from data_curation.curation_job import CurationJob
from data_curation.harm.harm import Harm
from data_curation.languages.function_words import read_function_words
from data_curation.languages.judge import Languages
from data_curation.minhash import signature
from data_curation.personal import PersonalData
from data_curation.quality import Quality, read_quality
from data_curation.repeats.store import RepeatWriter
from data_curation.settings import CurationSettings
from data_curation.shards import CURATED, Row, read_shard, write_shard
from data_curation.signatures import SignatureWriter
from data_curation.survivor import rank as rank_among_copies
from data_curation.words import Words
from licensing.canonical import canonical
from licensing.files import atomic_folder

_TEXT_COLUMNS = ["id", "text", "language_declared"]
_SHOWN_COLUMNS = {"url": "url", "title": "title", "published": "date", "author": "author"}
"""What blocks see of a document besides its text: our columns, and the names by which datatrove's blocks ask."""


def words_of(document: Any) -> Words:
    """The words of a document's text as it is now, split once and kept with it until the text changes."""
    known = document.metadata.get("words")
    if not isinstance(known, Words) or known.text is not document.text:
        known = document.metadata["words"] = Words.of(document.text)
    return known


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
        later = _later_copies(self.job.later_copies(rank))
        wanted = {one.id: one for one in _wanted(self.job.decisions / path.relative_to(self.job.received))}
        previous = None
        shown = _SHOWN_COLUMNS if self.job.settings.blocks else {}
        for row in read_shard(path, [*_TEXT_COLUMNS, *shown]):
            if row["text"] is None or row["id"] not in wanted:
                continue
            if row["id"] != previous and row["id"] not in later:
                previous = row["id"]
                known = wanted[row["id"]]
                metadata = {
                    "declared": row["language_declared"],
                    "basis": known.basis,
                    "duties": known.duties,
                    "barred": known.barred,
                    "received": row["text"],
                    "removed": None,
                    "events": [],
                    "personal_data": {},
                    "language": None,
                    "quality": 0,
                    "hits": [],
                    "replacements": None,
                    "shown": {theirs: row[ours] for ours, theirs in shown.items() if row[ours] is not None},
                }
                yield Document(text=row["text"], id=row["id"], metadata=metadata)


def _later_copies(path: Path) -> frozenset[str]:
    return frozenset(json.loads(path.read_bytes())) if path.exists() else frozenset()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A document that is read: what it rests on, how many duties go with it, or the reason why it bars its copies."""

    id: str
    basis: str
    duties: int
    barred: str | None


def _wanted(decisions: Path) -> Iterator[_Wanted]:
    """The documents of a shard that are admitted or barred."""
    for row in read_shard(decisions, ["id", "outcome", "reason", "basis", "duties"]):
        barred = barred_by(row["outcome"], row["reason"])
        if barred or row["outcome"] == "admit":
            yield _Wanted(row["id"], row["basis"], len(row["duties"] or ()), barred)


class SettleLanguage(_Step):
    """Declared against detected language, and paragraphs in another."""

    def prepare(self) -> None:
        """Load the detector."""
        settings = self.job.settings
        function_words = read_function_words(read_quality(self.job.quality_rules))
        self._languages = Languages(settings.language, settings.languages, function_words)

    def treat(self, document: Any) -> None:
        """Settle the language or remove the document; a barred one is compared whatever its language."""
        found = self._languages.judge(words_of(document), document.metadata["declared"])
        document.metadata |= {"language": found.language, "confidence": found.confidence}
        removed = found.outcome == "remove"
        if not removed:
            document.text = found.text
        if document.metadata["barred"]:
            return
        if removed:
            self.remove(document, found.reason, found.told())
            return
        self.tell(document, "language", found.reason, found.told())
        if found.cut:
            characters = sum(one.characters for one in found.foreign)
            told = f"{sum(one.paragraphs for one in found.foreign)} paragraphs of {characters} characters"
            self.tell(document, "changed", "language-paragraphs-cut", told)


class JudgeQuality(_Step):
    """Heuristic quality rules of the document's language."""

    def prepare(self) -> None:
        """Read the rules."""
        self._quality = Quality(read_quality(self.job.quality_rules))

    def treat(self, document: Any) -> None:
        """Remove what breaks a rule; a barred document is compared whatever its quality."""
        if document.metadata["barred"]:
            return
        found = self._quality.judge(words_of(document), document.metadata["language"])
        document.metadata["quality"] = found.score
        if not found.keep:
            self.remove(document, found.reason or "quality")


class LookForHarm(_Step):
    """Terms on word lists and the score of the operator's classifier; recorded, or removed where asked for."""

    def prepare(self) -> None:
        """Read the lists and load the classifier."""
        self._harm = Harm(self.job.settings.harm, self.job.root)

    def treat(self, document: Any) -> None:
        """Tell how much was found, never what."""
        if document.metadata["barred"]:
            return
        found = self._harm.judge(words_of(document), document.text, document.metadata["language"])
        if found.rule is None:
            return
        told = f"{found.terms} terms on the word list of the language"
        told += f"; the classifier's score is {found.score:.4f}" if found.score is not None else ""
        if found.remove:
            self.remove(document, found.rule, told)
        else:
            self.tell(document, "recorded", found.rule, told)


class FindEvaluationItems(_Step):
    """Items of evaluation sets that stand in a document, before they are trained on."""

    def prepare(self) -> None:
        """Open the index that was made before the tasks."""
        settings = self.job.settings.contamination
        self._sets = EvaluationSets.open(self.job.evaluation_sets, settings) if settings.sets else None

    def treat(self, document: Any) -> None:
        """Tell of items found, and remove the document where the operator says so."""
        if self._sets is None or document.metadata["barred"]:
            return
        hits = self._sets.hits(words_of(document))
        if hits:
            document.metadata["hits"] = hits
            document.metadata["events"].append(event(hits, self.job.settings.contamination))
            if self.job.settings.contamination.action == "remove":
                document.metadata["removed"] = CONTAMINATED


class ReplacePersonalData(_Step):
    """Typed placeholders for personal data; of each the kind, rule and place are kept, never the value."""

    def prepare(self) -> None:
        """Set up the patterns."""
        self._personal = PersonalData(self.job.settings.personal_data.resolved(self.job.root))

    def treat(self, document: Any) -> None:
        """Replace in the text."""
        redacted = self._personal.replace(document.text, document.metadata["language"])
        if not redacted.found:
            return
        document.text = redacted.text
        document.metadata["replacements"] = [
            {"kind": one.kind, "rule": one.rule, "start": one.start, "length": one.end - one.start}
            for one in redacted.found
        ]
        counts = sorted(Counter(found.kind for found in redacted.found).items())
        document.metadata["personal_data"] = dict(counts)
        told = ", ".join(f"{count} x {kind}" for kind, count in counts)
        self.tell(document, "changed", "personal-data", told)


class DatatroveBlock(_Step):
    """One of datatrove's own blocks; what it drops and changes is told like everything else."""

    def __init__(self, job: CurationJob, number: int) -> None:
        super().__init__(job)
        self._number = number

    @property
    def _settings(self) -> BlockSettings:
        return self.job.settings.blocks[self._number]

    def __call__(self, data: Any, rank: int, world_size: int) -> Iterator[Any]:
        """Let the documents pass that are not removed yet."""
        block = made(self._settings.block, self._settings.options, f"curation.blocks[{self._number}]")
        yield from passed(block, data, rank, world_size, self)

    def takes_part(self, document: Any) -> bool:
        """Neither what was removed before nor what is only compared with copies of it."""
        return not document.metadata["removed"] and not document.metadata["barred"]

    def shown(self, document: Any) -> dict[str, Any]:
        """What datatrove's own readers give under these names, and the language; ours of the same names are safe."""
        return {**document.metadata["shown"], "language": document.metadata["language"]}

    def dropped(self, document: Any, reason: str) -> None:
        """Mark as removed, under the name of the block's class."""
        self.remove(document, "block-dropped", f"{self._settings.block}: {reason}")

    def changed(self, document: Any, before: str) -> None:
        """Say by how much the text became shorter or longer; a document without text is removed."""
        if not document.text.strip():
            self.dropped(document, f"nothing is left of {len(before)} characters")
            return
        told = f"{self._settings.block}: {len(before)} characters became {len(document.text)}"
        self.tell(document, "changed", "block-changed", told)


class WriteCurated(_Step):
    """Writes a task's documents and signatures, whole or not at all."""

    def __call__(self, data: Any, rank: int, world_size: int) -> Iterator[Any]:
        """Take every document; nothing comes after this step."""
        folder = self.job.task(rank)
        if (folder / "documents.parquet").exists():
            return
        rows: list[Row] = []
        with atomic_folder(folder) as partial:
            with ExitStack() as stack:
                out = _TaskOutput(stack, partial, self.job.settings)
                for document in data:
                    row = _curated_row(document)
                    out.add(document, row)
                    if not document.metadata["barred"]:
                        rows.append(row)
            write_shard(partial / "documents.parquet", rows, CURATED)
            (partial / "counts.json").write_bytes(canonical({"documents": len(rows)}))
        yield from ()


class _TaskOutput:
    """What a task leaves besides its documents, for the searches over all tasks."""

    def __init__(self, stack: ExitStack, folder: Path, settings: CurationSettings) -> None:
        self._settings = settings
        self._signatures = stack.enter_context(SignatureWriter(folder / "signatures", settings.duplicates))
        self._hits = stack.enter_context(ContaminationWriter(folder / "hits.parquet"))
        self._repeats = (
            stack.enter_context(RepeatWriter(folder / "repeats", settings.repeats)) if settings.repeats else None
        )

    def add(self, document: Any, row: Row) -> None:
        """Take one document, kept or not."""
        known = document.metadata
        if known["hits"]:
            self._hits.add(document.id, known["hits"], bool(known["removed"]))
        if not row["kept"]:
            return
        duplicates, words = self._settings.duplicates, words_of(document)
        rank = rank_among_copies(known["basis"], known["duties"], known["quality"], duplicates)
        self._signatures.add(
            document.id,
            row["final_sha256"],
            known["language"],
            rank,
            signature(words.hashes, duplicates),
            received=folded_sha256(known["received"]),
            barred=known["barred"],
        )
        if self._repeats and not known["barred"]:
            self._repeats.add(document.id, rank, document.text, words)


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
        "quality": document.metadata["quality"],
        "personal_data": [{"kind": kind, "count": n} for kind, n in document.metadata["personal_data"].items()],
        "replacements": document.metadata["replacements"],
        "events": document.metadata["events"],
    }


_IN_ORDER: tuple[tuple[str, type[_Step]], ...] = (
    ("read", ReadAdmitted),
    ("language", SettleLanguage),
    ("quality", JudgeQuality),
    ("harm", LookForHarm),
    ("contamination", FindEvaluationItems),
    ("personal-data", ReplacePersonalData),
)


def steps(job: CurationJob) -> list[_Step]:
    """The steps of a task in order, each followed by the blocks that the configuration puts after it."""
    made_steps: list[_Step] = []
    for name, kind in _IN_ORDER:
        made_steps.append(kind(job))
        after = [number for number, block in enumerate(job.settings.blocks) if block.after == name]
        made_steps += [DatatroveBlock(job, number) for number in after]
    return [*made_steps, WriteCurated(job)]
