"""The card says what was recorded, "not measured" where nothing was, and lets no value become markup."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from evaluation.model_card import Facts, md, model_card
from evaluation.report import render_report, report_values
from tests.evaluation.made_run import CONFIG, NASTY, Provider, make_run

FACTS = Facts(None, "<|end|>", 128, (), ("de-kade-2026",), False)
BASE: dict[str, Any] = {
    "name": NASTY,
    "revision": "ab" * 20,
    "licence": "Apache-2.0",
    "decision": "admit",
    "reason": "licence-admitted",
    "clause": "s. 2 and 4",
    "explanation": "Apache-2.0 permits the intended use.",
    "duties": [{"kind": "notice", "value": "Apache-2.0 (https://example.org)", "clause": "s. 4(a)"}],
    "licence_evidence": "model card, seen 2026-11-24",
    "conflict": None,
    "training_summary": {"kind": "none", "value": None},
    "weights_sha256": "e" * 64,
    "accounted_for": "The continued training only.",
}


def card(folder: Path, facts: Facts = FACTS, base: dict[str, Any] | None = None, **entries: Any) -> str:
    run = make_run(folder)
    train = dict(run.entries["train"])
    train["figures"] = {**train["figures"], **({"base_model": base} if base else {})}
    return model_card(report_values(replace(run, entries={**run.entries, "train": train}), Provider(), CONFIG), facts)


def test_figures_with_their_intervals_and_what_was_not_measured(tmp_path: Path) -> None:
    told = card(tmp_path)
    for part in (
        "| Dutch | 2.100 | 2.000 to 2.200 | 2.900 | 2.400 | 4 |",
        "| German | 3.100 | – |",
        "### Choosing the right continuation\n\nNot measured.",
        "2.0 Wh, estimated: 80 W assumed",
        "| Trained on | 40 | 2 | 2.50% | 0.30% to 8.70% | 77 |",
        "not measured",
        "Licence of the weights: missing",
        "began from random weights",
    ):
        assert part in told, part


@pytest.mark.parametrize(("licence", "key"), [("Apache-2.0", "apache-2.0"), ("LicenseRef-Ours", "other")])
def test_the_licence_is_the_provider_s_or_missing(tmp_path: Path, licence: str, key: str) -> None:
    blocks = [
        yaml.safe_load(card(tmp_path / name, facts).split("---\n")[1])
        for name, facts in (("with", replace(FACTS, licence=licence)), ("without", FACTS))
    ]
    assert blocks[0]["license"] == key and "license" not in blocks[1]
    assert blocks[0]["language"] == ["nl", "de"]


def test_a_base_model_is_in_the_block_and_in_the_lineage(tmp_path: Path) -> None:
    told = card(tmp_path, base=BASE | {"name": "org/name"})
    block = yaml.safe_load(told.split("---\n")[1])
    assert (block["base_model"], block["base_model_relation"]) == ("org/name", "finetune")
    for part in ("| Decision for this use | admit: ", "no public summary of it is known", "| Duty: notice |", "e" * 64):
        assert part.lower() in told.lower(), part


def test_the_report_has_a_section_on_lineage(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    figures = {**run.entries["train"]["figures"], "base_model": BASE}
    entries = {**run.entries, "train": {**run.entries["train"], "figures": figures}}
    page = render_report(replace(run, entries=entries), Provider(), CONFIG)
    for part in ("Lineage: the model that training continued from", "e" * 64, "published no summary", "s. 2 and 4"):
        assert part in page
    assert NASTY not in page and "from scratch" not in page


def test_no_value_becomes_markup(tmp_path: Path) -> None:
    told = card(tmp_path, base=BASE | {"revision": None})
    assert "<script>" not in told
    assert md("a | b\n# c <i> [x](y) `d` *e*") == "a \\| b \\# c &lt;i&gt; \\[x\\](y) \\`d\\` \\*e\\*"


def test_an_agreement_is_a_sum_unless_the_provider_names_it(tmp_path: Path) -> None:
    assert "LicenseRef-de-kade-2026" not in card(tmp_path / "unnamed")
