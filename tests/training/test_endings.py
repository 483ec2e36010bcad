"""How a training ends that does not go well: nothing that could be saved is lost, and what is told of it is true."""

from __future__ import annotations

import errno
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from licensing.errors import HerkomstError
from tests.training.conftest import make_job
from training import loop, saving
from training.checkpoint import CheckpointError, TrainerState, finished_checkpoints
from training.energy import Energy
from training.loop import train
from training.step_log import StepLog


def quiet(done: int, total: int, note: str) -> None:
    """No progress."""


def test_a_checkpoint_that_cannot_be_written_ends_training_at_the_next_steps(
    packed_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at the next checkpoint, hours later, when all that was learnt since would be lost as well."""

    def full(path: Path, tensors: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(saving, "write_tensors", full)
    done: list[int] = []

    def slowly(step: int, total: int, note: str) -> None:
        done.append(step)
        time.sleep(0.02)

    with pytest.raises(CheckpointError, match="No space left"):
        train(make_job(packed_folder, tmp_path, steps=60, checkpoint_every=10), slowly)
    assert 10 <= done[-1] < 19


def test_a_second_signal_does_not_cut_off_the_last_checkpoint(
    packed_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = saving.write_tensors

    def interrupted(path: Path, tensors: Any) -> None:
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        quick(path, tensors)

    monkeypatch.setattr(saving, "write_tensors", interrupted)
    assert train(make_job(packed_folder, tmp_path, steps=2), quiet).step == 2
    assert [path.name for path in finished_checkpoints(tmp_path / "checkpoints")] == ["step-00000002"]


def test_a_loss_that_is_no_number_leaves_the_checkpoint_whole_that_was_being_written(
    packed_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick, flush = saving.write_tensors, StepLog.flush

    def spoilt(self: StepLog, meter: Any) -> Any:
        self._waiting = [replace(one, nats=one.nats * float("nan" if one.step == 3 else "1")) for one in self._waiting]
        return flush(self, meter)

    monkeypatch.setattr(saving, "write_tensors", lambda path, tensors: (time.sleep(0.3), quick(path, tensors)))
    monkeypatch.setattr(StepLog, "flush", spoilt)
    with pytest.raises(HerkomstError, match="step 3: the loss is not a number"):
        train(make_job(packed_folder, tmp_path, log_every=1), quiet)
    assert [path.name for path in finished_checkpoints(tmp_path / "checkpoints")] == ["step-00000002"]


def test_a_training_that_has_nothing_left_to_do_keeps_what_was_measured(packed_folder: Path, tmp_path: Path) -> None:
    """As after a kill between the last step and the signature."""
    job = make_job(packed_folder, tmp_path, steps=2, meter_skip=0)
    train(job, quiet)
    measured = (tmp_path / "speed.json").read_bytes()
    assert b'"steps_measured":2' in measured
    train(job, quiet)
    assert (tmp_path / "speed.json").read_bytes() == measured


def test_energy_is_measured_only_where_all_of_it_was() -> None:
    none = TrainerState(0, "", "", "", "", 0, 0, 0.0, "none", "", 0.0)
    measured, guessed = Energy(5.0, "measured", "RAPL"), Energy(5.0, "estimated", "65 W assumed")
    assert loop._told_together(none, measured) == ("measured", "RAPL")
    before = replace(none, joules=9.0, energy_method="estimated", energy_detail="65 W assumed")
    assert loop._told_together(before, guessed) == ("estimated", "65 W assumed")
    mixed = loop._told_together(before, measured)
    assert mixed == ("estimated", "65 W assumed; after a restart: RAPL")
    again = replace(before, energy_method=mixed[0], energy_detail=mixed[1])
    assert loop._told_together(again, measured) == mixed
