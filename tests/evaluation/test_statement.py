from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import evaluation.statement
from evaluation.page import template_text
from evaluation.report import render_report
from evaluation.statement import MOST_DOCUMENTS, UnknownPartner, Usage, render_statement, statement_values, write_csv
from evaluation.words import Language
from licensing.canonical import canonical
from tests.evaluation.made_run import CONFIG, NASTY, PARTNER, Provider, make_run, row, usage, write_ledger, write_roots
from tests.evaluation.test_report import cells, check_page

LANGUAGES: tuple[Language, ...] = ("en", "nl")
TABLE = yaml.safe_load(template_text("statement.yaml"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_six_answers_come_first_and_the_page_stands_alone(tmp_path: Path, language: Language) -> None:
    page = render_statement(make_run(tmp_path), PARTNER, language, usage())
    check_page(page)
    asked = [
        page.index(TABLE[f"q_{one}"][language]) for one in ("received", "used", "purpose", "repeat", "receive", "stop")
    ]
    assert asked == sorted(asked) and asked[-1] < page.index(TABLE["part_a"][language])
    assert NASTY not in page and "&lt;script&gt;" in page
    assert f'<html lang="{language}">' in page


def test_dutch_figures_are_dutch(tmp_path: Path) -> None:
    page = render_statement(make_run(tmp_path), PARTNER, "nl", usage())
    assert "1.234 tokens" in page and "5,67%" in page and "1.234.567" in page
    assert "<strong>3</strong> documenten" in page and "1 apart gehouden als controle" in page
    assert "3\N{NO-BREAK SPACE}juni 2026" in page
    assert "not measured" not in page and "the agreement" not in page


def test_both_languages_have_the_same_sentences_with_the_same_names() -> None:
    for key, said in TABLE.items():
        assert set(said) == set(LANGUAGES), key
        english, dutch = (said[one] if isinstance(said[one], list) else [said[one]] for one in LANGUAGES)
        names = {tuple(sorted(set(re.findall(r"{(\w+)}", one)))) for one in [*english, *dutch]}
        assert len(english) == len(dutch) and len(names) == 1, key


def test_every_sentence_is_used() -> None:
    folder = Path(evaluation.statement.__file__).parent
    used = "".join(
        path.read_text() for path in [folder / "statement.py", *(folder / "templates").glob("statement*.html")]
    )
    unspoken = {key for key in TABLE if f'"{key}"' not in used}
    made_up = ("how_", "c_", "note_", "part_")
    assert {key for key in unspoken if not key.startswith(made_up)} == {"commercial", "research"}


def test_values_are_plain_and_add_up(tmp_path: Path) -> None:
    values = statement_values(make_run(tmp_path), PARTNER, usage())
    assert json.loads(canonical(values))["received"]["documents"] == 10
    assert sum(values["ends"].values()) == sum(one["documents"] for one in values["reasons"]) == 10
    assert values["removed"] == 3 and values["withdrawn"] == 1
    assert len(values["documents"]) == 10 and values["documents_left_out"] == 0
    assert {one["native_id"]: one["times_read"] for one in values["documents"]}["stuk-003"] == 4
    assert values["proof"]["root"] == "b" * 64


def test_a_checkpoint_is_clean_until_the_step_after_the_first(tmp_path: Path) -> None:
    values = statement_values(make_run(tmp_path), PARTNER, usage())
    assert values["checkpoints"] == {"with_your_text": [50, 100], "without": [10, 12]}
    unread = replace(usage(), first_step=None, last_step=None)
    assert statement_values(make_run(tmp_path / "b"), PARTNER, unread)["checkpoints"]["with_your_text"] == []


def test_clauses_say_what_was_found(tmp_path: Path) -> None:
    agreement = statement_values(make_run(tmp_path), PARTNER, usage())["agreements"][0]
    found = {one["field"]: one["found"] for one in agreement["enforced"]}
    assert found["content_period"] == {"n": 1, "undated": 0}
    assert found["most_epochs"] == {"most": 4}
    assert found["hold_out_share"] == {"held_out": 1, "kept": 4, "share": 0.25}
    assert found["verbatim_limit"] == {"longest": 77}
    assert agreement["not_enforced"][0]["field"] == "purpose"
    assert agreement["remuneration"]["count"] == 1200


def test_many_saved_states_do_not_fill_the_first_page(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    for step in range(200, 900, 100):
        (run.checkpoints / f"step-{step:08d}").mkdir()
    page = render_statement(run, PARTNER, "en", usage())
    assert "(by steps done): 9, from 50 to 800; that did not: 10, 12." in page
    assert "50, 100, 200, 300, 400" in page.partition('id="part-f"')[2], "all of them, in the section"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_partner_that_was_not_read_is_told_so_and_nothing_of_others(tmp_path: Path, language: Language) -> None:
    unread = Usage(0, 0, 0.0, None, None, 0.0, {}, 0)
    page = render_statement(make_run(tmp_path), PARTNER, language, unread)
    told = ("a_read_nothing", "unit_without", "a_repeat_nothing", "a_stop_clean")
    assert all(TABLE[key][language] in page for key in told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_not_measured_is_said_to_be_so(tmp_path: Path, language: Language) -> None:
    page = render_statement(make_run(tmp_path, trained=False), PARTNER, language, None)
    assert TABLE["a_repeat_none"][language] in page and TABLE["a_read_none"][language] in page
    assert {"en": "not measured", "nl": "niet gemeten"}[language] in page


def test_a_root_over_another_number_of_documents_is_called_out(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    write_roots(run.corpus, size=9)
    assert "Attention" in render_statement(run, PARTNER, "en", usage())


def test_probes_too_short_to_tell_are_not_taken_for_a_clean_result(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    assert "long enough" not in render_statement(run, PARTNER, "en", usage())
    suite = run.suite("memorisation")
    assert suite
    suite["groups"][0]["long_possible"], suite["long_span"] = 0, 160
    (tmp_path / "evaluation" / "memorisation.json").write_text(json.dumps(suite))
    assert "long enough to show 160 characters" in render_statement(run, PARTNER, "en", usage())
    assert "no probe of the training text was long enough" in render_report(run, Provider(), CONFIG)


def test_the_rights_tables_hold_every_document(tmp_path: Path) -> None:
    page = render_statement(make_run(tmp_path), PARTNER, "en", usage())
    assert sum(int(one[3]) for one in cells(page, "Decisions on rights")) == 10
    ends = [int(one[2]) for one in cells(page, "Documents by end and reason")]
    assert sum(ends[:-1]) == ends[-1] == 10


def test_a_long_list_is_cut_and_says_where_the_rest_is(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    many = [
        row(number, {"source": "s", "partner": PARTNER, "decision_reason": "licence-admitted"}) for number in range(700)
    ]
    write_ledger(tmp_path / "ledger", many)
    (tmp_path / "config.yaml").write_bytes((tmp_path / "run" / "config.yaml").read_bytes())
    run = replace(run, ledger=tmp_path / "ledger")
    values = statement_values(run, PARTNER, None)
    assert (len(values["documents"]), values["documents_left_out"]) == (MOST_DOCUMENTS, 200)
    page = render_statement(run, PARTNER, "nl", None, csv_name="kade.csv")
    assert "kade.csv" in page and "500 van 700 documenten" in page
    file = io.StringIO()
    assert write_csv(file, run, PARTNER, None) == 700
    assert len(list(csv.DictReader(io.StringIO(file.getvalue())))) == 700


def test_a_title_cannot_become_a_formula(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    write_ledger(
        tmp_path / "ledger", [row(1, {"partner": PARTNER, "source": "s", "decision_reason": "x"}, title="=1+1")]
    )
    file = io.StringIO()
    write_csv(file, replace(run, ledger=tmp_path / "ledger"), PARTNER, usage())
    assert next(csv.DictReader(io.StringIO(file.getvalue())))["title"] == "'=1+1"


def test_an_unknown_partner_is_an_error_that_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownPartner, match="Known partners: De Kade"):
        statement_values(make_run(tmp_path), "Nobody", None)
