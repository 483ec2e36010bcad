"""The demo delivery holds what its README says, no less and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from stdnum import iban
from stdnum.nl import bsn

from licensing.agreement import Agreement, load_agreement

CONFIGS = Path(__file__).parents[2] / "configs"
DELIVERY = CONFIGS / "demo" / "de-kade"
KEYS = ["id", "title", "text", "published", "language", "url", "author", "section", "withdrawn"]
ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (DELIVERY / "articles.jsonl").read_text(encoding="utf-8").splitlines()
]
ARTICLES = {row["id"]: row for row in ROWS}
DECOYS = {"not-a-bsn", "not-an-iban", "order-number", "year-range", "version", "emergency-number"}
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
IBAN = re.compile(r"\b[A-Z]{2}\d\d ?[A-Z]{4}(?: ?\d){10}\b")


def _planted() -> list[list[str]]:
    """Rows of the README's tables as lists of cells, the sentence about what should happen left out."""
    rows = []
    for line in (DELIVERY / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) >= 4 and cells[1].startswith("DK-"):
            rows.append(cells[:-1])
    return rows


PLANTED = _planted()


def _of(*kinds: str) -> list[list[str]]:
    return [row for row in PLANTED if row[0] in kinds]


def _values(kind: str) -> set[tuple[str, str]]:
    return {(article, value) for _, article, value in _of(kind)}


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return frozenset(tuple(words[at : at + 5]) for at in range(len(words) - 4))


SHINGLES = {name: _shingles(row["text"]) for name, row in ARTICLES.items()}


def _jaccard(one: str, other: str) -> float:
    return len(SHINGLES[one] & SHINGLES[other]) / len(SHINGLES[one] | SHINGLES[other])


@pytest.fixture(scope="module")
def agreement() -> Agreement:
    return load_agreement(CONFIGS / "agreements" / "de-kade.yaml")


def test_every_line_is_a_whole_article() -> None:
    assert len(ROWS) == 77
    for row in ROWS:
        assert list(row) == KEYS
        assert all(row[key] for key in KEYS if key not in ("published", "withdrawn")), row["id"]
        assert row["language"] == "nl"
        assert row["url"].startswith("https://www.dekade.example/")
        assert 120 <= len(row["text"].split()) <= 260, row["id"]


@pytest.mark.parametrize("key", ["id", "url"])
def test_ids_and_addresses_are_unique(key: str) -> None:
    assert len({row[key] for row in ROWS}) == len(ROWS)


def test_ids_carry_the_year_of_publication() -> None:
    for row in ROWS:
        assert re.fullmatch(r"DK-\d{4}-\d{4}", row["id"])
        if row["published"]:
            assert row["id"][3:7] == row["published"][:4]


def test_readme_lists_each_kind() -> None:
    kinds = {row[0] for row in PLANTED}
    rights = {"outside-period", "withdrawn", "no-date"}
    assert kinds == {"bsn", "phone", "e-mail", "iban", "near-duplicate", "exact-duplicate"} | DECOYS | rights
    assert len({row[1] for row in _of("bsn", "phone", "e-mail", "iban")}) == 10


@pytest.mark.parametrize("planted", _of("bsn", "phone", "e-mail", "iban", *sorted(DECOYS)), ids=" ".join)
def test_planted_value_stands_in_its_article_once(planted: list[str]) -> None:
    _, article, value = planted
    assert ARTICLES[article]["text"].count(value) == 1


def test_e_mail_addresses_are_those_planted() -> None:
    found = {(row["id"], address) for row in ROWS for address in EMAIL.findall(row["text"])}
    assert found == {(article, value) for article, value in _values("e-mail")}
    assert all(address.endswith(".example") for _, address in found)


def _telephone_numbers() -> Iterator[tuple[str, str]]:
    for row in ROWS:
        # The tail of a bank account number can have the form of a telephone number.
        text = IBAN.sub("#", row["text"])
        for match in phonenumbers.PhoneNumberMatcher(text, "NL"):
            yield row["id"], match.raw_string


def test_telephone_numbers_are_those_planted() -> None:
    assert set(_telephone_numbers()) == _values("phone")
    for _, value in _values("phone"):
        assert phonenumbers.is_valid_number(phonenumbers.parse(value, "NL"))


def test_account_numbers_are_those_planted() -> None:
    found = {(row["id"], number) for row in ROWS for number in IBAN.findall(row["text"])}
    assert {pair for pair in found if iban.is_valid(pair[1])} == _values("iban")
    assert {pair for pair in found if not iban.is_valid(pair[1])} == _values("not-an-iban")


def test_citizen_service_numbers_are_those_planted() -> None:
    found = {(row["id"], number) for row in ROWS for number in re.findall(r"\b\d{9}\b", row["text"])}
    assert {pair for pair in found if bsn.is_valid(pair[1])} == _values("bsn")
    assert {pair for pair in found if not bsn.is_valid(pair[1])} == _values("not-a-bsn")


@pytest.mark.parametrize("planted", _of("bsn", "not-a-bsn"), ids=" ".join)
def test_citizen_service_number_has_its_context_word(planted: list[str]) -> None:
    _, article, value = planted
    text = ARTICLES[article]["text"]
    at = text.index(value)
    assert re.search(r"BSN|burgerservicenummer", text[max(0, at - 60) : at])


def test_no_title_holds_personal_data() -> None:
    for row in ROWS:
        assert not EMAIL.search(row["title"])
        assert not re.search(r"\d{6,}", row["title"])


@pytest.mark.parametrize("planted", _of("near-duplicate", "exact-duplicate"), ids=" ".join)
def test_repeated_article_is_as_similar_as_stated(planted: list[str]) -> None:
    kind, later, earlier, stated = planted
    similarity = _jaccard(later, earlier)
    assert f"{similarity:.3f}" == stated
    assert date.fromisoformat(ARTICLES[later]["published"]) > date.fromisoformat(ARTICLES[earlier]["published"])
    if kind == "exact-duplicate":
        assert ARTICLES[later]["text"] == ARTICLES[earlier]["text"]
    else:
        assert 0.85 < similarity < 1
        assert len(ARTICLES[earlier]["text"].split()) >= 200


def test_no_other_articles_resemble_each_other() -> None:
    stated = {frozenset(row[1:3]) for row in _of("near-duplicate", "exact-duplicate")}
    assert len(stated) == 5
    for one, other in combinations(sorted(ARTICLES), 2):
        if frozenset((one, other)) not in stated:
            assert _jaccard(one, other) < 0.01, (one, other)


def test_exactly_one_article_lies_outside_the_content_period(agreement: Agreement) -> None:
    dated = {name: row["published"] for name, row in ARTICLES.items() if row["published"]}
    outside = {(name, day) for name, day in dated.items() if not agreement.content_period.contains(_day(day))}
    assert outside == _values("outside-period")


def test_exactly_one_article_has_no_date() -> None:
    assert {(row["id"], "") for row in ROWS if row["published"] == ""} == _values("no-date")


def test_exactly_one_article_is_withdrawn() -> None:
    assert all(isinstance(row["withdrawn"], bool) for row in ROWS)
    assert {(row["id"], "true") for row in ROWS if row["withdrawn"]} == _values("withdrawn")


def test_agreement_says_what_was_agreed(agreement: Agreement) -> None:
    uses = agreement.permitted_uses
    assert (agreement.id, agreement.partner, agreement.sources) == ("de-kade-2026", "De Kade Pers B.V.", ("de-kade",))
    assert uses.training and uses.commercial and uses.share_weights and uses.sell_outputs
    assert not uses.share_data
    assert (agreement.most_epochs, agreement.verbatim_limit, agreement.hold_out_share) == (4, 160, 0.1)
    assert str(agreement.use_period) == "2026-01-01 to 2027-12-31"


def _day(text: str) -> date:
    return date.fromisoformat(text)
