"""The draw of the vocabulary's sample is repeated, and every way in which it can be false is found."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from licensing.record import Entry
from pipeline.run_directory import RunDirectory
from pipeline.verify_vocabulary import vocabulary_sample
from tests.training.made_corpus import texts, write_corpus
from training.settings import TokenizerSettings
from training.vocabulary import make_tokenizer
from training.vocabulary_sample import SAMPLED_IDS, write_ids

SETTINGS = TokenizerSettings(vocabulary_size=350, sample_bytes=12_000)


@pytest.fixture
def made(tmp_path: Path) -> tuple[RunDirectory, dict[str, Any]]:
    run = RunDirectory(tmp_path / "run")
    run.tokenizer.mkdir(parents=True)
    run.config.write_text("seed: 5\n", encoding="utf-8")
    write_corpus(run.corpus, {"en": texts("en", 60), "nl": texts("nl", 20)}, {})
    return run, make_tokenizer(run.corpus, SETTINGS, 5, run.tokenizer)


def told(run: RunDirectory, figures: Mapping[str, Any]) -> list[str]:
    entry = cast(Entry, SimpleNamespace(predicate={"figures": figures}))
    return [finding.problem for finding in vocabulary_sample(run, {"tokenizer": entry})]


def relisted(run: RunDirectory, figures: dict[str, Any], ids: list[str]) -> dict[str, Any]:
    """The figures as somebody would sign them who put another list in place."""
    changed = copy.deepcopy(figures)
    changed["sample"]["root"], changed["sample"]["documents"] = write_ids(
        run.tokenizer / SAMPLED_IDS, iter(sorted(ids))
    )
    return changed


def listed(run: RunDirectory) -> list[str]:
    data = (run.tokenizer / SAMPLED_IDS).read_bytes()
    return [data[place : place + 32].hex() for place in range(0, len(data), 32)]


def test_what_was_drawn_verifies(made: tuple[RunDirectory, dict[str, Any]]) -> None:
    run, figures = made
    assert told(run, figures) == [] and 0 < len(listed(run)) < 80
    assert told(run, {"vocabulary": 350}) == []


def test_a_changed_list_does_not_give_the_root(made: tuple[RunDirectory, dict[str, Any]]) -> None:
    run, figures = made
    (run.tokenizer / SAMPLED_IDS).write_bytes((run.tokenizer / SAMPLED_IDS).read_bytes()[32:])
    assert told(run, figures) == ["does not give the signed root"]


def test_a_document_left_out_or_put_in_is_named(made: tuple[RunDirectory, dict[str, Any]]) -> None:
    run, figures = made
    ids = listed(run)
    assert told(run, relisted(run, figures, ids[1:])) == [f"lacks document {ids[0]}, which the draw takes"]
    more = relisted(run, figures, [*ids, "f" * 64])
    assert told(run, more) == [f"names document {'f' * 64}, which the draw does not take"]


def test_amounts_that_do_not_give_the_draw_are_named(made: tuple[RunDirectory, dict[str, Any]]) -> None:
    run, figures = made
    changed = copy.deepcopy(figures)
    changed["sample"]["by_language"]["nl"]["wanted"] //= 2
    assert "the draw of language 'nl' gives other documents when repeated" in told(run, changed)
    run.config.write_text("seed: 6\n", encoding="utf-8")
    assert len(told(run, figures)) >= 2
