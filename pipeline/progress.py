"""How far a stage is: a live bar on a terminal, one line every few seconds in a log file."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_LOG_EVERY_SECONDS = 10.0
_WIDE = 120


def duration(seconds: float) -> str:
    """Say a length of time in the two largest units (``2 min 05 s``)."""
    whole = int(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Meter:
    """Counts work done, with rate and time left; ``total`` None where the end is not known beforehand."""

    def __init__(self, label: str, unit: str, total: int | None = None) -> None:
        self._label, self._unit, self.total = label, unit, total
        self._done = 0
        self._note = ""
        self._began = self._spoke = time.monotonic()
        self._start = 0
        self._console = Console(stderr=True)
        self._bar: Progress | None = None

    def __enter__(self) -> Meter:
        if self._console.is_terminal:
            # On a narrow terminal the time left is worth more than a long bar: rich cuts off what does not fit.
            wide = self._console.width >= _WIDE
            columns = [
                TextColumn("  {task.description:<10}" if wide else "  {task.description}"),
                BarColumn(bar_width=28 if wide else 6),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                *([TimeElapsedColumn()] if wide else []),
                TimeRemainingColumn(),
            ]
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=self.total, rate="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def expect(self, total: int, done: int = 0) -> None:
        """Tell how much there is in all, and how much of it an earlier run has done."""
        self.total, self._done, self._start = total, done, done
        if self._bar is not None:
            # What an earlier run has done took no time in this one: counted as progress, it would spoil the time left.
            self._bar.reset(self._task, total=total, completed=done, rate="")

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Count ``amount`` units of work; a ``note`` that tells a speed itself takes the place of the rate."""
        self._done += amount
        self._note = note or self._note
        elapsed = max(time.monotonic() - self._began, 1e-6)
        rate = (self._done - self._start) / elapsed
        told = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
        told = self._note if "/s" in self._note else f"{told} {self._unit}/s  {self._note}".rstrip()
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, rate=told)
        elif time.monotonic() - self._spoke > _LOG_EVERY_SECONDS:
            self._spoke = time.monotonic()
            left = f", about {duration((self.total - self._done) / rate)} left" if self.total and rate else ""
            of = f" of {self.total:,}" if self.total else ""
            print(f"  {self._label}: {self._done:,}{of} {self._unit}, {told}{left}", file=sys.stderr, flush=True)
