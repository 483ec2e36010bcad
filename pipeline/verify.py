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

import numpy as np
import pyarrow.compute as pc

from data_curation.shards import read_shard
from data_curation.streams import read_streams
from licensing.attestation import EvidenceError
from licensing.errors import HerkomstError
from licensing.files import file_digest
from licensing.leaf import partner_leaf, span_leaf
from licensing.leaf_hashes import leaf_hashes
from licensing.ledger import IDS, Ledger, LedgerPartner
from licensing.merkle import TreeBuilder, leaf_hash, root_of
from licensing.record import Entry, Finding
from licensing.sorted_ids import packed_column
from pipeline.run_directory import RunDirectory
from pipeline.stages import NAMES, STAGES, outputs_of
from pipeline.verify_vocabulary import vocabulary_sample
from pipeline.verify_withdrawals import withdrawal_files, withdrawn_stays_out
from training.batches import order_digests
from training.checkpoint import WEIGHTS, finished_checkpoints, read_state, weights_digest
from training.pack import PackedCorpus, read_packed, span_row
from training.plan import Plan
from training.retrain import lineage, read_plan
from training.skipped import laid_digest, skipped_steps


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
    findings += withdrawal_files(run, entries)
    findings += stale(newest)
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
    for stage, entry in ((stage, entry) for stage, entry in newest.items() if stage in outputs):
        for name, digest in sorted(entry.subjects.items()):
            path = run.path / name
            if not path.is_file():
                yield _finding(run, path, f"is missing; stage {stage} signed for it", "run the stage again")
            elif file_digest(path)[0] != digest:
                yield _finding(run, path, f"differs from what stage {stage} signed for", "it was changed afterwards")
        for path in sorted(file for output in outputs[stage] for file in output.rglob("*") if file.is_file()):
            if path.relative_to(run.path).as_posix() not in entry.subjects:
                yield _finding(run, path, f"was not made by stage {stage}", "nobody answers for it; move it away")


def stale(newest: Mapping[str, Entry]) -> Iterator[Finding]:
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
    stated, ledger = newest["commit"].predicate["figures"], Ledger(run.ledger)
    roots = json.loads((run.corpus / "roots.json").read_bytes())
    rows, found = 0, dict[str, str]()
    for one in ledger.partners():
        builder, folder = TreeBuilder(), run.ledger / one.folder
        yield from _in_order(run, ledger, one)
        for leaf in leaf_hashes(ledger, one.partner):
            builder.add(leaf)
        rows, found[one.partner] = rows + builder.size, builder.root().hex()
        if builder.size != one.rows:
            yield _finding(run, folder, f"has {builder.size} rows, not {one.rows}", "documents are unaccounted for")
    if rows != stated["rows"]:
        yield _finding(
            run, run.ledger, f"has {rows} rows, {stated['rows']} were signed", "documents are unaccounted for"
        )
    signed = {one["partner"]: one["root"] for one in roots["partners"]}
    for partner in sorted(signed.keys() | found.keys()):
        if found.get(partner) != signed.get(partner):
            yield _finding(run, run.ledger, f"rows of {partner} do not give the signed root", "its proofs do not hold")
    top = root_of(leaf_hash(partner_leaf(one)) for one in roots["partners"]).hex()
    if not top == roots["root"] == stated["root"]:
        problem = "the partners' roots do not give the run's root"
        yield _finding(run, run.corpus / "roots.json", problem, "its proofs do not hold")
    yield from _texts(run)


def _in_order(run: RunDirectory, ledger: Ledger, one: LedgerPartner) -> Iterator[Finding]:
    """A partner's rows are its own, stand in the order of their ids, and are those that the list of ids names."""
    folder, listed = run.ledger / one.folder, ledger.ids(one).array
    last, begin = b"", 0
    for batch in ledger.batches(one.partner, ["id", "partner"]):
        ids = packed_column(batch.column("id"))
        if not pc.all(pc.equal(batch.column("partner"), one.partner), min_count=0).as_py():
            yield _finding(run, folder, f"holds rows of others than {one.partner}", "nobody would be told of them")
        wrong = np.flatnonzero(ids[1:] <= ids[:-1]) + 1
        if ids[:1].tobytes() <= last:
            wrong = np.concatenate([[0], wrong])
        for place in wrong.tolist():
            name = ids[place : place + 1].tobytes().hex()
            yield _finding(run, folder, f"row {name} is out of order", "absence proofs do not hold")
        if not np.array_equal(ids, listed[begin : begin + len(ids)]):
            yield _finding(run, folder / IDS, "does not name the rows beside it", "documents are not found again")
        last, begin = ids[-1:].tobytes(), begin + len(ids)


def _texts(run: RunDirectory) -> Iterator[Finding]:
    """Every kept row has its text and every text its row; both stand in order of ids and are walked side by side."""
    rows = Ledger(run.ledger).rows_by_id(("id", "final_sha256", "use"))
    kept = ((row["id"], row["final_sha256"]) for row in rows if row["use"] != "none")
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
            if tokens.is_withdrawn(place):
                continue
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
    plan = read_plan(run.training / "plan.json")
    plans, skipped = lineage(plan, run.training), skipped_steps(plan)
    for folder in finished_checkpoints(run.checkpoints):
        state = read_state(folder)
        if state.step > plans.get(state.plan_digest, -1):
            yield _finding(run, folder, "names another plan", "it does not belong to this run")
        elif list(state.skipped_steps) != [step for step in skipped if step < state.step]:
            yield _finding(run, folder, "names other skipped steps than the plan", "it was trained on other steps")
        current = state.plan_digest == laid_digest(plan)
        if current and state.corpus_root != newest["commit"].predicate["figures"]["root"]:
            yield _finding(run, folder, "names another corpus root", "it was trained on another corpus")
        if weights_digest(folder) != state.weights_sha256:
            problem = "differs from the digest in its checkpoint"
            yield _finding(run, folder / WEIGHTS, problem, "these are other weights")
    yield from _order_fed(run)
    last = run.checkpoints / stated["checkpoint"]
    if read_state(last).weights_sha256 != stated["weights_sha256"]:
        yield _finding(run, last, "holds other weights than were signed", "the model is not the one accounted for")


def _order_fed(run: RunDirectory) -> Iterator[Finding]:
    """What each checkpoint says it was fed is what plan and tokens give: every row, in the committed order."""
    plan, packed = read_plan(run.training / "plan.json"), read_packed(run.tokens)
    states = {folder: read_state(folder) for folder in finished_checkpoints(run.checkpoints)}
    expected = order_digests(packed, plan, {state.step for state in states.values()})
    for folder, state in states.items():
        if state.order_digest != expected[state.step]:
            yield _finding(run, folder, "was fed other rows than the plan names", "traces through the plan do not hold")


Check = Callable[[RunDirectory, Mapping[str, Entry]], Iterator[Finding]]
_CHECKS: tuple[Check, ...] = (_ledger, vocabulary_sample, _tokens, _plan, _checkpoints, withdrawn_stays_out)


def missing_stages(newest: Mapping[str, Entry]) -> list[str]:
    """Stages that have not finished in a run."""
    return [name for name in NAMES if name not in newest]
