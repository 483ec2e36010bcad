"""Run independent tasks in several processes; the result never depends on how many, and a lost task loses only itself.

What a task raises decides what follows. A `HerkomstError` says that something in the configuration or the input must be
mended: no new task begins, those under way are finished. Anything else concerns that one task: the others go on, and
the failures are told at the end. A worker that is killed (most often by the system, for want of memory) takes its pool
with it; the tasks that were under way are then tried one at a time, so that only the guilty one fails. Workers die with
the process that began them.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import chain
from typing import Generic, TypeVar

from licensing.errors import HerkomstError
from licensing.processes import die_with

Task = TypeVar("Task")
Result = TypeVar("Result")

MOST_FAILURES = 10
"""After so many failures no new task begins: what is wrong is not the one task."""


class TasksFailedError(HerkomstError):
    """Some tasks failed; what the others made is kept."""


class WorkerLostError(HerkomstError):
    """A worker process died without an answer."""


def run_tasks(function: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[tuple[Task, Result]]:
    """Yield (task, result) as tasks finish, in any order; with one worker everything runs in this process.

    Raises:
        HerkomstError: what a task raised, once those under way are finished.
        WorkerLostError: a task's process was killed, also when it was tried again with nothing beside it.
        TasksFailedError: tasks raised something else; names the first and chains what it raised.
    """
    failures = _Failures()
    if workers <= 1:
        yield from _here(function, tasks, failures)
    else:
        yield from _Pools(function, iter(tasks), workers, failures).run()
    failures.tell()


def _here(
    function: Callable[[Task], Result], tasks: Iterable[Task], failures: _Failures
) -> Iterator[tuple[Task, Result]]:
    for task in tasks:
        try:
            result = function(task)
        except HerkomstError:
            raise
        except Exception as fault:
            failures.add(fault)
        else:
            yield task, result
        if failures.enough:
            return


@dataclass
class _Failures:
    """What went wrong so far."""

    faults: list[Exception] = field(default_factory=list)

    def add(self, fault: Exception) -> None:
        self.faults.append(fault)

    @property
    def enough(self) -> bool:
        """Whether no new task is to begin."""
        return len(self.faults) >= MOST_FAILURES or any(map(_to_be_mended, self.faults))

    def tell(self) -> None:
        """Raise what went wrong, if anything did; a plain word of ours goes first."""
        if not self.faults:
            return
        first = min(self.faults, key=lambda one: (not _to_be_mended(one), not isinstance(one, HerkomstError)))
        if isinstance(first, HerkomstError):
            raise first
        raise TasksFailedError(
            f"{len(self.faults)} tasks failed, the first with {type(first).__name__}: {first}. What the others made is "
            "kept; mend the cause and run the same command again, which does only what is missing."
        ) from first


def _to_be_mended(fault: Exception) -> bool:
    return isinstance(fault, HerkomstError) and not isinstance(fault, WorkerLostError)


class _Pools(Generic[Task, Result]):
    """One pool of processes after another: a new one whenever a worker was killed."""

    def __init__(
        self, function: Callable[[Task], Result], tasks: Iterator[Task], workers: int, failures: _Failures
    ) -> None:
        self._function, self._tasks, self._workers, self._failures = function, tasks, workers, failures
        self._suspects: deque[tuple[Task, int]] = deque()
        self._tries = 0

    def run(self) -> Iterator[tuple[Task, Result]]:
        while (first := next(self._tasks, None)) is not None and not self._failures.enough:
            yield from self._pool(chain([first], self._tasks), self._workers)
            while self._suspects and not self._failures.enough:
                task, self._tries = self._suspects.popleft()
                yield from self._pool(iter([task]), 1)

    def _pool(self, tasks: Iterator[Task], workers: int) -> Iterator[tuple[Task, Result]]:
        """Work with one pool until nothing is left, enough has failed, or a worker is killed."""
        running: dict[Future[Result], Task] = {}
        # Spawned, not forked: a forked child inherits the threads' locks of the libraries that the parent has loaded.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, die_with, (os.getpid(),)) as pool:
            try:
                while self._submit(pool, tasks, running, 2 * workers) or running:
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        task = running.pop(future)
                        fault = future.exception()
                        if isinstance(fault, BrokenProcessPool):
                            return self._lost([task, *running.values()], workers, fault)
                        if isinstance(fault, Exception):
                            self._failures.add(fault)
                        else:
                            yield task, future.result()
            finally:
                for future in running:
                    future.cancel()

    def _submit(
        self, pool: ProcessPoolExecutor, tasks: Iterator[Task], running: dict[Future[Result], Task], most: int
    ) -> bool:
        """Give the pool what it has room for; False where nothing was given."""
        given = False
        while len(running) < most and not self._failures.enough:
            task = next(tasks, None)
            if task is None:
                break
            try:
                running[pool.submit(self._function, task)] = task
            except BrokenProcessPool:
                self._suspects.append((task, 0))
                break
            given = True
        return given

    def _lost(self, tasks: list[Task], workers: int, fault: BrokenProcessPool) -> None:
        """A pool broke: its tasks are tried one at a time; one that was alone in its pool twice has failed."""
        if workers > 1 or not self._tries:
            self._suspects.extend((task, int(workers == 1)) for task in tasks)
            return
        error = WorkerLostError(
            "A worker process was killed before it answered (most often for want of memory), also when it was tried "
            "again alone. Finished tasks are kept; run the same command again with more memory, or with fewer workers "
            "(compute.workers)."
        )
        error.__cause__ = fault
        self._failures.add(error)
