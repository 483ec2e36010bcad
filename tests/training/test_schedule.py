"""Learning rates: the shape of each schedule, and the plain one to the last bit as it always was."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.schedule import learning_rate
from training.settings import SegmentSettings, TrainingSettings


def settings(**chosen: Any) -> TrainingSettings:
    return TrainingSettings.model_validate({"segments": [SegmentSettings(name="main", steps=1000)], **chosen})


def rates(steps: int, **chosen: Any) -> list[float]:
    return [learning_rate(step, steps, 3e-3, settings(**chosen)) for step in range(steps)]


@given(st.integers(1, 500), st.floats(0, 1), st.floats(0, 1))
def test_the_default_is_bit_for_bit_the_written_formula(steps: int, warmup_share: float, cooldown_share: float) -> None:
    warmup, cooldown = max(1, round(steps * warmup_share)), round(steps * cooldown_share)
    for step, rate in enumerate(rates(steps, warmup_share=warmup_share, cooldown_share=cooldown_share)):
        left = steps - step
        expected = 3e-3
        if step < warmup:
            expected = 3e-3 * (step + 1) / warmup
        elif left <= cooldown:
            expected = 3e-3 * (1 - math.sqrt(1 - left / (cooldown + 1)))
        assert rate == expected


@pytest.mark.parametrize("schedule", ["wsd", "cosine"])
@given(st.integers(2, 300), st.floats(0, 0.9), st.integers(0, 20))
def test_up_to_the_peak_and_down_to_the_final_share(schedule: str, steps: int, final: float, warmup: int) -> None:
    found = rates(steps, schedule=schedule, final_share=final, warmup_steps=warmup, cooldown_share=0.5)
    top = min(warmup, steps)
    assert all(a < b for a, b in pairwise(found[:top]))
    assert all(a >= b for a, b in pairwise(found[top:]))
    assert all(0 < rate <= math.nextafter(3e-3, 1) for rate in found)
    assert top == 0 or top == steps or found[top - 1] == pytest.approx(3e-3)
    assert top == steps or found[-1] > 3e-3 * final


def test_the_cosine_is_half_way_down_half_way_through() -> None:
    found = rates(109, schedule="cosine", warmup_steps=10, final_share=0.1)
    assert found[9] == 3e-3 and found[59] == pytest.approx(3e-3 * 0.55)
    assert found[-1] == pytest.approx(3e-4, rel=0.01)


def test_a_warm_up_longer_than_the_run_is_refused() -> None:
    with pytest.raises(ValueError, match="1001 and all segments have 1000 steps"):
        settings(warmup_steps=1001)
