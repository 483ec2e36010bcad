from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation import continuation
from evaluation.harness import opening_tokenizer
from evaluation.inputs import EvaluationError, EvaluationInputs, load_model
from tests.evaluation.conftest import make_inputs
from training.tokenizer import END_OF_DOCUMENT, load_fast, special_ids


def test_questions_hold_one_truth_and_three_strangers(inputs: EvaluationInputs) -> None:
    asked = continuation.make_questions(inputs)
    assert {language: len(own) for language, own in asked.items()} == {"de": 5, "fr": 5}
    from evaluation.held_out import texts

    tokenizer = load_fast(inputs.tokenizer)
    for language, own in asked.items():
        known = dict(texts(inputs.corpus, language))
        for one in own:
            right = one["context"] + one["choices"][one["gold"]]
            assert right in known[one["id"]]
            assert len(set(one["choices"])) == 4
            for number, choice in enumerate(one["choices"]):
                assert choice.startswith(" ") and continuation.fits(one, tokenizer, inputs.sequence_length)
                assert (one["context"] + choice in known[one["id"]]) == (number == one["gold"])
        assert len({one["id"] for one in own}) == 5


def test_questions_depend_on_the_seed_and_on_nothing_else(inputs: EvaluationInputs) -> None:
    first, again = continuation.make_questions(inputs), continuation.make_questions(inputs)
    assert first == again != continuation.make_questions(replace(inputs, seed=4))


def test_the_right_choice_stands_everywhere_alike() -> None:
    pool = [continuation.Passage(f"{n:064x}", 0, f"context {n}", f" choice {n}") for n in range(400)]
    asked = continuation.questions(pool, 400, 1, "de")
    counts = [sum(one["gold"] == place for one in asked) for place in range(4)]
    assert len(asked) == 400 and all(70 <= count <= 130 for count in counts)


def test_lm_eval_scores_what_the_model_itself_says(
    inputs: EvaluationInputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every choice's likelihood, from the end-of-document token on, recomputed with nothing but the model."""
    import torch

    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    ticks: list[tuple[int, int]] = []
    result = continuation.run(inputs, tmp_path / "out", lambda done, total: ticks.append((done, total)))
    lines = (tmp_path / "out" / "continuation-task" / "continuation.jsonl").read_text(encoding="utf-8").splitlines()
    model, tokenizer = load_model(inputs), load_fast(inputs.tokenizer)
    opening = special_ids(tokenizer).end_of_document
    for item, line in zip(result.items, lines, strict=True):
        question = json.loads(line)
        for nats, choice in zip(item["nats"], question["choices"], strict=True):
            context = [opening, *tokenizer.encode(question["context"], add_special_tokens=False).ids]
            ids = torch.tensor([[*context, *tokenizer.encode(choice, add_special_tokens=False).ids]])
            with torch.no_grad():
                chances = model(input_ids=ids).logits[0].log_softmax(-1)
            places = range(len(context), ids.shape[1])
            assert nats == pytest.approx(-sum(float(chances[p - 1, ids[0, p]]) for p in places), abs=1e-2)
        assert item["correct"] == (item["nats"].index(min(item["nats"])) == question["gold"])
    assert result.figures["correct"] == sum(item["correct"] for item in result.items)
    assert result.figures["n"] == len(lines) == 10 and ticks[-1] == (10, 10)
    assert result.figures["low"] < result.figures["accuracy"] < result.figures["high"] or result.figures["correct"] == 0
    assert not (tmp_path / "home").exists() and "HF_HUB_OFFLINE" not in os.environ


def test_a_control_token_in_a_text_stays_text(inputs: EvaluationInputs) -> None:
    wrapped = opening_tokenizer(inputs.tokenizer)
    opening = special_ids(load_fast(inputs.tokenizer)).end_of_document
    assert wrapped.encode("a" + END_OF_DOCUMENT).count(opening) == 1


def test_without_held_out_text_it_says_what_to_do(tmp_path: Path) -> None:
    bare = make_inputs(tmp_path / "run", held_out=0)
    with pytest.raises(EvaluationError, match="held_out_share"):
        continuation.run(bare, tmp_path / "out", lambda *_: None)
