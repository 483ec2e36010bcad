"""A request to stop: a signal sets it, and at the next step all processes know, so that none saves alone."""

from __future__ import annotations

import signal
import threading
from types import TracebackType
from typing import Any

# Slurm warns by SIGUSR2 (the cluster's `--signal`) and ends by SIGTERM; SIGINT is a person at the keyboard.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)


class StopSignal:
    """``is_set`` as soon as one of `SIGNALS` came; on leaving, what stood before answers signals again."""

    def __init__(self) -> None:
        self.is_set = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignal:
        # Only the main thread of a process can be told of signals; elsewhere whoever started the thread is.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, *_: object) -> None:
        self.is_set = True
