"""Speed figures, peaks and their curves: counted as they say, and absent where they are not known."""

from __future__ import annotations

import builtins
import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from licensing.errors import HerkomstError
from training.flops import flops_per_token
from training.meter import Meter
from training.peaks import find_peak
from training.settings import Shape
from training.tensorboard_log import TensorBoardLog

SHAPE = Shape(2, 64, 4, 2, 128, 32, 400)
H100 = "NVIDIA H100 80GB HBM3"


class Clock:
    """``time.perf_counter`` that goes only when told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("training.meter.time", SimpleNamespace(perf_counter=lambda: self.now))


def meter_on(monkeypatch: pytest.MonkeyPatch, name: str, **arguments: Any) -> Meter:
    monkeypatch.setattr("training.meter.device_name", lambda device: name)
    return Meter(SHAPE, 32, "cpu", **arguments)


def run_steps(meter: Meter, clock: Clock, seconds: list[float], tokens: int = 1000, waited: float = 0.0) -> list[Any]:
    rows = []
    for step, length in enumerate(seconds):
        meter.begin(step)
        meter.waited(waited)
        clock.now += length
        meter.end()
        rows.append(meter.row(step, tokens))
    return rows


def test_mfu_is_the_formula_over_the_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    meter = meter_on(monkeypatch, H100, processes=4, skip=0)
    row = run_steps(meter, clock, [2.0], tokens=40_000_000)[0]
    expected = flops_per_token(SHAPE, 32, causal=True) * 20_000_000 / 4 / 1e12
    assert row["tflops"] == pytest.approx(expected, abs=1e-4) and expected > 1
    assert row["mfu"] == pytest.approx(expected / 989, abs=1e-4) and row["tokens_per_second"] == 2e7
    assert "989 TFLOP/s" in meter.figures()["peak"] and meter.figures()["peak_tflops"] == 989


def test_the_formula_printed_gives_the_number_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader with the line alone must come to the same figure."""
    formula = meter_on(monkeypatch, H100).figures()["formula"]
    values = re.search(r"\(N = ([\d,]+), D = (\d+), A = ([\d,]+), T = ([\d,]+)\)", formula)
    total = re.search(r"= ([\d.e-]+) GFLOP", formula)
    assert values and total
    n, d, a, t = (int(value.replace(",", "")) for value in values.groups())
    said = float(total.group(1)) * 1e9
    assert 6 * n + 6 * d * a * t == pytest.approx(said, rel=1e-3)
    assert flops_per_token(SHAPE, 32, causal=True) == 6 * n + 6 * d * a * t


def test_first_steps_are_left_out_of_the_medians_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    meter = meter_on(monkeypatch, H100, skip=2)
    run_steps(meter, clock, [50.0, 9.0, 1.0, 2.0, 3.0], waited=0.1)
    clock.now += 35.0  # saving a checkpoint
    found = meter.figures()
    assert (found["steps_left_out"], found["steps_measured"]) == (2, 3)
    assert found["step_seconds"] == {"p10": pytest.approx(1.2), "median": 2.0, "p90": pytest.approx(2.8)}
    assert found["tokens_per_second"] == 5000 / 100 and found["tokens_per_second_in_steps"] == 3000 / 6
    assert found["data_wait_share"] == pytest.approx(0.3 / 6, abs=1e-5)


def test_a_run_shorter_than_the_warm_up_has_no_medians(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    meter = meter_on(monkeypatch, H100, skip=5)
    run_steps(meter, clock, [1.0, 1.0])
    found = meter.figures()
    assert found["step_seconds"] is None and found["mfu"] is None and found["steps_left_out"] == 2


@pytest.mark.parametrize(
    ("name", "said"), [("cpu", "a processor has none"), ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "add it there")]
)
def test_an_unknown_peak_gives_no_mfu(monkeypatch: pytest.MonkeyPatch, name: str, said: str) -> None:
    clock = Clock(monkeypatch)
    meter = meter_on(monkeypatch, name, skip=0)
    row = run_steps(meter, clock, [1.0], tokens=10_000_000)[0]
    found = meter.figures()
    assert row["mfu"] is None and row["tflops"] > 0 and found["mfu"] is None and found["peak_tflops"] is None
    assert found["peak"].startswith("unknown peak") and said in found["peak"]
    assert "MFU" not in meter.note(3.0)


def test_the_live_line_tells_loss_speed_and_mfu(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    meter = meter_on(monkeypatch, H100)
    assert meter.note(2.5) == ""
    run_steps(meter, clock, [1.0, 3.0], tokens=1_000_000_000)
    mfu = flops_per_token(SHAPE, 32, causal=True) * 5e8 / 989e12
    assert meter.note(2.5) == f"loss 2.500, 500,000,000 tokens/s, {mfu:.1%} MFU"


class Event:
    """A CUDA event that has happened only when the device has come so far."""

    reached, made = 0, 0

    def __init__(self, enable_timing: bool) -> None:
        self.number = 0
        self.timed = enable_timing

    def record(self, stream: object) -> None:
        Event.made += 1
        self.number = Event.made

    def query(self) -> bool:
        return self.number <= Event.reached

    def elapsed_time(self, end: Event) -> float:
        assert self.timed and end.query(), "asked for an event that has not happened: this would fail or wait"
        return 1000.0 * (end.number - self.number)

    def synchronize(self) -> None:
        raise AssertionError("a step waited for the device")


def test_device_steps_are_read_when_they_have_happened_and_never_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: None)
    monkeypatch.setattr(torch.cuda, "synchronize", Event.synchronize)
    monkeypatch.setattr("training.meter.device_name", lambda device: H100)
    meter = Meter(SHAPE, 32, torch.device("cuda", 0), skip=0)
    for step in range(3):
        meter.begin(step)
        meter.end()
    Event.reached = 4  # two steps done, the third in the queue
    assert [meter.row(step, 100)["seconds"] for step in range(3)] == [1.0, 1.0, None]
    assert meter.figures()["steps_measured"] == 2 and meter.figures()["clock"] == "CUDA events"


@pytest.mark.gpu
def test_events_on_a_device_measure_its_work() -> None:
    import torch

    meter = Meter(SHAPE, 32, torch.device("cuda", 0), skip=0)
    square = torch.rand(8192, 8192, device="cuda")
    meter.begin(0)
    for _ in range(50):
        square = square @ square / 8192
    meter.end()
    began = time.perf_counter()
    torch.cuda.synchronize()
    waited = time.perf_counter() - began
    seconds = meter.row(0, 100)["seconds"]
    assert seconds is not None and seconds >= 0.5 * waited


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H200", 989),
        ("NVIDIA H200 NVL", 836),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA H100 NVL", 835),
        ("NVIDIA GH200 120GB", 989),
        ("NVIDIA A100-SXM4-40GB", 312),
        ("A100-SXM4-80GB", 312),
        ("AMD Instinct MI250X", 191.5),
        ("AMD Instinct MI300X", 1307.4),
        ("NVIDIA B200", 2250),
        ("NVIDIA A100-SXM4-40GB MIG 3g.20gb", None),
        ("NVIDIA H2000", None),
        ("NVIDIA A100-SXM-64GB", None),
        ("cpu", None),
    ],
)
def test_a_device_has_its_own_peak_or_none(name: str, peak: float | None) -> None:
    found = find_peak(name)
    assert (found.bf16_dense_tflops if found else None) == peak


def test_a_device_with_two_peaks_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "accelerators.yaml"
    entry = "  - {{names: [{}], bf16_dense_tflops: {}, source: somewhere}}\n"
    file.write_text("accelerators:\n" + entry.format("H100 PCIe", 756) + entry.format("nvidia h100 pcie", 989))
    with pytest.raises(HerkomstError, match="h100 pcie"):
        find_peak("H100 PCIe", file)


def test_resumed_curves_have_every_step_once(tmp_path: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for first, last, mark in ((0, 6, 1.0), (4, 8, 2.0)):
        log = TensorBoardLog(tmp_path, first)
        for step in range(first, last):
            log.add({"step": step, "loss": mark, "mfu": None, "bits_per_byte": {"nl": mark}})
        log.close()
    found = accumulators.EventAccumulator(str(tmp_path))
    found.Reload()
    for curve in ("training/loss", "bits_per_byte/nl"):
        points = [(event.step, event.value) for event in found.Scalars(curve)]
        assert points == [(step, 1.0 if step < 4 else 2.0) for step in range(8)]
    assert found.Tags()["scalars"] == ["training/loss", "bits_per_byte/nl"]


def test_a_dropped_step_whose_loss_is_no_number_has_no_points() -> None:
    from training.tensorboard_log import _points

    row = {"step": 3, "loss": None, "dropped": True, "bits_per_byte": {"nl": None, "en": 1.5}}
    assert list(_points(row)) == [("bits_per_byte/en", 1.5)]


def test_without_the_package_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "torch.utils.tensorboard":
            raise ImportError("No module named 'tensorboard'")
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(HerkomstError, match=r"herkomst\[tensorboard\]"):
        TensorBoardLog(tmp_path, 0)
