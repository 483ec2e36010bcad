from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation import memorisation, verbatim
from evaluation.inputs import EvaluationError, EvaluationInputs, load_model
from evaluation.memorisation_figures import agreement_figures, figures
from tests.evaluation.conftest import LENGTH, learn_by_heart, make_inputs
from training.pack import read_packed
from training.plan import Plan


def test_a_model_that_learnt_texts_by_heart_is_caught(inputs: EvaluationInputs, tmp_path: Path) -> None:
    learn_by_heart(inputs, tmp_path / "checkpoint")
    caught = memorisation.run(replace(inputs, checkpoint=tmp_path / "checkpoint"), lambda *_: None)
    trained, held = caught.figures["groups"]
    assert (trained["group"], held["group"]) == ("trained", "held-out")
    assert trained["share"] >= 0.9 and held["share"] == 0
    assert caught.figures["difference"]["low"] > 0.3 and caught.figures["difference"]["mean_leading_low"] > 0
    assert trained["longest_characters"] > held["longest_characters"]
    assert trained["documents"] == held["documents"] == 10


def test_an_untrained_model_is_not(inputs: EvaluationInputs) -> None:
    ticks: list[tuple[int, int]] = []
    result = memorisation.run(inputs, lambda done, total: ticks.append((done, total)))
    trained, held = result.figures["groups"]
    assert trained["exact"] == held["exact"] == 0 and trained["high"] > 0
    assert result.figures["difference"]["low"] < 0 < result.figures["difference"]["high"]
    assert ticks[-1] == (20, 20) and len(result.items) == 20


def test_only_documents_that_were_read_are_probed_and_their_readings_are_counted(inputs: EvaluationInputs) -> None:
    packed, plan = read_packed(inputs.tokens), Plan.from_json(inputs.plan.read_text(encoding="utf-8"))
    short = replace(plan, segments=(replace(plan.segments[0], last_step_exclusive=plan.segments[0].block // 6),))
    read = {tuple(map(int, pair)) for step in range(short.steps) for pair in zip(*short.at(step), strict=True)}
    trained, held = memorisation.draw(packed, short, inputs)
    assert 0 < len(trained) == len(held)
    numbers = {ref.name: number for number, ref in enumerate(short.streams)}
    for one in trained:
        first, _ = one.document.tokens.span(one.document.place)
        assert one.document.stream.use == "train" and one.exposures >= 1
        for sequence in range(first // LENGTH, (first + 23) // LENGTH + 1):
            assert (numbers[one.document.stream.name], sequence) in read
    assert all(one.document.stream.use == "held-out" and one.exposures == 0 for one in held)


def test_greedy_continuation_equals_the_plain_loop(inputs: EvaluationInputs) -> None:
    import torch

    model = load_model(inputs)
    prefixes = np.random.Generator(np.random.PCG64(2)).integers(3, 400, (5, 7))
    found = verbatim.continue_greedily(model, prefixes, 6, 2)
    for row, answer in zip(prefixes, found, strict=True):
        known = row.tolist()
        for token in answer.tolist():
            with torch.no_grad():
                assert token == int(model(input_ids=torch.tensor([known])).logits[0, -1].argmax())
            known.append(token)


def test_comparison_with_the_true_text() -> None:
    truth = np.array([5, 6, 7, 8])
    assert verbatim.leading_equal(np.array([5, 6, 9, 8]), truth) == 2
    assert verbatim.leading_equal(truth, truth) == 4
    assert verbatim.until(np.array([5, 1, 7]), 1) == [5]
    assert verbatim.longest_common("xx the same words yy", "zz the same words") == len(" the same words")
    assert verbatim.longest_common("", "abc") == 0


def test_documents_are_the_unit_and_long_spans_count_only_where_possible(inputs: EvaluationInputs) -> None:
    def item(use: str, *probes: tuple[bool, int, int]) -> dict[str, object]:
        names = ("exact", "verbatim_characters", "characters")
        filled = [dict(zip(names, one, strict=True)) | {"leading_tokens": 1, "across_cut": False} for one in probes]
        return {"use": use, "group": "g", "language": "de", "exposures": 1, "probes": filled}

    trained = [item("trained", (True, 170, 170), (True, 90, 90)), item("trained", (False, 20, 200))]
    found = figures([*trained, item("held-out", (False, 3, 80))], inputs.settings)
    one, other = found["groups"]
    assert (one["exact"], one["exact_probes"], one["probes"], one["share"]) == (1, 2, 3, 0.5)
    assert (one["long"], one["long_possible"], one["share_160"]) == (1, 2, 0.5)
    assert other["share_160"] is None and other["long_possible"] == 0
    assert found["difference"]["share"] == 0.5


def test_settings_that_do_not_fit_the_window_are_refused(inputs: EvaluationInputs) -> None:
    wide = replace(inputs, settings=inputs.settings.model_copy(update={"prefix": 100, "suffix": 28}))
    with pytest.raises(EvaluationError, match=r"evaluation\.prefix"):
        memorisation.run(wide, lambda *_: None)


def test_a_plan_over_other_tokens_is_refused(inputs: EvaluationInputs, tmp_path: Path) -> None:
    plan = replace(Plan.from_json(inputs.plan.read_text(encoding="utf-8")), tokens_root="1" * 64)
    (tmp_path / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    with pytest.raises(EvaluationError, match="other tokens"):
        memorisation.run(replace(inputs, plan=tmp_path / "plan.json"), lambda *_: None)


def test_without_held_out_documents_there_is_no_difference(tmp_path: Path) -> None:
    result = memorisation.run(make_inputs(tmp_path / "run", held_out=0), lambda *_: None)
    assert [row["group"] for row in result.figures["groups"]] == ["trained"]
    assert result.figures["difference"] is None


def test_an_agreement_is_probed_by_itself(tmp_path: Path) -> None:
    inputs = replace(
        make_inputs(tmp_path / "run", held_out=3, licence="LicenseRef-mine", agreement_items=9),
        agreements=("mine", "unused"),
    )
    learn_by_heart(inputs, tmp_path / "checkpoint")
    result = memorisation.run(replace(inputs, checkpoint=tmp_path / "checkpoint"), lambda *_: None)
    assert list(result.figures["agreements"]) == ["mine"]
    trained, held = result.figures["agreements"]["mine"]["groups"]
    assert (trained["documents"], held["documents"]) == (9, 6) and trained["exact"] >= 8 and held["exact"] == 0
    found = result.figures["agreements"]["mine"]["difference"]
    assert found["low"] > 0 and found["visible_from"] <= trained["exact"]
    packed, plan = read_packed(inputs.tokens), Plan.from_json(inputs.plan.read_text(encoding="utf-8"))
    none = replace(inputs, settings=inputs.settings.model_copy(update={"agreement_items": 0}))
    assert memorisation.draw_agreements(packed, plan, none) == {}
    mine = [item for item in result.items if item["agreement"] == "mine"]
    assert len(mine) == 15 and sum(group["documents"] for group in result.figures["groups"]) == len(result.items) - 15


def test_few_held_out_documents_are_not_taken_for_proof(inputs: EvaluationInputs) -> None:
    def item(use: str, exact: bool) -> dict[str, object]:
        probe = {"exact": exact, "verbatim_characters": 9, "characters": 9, "leading_tokens": 1, "across_cut": False}
        return {"use": use, "probes": [probe]}

    def found(hits: int, trained: int, held: int) -> dict[str, object]:
        items = [item("trained", number < hits) for number in range(trained)]
        return agreement_figures([*items, *(item("held-out", False) for _ in range(held))])["difference"]

    assert found(3, 20, 1)["low"] < 0 and found(3, 20, 1)["visible_from"] is None
    seven = found(0, 20, 7)["visible_from"]
    assert isinstance(seven, int) and 10 < seven <= 20
    assert found(seven, 20, 7)["low"] > 0 >= found(seven - 1, 20, 7)["low"]
    assert agreement_figures([item("trained", True)])["difference"] is None
