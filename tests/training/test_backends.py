"""Every backend trains as one process does, resumes to the same bits, and goes on from any other's checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.training.backend_driver import STEPS, Task, job_of, train, write_tasks
from training.backends import BackendError, start_backend
from training.launch import run_workers

BACKENDS: dict[str, dict[str, Any]] = {
    "ddp": {"backend": "ddp"},
    "zero1": {"backend": "deepspeed", "zero_stage": 1},
    "zero2": {"backend": "deepspeed", "zero_stage": 2},
    "zero3": {"backend": "deepspeed", "zero_stage": 3},
    "fsdp": {"backend": "fsdp"},
}
SMALL_FILES = {"checkpoint_file_bytes": 40_000}


def chosen(name: str, processes: int, **more: Any) -> dict[str, Any]:
    return BACKENDS[name] | {"processes": processes, "threads": 1} | more


def in_processes(processes: int, tasks: list[Task], file: Path) -> None:
    """Do tasks one after another in the same processes: starting them takes longer than the tasks."""
    settings = job_of(Task("", "", settings=chosen("ddp", processes))).settings
    command = [sys.executable, "-m", "tests.training.backend_driver", str(write_tasks(file, tasks))]
    assert run_workers(command, settings) == 0


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "herkomst.json"}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """One undisturbed process; its folder is only read."""
    folder = tmp_path_factory.mktemp("alone")
    task = Task(str(folder / "checkpoints"), str(folder / "out.json"), settings=SMALL_FILES)
    train(task)
    return task


@pytest.fixture(scope="module")
def by_two(alone: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that needs two processes: whole and resumed trainings, checkpoints read and written again."""
    folder = tmp_path_factory.mktemp("two")
    tasks = []
    for name in BACKENDS:
        for precision in ("fp32", "bf16"):
            settings = chosen(name, 2, precision=precision, **SMALL_FILES)
            run = f"{name}-{precision}"
            tasks.append(Task(str(folder / run), str(folder / f"{run}.json"), settings=settings))
            tasks.append(Task(str(folder / run), str(folder / f"{run}-resumed.json"), settings=settings, forget=2))
        settings = chosen(name, 2, **SMALL_FILES)
        tasks.append(Task(alone.folder, "", settings=settings, until=0, resave=str(folder / f"{name}-again")))
    chain = str(folder / "chain")
    tasks.append(Task(chain, str(folder / "chain-ddp.json"), until=1, settings=chosen("ddp", 2)))
    tasks.append(Task(chain, str(folder / "chain-zero3.json"), until=2, settings=chosen("zero3", 2)))
    full = Task(str(folder / "full"), str(folder / "full.json"), settings=chosen("zero1", 2, **SMALL_FILES), full_on=1)
    in_processes(2, [*tasks, full], folder / "tasks.json")
    return folder


def done(folder: Path, name: str) -> Task:
    return Task("", str(folder / f"{name}.json"))


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKENDS)
def test_two_processes_train_as_one_does(alone: Task, by_two: Path, name: str) -> None:
    """Losses, and norms before clipping; one step is dropped, and micro-batches change from step to step."""
    two = done(by_two, f"{name}-fp32")
    assert two.losses == pytest.approx(alone.losses, abs=1e-4)
    assert two.norms == pytest.approx(alone.norms, rel=1e-4)
    assert len(two.losses) == STEPS


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", BACKENDS)
def test_resumed_is_undisturbed_to_the_bit(by_two: Path, name: str, precision: str) -> None:
    whole, resumed = (done(by_two, f"{name}-{precision}{end}") for end in ("", "-resumed"))
    assert resumed.weights == whole.weights != ""
    assert resumed.lines() == whole.lines()[2:]


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKENDS)
def test_bf16_has_fp32_weights_behind_it(alone: Task, by_two: Path, name: str) -> None:
    from safetensors.torch import load_file

    newest = by_two / f"{name}-bf16" / f"step-{STEPS:08d}"
    model: dict[str, Any] = {}
    state: dict[str, Any] = {}
    for path in newest.glob("*.safetensors"):
        (state if path.name.startswith("state") else model).update(load_file(path))
    for key, rounded in model.items():
        master = state[f"{key}:weight"]
        assert str(rounded.dtype) == "torch.bfloat16" and str(master.dtype) == "torch.float32"
        assert (master.bfloat16() == rounded).all() and (master != rounded.float()).any()
    assert done(by_two, f"{name}-bf16").losses == pytest.approx(alone.losses, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKENDS)
def test_any_backend_writes_the_same_bytes(alone: Task, by_two: Path, name: str) -> None:
    newest = f"step-{STEPS:08d}"
    written = contents(by_two / f"{name}-again" / newest)
    assert sum(file.startswith("model-") for file in written) > 1 < sum(file.startswith("state-") for file in written)
    assert written == contents(Path(alone.folder) / newest)


@pytest.mark.slow
def test_a_disk_that_is_full_for_one_stops_all_with_the_checkpoint_before(by_two: Path) -> None:
    said = [(by_two / f"full.json.{rank}").read_text() for rank in (0, 1)]
    assert "written by another process, which says why" in said[0] and "No space left" in said[1]
    assert [path.name for path in (by_two / "full").iterdir()] == ["step-00000002"]


@pytest.mark.slow
def test_others_in_other_numbers_go_on_from_a_checkpoint(alone: Task, by_two: Path, tmp_path: Path) -> None:
    """Two processes of ddp, two of ZeRO 3, four of ZeRO 2, four of FSDP, one: the same losses as one throughout."""
    chain = str(by_two / "chain")
    tasks = [Task(chain, str(tmp_path / "chain-zero2.json"), until=3, settings=chosen("zero2", 4))]
    tasks.append(Task(chain, str(tmp_path / "chain-fsdp.json"), until=4, settings=chosen("fsdp", 4)))
    for run in ("whole", "resumed"):
        settings = chosen("ddp", 4)
        forget = 2 if run == "resumed" else None
        tasks.append(Task(str(tmp_path / "ddp"), str(tmp_path / f"{run}.json"), settings=settings, forget=forget))
    in_processes(4, tasks, tmp_path / "tasks.json")
    last = Task(chain, str(tmp_path / "chain-single.json"))
    train(last)
    links = [done(by_two, "chain-ddp"), done(by_two, "chain-zero3"), *tasks[:2], last]
    lines = [line for link in links for line in link.lines()]
    assert [line["step"] for line in lines] == list(range(STEPS))
    assert [line["loss"] for line in lines] == pytest.approx(alone.losses, abs=1e-4)
    # Sums of four depend on their order, so buckets must be the same from the first step on.
    assert tasks[3].weights == tasks[2].weights


@pytest.mark.parametrize("name", BACKENDS)
def test_fewer_processes_than_asked_for_are_refused(name: str) -> None:
    job = job_of(Task("", "", settings=chosen(name, 2)))
    with pytest.raises(BackendError, match="processes launched is 1, not 2"):
        start_backend(job.settings, lambda: None)


def test_what_runs_is_compared_with_what_was_asked_for() -> None:
    """Each of these combinations was seen to run without an error."""
    from types import SimpleNamespace

    from training.backends.checks import check_accelerate, check_deepspeed, check_fsdp

    def settings(name: str) -> Any:
        return job_of(Task("", "", settings=chosen(name, 2))).settings

    plain = type("LlamaForCausalLM", (), {})()
    wrapped = type("DistributedDataParallel", (), {})()
    kinds = {name: SimpleNamespace(name=name) for name in ("NO", "MULTI_CPU")}
    as_ddp = SimpleNamespace(distributed_type=kinds["MULTI_CPU"], num_processes=2)
    with pytest.raises(BackendError, match="distributed type is MULTI_CPU, not DEEPSPEED"):
        check_accelerate(as_ddp, wrapped, plain, settings("zero2"))
    with pytest.raises(BackendError, match="wrapped class is LlamaForCausalLM, not DistributedDataParallel"):
        check_accelerate(as_ddp, plain, plain, settings("ddp"))
    alone = SimpleNamespace(distributed_type=kinds["NO"], num_processes=1)
    with pytest.raises(BackendError, match="processes is 1, not 2; distributed type is NO"):
        check_accelerate(alone, plain, plain, settings("ddp"))
    zero = type("DeepSpeedZeroOptimizer", (), {"partition_gradients": False})()
    engine = SimpleNamespace(optimizer=zero, zero_optimization_stage=lambda: 2)
    with pytest.raises(BackendError, match="ZeRO stage of DeepSpeedZeroOptimizer is 1, not 2"):
        check_deepspeed(engine, settings("zero2"))
    import torch

    with pytest.raises(BackendError, match=r"sharded modules is 0, not 3.*not sharded is 2, not 0"):
        check_fsdp(torch.nn.Linear(2, 2), 2, 1, settings("fsdp"))


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", BACKENDS)
def test_on_a_gpu_resumed_is_undisturbed_to_the_bit(tmp_path: Path, name: str, precision: str) -> None:
    settings = chosen(name, 1, precision=precision)
    tasks = [
        Task(str(tmp_path / "run"), str(tmp_path / "whole.json"), settings=settings),
        Task(str(tmp_path / "run"), str(tmp_path / "resumed.json"), settings=settings, forget=2),
    ]
    in_processes(1, tasks, tmp_path / "tasks.json")
    assert tasks[1].weights == tasks[0].weights != ""
    assert tasks[1].lines() == tasks[0].lines()[2:]
