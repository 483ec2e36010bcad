"""What `herkomst check` says of the vocabulary, and which files make its stage stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from licensing.reading import UnreadableFile
from pipeline.check_vocabulary import explain_vocabulary
from pipeline.config import load_config
from pipeline.stage_inputs import parallel_files, vocabulary_settings
from tests.pipeline.conftest import write_config
from tests.training.made_corpus import write_parallel


def test_limits_and_parallel_text_are_said(tmp_path: Path) -> None:
    write_parallel(tmp_path / "text" / "made", ("en", "nl"))
    tokenizer = {
        "vocabulary_size": 500,
        "parallel": {"folder": "text/made", "title": "made lines"},
        "gate": {"worst_premium": 2.5, "max_fertility": 3.5, "exempt": ["el"]},
        "parity": {"rounds": 3},
    }
    loaded = load_config(write_config(tmp_path / "small.yaml", tokenizer=tokenizer))
    told = "\n".join(explain_vocabulary(loaded))
    assert "500 pieces, learnt from at most 64.0 MB" in told and "against 'en' measured on made lines: en, nl" in told
    assert "in 3 rounds of 20.0 MB" in told
    assert "premium at most 2.5, tokens per white-space word at most 3.5, but for el" in told
    assert [path.name for path in parallel_files(loaded)] == ["en.txt", "nl.txt"]
    assert vocabulary_settings(loaded).parallel != loaded.config.tokenizer.parallel


def test_nothing_asked_is_said_and_a_missing_folder_is_a_fault(tmp_path: Path) -> None:
    loaded = load_config(write_config(tmp_path / "small.yaml"))
    told = list(explain_vocabulary(loaded))
    assert "premiums between languages: not measured" in told and told[-1].startswith("gate: none")
    assert list(parallel_files(loaded)) == []
    absent = {"parallel": {"folder": "nowhere"}}
    loaded = load_config(write_config(tmp_path / "other.yaml", tokenizer=absent))
    with pytest.raises(UnreadableFile, match=r"tokenizer.parallel.folder: .*'nowhere'"):
        list(explain_vocabulary(loaded))
