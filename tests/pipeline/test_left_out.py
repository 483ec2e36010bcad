"""Tokens read and tokens scored stay apart: targets left out by goldfish rules, and steps whose update was dropped.

What is counted from the plan, document by document or many at once, is what the batches of the training say.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from licensing import verify
from licensing.verify import Order, VerificationError, left_out
from pipeline.bundle import _order
from pipeline.bundle_rows import SpanFile
from pipeline.run_directory import RunDirectory
from pipeline.runner import newest_entries
from pipeline.trace import Tracer, step_as_text
from pipeline.usage import left_out_of, usage_of
from pipeline.usage_table import usage_table
from pipeline.verify import _checkpoints
from tests.pipeline.conftest import herkomst, small_config, write_config
from tests.pipeline.made_order import make_order
from tests.pipeline.test_usage import check_usage
from training.checkpoint import finished_checkpoints, read_state, save_state
from training.goldfish import GoldfishMask
from training.pack import read_packed
from training.plan import GoldfishRule
from training.retrain import read_plan
from training.skipped import with_skipped

RULES = (GoldfishRule(3, 4, ("one",)), GoldfishRule(2, 1, ("three",)))
SKIPPED = (2, 9, 10)


def by_batches(run: RunDirectory, done: int, skipped: tuple[int, ...]) -> tuple[Counter[str], Counter[str]]:
    """Tokens read and tokens scored of every document, counted row by row as the training reads them."""
    packed, plan = read_packed(run.tokens), Tracer(run).plan
    assert plan is not None
    streams = [packed.open(stream, plan.sequence_length) for stream in packed.trained()]
    mask = GoldfishMask(plan, streams, packed.end_of_document, packed.padding)
    read, scored = Counter[str](), Counter[str]()
    for step in (step for step in range(done) if step not in skipped):
        at, sequences = plan.at(step)
        rows = list(zip(at.tolist(), sequences.tolist(), strict=True))
        tokens = np.stack([streams[stream].sequence(sequence) for stream, sequence in rows])
        kept = np.concatenate([np.zeros((len(rows), 1), dtype=np.bool_), mask.kept(at, sequences, tokens)], axis=1)
        for row, (stream, sequence) in enumerate(rows):
            for place in streams[stream].documents_in(sequence):
                begin, end = (edge - sequence * plan.sequence_length for edge in streams[stream].span(place))
                own = slice(max(0, begin), min(plan.sequence_length, end))
                read[streams[stream].id_of(place)] += own.stop - own.start
                scored[streams[stream].id_of(place)] += int(kept[row, own].sum())
    return read, scored


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("rules", "skipped"), [(RULES, ()), ((), SKIPPED), (RULES, SKIPPED)])
def test_counts_are_those_of_the_batches(
    tmp_path: Path, seed: int, rules: tuple[GoldfishRule, ...], skipped: tuple[int, ...]
) -> None:
    run = make_order(tmp_path, seed, goldfish=rules, skipped=skipped)
    tracer = Tracer(run)
    read, scored = by_batches(run, tracer.steps_done, skipped)
    rows = [row for row in tracer.rows() if row["use"] == "train"]
    for row in rows:
        seen = tracer.exposure(row)
        assert (seen.tokens_read, seen.tokens_scored) == (read[row["id"]], scored[row["id"]])
        assert not {step for step, _ in tracer.positions(row)} & set(skipped)
    assert check_usage(run) > 10
    table = usage_table(run)
    for partner in ("A", "B", "C"):
        usage = usage_of(tracer, partner)
        mine = sum(scored[row["id"]] for row in rows if row["partner"] == partner)
        assert usage is not None and usage.tokens_scored == mine == table[partner].tokens_scored


@pytest.mark.parametrize("at_once", [1, 50])
def test_documents_read_some_at_a_time_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    run = make_order(tmp_path, 1, goldfish=RULES)
    whole = {partner: left_out_of(Tracer(run), partner) for partner in ("A", "B", "C")}
    monkeypatch.setattr("pipeline.spans._TOKENS", at_once)
    assert {partner: left_out_of(Tracer(run), partner) for partner in ("A", "B", "C")} == whole
    assert all(set(found) == {"one", "three"} and min(found.values()) > 0 for found in whole.values())


def test_a_rule_takes_from_what_is_scored_and_from_nothing_else(tmp_path: Path) -> None:
    plain, ruled = make_order(tmp_path / "plain", 2), make_order(tmp_path / "ruled", 2, goldfish=RULES)
    for partner in ("A", "B", "C"):
        before, after = usage_of(Tracer(plain), partner), usage_of(Tracer(ruled), partner)
        assert before is not None and after is not None
        assert before.tokens_scored is not None and after.tokens_scored is not None
        lost = sum(left_out_of(Tracer(ruled), partner).values())
        assert before.tokens_scored - after.tokens_scored == lost > 0
        assert (before.left_out, after.left_out) == (0, lost)
        assert (before.tokens_read, before.epochs, before.first_step) == (
            after.tokens_read,
            after.epochs,
            after.first_step,
        )
    assert left_out_of(Tracer(plain), "A") == {}


def test_a_skipped_step_is_shown_as_such(tmp_path: Path) -> None:
    tracer = Tracer(make_order(tmp_path, 3, skipped=SKIPPED))
    assert tracer.step(9)["skipped"] is True and "whose update was dropped" in step_as_text(tracer.step(9))
    assert "skipped" not in tracer.step(8) and step_as_text(tracer.step(8)).startswith("step 8\n")
    assert read_state(finished_checkpoints(tracer._run.checkpoints)[-1]).skipped_steps == SKIPPED


# --- the bundle, which has no tokens


def test_the_bundle_states_what_was_left_out_and_the_verifier_adds_it_up(tmp_path: Path) -> None:
    run = make_order(tmp_path, 1, goldfish=RULES, skipped=SKIPPED)
    tracer, packed = Tracer(run), read_packed(run.tokens)
    spans = [SpanFile(f"{s.name}/train", packed.open(s, 1), 0, tmp_path, io.BytesIO()) for s in packed.trained()]
    for partner in ("A", "B", "C"):
        order = Order(json.loads(json.dumps(_order(tracer, spans, partner))))
        targets, usage = Counter[str](), usage_of(tracer, partner)
        for row in tracer.rows(partner):
            known = tracer.stream(row["stream"], row["use"]) if row["use"] == "train" else None
            if known:
                place = known[1].place_of(row["id"])
                assert place is not None
                first, end = known[1].span(place)
                span = {"stream": f"{row['stream']}/train", "first_token": first, "tokens": end - first}
                parts = order.of_document(span)
                targets[row["stream"]] += sum(tokens * len(places) for _, tokens, places in parts)
        assert usage is not None
        assert sum(targets.values()) - left_out(order, targets) == usage.tokens_scored
        assert order.streams["one"]["goldfish"]["every"] == 3 and "goldfish" not in order.streams["two"]
        order.streams["one"]["goldfish"]["left_out"] = targets["one"] + 1
        with pytest.raises(VerificationError, match="figures-differ"):
            left_out(order, targets)


@pytest.mark.slow
def test_a_run_with_a_rule_gives_a_bundle_that_holds(tmp_path: Path) -> None:
    training = small_config()["training"] | {"goldfish": [{"streams": ["de-kade*"], "every": 3, "window": 5}]}
    write_config(tmp_path / "small.yaml", training=training)
    herkomst("run", "small.yaml", "--workers", 1, cwd=tmp_path)
    run = RunDirectory(tmp_path / "runs" / "small")
    partner = "De Kade Pers B.V."
    herkomst("audit", run.path, "--partner", partner, "--bundle", tmp_path / "kade.zip", cwd=tmp_path)
    command = [sys.executable, "-I", "-S", verify.__file__, str(tmp_path / "kade.zip"), "--steps"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lost = sum(left_out_of(Tracer(run), partner).values())
    usage = usage_of(Tracer(run), partner)
    assert lost > 100 and usage is not None
    assert f"{usage.tokens_scored} of them scored" in done.stdout
    assert f"signs for: {lost} more were read and left out" in done.stdout and "(one in 3)" in done.stdout
    assert herkomst("verify", run.path, cwd=tmp_path).returncode == 0
    told = next((run.path / "reports").rglob("*kade*nl.html")).read_text(encoding="utf-8")
    assert "met opzet niet leerde voorspellen" in told


# --- checkpoints


def test_checkpoints_and_plan_must_name_the_same_skipped_steps(small_run: Path, tmp_path: Path) -> None:
    shutil.copytree(small_run, tmp_path / "run")
    run = RunDirectory(tmp_path / "run")
    newest = newest_entries(run)
    assert not list(_checkpoints(run, newest))
    path = run.training / "plan.json"
    laid = read_plan(path)
    path.write_text(with_skipped(laid, [4, 9]).to_json())
    found = {finding.file: str(finding) for finding in _checkpoints(run, newest)}
    assert set(found) == {f"checkpoints/step-{step:08d}" for step in (6, 9, 12)}
    assert all("other skipped steps" in one for one in found.values())
    for folder in finished_checkpoints(run.checkpoints):
        state = read_state(folder)
        save_state(folder, replace(state, skipped_steps=tuple(step for step in (4, 9) if step < state.step)))
    assert not list(_checkpoints(run, newest))
    path.write_text(replace(with_skipped(laid, [4, 9]), seed=laid.seed + 1).to_json())
    assert sum("names another plan" in str(finding) for finding in _checkpoints(run, newest)) == 3
