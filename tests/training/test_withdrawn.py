"""Withdrawal in tokens and training: nothing else moves, and the model is the one that never had the text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_curation.streams import TEXT, read_streams
from licensing.canonical import canonical
from licensing.leaf import span_leaf
from licensing.merkle import leaf_hash, root_of
from training.checkpoint import finished_checkpoints, read_state, save_state
from training.job import TrainingJob
from training.loop import train
from training.pack import PackedCorpus, read_packed, span_row
from training.plan import Parent, Plan, PlanError
from training.retrain import PARENTS, beginning_after_withdrawal, lineage, read_plan
from training.settings import ModelSettings, SegmentSettings, TrainingSettings
from training.skipped import skipped_steps, with_skipped
from training.stage import train_run
from training.withdrawn import gaps, take_out

STREAM = "group~CC0-1.0~nl"
MODEL = ModelSettings(depth=1, width=32, heads=2, sequence_length=32)
SETTINGS = TrainingSettings(
    segments=[SegmentSettings(name="main", steps=6)],
    batch=4,
    checkpoint_every=1,
    keep_checkpoints=1,
    keep_every=1,
    threads=1,
)


def quiet(*_: object) -> None:
    """Tell nothing."""


def without(corpus: Path, withdrawn: set[str], out: Path) -> Path:
    """A corpus as commit would write it without some documents; a stream with none left is not listed."""
    shutil.copytree(corpus, out)
    infos = []
    for info in read_streams(corpus):
        rows = [row for row in pq.read_table(corpus / info.file).to_pylist() if row["id"] not in withdrawn]
        (out / info.file).unlink()
        if rows:
            pq.write_table(pa.Table.from_pylist(rows, schema=TEXT), out / info.file)
            size = sum(row["text_bytes"] for row in rows)
            infos.append({**{n: getattr(info, n) for n in info.__slots__}, "documents": len(rows), "bytes": size})
    (out / "streams.json").write_bytes(canonical({"streams": infos}))
    return out


def opened(packed: PackedCorpus, use: str = "train", length: int = 32) -> Any:
    return packed.open(next(s for s in packed.streams if s.name == STREAM and s.use == use), length)


def blanked(packed: PackedCorpus, corpus: Path, ids: set[str], folder: Path) -> PackedCorpus:
    left = without(corpus, ids, folder / "corpus")
    found = gaps(packed, left, ids)
    assert found is not None
    (folder / "tokens").mkdir()
    return take_out(packed, left, found, folder / "tokens")


def test_everything_else_keeps_its_place(packed_folder: Path, corpus: Path, tmp_path: Path) -> None:
    packed = read_packed(packed_folder)
    tokens = opened(packed)
    gone = {tokens.id_of(0), tokens.id_of(7), tokens.id_of(tokens.documents - 1)}
    after_packed = blanked(packed, corpus, gone, tmp_path)
    after = opened(after_packed)
    assert after.documents == tokens.documents and after.sequences == tokens.sequences
    for place in range(tokens.documents):
        first, end = tokens.span(place)
        if tokens.id_of(place) in gone:
            assert after.is_withdrawn(place) and after.span(place) == (first, first)
            assert set(after.tokens[first:end].tolist()) == {packed.padding}
            assert after.tokens[end] == packed.end_of_document
        else:
            assert after.span(place) == (first, end)
            assert after.tokens[first:end].tolist() == tokens.tokens[first:end].tolist()
    assert not any(after.id_of(place) in gone for n in range(after.sequences) for place in after.documents_in(n))
    assert after.lengths[[0, 7]].tolist() == [0, 0] and after.lengths[1] == tokens.lengths[1]
    stream = next(s for s in after_packed.streams if s.name == STREAM and s.use == "train")
    assert stream.documents == tokens.documents - 3
    assert stream.tokens + stream.blank == len(tokens.tokens)
    assert after_packed.taken_from == (packed.root,)


def test_the_new_root_is_over_the_documents_that_are_left(packed_folder: Path, corpus: Path, tmp_path: Path) -> None:
    packed = read_packed(packed_folder)
    ids = {opened(packed).id_of(3), opened(packed, "held-out").id_of(0)}
    after = blanked(packed, corpus, ids, tmp_path)

    def leaves() -> Any:
        for stream in after.streams:
            tokens = after.open(stream, 1)
            for place in range(tokens.documents):
                if tokens.id_of(place) not in ids:
                    first, end = tokens.span(place)
                    own, kind = tokens.tokens[first:end], tokens.tokens.dtype
                    key = f"{stream.name}/{stream.use}"
                    yield leaf_hash(span_leaf(span_row(tokens.id_of(place), key, first, own, kind, end - first)))

    assert root_of(leaves()).hex() == after.root != packed.root


def test_a_corpus_that_differs_otherwise_is_packed_anew(packed_folder: Path, corpus: Path, tmp_path: Path) -> None:
    packed = read_packed(packed_folder)
    first, second = opened(packed).id_of(0), opened(packed).id_of(1)
    left = without(corpus, {first, second}, tmp_path / "both")
    assert gaps(packed, left, {first}) is None
    smaller = blanked(packed, corpus, {first}, tmp_path)
    assert gaps(smaller, corpus, {first}) is None


def test_a_stream_that_is_withdrawn_whole_is_blank(packed_folder: Path, corpus: Path, tmp_path: Path) -> None:
    packed = read_packed(packed_folder)
    tokens = opened(packed)
    after = blanked(packed, corpus, {tokens.id_of(place) for place in range(tokens.documents)}, tmp_path)
    stream = next(s for s in after.streams if s.name == STREAM and s.use == "train")
    assert (stream.documents, stream.bytes) == (0, 0)
    assert set(opened(after).tokens.tolist()) == {packed.padding, packed.end_of_document}


@pytest.fixture
def trained(packed_folder: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Train in one folder, on tokens that may change between calls."""

    def run(tokens: Path, root: str = "0" * 64, **changes: Any) -> dict[str, Any]:
        settings = SETTINGS.model_copy(update=changes)
        return train_run(tokens, root, tmp_path / "training", tmp_path / "checkpoints", MODEL, settings, 3, quiet)

    return run


def read_late(packed: PackedCorpus, plan: Plan) -> tuple[str, int]:
    """The document of the Dutch stream whose first reading is the latest, and that step."""
    index = next(i for i, ref in enumerate(plan.streams) if ref.name == STREAM)
    tokens = opened(packed)
    first = {}
    for place in range(tokens.documents):
        found = plan.positions(index, *tokens.sequences_of(place))
        if found:
            first[tokens.id_of(place)] = found[0][1]
    name = max(sorted(first), key=lambda one: first[one])
    return name, first[name]


def test_retraining_gives_the_model_that_never_had_the_text(
    packed_folder: Path, corpus: Path, tmp_path: Path, trained: Callable[..., dict[str, Any]]
) -> None:
    before = trained(packed_folder)
    packed = read_packed(packed_folder)
    plan = read_plan(tmp_path / "training" / "plan.json")
    name, step = read_late(packed, plan)
    assert step > 0
    after = blanked(packed, corpus, {name}, tmp_path)
    done = trained(after.folder, "1" * 64)
    assert done["parent"] == {"plan_digest": plan.digest(), "step": step}
    assert done["weights_sha256"] != before["weights_sha256"]

    never_had_it = replace(plan, corpus_root="1" * 64, tokens_root=after.root)
    (tmp_path / "other.json").write_text(never_had_it.to_json(), encoding="utf-8")
    job = replace(
        TrainingJob.read(tmp_path / "training" / "job.json"),
        plan=str(tmp_path / "other.json"),
        plan_digest=never_had_it.digest(),
        checkpoints=str(tmp_path / "other"),
        log=str(tmp_path / "other.jsonl"),
        begin=None,
        begin_weights=None,
    )
    assert train(job, quiet).weights_sha256 == done["weights_sha256"]


def test_checkpoints_that_read_the_text_are_set_aside(
    packed_folder: Path, corpus: Path, tmp_path: Path, trained: Callable[..., dict[str, Any]]
) -> None:
    trained(packed_folder)
    plan = read_plan(tmp_path / "training" / "plan.json")
    name, step = read_late(read_packed(packed_folder), plan)
    trained(blanked(read_packed(packed_folder), corpus, {name}, tmp_path).folder, "1" * 64)
    plans = lineage(read_plan(tmp_path / "training" / "plan.json"), tmp_path / "training")
    for folder in finished_checkpoints(tmp_path / "checkpoints"):
        state = read_state(folder)
        assert (state.plan_digest == plan.digest()) == (state.step <= step)
        assert state.step <= plans[state.plan_digest]
    aside = (tmp_path / "checkpoints" / "superseded").glob("*/step-*")
    assert sorted(read_state(folder).step for folder in aside) == list(range(step + 1, 7))


def test_a_run_that_skipped_steps_goes_back_to_before_it_read_the_text(
    packed_folder: Path, corpus: Path, tmp_path: Path, trained: Callable[..., dict[str, Any]]
) -> None:
    """The step that first read the document had its update dropped, which without the text it might not have had."""
    training, checkpoints = tmp_path / "training", tmp_path / "checkpoints"
    trained(packed_folder)
    laid = read_plan(training / "plan.json")
    name, step = read_late(read_packed(packed_folder), laid)
    run = with_skipped(laid, [1, step])
    (training / "plan.json").write_text(run.to_json(), encoding="utf-8")
    for folder in finished_checkpoints(checkpoints):
        state = read_state(folder)
        save_state(folder, replace(state, skipped_steps=tuple(one for one in (1, step) if one < state.step)))
    after = blanked(read_packed(packed_folder), corpus, {name}, tmp_path)
    job = TrainingJob.read(training / "job.json")
    begin = beginning_after_withdrawal(after, training, checkpoints, "1" * 64, job.recipe())
    assert begin is not None and begin.plan.parent == Parent(laid.digest(), step)
    assert begin.checkpoint == f"step-{step:08d}" and skipped_steps(begin.plan) == []
    assert read_plan(training / PARENTS / f"{laid.digest()}.json") == run

    # The stage is run again after the new training came to its end, and skipped another step.
    (training / "plan.json").write_text(with_skipped(begin.plan, [1, 5]).to_json(), encoding="utf-8")
    weights = {"begin": begin.checkpoint, "begin_weights": begin.weights_sha256}
    replace(job, plan_digest=begin.plan.digest(), **weights).write(training / "job.json")
    assert beginning_after_withdrawal(after, training, checkpoints, "1" * 64, job.recipe()) == begin


@pytest.mark.parametrize("lost", ["job.json", "nothing"])
def test_a_kill_after_the_plan_was_written_changes_nothing(
    packed_folder: Path, corpus: Path, tmp_path: Path, trained: Callable[..., dict[str, Any]], lost: str
) -> None:
    trained(packed_folder)
    kept = {name: (tmp_path / "training" / name).read_bytes() for name in ("job.json", "plan.json")}
    shutil.copytree(tmp_path / "checkpoints", tmp_path / "as-they-were")
    name, _ = read_late(read_packed(packed_folder), Plan.from_json(kept["plan.json"].decode()))
    after = blanked(read_packed(packed_folder), corpus, {name}, tmp_path)
    undisturbed = trained(after.folder, "1" * 64)
    if lost == "job.json":
        (tmp_path / "training" / "job.json").write_bytes(kept["job.json"])
        shutil.rmtree(tmp_path / "checkpoints")
        shutil.copytree(tmp_path / "as-they-were", tmp_path / "checkpoints")
    again = trained(after.folder, "1" * 64)
    assert (again["weights_sha256"], again["parent"]) == (undisturbed["weights_sha256"], undisturbed["parent"])


def test_what_was_never_read_needs_no_step(
    packed_folder: Path, corpus: Path, tmp_path: Path, trained: Callable[..., dict[str, Any]]
) -> None:
    packed = read_packed(packed_folder)
    before = trained(packed_folder)
    name = opened(packed, "held-out").id_of(0)
    done = trained(blanked(packed, corpus, {name}, tmp_path).folder, "1" * 64)
    assert done["weights_sha256"] == before["weights_sha256"]
    assert done["parent"]["step"] == done["steps"] == 6


def test_other_settings_begin_anew(
    packed_folder: Path, corpus: Path, tmp_path: Path, trained: Callable[..., dict[str, Any]]
) -> None:
    trained(packed_folder)
    name, _ = read_late(read_packed(packed_folder), read_plan(tmp_path / "training" / "plan.json"))
    done = trained(blanked(read_packed(packed_folder), corpus, {name}, tmp_path).folder, "1" * 64, clip=0.5)
    assert done["parent"] is None and done["steps"] == 6


def test_a_step_of_which_everything_was_withdrawn_is_passed(
    packed_folder: Path, corpus: Path, tmp_path: Path, trained: Callable[..., dict[str, Any]]
) -> None:
    packed = read_packed(packed_folder)
    every = {t.id_of(p) for s in packed.streams for t in [packed.open(s, 1)] for p in range(t.documents)}
    keep = opened(packed).id_of(4)
    done = trained(blanked(packed, corpus, every - {keep}, tmp_path).folder, batch=1)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "training" / "log.jsonl").read_text().splitlines()]
    assert done["steps"] == len(losses) == 6 and np.isfinite(losses).all()


@pytest.mark.parametrize(("step", "digest"), [(7, "a" * 64), (-1, "a" * 64), (1, "A" * 64), (1, "short")])
def test_a_parent_that_cannot_be_is_refused(
    packed_folder: Path, tmp_path: Path, trained: Callable[..., dict[str, Any]], step: int, digest: str
) -> None:
    trained(packed_folder)
    plan = read_plan(tmp_path / "training" / "plan.json")
    assert "parent" not in json.loads(plan.to_json())
    assert Plan.from_json(replace(plan, parent=Parent("a" * 64, 6)).to_json()).parent == Parent("a" * 64, 6)
    with pytest.raises(PlanError, match="parent"):
        replace(plan, parent=Parent(digest, step))
