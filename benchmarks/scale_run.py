"""Make a run directory of any size without text: ledger, token spans and plan as the real writers leave them.

Ids and digests are random bytes, so compression and search meet what they would meet in a real run; ``tokens.bin`` is
a sparse file of the right length, because no question about order ever reads a token. Everything is drawn from a seed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml
from numpy.typing import NDArray

from data_curation.ledger_table import LEDGER, PartnerWriter, write_partners
from data_curation.settings import DuplicatesSettings
from data_curation.signatures import KEY, write_signatures
from pipeline.config import load_config
from pipeline.run_directory import RunDirectory
from training.checkpoint import TrainerState, checkpoint_folder, save_state
from training.mixture import SegmentWanted, make_plan
from training.plan import StreamRef
from training.token_stream import BYTES, ENDS, IDS, TOKENS

PARTNERS = 40
MEASURED = "Partner 00"
"""The partner that questions are asked about: a fortieth of all documents, 250,000 of 10 million."""
TOKENS_PER_DOCUMENT = 1000
LENGTH = 4096
BATCH = 256
LANGUAGES = ("nl", "en", "de")
COPY_EVERY = 1000
"""Among the documents of every other partner, each that many is a near copy of one of the measured partner's."""
_CHUNK = 1 << 16
_VOCABULARY = 32_000
Signed = tuple[NDArray[np.uint32], NDArray[np.bytes_]]
# (use, reason, survivor, share of documents)
_OUTCOMES = (
    ("train", "licence-admitted", False, 0.84),
    ("held-out", "licence-admitted", False, 0.05),
    ("none", "duplicate-near", True, 0.05),
    ("none", "quality-too-short", False, 0.03),
    ("none", "no-derivatives", False, 0.03),
)
_KEPT = sum(share for use, _, _, share in _OUTCOMES if use != "none")


@dataclass(frozen=True)
class Drawn:
    """One partner's documents in the order of their ids: id [n, 32], kind (index of template) [n], tokens [n]."""

    ids: NDArray[np.uint8]
    kind: NDArray[np.int64]
    tokens: NDArray[np.int64]


def sizes(documents: int) -> list[int]:
    """Documents of each partner: the measured one's fortieth, and the others from large to small."""
    first = documents // PARTNERS
    weights = 1 / np.arange(2, PARTNERS + 1)
    others = np.maximum(1, (weights / weights.sum() * (documents - first)).astype(np.int64))
    others[0] += documents - first - int(others.sum())
    return [first, *others.tolist()]


def make_run(folder: Path, documents: int, config: Path, signatures: bool) -> RunDirectory:
    """Make a run directory in an empty folder; MinHash signatures (1.2 kB a document) only if asked for."""
    run = RunDirectory(folder)
    folder.mkdir(parents=True, exist_ok=True)
    run.ledger.mkdir()
    (run.rights / "agreements").mkdir(parents=True)
    loaded = load_config(config)
    (folder / "config.yaml").write_text(yaml.safe_dump(loaded.config.model_dump(mode="json"), sort_keys=False))
    settings = loaded.config.curation.duplicates
    done, infos, known = [], [], None
    for number, size in enumerate(sizes(documents)):
        drawn = draw(np.random.default_rng([1, number]), size)
        templates = pa.Table.from_pylist(_templates(number), schema=LEDGER)
        writer = PartnerWriter(run.ledger, f"Partner {number:02d}")
        for table in _tables(np.random.default_rng([2, number]), drawn, templates, number):
            writer.add(table)
        done.append(writer.close())
        infos += list(_write_streams(run.tokens, drawn, templates))
        if signatures:
            known = _write_signatures(run.curated / "signatures", number, drawn, known, settings)
    write_partners(run.ledger, done)
    index = {"root": "0" * 64, "vocabulary_size": _VOCABULARY, "end_of_document": 0, "padding": 0, "streams": infos}
    (run.tokens / "streams.json").write_text(json.dumps(index))
    _write_plan(run, infos)
    return run


def draw(random: np.random.Generator, size: int) -> Drawn:
    """Draw ids, outcomes and lengths; lengths are log-normal, as those of texts are."""
    ids = np.sort(np.frombuffer(random.bytes(32 * size), dtype="S32")).view(np.uint8).reshape(size, 32)
    outcome = random.choice(len(_OUTCOMES), size, p=[share for *_, share in _OUTCOMES])
    kind = outcome * len(LANGUAGES) + random.choice(len(LANGUAGES), size, p=[0.5, 0.3, 0.2])
    tokens = random.lognormal(0, 1, size) * (TOKENS_PER_DOCUMENT / _KEPT / np.exp(0.5))
    return Drawn(ids, kind, tokens.astype(np.int64) + 1)


# ---- ledger


def _templates(number: int) -> list[dict[str, Any]]:
    """A row for each outcome and language, with all that repeats between documents."""
    return [
        _template(number, use, reason, survivor, language)
        for use, reason, survivor, _ in _OUTCOMES
        for language in LANGUAGES
    ]


def _template(number: int, use: str, reason: str, survivor: bool, language: str) -> dict[str, Any]:
    licence = ("CC-BY-4.0", "CC0-1.0", "MPL-2.0")[number % 3] if number else "LicenseRef-agreement-00"
    refused = reason == "no-derivatives"
    decision = "refuse" if refused else "admit"
    told = f"{licence} permits the intended use. Permits use, modification and sale under the terms of section 2(a)."
    events = [("ingest", "received", None, None), ("admit", decision, reason, told)]
    if not refused:
        events.append(("curate", "kept" if use != "none" else "removed", reason, f"{language} at 0.99"))
    if use != "none":
        events.append(("commit", use, None, f"stream group-{number:02d}~{licence}~{language}"))
    names = ("stage", "outcome", "reason", "detail")
    return dict.fromkeys(LEDGER.names) | {
        "source": f"source-{number:02d}",
        "group": f"group-{number:02d}",
        "partner": f"Partner {number:02d}",
        "times_received": 1,
        "language_declared": language,
        "language": language,
        "declared": [{"text": licence, "where": "metadata.jsonl: licence", "form": "field"}],
        "licence": licence,
        "branch": licence,
        "basis": "licence" if number else "agreement",
        "agreement": None if number else "agreement-00",
        "duties": [] if refused else [{"kind": "attribution", "value": f"{licence} (https://x)", "clause": "s. 3(a)"}],
        "decision": decision,
        "decision_reason": reason if refused else "licence-admitted",
        "decision_clause": "s. 2(a)",
        "decision_explanation": told,
        "reason": reason,
        "events": [dict(zip(names, event, strict=True)) for event in events],
        "personal_data": [{"kind": "email", "count": 2}] if language == "nl" and use == "train" else [],
        "survivor": "f" * 64 if survivor else None,
        "similarity": 0.91 if survivor else None,
        "use": use,
        "stream": f"group-{number:02d}~{licence}~{language}" if use != "none" else None,
    }


def _tables(random: np.random.Generator, drawn: Drawn, templates: pa.Table, number: int) -> Iterator[pa.Table]:
    for begin in range(0, len(drawn.ids), _CHUNK):
        cut = slice(begin, begin + _CHUNK)
        ids, kind, size = drawn.ids[cut], drawn.kind[cut], drawn.tokens[cut] * 4
        count = np.arange(begin, begin + len(ids))
        kept = pa.array(kind < 2 * len(LANGUAGES))
        order = pa.array(count).cast(pa.string())
        none = pa.scalar(None, pa.string())
        own = {
            "id": _hex(ids.tobytes()),
            "native_id": pc.binary_join_element_wise(f"P{number:02d}", order, "-"),
            "title": pc.binary_join_element_wise("Title of document number", order, " "),
            "url": pc.binary_join_element_wise(f"https://p{number:02d}.example/article", order, "/"),
            "author": pc.binary_join_element_wise("Author", pa.array(count % 997).cast(pa.string()), " "),
            "published": pc.binary_join_element_wise("2024-0", pa.array(1 + count % 9).cast(pa.string()), "-11", ""),
            "received_sha256": _hex(random.bytes(32 * len(ids))),
            "received_bytes": pa.array(size + 500),
            "final_sha256": pc.if_else(kept, _hex(random.bytes(32 * len(ids))), none),
            "text_bytes": pc.if_else(kept, pa.array(size), 0),
        }
        table = templates.take(pa.array(kind))
        columns = [own.get(name, table.column(name)) for name in LEDGER.names]
        yield pa.Table.from_arrays(columns, schema=LEDGER)


def _hex(data: bytes) -> pa.Array:
    text = data.hex().encode()
    offsets = np.arange(0, len(text) + 1, 64, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(text)])


# ---- signatures


def copies_made(documents: int) -> int:
    """How many near copies of the measured partner's documents the other partners have."""
    return sum(-(-size // COPY_EVERY) for size in sizes(documents)[1:])


def _write_signatures(
    folder: Path, number: int, drawn: Drawn, known: Signed | None, settings: DuplicatesSettings
) -> Signed:
    """One partner's signatures, a folder for each chunk; returns the first partner's first, which others copy."""
    for chunk, begin in enumerate(range(0, len(drawn.ids), _CHUNK)):
        random, ids = np.random.default_rng([3, number, chunk]), drawn.ids[begin : begin + _CHUNK]
        # The least of a thousand hashes of 32 bits has about 22.
        values = random.integers(0, 1 << 22, (len(ids), settings.permutations), dtype=np.uint32)
        languages = np.array(LANGUAGES, "S8")[drawn.kind[begin : begin + _CHUNK] % len(LANGUAGES)]
        if known is None:
            known = values, languages
        elif number:
            places = np.flatnonzero((begin + np.arange(len(ids))) % COPY_EVERY == 0)
            of = random.integers(0, len(known[0]), len(places))
            copied = settings.permutations * 7 // 8
            values[places, :copied], languages[places] = known[0][of, :copied], known[1][of]
        keys = np.zeros(len(ids), KEY)
        keys["id"] = np.ascontiguousarray(ids).view(">u8")
        keys["text"] = keys["received"] = np.frombuffer(random.bytes(32 * len(ids)), ">u8").reshape(-1, 4)
        keys["language"] = languages
        write_signatures(folder / f"{number:02d}-{chunk:04d}", keys, values, settings)
    if known is None:
        raise ValueError(f"partner {number} has no document to copy from")
    return known


# ---- tokens and plan


def _write_streams(tokens: Path, drawn: Drawn, templates: pa.Table) -> Iterator[dict[str, Any]]:
    for kind in range(2 * len(LANGUAGES)):
        mine = np.flatnonzero(drawn.kind == kind)
        if len(mine):
            template = templates.slice(kind, 1).to_pylist()[0]
            folder = tokens / template["use"] / template["stream"]
            folder.mkdir(parents=True)
            ends = np.cumsum(drawn.tokens[mine] + 1)
            drawn.ids[mine].tofile(folder / IDS)
            ends.astype("<u8").tofile(folder / ENDS)
            (drawn.tokens[mine] * 4).astype("<u4").tofile(folder / BYTES)
            with (folder / TOKENS).open("wb") as file:
                file.truncate(2 * int(ends[-1]))
            yield {
                "name": template["stream"],
                "use": template["use"],
                "group": template["group"],
                "licence": template["branch"],
                "language": template["language"],
                "documents": len(mine),
                "tokens": int(ends[-1]),
                "bytes": int(drawn.tokens[mine].sum()) * 4,
                "most_epochs": None,
                "folder": folder.relative_to(tokens).as_posix(),
            }


def _write_plan(run: RunDirectory, infos: list[dict[str, Any]]) -> None:
    refs = [
        StreamRef(one["name"], -(-one["tokens"] // LENGTH), one["documents"], one["tokens"])
        for one in infos
        if one["use"] == "train"
    ]
    steps = max(10, sum(ref.sequences for ref in refs) // BATCH)
    wanted = [
        SegmentWanted("warm-up", steps // 10, BATCH, 0.7),
        SegmentWanted("main", steps, BATCH),
        SegmentWanted("cooldown", steps // 5, BATCH, 0.5),
    ]
    plan = make_plan(refs, wanted, LENGTH, 1, "0" * 64, "0" * 64)
    run.training.mkdir()
    (run.training / "plan.json").write_text(plan.to_json())
    for tenth in (1, 3, 5, 7, 9, 10):
        done = plan.steps * tenth // 10
        folder = checkpoint_folder(run.checkpoints, done)
        folder.mkdir(parents=True)
        digests = ("0" * 64, plan.digest(), "0" * 64, "0" * 64)
        read = done * BATCH * LENGTH
        save_state(folder, TrainerState(done, *digests, read, read - done * BATCH, 0.0, "", "", 0.0))
