"""The sections of a statement that tell of digests, codes, reservations, amounts, withdrawals and change."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from evaluation.page import Numbers, template_text
from evaluation.report import render_report
from evaluation.run_files import RunFiles
from evaluation.statement import render_statement, statement_values
from evaluation.statement_changes import OtherStatement, former_statement, read_statement
from evaluation.statement_figures import read_statement_figures
from evaluation.statement_remuneration import remuneration_values
from evaluation.words import Language
from licensing.canonical import canonical
from licensing.remuneration import Cap, RemunerationError, RemunerationPolicy, Use
from tests.evaluation.made_run import AGREEMENT, CONFIG, PARTNER, Provider, make_run, rows, usage, write_ledger
from tests.evaluation.test_report import cells, check_page

LANGUAGES: tuple[Language, ...] = ("en", "nl")
TABLE = yaml.safe_load(template_text("statement.yaml"))
SECTIONS = "abcdefghijklmn"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sections_stand_in_order_and_the_contents_lead_to_them(tmp_path: Path, language: Language) -> None:
    page = render_statement(make_run(tmp_path), PARTNER, language, usage())
    check_page(page)
    places = [page.index(f'<h2 id="part-{part}">') for part in SECTIONS]
    assert places == sorted(places)
    assert [f"#part-{part}" for part in SECTIONS] == re.findall(r'<a href="(#part-.)">', page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_has_one_figure_and_no_jargon(tmp_path: Path, language: Language) -> None:
    page = render_statement(make_run(tmp_path), PARTNER, language, usage())
    answers = page[page.index('class="answers"') : page.index('<nav class="line"')]
    assert answers.count('class="figure"') == answers.count("<h2>") == 6
    text = re.sub("<[^>]+>", " ", answers).lower()
    jargon = ["checkpoint", "digest", "hash", "parameter", "epoch", "merkle", "weights", "gewichten", "sha-256"]
    assert not [word for word in jargon if word in text]
    assert ("a word or a part of one" in text) or ("een woord of een deel daarvan" in text)


def test_the_texts_that_decided_are_fixed_by_their_digests(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    other = AGREEMENT.model_copy(update={"id": "other-2026", "partner": "Another"})
    run = replace(run, agreements={**run.agreements, other.id: other})
    before = statement_values(run, PARTNER, usage())["digests"]
    assert "other-2026" not in json.dumps(statement_values(run, PARTNER, usage()))
    assert before["agreements"] == {AGREEMENT.id: None} and before["licence_table"] is None
    folder = tmp_path / "rights" / "agreements"
    folder.mkdir(parents=True)
    values = AGREEMENT.model_dump(mode="json", by_alias=True)
    (folder / "kade.yaml").write_text(yaml.safe_dump(values))
    (tmp_path / "rights" / "licences.yaml").write_text("licences: {}\n")
    after = statement_values(run, PARTNER, usage())["digests"]
    for found, path in ((after["agreements"][AGREEMENT.id], folder / "kade.yaml"),):
        assert found == hashlib.sha256(path.read_bytes()).hexdigest()
    assert after["licence_table"] == hashlib.sha256(b"licences: {}\n").hexdigest()
    assert after["policy"] == before["policy"] == hashlib.sha256(canonical(CONFIG["policy"])).hexdigest()


def test_what_no_document_carries_is_not_recorded_and_not_nothing(tmp_path: Path) -> None:
    write_ledger(tmp_path / "ledger", rows())
    found = read_statement_figures(tmp_path / "ledger", PARTNER)
    assert found.isccs is None and found.reservations is None and found.own_ids == 10
    run = replace(make_run(tmp_path / "run"), ledger=tmp_path / "ledger")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    page = render_statement(run, PARTNER, "en", usage())
    assert TABLE["reservations_none"]["en"] in page
    assert ["By ISCC (International Standard Content Code, ISO 24138)", "not recorded"] in cells(page, "How your doc")


def test_reservations_and_codes_are_counted_where_they_are_recorded(tmp_path: Path) -> None:
    made = [one for one in rows() if one["partner"] == PARTNER]
    signal = {
        "protocol": "robots.txt",
        "value": "disallowed",
        "where": "https://x.example/robots.txt",
        "sha256": "0" * 64,
    }
    for number, one in enumerate(made):
        state = ("allowed", "disallowed")[number % 2]
        one["iscc"] = "ISCC:KAA" if number < 4 else None
        one["basis_evidence"] = "signal" if number < 2 else None
        one["reservation"] = {"state": state, "as_of": f"2026-05-{10 + number}", "signals": [signal] * (number % 3)}
    made[9]["reservation"] = None
    write_ledger(tmp_path / "ledger", made)
    run = replace(make_run(tmp_path / "run"), ledger=tmp_path / "ledger")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    values = statement_values(run, PARTNER, usage())
    assert values["identified"]["isccs"] == 4
    told = values["reservations"]
    assert told["states"] == [{"state": "allowed", "documents": 5}, {"state": "disallowed", "documents": 4}]
    assert told["signals"] == [{"protocol": "robots.txt", "value": "disallowed", "documents": 6}]
    assert (told["first"], told["last"]) == ("2026-05-10", "2026-05-18")
    page = render_statement(run, PARTNER, "nl", usage())
    check_page(page)
    assert ["Gebruik voorbehouden, dus niet toegestaan", "4"] in cells(page, "Voorbehouden, in documenten")
    assert values["documents"][0]["iscc"] == "ISCC:KAA"
    report = render_report(run, Provider(), CONFIG)
    assert "No reservation of rights" not in report and "robots.txt" in report


def _paid(policy: dict[str, Any], **others: Use) -> dict[str, Any]:
    terms = RemunerationPolicy(**{"key": "tokens-scored", "who": "agreements", "currency": "EUR"} | policy)
    table = {PARTNER: Use(1200, 3, 3), **others}
    return remuneration_values(table, terms, "d" * 64, 1_000_000, PARTNER, {AGREEMENT.id: AGREEMENT})


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_partner_sees_its_amount_and_nothing_of_another(tmp_path: Path, language: Language) -> None:
    paid = _paid({"cap": Cap(share="0.4")}, **{"Andere Uitgever": Use(2800, 1, 1)})
    assert (paid["paid"], paid["undistributed"], paid["count_of_all"]) == (400_000, 200_000, 4000)
    run = make_run(tmp_path)
    page = render_statement(run, PARTNER, language, usage(), remuneration=paid)
    check_page(page)
    amount = Numbers(language).money(400_000, "EUR")
    assert f"<strong>{amount}</strong>" in page and "Andere" not in page
    assert "Andere" not in json.dumps(statement_values(run, PARTNER, usage(), remuneration=paid))
    keys = cells(page, TABLE["keys_caption"][language])
    assert [one[1] for one in keys] == [Numbers(language).whole(1200), "3", "3"] and len(keys) == 3
    assert TABLE["note_cap_leaves_rest"][language] in page and TABLE["a_receive_cap"][language] in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_do_not_run_into_each_other(tmp_path: Path, language: Language) -> None:
    run, paid = make_run(tmp_path), _paid({"cap": Cap(share="0.4")})
    _probe_own(tmp_path, run)
    for page in (
        render_statement(run, PARTNER, language, usage(), remuneration=paid, csv_name="list.csv"),
        render_statement(replace(run, withdrawals=(WITHDRAWAL,)), PARTNER, language, usage()),
    ):
        blocks = re.sub("</(?:p|li|td|th|h2|h3|caption)>", " ", page.partition("</style>")[2])
        text = re.sub("<[^>]+>", "", blocks)
        assert not re.search(r"[a-z0-9)][.:][A-Z]", text.replace("B.V.", ""))


def test_a_policy_against_the_agreement_is_refused() -> None:
    with pytest.raises(RemunerationError, match=r"names 'tokens-scored' \(art\. 11\)"):
        _paid({"key": "documents"})


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_an_amount_the_key_and_the_count_are_stated(tmp_path: Path, language: Language) -> None:
    page = render_statement(make_run(tmp_path), PARTNER, language, usage())
    assert TABLE["a_receive_no_amount"][language] in page
    assert cells(page, TABLE["agreed_caption"][language])[0][-1] == Numbers(language).whole(1200)


def test_amounts_are_written_as_each_language_writes_them() -> None:
    en, nl = Numbers("en"), Numbers("nl")
    assert (en.money(123_456_789, "EUR"), nl.money(123_456_789, "EUR")) == (
        "€1,234,567.89",
        "€\N{NO-BREAK SPACE}1.234.567,89",
    )
    assert (en.money(-5, "EUR"), nl.money(100, "CHF")) == ("−€0.05", "CHF\N{NO-BREAK SPACE}1,00")
    assert nl.day("2026-03-01T10:00") == "1\N{NO-BREAK SPACE}maart 2026"


WITHDRAWAL = {
    "number": 1, "reason": "Author's wish", "requested": "2026-06-04", "effective": "2026-06-10", "documents": 2,
    "near_duplicates": 1, "tokens": 400, "clean_checkpoint": 12, "checkpoints_with": [50, 100],
    "states": [{"state": "requested", "date": "2026-06-04"}, {"state": "frozen", "date": "2026-06-05"}],
    "releases": [{"name": "v1", "recalled": None}],
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_withdrawal_says_where_it_stands(tmp_path: Path, language: Language) -> None:
    others = WITHDRAWAL | {"number": 2, "documents": 0, "near_duplicates": 0, "reason": "of another partner"}
    run = replace(make_run(tmp_path), withdrawals=(WITHDRAWAL, others))
    page = render_statement(run, PARTNER, language, usage())
    check_page(page)
    states = cells(page, TABLE["states_caption"][language])
    not_yet = TABLE["not_yet"][language]
    assert [one[1] == not_yet for one in states] == [False, False, True, True, True]
    assert "Author&#39;s wish" in page and "of another partner" not in page
    assert "50, 100" in page and cells(page, TABLE["releases_caption"][language]) == [["v1", not_yet]]


def test_the_report_lists_withdrawals_without_their_reasons(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    assert "No withdrawal has been asked for" in render_report(run, Provider(), CONFIG)
    page = render_report(replace(run, withdrawals=(WITHDRAWAL,)), Provider(), CONFIG)
    assert cells(page, "Withdrawals")[0][:3] == ["1", "4\N{NO-BREAK SPACE}June 2026", "2"]
    assert "Author" not in page.partition('id="withdrawals"')[2].partition("<h2")[0]


def _probe_own(folder: Path, run: RunFiles) -> None:
    suite = run.suite("memorisation")
    assert suite
    group = {
        "probes": 8,
        "low": 0.0,
        "high": 0.3,
        "share": 0.25,
        "longest_characters": 98765,
        "long": 1,
        "long_possible": 4,
    }
    groups = [
        {"group": "trained", "documents": 4, "exact": 1} | group,
        {"group": "held-out", "documents": 2, "exact": 0} | group,
    ]
    difference = {"share": 0.25, "low": -0.7, "high": 0.6, "visible_from": None}
    suite["agreements"] = {AGREEMENT.id: {"groups": groups, "difference": difference}, "other": {"groups": groups}}
    (folder / "evaluation" / "memorisation.json").write_text(json.dumps(suite))


def test_own_probes_are_shown_to_the_partner_and_totals_to_everyone(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    _probe_own(tmp_path, run)
    values = statement_values(run, PARTNER, usage())
    assert [one["agreement"] for one in values["memorisation"]["own"]] == [AGREEMENT.id]
    assert {one["field"]: one["found"] for one in values["agreements"][0]["enforced"]}["verbatim_limit"] == {
        "longest": 98765
    }
    page = render_statement(run, PARTNER, "en", usage())
    assert "of 4 documents of yours" in page and "no number would have shown a difference" in page
    assert "98,765" in page and "98,765" not in render_report(run, Provider(), CONFIG)


def test_of_several_agreements_the_one_with_most_probes_comes_first(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    _probe_own(tmp_path, run)
    suite = json.loads((tmp_path / "evaluation" / "memorisation.json").read_bytes())
    second = AGREEMENT.model_copy(update={"id": "second"})
    large = json.loads(json.dumps(suite["agreements"][AGREEMENT.id]))
    large["groups"][0] |= {"documents": 9, "exact": 3}
    suite["agreements"]["second"] = large
    (tmp_path / "evaluation" / "memorisation.json").write_text(json.dumps(suite))
    made = rows()
    made[1]["agreement"] = "second"
    write_ledger(tmp_path / "again" / "ledger", made)
    (tmp_path / "again" / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    run = replace(run, ledger=tmp_path / "again" / "ledger", agreements={**run.agreements, "second": second})
    agreed = statement_values(run, PARTNER, usage())["agreements"]
    assert [one["remuneration"]["count"] for one in agreed] == [None, None], "of which agreement is not known"
    page = render_statement(run, PARTNER, "en", usage())
    assert "<strong>3</strong> of 9 documents of yours (agreement second)" in page
    assert len(cells(page, "Your documents under agreement second")) == 2


def test_what_changed_since_the_former_statement(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    former = statement_values(run, PARTNER, usage())
    assert former["changes"] is None and TABLE["change_first"]["en"] in render_statement(run, PARTNER, "en", usage())
    same = statement_values(run, PARTNER, usage(), former=former)["changes"]
    assert same["differences"] == []
    now = statement_values(run, PARTNER, replace(usage(), tokens_read=2000), former=former)["changes"]
    assert now["differences"] == [{"what": "tokens_read", "agreement": None, "before": 1234, "now": 2000}]
    page = render_statement(run, PARTNER, "nl", replace(usage(), tokens_read=2000), former=former)
    assert cells(page, "Wat verschilt") == [["Gelezen tokens", "1.234", "2.000"]]


def test_a_former_statement_is_found_kept_and_never_mistaken(tmp_path: Path) -> None:
    values = {"partner": PARTNER, "format": "herkomst-statement-v2", "state": "one"}
    assert former_statement(tmp_path, "s", PARTNER, "two") is None
    (tmp_path / "s.json").write_text(json.dumps(values))
    assert former_statement(tmp_path, "s", PARTNER, "two") == values
    assert former_statement(tmp_path, "s", PARTNER, "one") is None
    (tmp_path / "s.json").write_text(json.dumps(values | {"state": "two"}))
    (tmp_path / "s.previous.json").write_text(json.dumps(values))
    assert former_statement(tmp_path, "s", PARTNER, "two") == values
    for wrong in ({"partner": "Another"}, {"format": "old"}):
        (tmp_path / "wrong.json").write_text(json.dumps(values | wrong))
        with pytest.raises(OtherStatement, match=r"wrong\.json"):
            read_statement(tmp_path / "wrong.json", PARTNER)
    (tmp_path / "wrong.json").write_text("{")
    with pytest.raises(OtherStatement, match="no statement could be read"):
        read_statement(tmp_path / "wrong.json", PARTNER)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_clause_that_software_cannot_enforce_stands_in_every_report(tmp_path: Path, language: Language) -> None:
    run: RunFiles = make_run(tmp_path)
    statement = render_statement(run, PARTNER, language, usage())
    listed = {one[0] for one in cells(statement, TABLE["not_enforced_caption"][language].partition(":")[0])}
    assert len(listed) == len(AGREEMENT.not_enforced())
    report = render_report(run, Provider(), CONFIG)
    assert len(cells(report, "Not enforced by software")) == len(AGREEMENT.not_enforced())
    gap = report.partition("Not enforced by software")[2].partition("</dl>")[0]
    for clause in [*(clause for _, _, clause in AGREEMENT.not_enforced()), AGREEMENT.clause("verbatim_limit")]:
        assert clause in gap
