"""Checkpoints: finished or not there, whatever breaks; the same files for any number of processes."""

from __future__ import annotations

import errno
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.training.backend_driver import STEPS, Task, job_of, train, write_tasks
from training import saving
from training.checkpoint import (
    CheckpointError,
    finished_checkpoints,
    latest_checkpoint,
    read_state,
    weights_digest,
)
from training.checkpoint_layout import lay_out
from training.checkpoint_tensors import Tensors

SHAPES = {"embed": (10, 4), "layer.0": (4, 4), "layer.1": (4, 4), "norm": (4,)}


def test_files_are_cut_by_the_model_alone() -> None:
    layout = lay_out(SHAPES, "fp32", 200)
    assert [(file.name, file.parameters) for file in layout.files] == [
        ("model-00001-of-00002.safetensors", ("embed",)),
        ("model-00002-of-00002.safetensors", ("layer.0", "layer.1", "norm")),
        ("state-00001-of-00003.safetensors", ("embed",)),
        ("state-00002-of-00003.safetensors", ("layer.0",)),
        ("state-00003-of-00003.safetensors", ("layer.1", "norm")),
    ]
    for world in (1, 2, 4, 9):
        owned = [file for rank in range(world) for file in layout.owned(rank, world)]
        assert sorted(owned, key=lambda file: file.name) == list(layout.files)


def test_one_file_is_named_as_transformers_names_it() -> None:
    layout = lay_out(SHAPES, "bf16", 10_000)
    assert [file.name for file in layout.files] == ["model.safetensors", "state-00001-of-00001.safetensors"]
    assert layout.index() is None and layout.model_bytes == 2 * 76


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """An undisturbed training in many small files."""
    folder = tmp_path_factory.mktemp("whole")
    task = Task(str(folder / "checkpoints"), str(folder / "out.json"), settings={"checkpoint_file_bytes": 30_000})
    train(task)
    return task


def test_transformers_loads_weights_in_several_files(whole: Task) -> None:
    from transformers import AutoModelForCausalLM

    from training.checkpoint_tensors import _opened

    newest = finished_checkpoints(Path(whole.folder))[-1]
    model, told = AutoModelForCausalLM.from_pretrained(newest, output_loading_info=True, local_files_only=True)
    assert not told["missing_keys"] and not told["unexpected_keys"]
    import contextlib

    with contextlib.ExitStack() as stack:
        files = _opened(stack, newest, "model*.safetensors")
        for name, parameter in model.named_parameters():
            assert (files[name].get_tensor(name) == parameter).all()
    assert read_state(newest).weights_sha256 == weights_digest(newest) == whole.weights


def test_the_state_says_what_wrote_it_and_that_nothing_is_drawn(whole: Task) -> None:
    state = read_state(finished_checkpoints(Path(whole.folder))[-1])
    assert (state.step, state.world, state.backend, state.seed) == (STEPS, 1, "single", 3)
    assert state.random == "none after initialisation" and state.torch_version and state.code_version


@pytest.mark.parametrize("settings", [{"checkpoint_async": False}, {"checkpoint_file_bytes": 30_000}])
def test_resumed_is_undisturbed_to_the_bit(whole: Task, tmp_path: Path, settings: dict[str, Any]) -> None:
    task = Task(str(tmp_path / "run"), str(tmp_path / "out.json"), until=2, settings=settings)
    train(task)
    task.until = STEPS
    train(task)
    assert task.lines() == whole.lines()[2:]
    if "checkpoint_file_bytes" in settings:
        assert task.weights == whole.weights


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills up in the second checkpoint, while training goes on."""
    task = Task(str(tmp_path / "run"), str(tmp_path / "out.json"))
    quick = saving.write_tensors

    def full(path: Path, tensors: Tensors) -> None:
        quick(path, tensors)
        if "00000004" in str(path) and path.name.startswith("state"):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(saving, "write_tensors", full)
    with pytest.raises(CheckpointError, match=r"step-00000004: could not be written.*No space left.*make room"):
        train(task)
    assert [path.name for path in Path(task.folder).iterdir()] == ["step-00000002"]
    monkeypatch.undo()
    train(task)
    assert [path.name for path in finished_checkpoints(Path(task.folder))][-1] == f"step-{STEPS:08d}"
    assert [line["step"] for line in task.lines()] == [2, 3, 4, 5]


def test_training_goes_on_while_files_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of step 2 is finished only after step 4 was computed, and holds the weights of step 2."""
    task = Task(str(tmp_path / "run"), str(tmp_path / "out.json"), every=4)
    train(task)
    quick, computed = saving.write_tensors, threading.Event()
    monkeypatch.setattr(saving, "write_tensors", lambda path, tensors: (computed.wait(20), quick(path, tensors)))
    from tests.training import backend_driver

    one_step = backend_driver.one_step

    def told(backend: Any, control: Any, step: int, task: Task) -> tuple[float, float]:
        done = one_step(backend, control, step, task)
        if step == 4:
            computed.set()
        return done

    monkeypatch.setattr(backend_driver, "one_step", told)
    other = Task(str(tmp_path / "other"), str(tmp_path / "other.json"), every=4)
    train(other)
    assert computed.is_set()
    assert (
        read_state(tmp_path / "other" / "step-00000004").weights_sha256
        == read_state(tmp_path / "run" / "step-00000004").weights_sha256
    )


def test_what_a_kill_left_is_not_continued_from_and_removed(whole: Task, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole.folder, folder)
    (folder / "step-00000006").rename(folder / ".step-00000006.new")
    (folder / "step-00000004" / "herkomst.json").unlink()
    found = latest_checkpoint(folder, read_state(folder / "step-00000002").job_digest)
    assert found is not None and found[1].step == 2
    task = Task(str(folder), str(tmp_path / "out.json"), settings=whole.settings)
    train(task)
    assert task.weights == whole.weights
    assert not list(folder.glob(".*"))


@pytest.mark.slow
def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before(tmp_path: Path) -> None:
    task = Task(str(tmp_path / "run"), str(tmp_path / "out.json"), slow_write=1.5)
    command = [sys.executable, "-m", "tests.training.backend_driver", str(write_tasks(tmp_path / "tasks", [task]))]
    with subprocess.Popen(command) as process:
        half = tmp_path / "run" / ".step-00000004.new"
        wait_for(lambda: half.exists() and any(half.glob("*.half")))
        process.send_signal(signal.SIGKILL)
    assert [path.name for path in finished_checkpoints(tmp_path / "run")] == ["step-00000002"]
    assert half.exists()
    task.slow_write = 0.0
    train(task)
    assert [line["step"] for line in task.lines()] == [2, 3, 4, 5] and not half.exists()


def wait_for(happened: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_process_that_never_writes_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    from training.checkpoint import TrainerState

    state = TrainerState(2, "", "", "", "", 0, 0, 0.0, "", "", 0.0)
    target = tmp_path / "step-00000002"
    layout = lay_out(SHAPES, "fp32", 10_000)
    writing = saving._Writing(target, {}, layout, None, state, 1, 2, 0.2, lambda: None)
    writing.layout = type(layout)((), "float32", 0)
    writing.start()
    wait_for(lambda: not writing.running)
    assert isinstance(writing.fault, CheckpointError) and "checkpoint_timeout" in str(writing.fault)
    assert not target.exists()


def test_a_checkpoint_of_the_former_format_can_be_asked_about_but_not_continued(whole: Task, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole.folder, folder)
    newest = folder / "step-00000006"
    values = json.loads((newest / "herkomst.json").read_bytes())
    for added in ("format", "files", "order_digest", "skipped_steps", "recent_losses", "world", "backend", "random"):
        del values[added]
    (newest / "herkomst.json").write_text(json.dumps(values))
    assert (read_state(newest).format, read_state(newest).step, read_state(newest).skipped_steps) == (1, 6, ())
    with pytest.raises(CheckpointError, match=r"format 1, .*format 2 only.*Move the folder away"):
        train(Task(str(folder), "", settings=whole.settings))


def test_a_changed_file_is_refused(whole: Task, tmp_path: Path) -> None:
    """One bit, deep in a moment: the training would go on, to other weights."""
    folder = tmp_path / "run"
    shutil.copytree(whole.folder, folder)
    moments = min(finished_checkpoints(folder)[-1].glob("state-*"))
    kept = moments.read_bytes()
    moments.write_bytes(kept[:-100] + bytes([kept[-100] ^ 1]) + kept[-99:])
    for _ in range(2):
        with pytest.raises(CheckpointError, match=f"{moments.name} is missing or differs.*nothing was trained"):
            train(Task(str(folder), "", settings=whole.settings))
        moments.unlink(missing_ok=True)


def test_files_that_do_not_fit_the_model_are_refused(whole: Task, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole.folder, folder)
    newest = finished_checkpoints(folder)[-1]
    values = json.loads((newest / "herkomst.json").read_bytes())
    (newest / "herkomst.json").write_text(json.dumps(values | {"files": {}}))
    first = min(newest.glob("state-*"))
    first.write_bytes(first.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match=f"{first.name}: not readable"):
        train(Task(str(folder), "", settings=whole.settings))
    first.unlink()
    with pytest.raises(CheckpointError, match=r"there is no tensor 'model.embed_tokens.weight:exp_avg'"):
        train(Task(str(folder), "", settings=whole.settings))


def test_how_it_is_computed_is_no_part_of_the_job() -> None:
    usual = job_of(Task("", "")).digest()
    spread = {"backend": "fsdp", "processes": 4, "micro_batch": 1, "threads": 7, "checkpoint_async": False}
    assert job_of(Task("", "", settings=spread)).digest() == usual
    assert job_of(Task("", "", settings={"precision": "bf16"})).digest() != usual
