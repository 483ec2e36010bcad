"""The one line that says how far a stage is."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from pipeline.progress import Meter

NOTE = "loss 3.123, 1,234,567 tokens/s, 41.2% MFU"


def test_training_tells_loss_speed_and_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("pipeline.progress.time", SimpleNamespace(monotonic=lambda: now[0]))
    with Meter("train", "steps") as meter:
        meter.expect(400, 100)
        now[0] = 20.0
        meter.advance(100, NOTE)
    assert capsys.readouterr().err == f"  train: 200 of 400 steps, {NOTE}, about 40 s left\n"


def test_a_note_without_a_speed_leaves_the_rate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("pipeline.progress.time", SimpleNamespace(monotonic=lambda: now[0]))
    with Meter("ingest", "documents") as meter:
        now[0] = 20.0
        meter.advance(400, "manuals")
    assert capsys.readouterr().err == "  ingest: 400 documents, 20 documents/s  manuals\n"


@pytest.mark.parametrize("width", [80, 120])
def test_the_live_line_is_whole_on_a_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    out = io.StringIO()
    monkeypatch.setattr(
        "pipeline.progress.Console",
        lambda stderr: Console(file=out, force_terminal=True, width=width, color_system=None),
    )
    with Meter("train", "steps") as meter:
        meter.expect(40_000, 1000)
        meter.advance(1, NOTE)
        if meter._bar is not None:
            meter._bar.refresh()
    last = [line for line in out.getvalue().replace("\r", "\n").split("\n") if NOTE in line][-1]
    # Steps of an earlier run took no time in this one: they must not make the time left seem short.
    assert "1001/40000" in last and "0:00:01" not in last and last.rstrip().endswith("-:--:--") and "…" not in last
