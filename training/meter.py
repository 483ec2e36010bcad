"""How fast training goes: seconds a step, tokens and operations a second, and the share of what the device could do.

MFU, model FLOP/s utilisation (Chowdhery et al. 2022, "PaLM", appendix B), is operations a token, counted by
``training/flops.py``, times tokens a second and device, over the device's peak. Formula and peak are always given with
it, because others count attention twice or divide by another peak; a device whose peak is not known has no MFU.

No step waits for the device: on CUDA two events a step are recorded in its queue and read when they have happened.
"""

from __future__ import annotations

import time
from array import array
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.flops import flops_per_token, matmul_parameters
from training.peaks import device_name, find_peak
from training.settings import Shape

_RECENT_STEPS = 20


@dataclass(slots=True)
class _Span:
    """One step: marks at its begin and end, seconds it waited for data, its length in seconds once that is known."""

    step: int
    begin: Any
    waited: float = 0.0
    end: Any = None
    seconds: float | None = None


class Meter:
    """Measures the steps of one process; ``row`` and ``figures`` speak of all processes together.

    ::

        meter = Meter(shape, plan.sequence_length, device, processes=world)
        for step in ...:
            meter.begin(step)
            batch = batches.at(step); meter.waited(seconds)
            ...
            meter.end()
            log.add(... | meter.row(step, tokens_read_by_all_processes))

    Args:
        shape: the model's figures.
        length: tokens in a sequence.
        device: where the model is, a ``torch.device``.
        processes: how many devices train together; each is held against its own peak.
        skip: first steps that no median counts, because compilation and warming up belong to no later step.
        on: whether this process is the one that writes the log; the others measure nothing.
    """

    def __init__(
        self, shape: Shape, length: int, device: Any, processes: int = 1, skip: int = 5, on: bool = True
    ) -> None:
        self._flops = flops_per_token(shape, length, causal=True)
        self._formula = _formula(shape, length, self._flops)
        self._device = device_name(device)
        self._peak = find_peak(self._device)
        self._clock = _DeviceClock(device) if getattr(device, "type", str(device)) == "cuda" else _HostClock()
        self._processes, self._skip, self._on = processes, skip, on
        self._open: _Span | None = None
        self._spans: dict[int, _Span] = {}
        self._began = time.perf_counter()
        self._steps = self._tokens = 0
        # For millions of steps: eight bytes each.
        self._seconds, self._counted, self._waits = array("d"), array("d"), array("d")
        self._recent: deque[tuple[float, float]] = deque(maxlen=_RECENT_STEPS)

    # ---- what the loop calls

    def begin(self, step: int) -> None:
        """A step begins, before its data is asked for."""
        self._open = _Span(step, self._clock.mark()) if self._on else None

    def waited(self, seconds: float) -> None:
        """The open step stood still for so long because its data was not there."""
        if self._open:
            self._open.waited += seconds

    def end(self) -> None:
        """The open step has been given to the device in full; saving and logging come after and are not part of it."""
        if self._open:
            self._open.end = self._clock.mark()
            self._spans[self._open.step] = self._open
            self._open = None

    def row(self, step: int, tokens: int) -> dict[str, float | None]:
        """What the log says of an ended step, once; ``tokens`` are those that all processes read, padding left out.

        On CUDA the values are None where the device has not come so far, so ask after the step's loss has been read.
        """
        span = self._spans.pop(step, None)
        seconds = self._clock.between(span.begin, span.end) if span else None
        self._steps += 1
        self._tokens += tokens
        if span is None or not seconds:
            return dict.fromkeys(("seconds", "tokens_per_second", "tflops", "mfu", "data_wait_share"))
        self._recent.append((tokens, seconds))
        if self._steps > self._skip:
            self._seconds.append(seconds)
            self._counted.append(tokens)
            self._waits.append(span.waited)
        return {
            "seconds": round(seconds, 6),
            **self._rates(tokens, seconds),
            "data_wait_share": round(span.waited / seconds, 5),
        }

    def note(self, loss: float) -> str:
        """The live line: loss, and speed over the last steps; nothing before there is something to tell."""
        if not self._recent:
            return ""
        told = f"loss {loss:.3f}"
        rates = self._rates(sum(tokens for tokens, _ in self._recent), sum(seconds for _, seconds in self._recent))
        told += f", {rates['tokens_per_second']:,.0f} tokens/s"
        return told if rates["mfu"] is None else f"{told}, {rates['mfu']:.1%} MFU"

    # ---- what the record gets

    def figures(self) -> dict[str, Any]:
        """Speed since this process started, for the record; times are those of this process, tokens those of all.

        ``tokens_per_second`` counts everything since the start, saving included. All the rest is over the steps after
        the first ``steps_left_out``.
        """
        wall = time.perf_counter() - self._began
        seconds = float(sum(self._seconds))
        rates = self._rates(float(sum(self._counted)), seconds)
        return {
            "steps_measured": len(self._seconds),
            "steps_left_out": min(self._skip, self._steps),
            "step_seconds": _quantiles(self._seconds),
            "clock": self._clock.name,
            "tokens_per_second": round(self._tokens / wall, 1) if wall else None,
            "tokens_per_second_in_steps": rates["tokens_per_second"],
            "tflops_per_device": rates["tflops"],
            "mfu": rates["mfu"],
            "formula": self._formula,
            "device": self._device,
            "devices": self._processes,
            "peak_tflops": self._peak.bf16_dense_tflops if self._peak else None,
            "peak": self.peak(),
            "data_wait_share": round(sum(self._waits) / seconds, 5) if seconds else None,
        }

    def peak(self) -> str:
        """The peak behind MFU in words, or why there is none."""
        if self._peak:
            return f"{self._peak.bf16_dense_tflops:g} TFLOP/s, dense bfloat16 ({self._peak.source})"
        if self._device == "cpu":
            return "unknown peak: a processor has none listed, so there is no MFU"
        return f"unknown peak: '{self._device}' is not in configs/accelerators.yaml, so there is no MFU; add it there"

    def _rates(self, tokens: float, seconds: float) -> dict[str, float | None]:
        if not seconds:
            return dict.fromkeys(("tokens_per_second", "tflops", "mfu"))
        each = self._flops * tokens / seconds / self._processes / 1e12
        return {
            "tokens_per_second": round(tokens / seconds, 1),
            "tflops": round(each, 4),
            "mfu": round(each / self._peak.bf16_dense_tflops, 4) if self._peak else None,
        }


class _HostClock:
    """The processor's own clock: there, a step is over when its last call returns."""

    name = "host clock"

    def mark(self) -> float:
        return time.perf_counter()

    def between(self, begin: float, end: float) -> float | None:
        return end - begin


class _DeviceClock:
    """Events in the device's queue; their distance is known when both have happened, and nobody waits for that."""

    name = "CUDA events"

    def __init__(self, device: Any) -> None:
        self._device = device

    def mark(self) -> Any:
        import torch

        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call, unused-ignore]
        event.record(torch.cuda.current_stream(self._device))
        return event

    def between(self, begin: Any, end: Any) -> float | None:
        return begin.elapsed_time(end) / 1e3 if end.query() else None


def _quantiles(seconds: array[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    low, middle, high = np.quantile(np.asarray(seconds), (0.1, 0.5, 0.9))
    return {"p10": round(float(low), 6), "median": round(float(middle), 6), "p90": round(float(high), 6)}


def _formula(shape: Shape, length: int, flops: float) -> str:
    values = f"N = {matmul_parameters(shape):,}, D = {shape.depth}, A = {shape.heads * shape.head:,}, T = {length:,}"
    return (
        f"6 N + 6 D A T = {flops / 1e9:.4g} GFLOP a token, causal attention, no recomputation ({values}); MFU = that x "
        "tokens/s a device / peak"
    )
