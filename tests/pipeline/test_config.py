from __future__ import annotations

from pathlib import Path

import pytest

from licensing.reading import UnreadableFile
from pipeline.config import load_config
from tests.pipeline.conftest import REPOSITORY, herkomst, write_config


@pytest.mark.parametrize("name", ["demo.yaml", "demo-hub.yaml"])
def test_the_shipped_configurations_load(name: str) -> None:
    assert load_config(REPOSITORY / "configs" / name).config.sources


def refused(tmp_path: Path, before: str, after: str) -> str:
    path = write_config(tmp_path / "run.yaml")
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(UnreadableFile) as fault:
        load_config(path)
    return str(fault.value)


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    told = refused(tmp_path, "seed: 7", "seed: 7\nseed: 8")
    assert "line 3" in told and "'seed' stands here and on line 2" in told


def test_a_misspelt_key_of_a_reader_names_the_nearest_key_of_that_reader(tmp_path: Path) -> None:
    told = refused(tmp_path, "  agreement: de-kade-2026", "  agrement: de-kade-2026")
    assert "did you mean 'agreement'?" in told and "sources.0" in told


def test_no_is_a_language_and_not_false(tmp_path: Path) -> None:
    path = write_config(tmp_path / "run.yaml")
    path.write_text(path.read_text().replace("  - nl\n  - en", "  - nl\n  - no", 1), encoding="utf-8")
    assert load_config(path).config.curation.languages == ("nl", "no")


def test_heads_that_do_not_fit_are_said_before_anything_runs(tmp_path: Path) -> None:
    write_config(tmp_path / "run.yaml", model={"depth": 1, "width": 33, "heads": 2})
    done = herkomst("check", "run.yaml", cwd=tmp_path, check=False)
    assert done.returncode == 1 and "heads must divide" in done.stderr


def test_check_says_what_would_run_and_why(tmp_path: Path) -> None:
    write_config(tmp_path / "run.yaml")
    told = herkomst("check", "run.yaml", cwd=tmp_path).stdout
    for part in (
        "a commercial model",
        "agreement de-kade-2026: admit",
        "most-epochs 4",
        "Apache-2.0: admit",
        "12 steps",
    ):
        assert part in told


@pytest.mark.parametrize("command", ["check", "run", "trace", "audit", "export", "verify"])
def test_every_command_shows_an_example(tmp_path: Path, command: str) -> None:
    told = herkomst(command, "--help", cwd=tmp_path).stdout
    assert f"Example: herkomst {command} " in " ".join(told.split())


@pytest.mark.parametrize(
    "arguments", [("verify", "nowhere"), ("trace", "nowhere", "--step", "0"), ("run", "nowhere.yaml")]
)
def test_what_is_not_there_is_a_sentence_and_not_a_traceback(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = herkomst(*arguments, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("herkomst: ") and "Traceback" not in done.stderr
    assert not (tmp_path / "nowhere").exists()


def test_an_unknown_stage_names_those_there_are(tmp_path: Path) -> None:
    write_config(tmp_path / "run.yaml")
    done = herkomst("run", "run.yaml", "--until", "trian", cwd=tmp_path, check=False)
    assert done.returncode == 1 and "ingest, admit, curate" in done.stderr
