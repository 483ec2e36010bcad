"""What curation needs is looked at before a run begins, and said in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from licensing.errors import HerkomstError
from pipeline.check_curation import explain_curation, prepare_curation
from pipeline.config import Loaded, load_config
from pipeline.run_directory import RunDirectory
from pipeline.runner import run
from pipeline.stage_inputs import curation_files, curation_settings, quality_rules
from pipeline.stages import STAGES
from tests.pipeline.conftest import write_config

FILTERS = "datatrove.pipeline.filters."
SET = {"name": "quiz", "path": "quiz.jsonl", "fields": ["question"]}


def loaded(folder: Path, **curation: Any) -> Loaded:
    question = "Who wrote the longest book about the history of bells in the towns of the north?"
    (folder / "quiz.jsonl").write_text(json.dumps({"question": question}) + "\n", encoding="utf-8")
    return load_config(write_config(folder / "run.yaml", curation={"languages": ["nl", "en"]} | curation))


@pytest.mark.parametrize(
    ("curation", "told"),
    [
        ({"blocks": [{"block": FILTERS + "Nothing"}]}, r"curation\.blocks\[0\].*Nothing"),
        ({"blocks": [{"block": FILTERS + "RegexFilter", "options": {"regex_exp": "("}}]}, r"curation\.blocks\[0\]"),
        ({"contamination": {"sets": [SET | {"path": "gone.jsonl"}]}}, r"evaluation set 'quiz': .*gone\.jsonl"),
        ({"contamination": {"sets": [SET | {"fields": ["answer"]}]}}, r"quiz\.jsonl, line 1: .*answer"),
        ({"personal_data": {"style": "pseudonym", "key_file": "gone"}}, r"gone.*curation\.personal_data\.style"),
        ({"personal_data": {"style": "pseudonym", "key_env": "HERKOMST_NO_SUCH_KEY"}}, "HERKOMST_NO_SUCH_KEY"),
        ({"personal_data": {"rules": "gone.yaml"}}, r"curation\.personal_data\.rules"),
        ({"harm": {"lists": "gone.yaml"}}, r"curation\.harm\.lists"),
        ({"harm": {"classifier": "no.such:function"}}, r"harm\.classifier"),
        ({"quality_rules": "gone.yaml"}, r"curation\.quality_rules"),
    ],
)
def test_what_is_missing_is_said_before_hours_of_work(curation: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(HerkomstError, match=told):
        prepare_curation(loaded(tmp_path, **curation))


def test_a_run_stops_before_it_reads_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERKOMST_KEY", str(tmp_path / "key.pem"))
    directory = RunDirectory(tmp_path / "runs" / "small")
    with pytest.raises(HerkomstError, match=r"curation\.blocks"):
        run(loaded(tmp_path, blocks=[{"block": FILTERS + "Nothing"}]), directory, workers=1)
    assert not directory.received.exists()


def test_check_says_what_becomes_of_a_document(tmp_path: Path) -> None:
    told = "\n".join(
        explain_curation(
            loaded(
                tmp_path,
                languages=["nl", "en", "wa"],
                contamination={"sets": [SET]},
                blocks=[{"block": FILTERS + "LambdaFilter", "options": {"filter_function": "x"}, "after": "language"}],
                harm={"action": "remove"},
                repeats={"runs": {"action": "count"}},
            )
        )
    )
    for part in (
        "no quality rules for wa",
        "LambdaFilter",
        "items of quiz are removed (1 items)",
        "removed",
        "by placeholders",
        "rights, then quality, then digest",
        "paragraphs of 8 words or more are cut, runs of sentences of 50 words or more are counted",
        "25.0%",
    ):
        assert part in told


def test_files_beside_the_configuration_are_those_that_are_watched_and_read(tmp_path: Path) -> None:
    for name in ("quality.yaml", "personal-data.yaml", "own-rules.yaml", "own-lists.yaml"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    left_out = loaded(tmp_path)
    assert not [path for path in curation_files(left_out) if path.is_relative_to(tmp_path)]
    named = loaded(tmp_path, personal_data={"rules": "own-rules.yaml"}, harm={"lists": "own-lists.yaml"})
    settings = curation_settings(named)
    assert settings.personal_data.rules == tmp_path / "own-rules.yaml" and settings.harm.lists is not None
    assert {settings.personal_data.rules, settings.harm.lists} <= set(curation_files(named))
    assert quality_rules(loaded(tmp_path, quality_rules="quality.yaml")) == tmp_path / "quality.yaml"


def test_a_shipped_file_that_is_named_is_found_where_curation_reads_it(tmp_path: Path) -> None:
    settings = curation_settings(loaded(tmp_path, personal_data={"rules": "personal-data.yaml"}))
    assert settings.personal_data.resolved(tmp_path).rules.is_file()  # type: ignore[union-attr]


def test_a_key_that_was_destroyed_makes_nothing_stale(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"k" * 32)
    one = loaded(tmp_path, personal_data={"style": "pseudonym", "key_file": "key"})
    before = list(curation_files(one))
    (tmp_path / "key").unlink()
    assert list(curation_files(one)) == before


def test_to_count_repeats_instead_of_cutting_them_only_the_corpus_is_committed_anew(tmp_path: Path) -> None:
    cut, counted = loaded(tmp_path), loaded(tmp_path, repeats={"runs": {"action": "count"}, "paragraphs": None})
    other = loaded(tmp_path, repeats={"runs": {"least_words": 60}, "paragraphs": None})
    stages = {stage.name: stage for stage in STAGES}
    assert stages["curate"].settings(loaded(tmp_path, repeats={"runs": {"action": "count"}})) == stages[
        "curate"
    ].settings(cut)
    assert stages["curate"].settings(counted) != stages["curate"].settings(other)
    assert stages["commit"].settings(counted) != stages["commit"].settings(cut)
    assert stages["curate"].settings(loaded(tmp_path, repeats=None)) != stages["curate"].settings(cut)
