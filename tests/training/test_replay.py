"""Steps that are run again: equal bit for bit, and what is changed after the fact shows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from licensing.errors import HerkomstError
from licensing.files import file_digest
from tests.training.conftest import make_job
from training.checkpoint import STATE, WEIGHTS, checkpoint_folder
from training.job import TrainingJob
from training.loop import train
from training.replay import Replay, ReplayError, replay


def quiet(done: int, total: int, note: str) -> None:
    """No progress."""


@pytest.fixture(scope="module")
def trained(packed_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingJob:
    job = make_job(packed_folder, tmp_path_factory.mktemp("trained"), 12, checkpoint_every=4, keep_checkpoints=9)
    train(job, quiet)
    return job


@pytest.fixture
def copied(trained: TrainingJob, tmp_path: Path) -> TrainingJob:
    from dataclasses import replace

    shutil.copytree(Path(trained.log).parent, tmp_path / "copy")
    return replace(
        trained, checkpoints=str(tmp_path / "copy" / "checkpoints"), log=str(tmp_path / "copy" / "log.jsonl")
    )


@pytest.mark.parametrize(("steps", "begin"), [((4, 8), 4), ((6, 8), 4), ((0, 4), 0), ((9, 12), 8)])
def test_the_same_bits_come_out(trained: TrainingJob, tmp_path: Path, steps: tuple[int, int], begin: int) -> None:
    done = replay(trained, *steps, tmp_path / "again", quiet)
    assert (done.begin, done.bitwise, done.same_order, done.largest_difference) == (begin, True, True, 0.0)
    assert [one.step for one in done.losses] == list(range(*steps))
    assert done.row_hashes.stat().st_size == (steps[1] - begin) * 8 * 32


def test_without_a_checkpoint_at_the_end_losses_alone_are_compared(trained: TrainingJob, tmp_path: Path) -> None:
    done = replay(trained, 4, 7, tmp_path / "again", quiet)
    assert done.bitwise is None and done.same_order is None and done.largest_difference == 0.0


def changed_weights(job: TrainingJob) -> None:
    """With their digest too: else they are refused before anything is run."""
    from safetensors.torch import load_file, save_file

    path = checkpoint_folder(Path(job.checkpoints), 4) / WEIGHTS
    tensors = load_file(path)
    tensors["model.norm.weight"][0] += 0.5
    path.unlink()
    save_file(tensors, path, metadata={"format": "pt"})
    state = path.with_name(STATE)
    values = json.loads(state.read_bytes())
    state.unlink()
    state.write_text(json.dumps(values | {"files": values["files"] | {WEIGHTS: file_digest(path)[0]}}))


def changed_loss(job: TrainingJob) -> None:
    lines = [json.loads(line) for line in Path(job.log).read_text().splitlines()]
    lines[5]["loss"] -= 0.25
    Path(job.log).write_text("".join(json.dumps(line) + "\n" for line in lines))


def changed_order(job: TrainingJob) -> None:
    path = checkpoint_folder(Path(job.checkpoints), 8) / STATE
    values = json.loads(path.read_bytes())
    path.write_text(json.dumps(values | {"order_digest": "0" * 64}))


def changed_end(job: TrainingJob) -> None:
    """The state beside them still names the weights that were trained."""
    path = checkpoint_folder(Path(job.checkpoints), 8) / WEIGHTS
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))


def weights_differ(done: Replay) -> bool:
    return done.bitwise is False


def losses_differ(done: Replay) -> bool:
    return done.largest_difference == pytest.approx(0.25, abs=1e-6)


def order_differs(done: Replay) -> bool:
    return done.same_order is False


@pytest.mark.parametrize(
    ("change", "shows"),
    [
        (changed_weights, weights_differ),
        (changed_end, weights_differ),
        (changed_loss, losses_differ),
        (changed_order, order_differs),
    ],
)
def test_what_was_changed_afterwards_shows(
    copied: TrainingJob, tmp_path: Path, change: Callable[[TrainingJob], None], shows: Callable[[Replay], bool]
) -> None:
    change(copied)
    assert shows(replay(copied, 4, 8, tmp_path / "again", quiet))


@pytest.mark.parametrize("steps", [(0, 13), (5, 5), (-1, 3), (20, 22)])
def test_steps_that_were_not_trained_are_refused(trained: TrainingJob, tmp_path: Path, steps: tuple[int, int]) -> None:
    with pytest.raises(ReplayError, match="it did steps 0 to 11"):
        replay(trained, *steps, tmp_path / "again", quiet)


def test_a_step_that_the_log_lacks_is_named(copied: TrainingJob, tmp_path: Path) -> None:
    lines = Path(copied.log).read_text().splitlines(keepends=True)
    Path(copied.log).write_text("".join(lines[:5] + lines[6:]))
    with pytest.raises(ReplayError, match="lacks step 5, so there is nothing to compare"):
        replay(copied, 4, 8, tmp_path / "again", quiet)


def test_steps_logged_behind_the_newest_checkpoint_are_no_part_of_the_training(
    copied: TrainingJob, tmp_path: Path
) -> None:
    """A kill left them: they will be done again, and the trace does not know them."""
    shutil.rmtree(checkpoint_folder(Path(copied.checkpoints), 12))
    with pytest.raises(ReplayError, match="it did steps 0 to 7"):
        replay(copied, 6, 10, tmp_path / "again", quiet)


def test_another_plan_than_the_training_had_is_refused(copied: TrainingJob, tmp_path: Path) -> None:
    """Fed in another order, a few steps lose about as much: without a checkpoint at the end nothing else would show."""
    from dataclasses import replace

    from training.plan import Plan

    plan = Plan.from_json(Path(copied.plan).read_text(encoding="utf-8"))
    other = tmp_path / "plan.json"
    other.write_text(replace(plan, seed=plan.seed + 1).to_json(), encoding="utf-8")
    with pytest.raises(HerkomstError, match=r"plan.json: is not what this training was made for"):
        replay(replace(copied, plan=str(other)), 4, 7, tmp_path / "again", quiet)


def test_a_replay_leaves_the_training_as_it_was(trained: TrainingJob, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in Path(trained.log).parent.rglob("*") if path.is_file()}
    replay(trained, 5, 8, tmp_path / "again", quiet)
    assert before == {path: path.read_bytes() for path in Path(trained.log).parent.rglob("*") if path.is_file()}
