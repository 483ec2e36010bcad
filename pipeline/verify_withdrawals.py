"""Check withdrawals: what was signed is there, and no step of the model's training read a withdrawn token.

The second is shown from both sides of the checkpoint that training went on from. Before it, the formula of the old plan
names every step that read the positions the documents had, and all must lie behind it; after it, padding must stand at
those positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import numpy as np
import yaml

from licensing.files import file_digest
from licensing.ledger import Ledger
from licensing.record import Entry, Finding
from licensing.withdrawal import STAGE, Filed, withdrawals_of
from pipeline.registered import obeyed_by
from pipeline.run_directory import RunDirectory
from training.pack import PackedCorpus, read_packed
from training.plan import Plan
from training.retrain import PARENTS, read_plan
from training.token_stream import TokenStream

_RESTORE = "nobody can tell any more what was taken back: restore it from the register beside the run"


def withdrawal_files(run: RunDirectory, entries: Sequence[Entry]) -> Iterator[Finding]:
    """Every signed withdrawal is there unchanged, and none that nobody signed."""
    signed: dict[str, str] = {}
    for entry in entries:
        if entry.stage == STAGE:
            signed |= entry.subjects
    for name, digest in sorted(signed.items()):
        path = run.path / name
        if not path.is_file():
            yield Finding(name, "is missing; a withdrawal was signed for it", _RESTORE)
        elif file_digest(path)[0] != digest:
            yield Finding(name, "differs from the withdrawal that was signed", _RESTORE)
    for path in sorted(run.withdrawals.rglob("*")) if run.withdrawals.is_dir() else []:
        name = path.relative_to(run.path).as_posix()
        if path.is_file() and name not in signed:
            yield Finding(name, "is no part of a signed withdrawal", "it takes nothing back: withdraw again")


def withdrawn_stays_out(run: RunDirectory, newest: Mapping[str, Entry]) -> Iterator[Finding]:
    """What is withdrawn is in no corpus, no token and no step of the training."""
    if "commit" not in newest:
        return
    as_of = date.fromisoformat(str(yaml.safe_load(run.config.read_bytes())["policy"]["as_of"]))
    in_effect = obeyed_by(run, as_of)
    applied = set(newest["commit"].predicate["figures"].get("withdrawals", ()))
    for one in in_effect:
        if one.digest not in applied:
            yield Finding(
                str(one.folder),
                "is in effect, and the corpus was made without regard to it",
                "run `herkomst run` again",
            )
    own = [one for one in withdrawals_of(run.path) if one.digest in applied]
    for one in own:
        yield from _ledger(run, one)
    if "train" in newest:
        yield from _training(run, own)


def _ledger(run: RunDirectory, one: Filed) -> Iterator[Finding]:
    """Each withdrawn document has its row, and the row keeps it out."""
    ledger = Ledger(run.ledger)
    for row in one.rows(["id"]):
        found = ledger.find(row["id"])
        if found is None or found["use"] != "none" or "withdrawn" not in str(found["reason"]):
            problem = f"withdrawn document {row['id']} is not kept out by the ledger"
            yield Finding(run.ledger.name, problem, "the corpus holds what was taken back")


def _training(run: RunDirectory, own: Sequence[Filed]) -> Iterator[Finding]:
    packed, plan = read_packed(run.tokens), read_plan(run.training / "plan.json")
    streams = {(stream.name, stream.use): packed.open(stream, plan.sequence_length) for stream in packed.streams}
    indices = {ref.name: index for index, ref in enumerate(plan.streams)}
    for one in own:
        for row in one.rows(["id", "stream", "use"]):
            tokens = streams.get((row["stream"], row["use"]))
            place = tokens.place_of(row["id"]) if tokens else None
            if tokens is None or place is None:
                continue
            yield from _padding(tokens, place, one)
            if row["use"] == "train" and tokens.is_withdrawn(place):
                yield from _steps(run, packed, plan, indices[row["stream"]], tokens, place, one)


def _padding(tokens: TokenStream, place: int, one: Filed) -> Iterator[Finding]:
    first, end = tokens.former_span(place)
    if not tokens.is_withdrawn(place) or (np.asarray(tokens.tokens[first:end]) != tokens.padding).any():
        problem = f"holds tokens of document {tokens.id_of(place)}, taken back by withdrawal {one.withdrawal.number}"
        yield Finding(f"tokens/{tokens.folder.name}", problem, "training would read withdrawn text: run again")


def _steps(
    run: RunDirectory, packed: PackedCorpus, plan: Plan, index: int, tokens: TokenStream, place: int, one: Filed
) -> Iterator[Finding]:
    """No step that the model was built on read the document while its tokens were still there."""
    first, end = tokens.former_span(place)
    wanted = np.arange(first // plan.sequence_length, -(-end // plan.sequence_length), dtype=np.uint64)
    _, steps, _ = plan.find(index, wanted if end > first else wanted[:0])
    with_text = _steps_with_text(run, packed, plan, tokens.time_of(place))
    if len(steps) and int(steps[0]) < with_text:
        problem = f"step {int(steps[0])} read document {tokens.id_of(place)}, and the model was trained on from there"
        yield Finding("training/plan.json", problem, f"withdrawal {one.withdrawal.number} is not carried out")


def _steps_with_text(run: RunDirectory, packed: PackedCorpus, plan: Plan, time: int) -> int:
    """How many first steps of the training were made on tokens of before the ``time``-th taking out.

    All plans of a training have one order, so that only where each took over from the one before it matters.
    """
    last = plan.steps
    while _takings(packed, plan) >= time:
        if plan.parent is None:
            return 0
        last = min(last, plan.parent.step)
        plan = read_plan(run.training / PARENTS / f"{plan.parent.plan_digest}.json")
    return last


def _takings(packed: PackedCorpus, plan: Plan) -> int:
    """How often anything had been taken out of the tokens that a plan draws from."""
    roots = (*packed.taken_from, packed.root)
    return roots.index(plan.tokens_root) if plan.tokens_root in roots else -1
