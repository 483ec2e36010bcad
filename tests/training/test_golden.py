"""Training gives the losses that it gave before, within what another processor may round differently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training import golden

# Another processor sums in another order; in fp32 the losses then part slowly.
EARLY, EARLY_STEPS, LATE = 1e-3, 100, 2e-2


def compare(found: dict[str, Any], kept: dict[str, Any]) -> None:
    assert len(found["losses"]) == len(kept["losses"])
    assert found["losses"][:EARLY_STEPS] == pytest.approx(kept["losses"][:EARLY_STEPS], abs=EARLY)
    assert found["losses"][EARLY_STEPS:] == pytest.approx(kept["losses"][EARLY_STEPS:], abs=LATE)


def test_a_made_corpus_gives_the_golden_losses(tmp_path: Path) -> None:
    found, kept = golden.made(tmp_path), json.loads(golden.MADE.read_text())
    assert (found["tokens_root"], found["plan_digest"]) == (kept["tokens_root"], kept["plan_digest"])
    compare(found, kept)


@pytest.mark.slow
def test_the_demo_gives_the_golden_losses() -> None:
    if not (golden.DEMO_RUN / "training" / "plan.json").exists():
        pytest.skip("runs/demo is not there; `make demo` makes it")
    found, kept = golden.demo(), json.loads(golden.DEMO.read_text())
    if found["tokens_root"] != kept["tokens_root"]:
        pytest.skip("the demo's packages are newer than the golden losses: python -m tests.training.golden renews them")
    compare(found, kept)
