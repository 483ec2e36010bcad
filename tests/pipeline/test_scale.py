"""The benchmark of 10 million documents, at a few thousand: it compares every answer with the naive way by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.conftest import REPOSITORY


@pytest.mark.slow
def test_the_scale_benchmark_answers_as_the_naive_way_does_and_cleans_up(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/scale.py", "--documents", "2000", "4000", "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "2,000 documents" in done.stdout and "audit a partner, 100 documents" in done.stdout
    assert list(tmp_path.iterdir()) == []
