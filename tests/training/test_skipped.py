"""Skipped steps: the plan as run says them, counts leave them out, and checkpoints name the plan as laid."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.checkpoint import TrainerState, checkpoint_folder, read_state, save_state
from training.mixture import SegmentWanted, make_plan
from training.plan import Parent, Plan, PlanError, StreamRef
from training.retrain import PARENTS, clean_checkpoint, lineage, read_plan
from training.skipped import as_laid, laid_digest, skipped_steps, with_skipped

ROOT = "ab" * 32
SPECIFICATION = Path(__file__).parents[2] / "docs" / "training-order.md"


def laid() -> Plan:
    refs = [StreamRef("a", 20, 5, 300), StreamRef("b", 30, 5, 480)]
    return make_plan(refs, [SegmentWanted("warm-up", 4, 3), SegmentWanted("main", 8, 5)], 16, 7, ROOT, ROOT)


@given(st.sets(st.integers(0, 11)))
@settings(max_examples=40, deadline=None)
def test_the_order_stays_and_only_the_counts_change(steps: set[int]) -> None:
    plan, run = laid(), with_skipped(laid(), steps)
    assert skipped_steps(run) == sorted(steps)
    assert [[part.tolist() for part in run.at(step)] for step in range(12)] == [
        [part.tolist() for part in plan.at(step)] for step in range(12)
    ]
    for stream, (before, after) in enumerate(zip(plan.consumed(), run.consumed(), strict=True)):
        lost = sum(int((plan.at(step)[0] == stream).sum()) for step in steps)
        assert (after.read, after.skipped, after.unused) == (before.read - lost, lost, before.unused)
        _, found, _ = run.find(stream, np.arange(plan.streams[stream].sequences, dtype=np.uint64))
        assert not steps & set(found.tolist()) and len(found) == after.read


@given(st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)))
@settings(max_examples=30, deadline=None)
def test_the_plan_as_run_holds_the_plan_as_laid(first: set[int], second: set[int]) -> None:
    """Whoever notes more steps later, after a kill and resume, gets the plan of all of them."""
    plan = laid()
    run = Plan.from_json(with_skipped(plan, first).to_json())
    assert as_laid(run) == plan and laid_digest(run) == plan.digest() == laid_digest(plan)
    assert with_skipped(run, first | second) == with_skipped(plan, first | second)
    assert (run.digest() == plan.digest()) == (not first)


@pytest.mark.parametrize("step", [-1, 12])
def test_a_step_that_the_plan_does_not_have_is_refused(step: int) -> None:
    with pytest.raises(PlanError, match=f"step {step} is to be noted"):
        with_skipped(laid(), [3, step])


def test_the_published_plan_as_laid() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", SPECIFICATION.read_text(encoding="utf-8"), re.DOTALL)
    found = json.loads(block)
    assert laid_digest(Plan.from_json(json.dumps(found["plan"]))) == found["digest_as_laid"] != found["digest"]
    for segment in found["plan"]["segments"]:
        segment["skipped_steps"] = []
    assert Plan.from_json(json.dumps(found["plan"])).digest() == found["digest_as_laid"]


def checkpoint(folder: Path, step: int, plan_digest: str, skipped: list[int]) -> None:
    target = checkpoint_folder(folder, step)
    target.mkdir(parents=True)
    save_state(
        target, TrainerState(step, "", plan_digest, ROOT, ROOT, 0, 0, 0.0, "", "", 0.0, skipped_steps=tuple(skipped))
    )


def test_checkpoints_name_the_plan_as_laid_through_a_withdrawal(tmp_path: Path) -> None:
    """A run skipped steps 2 and 9; a withdrawal took it back to step 6, and then it skipped step 7."""
    before = with_skipped(laid(), [2, 9])
    parents = tmp_path / PARENTS
    parents.mkdir()
    (parents / f"{laid_digest(before)}.json").write_text(before.to_json())
    after = replace(laid(), tokens_root="cd" * 32, parent=Parent(laid_digest(before), 6))
    run = with_skipped(after, [2, 7])
    (tmp_path / "plan.json").write_text(run.to_json())
    checkpoint(tmp_path / "checkpoints", 6, laid_digest(before), [2])
    checkpoint(tmp_path / "checkpoints", 8, laid_digest(after), [2, 7])
    plans = lineage(read_plan(tmp_path / "plan.json"), tmp_path)
    assert plans == {after.digest(): 12, laid().digest(): 6}
    found = clean_checkpoint(tmp_path / "checkpoints", plans, 7)
    assert found is not None and read_state(found).skipped_steps == (2,)
    assert read_plan(parents / f"{laid_digest(before)}.json") == before
    (parents / f"{laid_digest(before)}.json").write_text(replace(before, seed=8).to_json())
    with pytest.raises(PlanError, match="not the plan that it is named for"):
        lineage(run, tmp_path)
