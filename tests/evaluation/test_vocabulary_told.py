"""What the report says of the vocabulary, and what a partner is told of its own documents in the sample."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from evaluation.report import render_report
from evaluation.run_files import RunFiles
from evaluation.statement import render_statement, statement_values
from tests.evaluation.made_run import CONFIG, PARTNER, Provider, make_run, rows, write_ledger
from tests.evaluation.test_report import cells, check_page
from training.vocabulary_sample import SAMPLED_IDS, write_ids


def cost(premium: float, own: bool = True) -> dict[str, Any]:
    ratios = {"tokens_per_word": 1.9, "tokens_per_whitespace_word": 2.1, "bytes_per_token": 3.3}
    return {**ratios, "tokens": 2000, "places": 30, "premium": premium, "in_corpus": own}


def table(nl: float, de: float) -> dict[str, Any]:
    return {
        "text": "articles of a declaration",
        "reference": "en",
        "languages": {"de": cost(de), "en": cost(1.0, own=False), "fr": cost(2.5, own=False), "nl": cost(nl)},
        "not_in_text": ["fy"],
        "gini": 0.051,
        "worst": "nl",
        "worst_premium": nl,
    }


def draw(read: int, available: int) -> dict[str, Any]:
    return {"available": available, "wanted": read, "whole": 0, "documents": 3, "bytes": read, "last": "0" * 16}


FIGURES: dict[str, Any] = {
    "vocabulary": 32000,
    "sample": {"root": "e" * 64, "documents": 6, "by_language": {"nl": draw(3000, 2000), "de": draw(9000, 90000)}},
    "by_language": {"nl": {"tokens_per_word": 1.7, "tokens_per_whitespace_word": 2.12, "bytes_per_token": 3.4}},
    "parallel": table(1.42, 1.21),
}


def with_figures(run: RunFiles, **changes: Any) -> str:
    entry = dict(run.entries["tokenizer"]) | {"figures": FIGURES | changes}
    page = render_report(replace(run, entries={**run.entries, "tokenizer": entry}), Provider(), CONFIG)
    check_page(page)
    return page


def test_the_report_shows_what_each_language_pays(tmp_path: Path) -> None:
    page = with_figures(make_run(tmp_path))
    found = cells(page, "Cost of the same content")
    assert [line[:3] for line in found] == [
        ["Dutch", "yes", "1.42"], ["German", "yes", "1.21"], ["French", "no", "2.50"], ["English", "no", "1.00"],
    ]  # fmt: skip
    assert "the worst is Dutch with 1.42" in page and "costs is 0.051" in page and "e" * 64 in page
    assert cells(page, "What the vocabulary was learnt from")[1] == ["Dutch", "2.0\xa0kB", "3", "3.0\xa0kB", "1.50"]
    assert "lacks them: Western Frisian" in page or "lacks them: Frisian" in page or "lacks them: fy" in page
    assert "Withdrawn since" not in page


def test_before_and_after_parity_stand_side_by_side(tmp_path: Path) -> None:
    parity = {"lowered": True, "before": {"parallel": table(1.9, 1.0)}, "after": {"parallel": table(1.42, 1.21)}}
    page = with_figures(make_run(tmp_path), parity=parity, withdrawn_from_sample=2)
    assert cells(page, "Cost of the same content")[0][:4] == ["Dutch", "yes", "1.42", "1.90"]
    assert "Before: Dutch with 1.90" in page and "Withdrawn since, while the vocabulary was kept: 2 documents" in page
    kept = with_figures(make_run(tmp_path / "b"), parity=parity | {"lowered": False})
    assert "none gave a lower worst premium" in kept


def test_what_was_not_measured_says_why(tmp_path: Path) -> None:
    page = with_figures(make_run(tmp_path), parallel={"not_measured": "npm could not fetch it."})
    assert "were not measured: npm could not fetch it." in page
    assert "Premiums between languages were not measured" in render_report(make_run(tmp_path / "b"), Provider(), CONFIG)


def test_a_partner_is_told_how_many_of_its_documents_were_in_the_sample(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    own = [one["id"] for one in rows() if one["partner"] == PARTNER]
    page = render_statement(run, PARTNER, "en", None)
    assert "Which documents the vocabulary was learnt from is not recorded." in page
    (tmp_path / "tokenizer").mkdir()
    write_ids(tmp_path / "tokenizer" / SAMPLED_IDS, iter(sorted([*own[:3], "f" * 64])))
    assert statement_values(run, PARTNER, None)["vocabulary"] == {"documents": 3, "withdrawn": 0}
    for language, sentence in (
        ("en", "3 of your documents were in the sample from which the vocabulary was learnt."),
        ("nl", "3 van uw documenten zaten in de steekproef waaruit de woordenschat is geleerd."),
    ):
        page = render_statement(run, PARTNER, language, None)  # type: ignore[arg-type]
        assert sentence in page and "has been withdrawn since" not in page and "later ingetrokken. De" not in page


def test_a_withdrawn_document_that_was_in_the_sample_is_admitted(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    gone = rows()[0] | {"use": "none", "reason": "withdrawn", "text_bytes": 0}
    shutil.rmtree(run.ledger)
    write_ledger(run.ledger, [gone, *rows()[1:]])
    (tmp_path / "tokenizer").mkdir()
    write_ids(tmp_path / "tokenizer" / SAMPLED_IDS, iter([gone["id"]]))
    assert statement_values(run, PARTNER, None)["vocabulary"] == {"documents": 1, "withdrawn": 1}
    assert "1 of them has been withdrawn since. The vocabulary was kept" in render_statement(run, PARTNER, "en", None)
    assert "1 daarvan is later ingetrokken" in render_statement(run, PARTNER, "nl", None)
