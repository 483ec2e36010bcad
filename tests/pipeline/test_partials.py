"""Half-done work is kept only as long as somebody may go on with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import load_config
from pipeline.run_directory import RunDirectory
from pipeline.runner import run
from tests.pipeline.conftest import write_config


def test_work_of_a_configuration_that_was_given_up_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERKOMST_KEY", str(tmp_path / "key.pem"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.txt").write_text("Een bericht.", encoding="utf-8")
    source = {"name": "own", "partner": "Own", "reader": "text", "path": "in", "language": "nl", "licence": "CC0-1.0"}
    loaded = load_config(write_config(tmp_path / "run.yaml", sources=[source]))
    directory = RunDirectory(tmp_path / "runs" / "small")
    assert run(loaded, directory, until="ingest", workers=1) == ["ingest"]
    given_up = directory.partial / "ingest-0123456789abcdef"
    given_up.mkdir(parents=True)
    (given_up / "text").write_text("withdrawn since", encoding="utf-8")
    assert run(loaded, directory, until="ingest", workers=1) == []
    assert not given_up.exists()
