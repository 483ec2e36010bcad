"""Run independent tasks in several processes; the result never depends on how many."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, TypeVar

from licensing.errors import HerkomstError

Task = TypeVar("Task")
Result = TypeVar("Result")


class WorkerLostError(HerkomstError):
    """A worker process died without an answer."""


def run_tasks(function: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[tuple[Task, Result]]:
    """Yield (task, result) as tasks finish, in any order; with one worker everything runs in this process.

    Raises:
        WorkerLostError: a worker was killed, most often by the system for want of memory.
    """
    if workers <= 1:
        for task in tasks:
            yield task, function(task)
        return
    remaining = iter(tasks)
    # Spawned, not forked: a forked child inherits the threads' locks of the libraries that the parent has loaded.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        running: dict[Future[Any], Task] = {}
        try:
            while True:
                for task in islice(remaining, 2 * workers - len(running)):
                    running[pool.submit(function, task)] = task
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        except BrokenProcessPool as fault:
            raise WorkerLostError(
                "A worker process was killed before it answered (most often for want of memory). Finished tasks are "
                "kept; run the same command again, with fewer workers (compute.workers) if it happens twice."
            ) from fault
        except BaseException:
            for future in running:
                future.cancel()
            raise
