from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

from data_curation.personal_settings import Kind
from evaluation.ledger_figures import read_figures, way_ended
from evaluation.page import Numbers
from evaluation.report import render_report, report_values
from evaluation.words import PERSONAL_DATA, reason
from licensing import verify
from licensing.reasons import REASONS
from tests.evaluation.made_run import CONFIG, NASTY, PARTNER, Provider, make_run, row, rows, write_ledger

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Outline(HTMLParser):
    """Checks that every element is closed in order, and gathers what a page would request."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.requests: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.requests += [value or "" for name, value in attrs if name in ("src", "srcset", "background", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes something else"


def check_page(page: str) -> Outline:
    outline = Outline(page)
    assert not outline.open
    assert not outline.requests
    assert not outline.tags & {"script", "iframe", "link", "img", "object", "embed"}
    assert "url(" not in page and "@import" not in page
    return outline


def cells(page: str, caption: str) -> list[list[str]]:
    """The texts of a table's cells, found by the start of its caption."""
    table = page[page.index(f"<caption>{caption}") :]
    body = table[: table.index("</table>")]
    found = re.findall(r"<tr>(.*?)</tr>", body, re.S)[1:]
    return [[re.sub("<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", one, re.S)] for one in found]


def test_every_document_is_counted_once_and_ends_somewhere(tmp_path: Path) -> None:
    write_ledger(tmp_path / "ledger", rows())
    figures = read_figures(tmp_path / "ledger")
    assert figures.total.documents == len(rows()) == sum(size.documents for size in figures.ends.values())
    assert sum(found.size.documents for found in figures.verdicts.values()) == len(rows())
    ends = {end: figures.end(end).documents for _, end in figures.ends}
    assert ends == {
        "train": 5, "held-out": 2, "refused": 3, "review": 1, "unreadable": 1, "duplicates": 2, "quality": 1,
        "language": 1,
    }  # fmt: skip
    assert figures.repeated_deliveries == 2
    assert (figures.personal_data["email"].places, figures.personal_data["email"].documents) == (5, 2)
    assert figures.alterations == {"repeats-cut": 1}


def test_counts_do_not_depend_on_how_the_ledger_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ledger(tmp_path / "one", rows())
    monkeypatch.setattr("data_curation.ledger_table.GROUP_ROWS", 2)
    monkeypatch.setattr("data_curation.ledger_table.GROUPS_IN_PART", 2)
    monkeypatch.setattr("licensing.ledger.GROUP_ROWS", 2)
    monkeypatch.setattr("licensing.ledger.GROUPS_IN_PART", 2)
    write_ledger(tmp_path / "many", rows())
    assert len(list((tmp_path / "many").glob("*/part-*.parquet"))) > 2
    whole = read_figures(tmp_path / "one")
    monkeypatch.setattr("evaluation.ledger_figures._BATCH_ROWS", 3)
    assert read_figures(tmp_path / "many") == whole


def test_one_partner_is_counted_apart(tmp_path: Path) -> None:
    write_ledger(tmp_path / "ledger", rows())
    figures = read_figures(tmp_path / "ledger", PARTNER)
    assert figures.total.documents == 10 and figures.sources() == ["de-kade"]
    assert not read_figures(tmp_path / "ledger", "nobody").total.documents


def test_an_admitted_document_that_vanished_is_said_to_be_unexplained() -> None:
    assert way_ended("admit", "licence-admitted", "none") == "unexplained"
    assert way_ended("refuse", "unreadable-empty", "none") == "unreadable"


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        ("duplicate-near", "duplicates"),
        ("repeats-nothing-left", "duplicates"),
        ("language-mixed", "language"),
        ("quality-too-short", "quality"),
        ("contaminated", "other"),
        ("harm-word-list", "other"),
        ("block-dropped", "other"),
    ],
)
def test_no_document_is_said_to_be_of_low_quality_that_another_rule_removed(reason: str, end: str) -> None:
    assert way_ended("admit", reason, "none") == end
    assert verify.way_ended({"decision": "admit", "reason": reason, "use": "none"}) == end


def test_every_kind_of_personal_data_that_is_looked_for_has_a_name() -> None:
    assert set(PERSONAL_DATA) == set(get_args(Kind))


def test_the_page_stands_alone_and_is_the_same_twice(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    page = render_report(run, Provider(), CONFIG)
    check_page(page)
    assert page == render_report(run, Provider(), CONFIG)
    assert str(tmp_path) not in page


def test_the_tables_say_what_the_ledger_says(tmp_path: Path) -> None:
    page = render_report(make_run(tmp_path), Provider(), CONFIG)
    assert cells(page, "Documents by source") == [
        ["de-kade", "10", "10.0\N{NO-BREAK SPACE}kB", "6", "1", "2", "1", "3"],
        ["debian", "6", "6.0\N{NO-BREAK SPACE}kB", "5", "0", "1", "0", "2"],
    ]
    funnel = cells(page, "Documents left after each step")
    assert [one[1] for one in funnel] == ["16", "15", "11", "10", "9", "9", "7", "5"]
    verdicts = cells(page, "Decisions on rights")
    assert ["Refused", "debian", "GPL-3.0-only", "1"] in [one[:4] for one in verdicts]
    assert sum(int(one[3]) for one in verdicts) == 16
    assert cells(page, "Documents under a choice of licences") == [
        ["GPL-2.0-or-later OR CC-BY-SA-3.0", "CC-BY-SA-3.0", "admitted", "5"]
    ]
    scores = cells(page, "Bits needed per byte")
    assert scores[0][:4] == ["Dutch", "2.100", "2.000 to 2.200", "2.900"]
    assert scores[1][2] == "–", "one document gives no interval"
    assert 'href="https://creativecommons.org/licenses/by-sa/3.0/"' in page and "A. Müller" in page
    assert "Bron: De Kade" in page
    assert "name the author or source (s. 4(c)); keep the licence notice (s. 4(a))" in page
    assert "3 documents used, 1 of them without a named author" in page


def test_gaps_come_first_and_name_what_is_missing(tmp_path: Path) -> None:
    page = render_report(make_run(tmp_path), Provider(), CONFIG)
    assert page.index('class="gaps"') < page.index('id="received"')
    gaps = dict(report_values(make_run(tmp_path / "again"), Provider(), CONFIG)["gaps"])
    assert any("continuation" in one for one in gaps["Not measured"])
    assert any("No signed statement of: evaluate" in one for one in gaps["Not measured"])
    assert any("Names of persons" in one for one in gaps["Not measured"]), "a kind that is switched off is named"
    assert any("80 W assumed" in one for one in gaps["Estimated or drawn from a sample"])
    assert any("art. 10" in one for one in gaps["Not enforced by software"])
    assert any("German" in one for one in gaps["Worse than it should be"])


def test_nothing_is_guessed_where_nothing_was_trained(tmp_path: Path) -> None:
    page = render_report(make_run(tmp_path, trained=False), Provider(), CONFIG)
    check_page(page)
    assert "no model was trained yet" in page
    assert "not measured" in page and "0 parameters" not in page
    assert "polyline" not in page


def test_a_damaged_suite_is_an_error_and_not_a_gap(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    (tmp_path / "evaluation" / "memorisation.json").write_text("{")
    with pytest.raises(ValueError, match=r"memorisation\.json"):
        render_report(run, Provider(), CONFIG)


def test_received_text_cannot_become_markup(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    nasty = dict.fromkeys(("source", "licence", "author", "decision_clause", "decision_explanation", "conflict"), NASTY)
    duty = {"kind": "attribution", "value": "X (javascript:alert(1))", "clause": NASTY}
    write_ledger(tmp_path / "bad" / "ledger", [row(1, {"partner": NASTY, "language": NASTY, "duties": [duty]}, **nasty,
                                                   decision_reason=NASTY, title=NASTY)])  # fmt: skip
    bad = type(run)(**{name: getattr(run, name) for name in run.__slots__} | {"ledger": tmp_path / "bad" / "ledger"})
    page = render_report(bad, Provider(NASTY, NASTY, NASTY), CONFIG)
    check_page(page)
    assert NASTY not in page and "&lt;script&gt;" in page
    assert 'href="javascript' not in page


@pytest.mark.parametrize("code", [*REASONS, "quality-repetition-top-3-gram", "duplicate-near", "unreadable-other"])
def test_every_reason_has_words_in_both_languages(code: str) -> None:
    assert reason(code, "en") != reason(code, "nl")
    assert "no explanation" not in reason(code, "en")


def test_a_reason_nobody_put_in_words_is_shown_as_it_is() -> None:
    assert "brand-new" in reason("brand-new", "en") and "no explanation" in reason("brand-new", "en")


def test_numbers_are_written_as_each_language_writes_them() -> None:
    en, nl = Numbers("en"), Numbers("nl")
    assert (en.whole(1234567), nl.whole(1234567)) == ("1,234,567", "1.234.567")
    assert (en.decimal(1234.5), nl.decimal(1234.5)) == ("1,234.50", "1.234,50")
    assert (en.share(0.1234), nl.share(0.1234)) == ("12.3%", "12,3%")
    assert (en.share(0.00001), en.share(0.0), nl.share(0.00001)) == ("< 0.1%", "0.0%", "< 0,1%")
    assert (en.whole(None), nl.share(None), en.size(None)) == ("not measured", "niet gemeten", "not measured")
    assert en.energy(3_600_000 * 2) == "2.00 kWh" and en.energy(3600) == "1.0 Wh"
    assert en.between(None, 0.5) == "–" and nl.between(0.1, 0.5) == "10,0% tot 50,0%"
