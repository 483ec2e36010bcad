from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from licensing.errors import HerkomstError
from tests.training.conftest import make_job
from training.batches import Batches
from training.control import Control
from training.meter import Meter
from training.pack import read_packed
from training.plan import Plan
from training.settings import Shape, SpikeSettings
from training.spikes import SpikeGuard
from training.step_log import StepDone, StepLog


def a_log(packed_folder: Path, folder: Path, first_step: int = 0) -> tuple[StepLog, Batches]:
    job = make_job(packed_folder, folder)
    packed, plan = read_packed(packed_folder), Plan.from_json(Path(job.plan).read_text(encoding="utf-8"))
    return StepLog(folder / "log.jsonl", packed, plan, Control(), first_step, ""), Batches(packed, plan, 0, 1)


def done(batches: Batches, step: int, loss: float, dropped: bool = False, norm: float | None = None) -> StepDone:
    import torch

    batch = batches.at(step)
    targets = batch.scored.sum(axis=1)
    nats = torch.tensor(targets * loss)
    gradient = None if norm is None else torch.tensor(norm)
    return StepDone(step, 1e-3, batch.read, nats, targets, batch.hashes, batch.every_stream, gradient, dropped)


def flushed(log: StepLog) -> list[dict[str, Any]]:
    return log.flush(Meter(Shape(1, 32, 2, 2, 64, 32, 400), 32, "cpu"))


def test_lines_tell_the_mean_loss_and_each_language(packed_folder: Path, tmp_path: Path) -> None:
    log, batches = a_log(packed_folder, tmp_path)
    for step in range(3):
        log.add(done(batches, step, 2.5))
    assert not (tmp_path / "log.jsonl").read_text()
    lines = flushed(log)
    assert [line["loss"] for line in lines] == [2.5] * 3
    assert set(lines[0]["bits_per_byte"]) == {"en", "nl"}
    stream = next(s for s in read_packed(packed_folder).trained() if s.language == "nl")
    expected = 2.5 / math.log(2) * stream.tokens / stream.bytes
    assert lines[0]["bits_per_byte"]["nl"] == pytest.approx(expected, abs=1e-3)
    assert [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] == lines


def test_lines_behind_the_checkpoint_and_a_cut_line_are_dropped(packed_folder: Path, tmp_path: Path) -> None:
    log, batches = a_log(packed_folder, tmp_path)
    for step in range(4):
        log.add(done(batches, step, 2.0))
    flushed(log)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')
    log, _ = a_log(packed_folder, tmp_path, first_step=2)
    assert [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()] == [0, 1]


def test_a_loss_that_is_no_number_stops_unless_the_step_was_dropped(packed_folder: Path, tmp_path: Path) -> None:
    log, batches = a_log(packed_folder, tmp_path)
    log.add(done(batches, 0, math.nan, dropped=True))
    assert flushed(log)[0]["loss"] is None
    log.add(done(batches, 1, math.inf))
    with pytest.raises(HerkomstError, match="step 1: the loss is not a number"):
        flushed(log)


@pytest.mark.parametrize("norm", [math.nan, math.inf])
def test_a_gradient_that_is_no_number_stops_before_the_weights_it_spoilt_are_saved(
    packed_folder: Path, tmp_path: Path, norm: float
) -> None:
    log, batches = a_log(packed_folder, tmp_path)
    log.add(done(batches, 0, 2.0, norm=1.5))
    assert flushed(log)[0]["gradient_norm"] == 1.5
    log.add(done(batches, 1, 2.0, norm=norm))
    with pytest.raises(HerkomstError, match="step 1: the gradient norm is not a number"):
        flushed(log)


def test_a_spike_is_dropped() -> None:
    guard = SpikeGuard(SpikeSettings(sigma=3, window=4), [])
    assert [guard.drops(loss) for loss in (9.0, 2.0, 2.1, 1.9, 2.0)] == [False] * 5
    assert guard.drops(50.0)
    assert guard.recent == [2.1, 1.9, 2.0, 50.0]
    assert guard.drops(math.nan)
    assert guard.recent == [2.1, 1.9, 2.0, 50.0]
    assert not guard.drops(2.1)


def test_a_loss_that_rises_for_good_is_learnt_from_again() -> None:
    """A segment with harder text: left out of what is compared, its steps would be dropped to the end."""
    guard = SpikeGuard(SpikeSettings(), [2.0 + number % 7 / 100 for number in range(128)])
    dropped = [guard.drops(3.0 + number % 7 / 100) for number in range(300)]
    assert dropped[0] and not any(dropped[10:])


def test_a_resumed_guard_decides_as_the_undisturbed_one() -> None:
    losses = [3 + math.sin(number) / 5 + (4 if number == 17 else 0) for number in range(30)]
    whole = SpikeGuard(SpikeSettings(sigma=3, window=8), [])
    expected = [whole.drops(loss) for loss in losses]
    first = SpikeGuard(SpikeSettings(sigma=3, window=8), [])
    head = [first.drops(loss) for loss in losses[:15]]
    second = SpikeGuard(SpikeSettings(sigma=3, window=8), first.recent)
    assert head + [second.drops(loss) for loss in losses[15:]] == expected
    assert expected.count(True) == 1
