import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from data_curation.parallel import MOST_FAILURES, TasksFailedError, WorkerLostError, run_tasks
from licensing.errors import HerkomstError


def _work(task: tuple[str, Any]) -> Any:
    what, value = task
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "kill-once" and not Path(value).exists():
        Path(value).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "slow":
        time.sleep(0.1)
    if what == "bug":
        raise ZeroDivisionError("no such thing")
    if what == "mend":
        raise HerkomstError("field x is wrong")
    return value


def _all(tasks: list[tuple[str, Any]], workers: int) -> tuple[list[Any], Exception | None]:
    done: list[Any] = []
    try:
        for _, result in run_tasks(_work, tasks, workers):
            done.append(result)
    except HerkomstError as fault:
        return done, fault
    return done, None


@pytest.mark.parametrize("workers", [1, 3])
def test_a_task_that_fails_loses_only_itself(workers: int) -> None:
    done, fault = _all([("ok", 1), ("bug", 0), ("ok", 2), ("ok", 3)], workers)
    assert sorted(done) == [1, 2, 3]
    assert isinstance(fault, TasksFailedError) and "ZeroDivisionError: no such thing" in str(fault)


def test_a_killed_worker_loses_only_the_guilty_task(tmp_path: Path) -> None:
    tasks = [("ok", 1), ("kill", 0), ("ok", 2), ("kill-once", str(tmp_path / "once")), ("ok", 3), ("ok", 4)]
    done, fault = _all(tasks, 2)
    assert sorted(map(str, done)) == sorted(["1", "2", "3", "4", str(tmp_path / "once")])
    assert isinstance(fault, WorkerLostError)


def test_what_must_be_mended_stops_new_tasks_and_is_told_first() -> None:
    done, fault = _all([("bug", 0), ("mend", 0), *(("slow", n) for n in range(200))], 2)
    assert str(fault) == "field x is wrong" and len(done) < 200


def test_many_failures_stop_the_rest() -> None:
    done, fault = _all([*[("bug", 0)] * MOST_FAILURES, ("ok", 1)], 1)
    assert not done and str(fault).startswith(f"{MOST_FAILURES} tasks failed")


def test_without_faults_every_task_is_done() -> None:
    assert sorted(_all([("ok", n) for n in range(9)], 3)[0]) == list(range(9))


_PARENT = """
import sys
from data_curation.parallel import run_tasks
from tests.data_curation.test_parallel import stay

if __name__ == "__main__":
    list(run_tasks(stay, [sys.argv[1] + "/a", sys.argv[1] + "/b"], 2))
"""


def stay(path: str) -> None:
    """A task that says which process it runs in and does not end."""
    Path(path).with_suffix(".partial").write_text(str(os.getpid()))
    Path(path).with_suffix(".partial").rename(path)
    time.sleep(600)


def _until(true: Callable[[], bool]) -> bool:
    for _ in range(200):
        if true():
            return True
        time.sleep(0.1)
    return False


def test_workers_die_with_a_killed_parent(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(_PARENT)
    root = Path(__file__).parents[2]
    command = [sys.executable, str(tmp_path / "parent.py"), str(tmp_path)]
    parent = subprocess.Popen(command, cwd=root, env=os.environ | {"PYTHONPATH": str(root)})
    files = [tmp_path / "a", tmp_path / "b"]
    try:
        assert _until(lambda: all(file.exists() for file in files))
    finally:
        parent.kill()
        parent.wait()
    workers = [int(file.read_text()) for file in files]
    assert _until(lambda: not any(psutil.pid_exists(worker) for worker in workers))
