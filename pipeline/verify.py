"""`herkomst verify`: does what lies in a run still agree with what was signed, and with itself?

Three layers. Every file against the digest in its stage's signed statement; the chain of statements itself; and the
meaning: ledger rows against the Merkle roots, token spans against theirs, plan and checkpoints against both.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from data_curation.shards import read_shard
from data_curation.streams import read_streams
from licensing.attestation import EvidenceError
from licensing.errors import HerkomstError
from licensing.files import file_digest
from licensing.leaf import ledger_leaf, partner_leaf, span_leaf
from licensing.merkle import TreeBuilder, leaf_hash, root_of
from licensing.record import Entry, Finding
from pipeline.run_directory import RunDirectory
from pipeline.stages import NAMES, STAGES, outputs_of
from pipeline.trace import Tracer
from training.checkpoint import WEIGHTS, finished_checkpoints, read_state
from training.pack import PackedCorpus, read_packed, span_row
from training.plan import Plan


def verify(run: RunDirectory, public_key: bytes | None = None) -> list[Finding]:
    """Check a run; returns what is wrong, nothing if all agrees.

    ``public_key`` (32 bytes) is the signer's as known from elsewhere; without it the record's own key is believed,
    which shows that the record hangs together but not who signed it.

    Raises:
        RunError: there is no run here.
    """
    run.require()
    record = run.record()
    findings = list(record.verify(public_key))
    if findings:
        return findings
    try:
        entries = record.entries()
    except EvidenceError as fault:
        return [Finding(str(fault), "the record cannot be read", "nothing in this run can be relied on")]
    newest = {entry.stage: entry for entry in entries}
    findings += _config(run, entries)
    findings += _files(run, newest)
    findings += _stale(newest)
    if findings:
        return findings
    for check in _CHECKS:
        try:
            findings += check(run, newest)
        except (HerkomstError, OSError, ValueError, KeyError) as fault:
            findings.append(Finding(str(run.path), f"cannot be checked ({fault})", "it proves nothing as it stands"))
    return findings


def _finding(run: RunDirectory, path: Path, problem: str, consequence: str) -> Finding:
    name = path.relative_to(run.path).as_posix() if path.is_relative_to(run.path) else str(path)
    return Finding(name, problem, consequence)


def _config(run: RunDirectory, entries: list[Entry]) -> Iterator[Finding]:
    digest = file_digest(run.config)[0]
    if entries and digest not in {entry.predicate["config_sha256"] for entry in entries}:
        yield _finding(
            run, run.config, "differs from every configuration that was signed", "the run was not made from it"
        )


def _files(run: RunDirectory, newest: Mapping[str, Entry]) -> Iterator[Finding]:
    """Every signed file is there and unchanged, and nothing else lies among them."""
    outputs = outputs_of(run)
    for stage, entry in newest.items():
        for name, digest in sorted(entry.subjects.items()):
            path = run.path / name
            if not path.is_file():
                yield _finding(run, path, f"is missing; stage {stage} signed for it", "run the stage again")
            elif file_digest(path)[0] != digest:
                yield _finding(run, path, f"differs from what stage {stage} signed for", "it was changed afterwards")
        for path in sorted(file for output in outputs[stage] for file in output.rglob("*") if file.is_file()):
            if path.relative_to(run.path).as_posix() not in entry.subjects:
                yield _finding(run, path, f"was not made by stage {stage}", "nobody answers for it; move it away")


def _stale(newest: Mapping[str, Entry]) -> Iterator[Finding]:
    """A stage rests on what the stages before it make now, not on something older."""
    for stage in STAGES:
        entry = newest.get(stage.name)
        for name, digest in (entry.predicate["needs"] if entry else {}).items():
            if name not in newest or newest[name].predicate["outputs_digest"] != digest:
                yield Finding(stage.name, f"was made from another result of stage {name}", "run `herkomst run` again")


def _ledger(run: RunDirectory, newest: Mapping[str, Entry]) -> Iterator[Finding]:
    """The rows are sorted and give the signed roots; the texts are those that the rows name."""
    if "commit" not in newest:
        return
    stated = newest["commit"].predicate["figures"]
    builders: dict[str, TreeBuilder] = {}
    last, rows = "", 0
    for row in Tracer(run).rows():
        if row["id"] <= last:
            yield _finding(run, run.ledger, f"row {row['id']} is out of order", "absence proofs do not hold")
        last, rows = row["id"], rows + 1
        builders.setdefault(row["partner"], TreeBuilder()).add(leaf_hash(ledger_leaf(row)))
    if rows != stated["rows"]:
        yield _finding(
            run, run.ledger, f"has {rows} rows, {stated['rows']} were signed", "documents are unaccounted for"
        )
    partners = json.loads((run.corpus / "roots.json").read_bytes())["partners"]
    signed = {partner["partner"]: partner for partner in partners}
    for partner in sorted(signed.keys() | builders.keys()):
        root = builders[partner].root().hex() if partner in builders else None
        if root != signed.get(partner, {}).get("root"):
            yield _finding(run, run.ledger, f"rows of {partner} do not give the signed root", "its proofs do not hold")
    if root_of(leaf_hash(partner_leaf(one)) for one in partners).hex() != stated["root"]:
        problem = "the partners' roots do not give the run's root"
        yield _finding(run, run.corpus / "roots.json", problem, "its proofs do not hold")
    yield from _texts(run)


def _texts(run: RunDirectory) -> Iterator[Finding]:
    """Every kept row has its text and every text its row; both stand in order of ids and are walked side by side."""
    kept = ((row["id"], row["final_sha256"]) for row in Tracer(run).rows() if row["use"] != "none")
    texts = heapq.merge(*(_stream_texts(run.corpus / info.file) for info in read_streams(run.corpus)))
    row, text = next(kept, None), next(texts, None)
    while row or text:
        if text is None or (row is not None and row[0] < text[0]):
            missing, row = row, next(kept, None)
            if missing is not None:
                problem = f"document {missing[0]} is in the ledger but has no text"
                yield _finding(run, run.corpus, problem, "the corpus is not whole")
        elif row is None or text[0] < row[0]:
            problem = f"document {text[0]} is not kept according to the ledger"
            yield _finding(run, text[2], problem, "the corpus holds what it should not")
            text = next(texts, None)
        else:
            if row[1] != text[1]:
                problem = f"document {row[0]} differs from its ledger row"
                yield _finding(run, text[2], problem, "the corpus is not the one decided on")
            row, text = next(kept, None), next(texts, None)


def _stream_texts(path: Path) -> Iterator[tuple[str, str, Path]]:
    """Id, digest of the text and file, in the order of ids."""
    for row in read_shard(path, ["id", "text"]):
        yield row["id"], hashlib.sha256(row["text"].encode()).hexdigest(), path


def _tokens(run: RunDirectory, newest: Mapping[str, Entry]) -> Iterator[Finding]:
    """Every document's tokens hash to the leaf that was committed."""
    if "pack" not in newest:
        return
    packed = read_packed(run.tokens)
    root = root_of(_span_leaves(packed)).hex()
    if not root == packed.root == newest["pack"].predicate["figures"]["root"]:
        yield _finding(run, run.tokens, "the tokens do not give the signed root", "traces through them do not hold")


def _span_leaves(packed: PackedCorpus) -> Iterator[bytes]:
    for stream in packed.streams:
        tokens = packed.open(stream, 1)
        key = f"{stream.name}/{stream.use}"
        for place in range(tokens.documents):
            first, end = tokens.span(place)
            cut = tokens.tokens[first:end]
            row: dict[str, Any] = span_row(tokens.id_of(place), key, first, cut, tokens.tokens.dtype, end - first)
            yield leaf_hash(span_leaf(row))


def _plan(run: RunDirectory, newest: Mapping[str, Entry]) -> Iterator[Finding]:
    """The plan is the signed one and draws from this corpus."""
    if "train" not in newest:
        return
    path = run.training / "plan.json"
    plan, stated = Plan.from_json(path.read_text(encoding="utf-8")), newest["train"].predicate["figures"]
    if plan.digest() != stated["plan_digest"]:
        yield _finding(run, path, "is not the plan that was signed", "positions of documents do not hold")
    if plan.corpus_root != newest["commit"].predicate["figures"]["root"]:
        yield _finding(
            run, path, "names another corpus root than the ledger's", "the model was trained on another corpus"
        )
    if plan.tokens_root != newest["pack"].predicate["figures"]["root"]:
        yield _finding(run, path, "names another root than the tokens'", "the model was trained on other tokens")


def _checkpoints(run: RunDirectory, newest: Mapping[str, Entry]) -> Iterator[Finding]:
    """Checkpoints name the plan and the corpus, and the newest one's weights are those that were signed."""
    if "train" not in newest:
        return
    stated = newest["train"].predicate["figures"]
    for folder in finished_checkpoints(run.checkpoints):
        state = read_state(folder)
        if state.plan_digest != stated["plan_digest"]:
            yield _finding(run, folder, "names another plan", "it does not belong to this run")
        if state.corpus_root != newest["commit"].predicate["figures"]["root"]:
            yield _finding(run, folder, "names another corpus root", "it was trained on another corpus")
        if file_digest(folder / WEIGHTS)[0] != state.weights_sha256:
            yield _finding(
                run, folder / WEIGHTS, "differs from the digest in its checkpoint", "these are other weights"
            )
    last = run.checkpoints / stated["checkpoint"]
    if read_state(last).weights_sha256 != stated["weights_sha256"]:
        yield _finding(run, last, "holds other weights than were signed", "the model is not the one accounted for")


Check = Callable[[RunDirectory, Mapping[str, Entry]], Iterator[Finding]]
_CHECKS: tuple[Check, ...] = (_ledger, _tokens, _plan, _checkpoints)


def missing_stages(newest: Mapping[str, Entry]) -> list[str]:
    """Stages that have not finished in a run."""
    return [name for name in NAMES if name not in newest]
