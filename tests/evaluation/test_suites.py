from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.inputs import EvaluationError, EvaluationInputs
from evaluation.suites import SUITES, run_suite


def test_all_suites_write_the_same_bytes_twice_and_no_path(inputs: EvaluationInputs, tmp_path: Path) -> None:
    for name in SUITES:
        for folder in ("one", "two"):
            run_suite(name, inputs, tmp_path / folder, lambda *_: None)
        first, second = ((tmp_path / folder / f"{name}.json").read_bytes() for folder in ("one", "two"))
        assert first == second
        assert str(inputs.tokens.parent).encode() not in first and str(tmp_path).encode() not in first
        assert json.loads(first)["items"]


def test_a_finished_suite_is_kept_and_a_changed_input_is_not(inputs: EvaluationInputs, tmp_path: Path) -> None:
    ticks: list[int] = []

    def run(given: EvaluationInputs) -> tuple[dict[str, object], int]:
        ticks.clear()
        figures = run_suite("bits-per-byte", given, tmp_path, lambda done, _: ticks.append(done))
        return figures, len(ticks)

    first, worked = run(inputs)
    again, idle = run(inputs)
    assert worked > 0 and idle == 0 and again == json.loads(json.dumps(first))
    _, reworked = run(replace(inputs, seed=99))
    assert reworked > 0
    (tmp_path / "bits-per-byte.json").write_text("{", encoding="utf-8")
    assert run(inputs)[1] > 0


def test_what_is_missing_is_named(inputs: EvaluationInputs, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="bits-per-byte"):
        run_suite("poetry", inputs, tmp_path, lambda *_: None)
    with pytest.raises(EvaluationError, match=r"model\.safetensors"):
        run_suite("memorisation", replace(inputs, checkpoint=tmp_path / "none"), tmp_path, lambda *_: None)
