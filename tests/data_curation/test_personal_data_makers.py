"""The makers of planted personal data: check digits against others' rules and published examples, and the counting."""

import json
import re
import subprocess
import sys
from importlib import import_module
from random import Random

import phonenumbers
import pytest
from stdnum import iban as stdnum_iban
from stdnum import luhn as stdnum_luhn

from benchmarks import udhr
from benchmarks.personal_data_makers import banking, contacts, dates, digits, near_misses, planting, plates
from benchmarks.personal_data_makers.carriers import carriers
from benchmarks.personal_data_makers.intervals import wilson
from benchmarks.personal_data_makers.measures import Counts, Span, covered, outcomes, precision
from benchmarks.personal_data_makers.registered import IDENTIFIERS

STDNUM = {
    "vnr": "at.vnr", "nn": "be.nn", "egn": "bg.egn", "tic": "cy.vat", "idnr": "de.idnr", "cpr": "dk.cpr", "ik": "ee.ik",
    "dni": "es.nif", "hetu": "fi.hetu", "nir": "fr.nir", "amka": "gr.amka", "oib": "hr.oib", "pps": "ie.pps",
    "codicefiscale": "it.codicefiscale", "asmens": "lt.asmens", "pk": "lv.pvn", "bsn": "nl.bsn", "pesel": "pl.pesel",
    "nif": "pt.nif", "cc": "pt.cc", "cnp": "ro.cnp", "personnummer": "se.personnummer", "emso": "si.emso",
}  # fmt: skip
BY_NAME = {(each.country, each.name): each for each in IDENTIFIERS}


def bare(written):
    return re.sub(r"[\s./()-]|\u2013", "", written)


@pytest.mark.parametrize(
    "identifier", [each for each in IDENTIFIERS if each.name in STDNUM], ids=lambda each: each.name
)
def test_identifiers_are_valid_by_an_independent_library(identifier):
    rule = import_module(f"stdnum.{STDNUM[identifier.name]}")
    # That library wants to see the sign of the century and the hyphen there.
    as_it_is = identifier.name in ("hetu", "personnummer")
    for seed in range(60):
        written = identifier.make(Random(seed))
        rule.validate(written if as_it_is else bare(written))


@pytest.mark.parametrize("country", ["CZ", "SK"])
def test_birth_numbers_are_valid_by_an_independent_library(country):
    rule = import_module(f"stdnum.{country.lower()}.rc")
    for seed in range(60):
        rule.validate(bare(BY_NAME[country, "rc"].make(Random(seed))))


def test_the_published_examples_of_cyprus_and_hungary_have_the_digits_that_the_makers_would_give():
    # European Commission, TIN algorithms (public), examples 00123123T and 8071592153.
    class Given(Random):
        def __init__(self, first, rest):
            super().__init__(0)
            self.first, self.rest = first, list(rest)

        def choice(self, among):
            return self.first if self.first in among else among[0]

        def randrange(self, *bounds):
            return int(self.rest.pop(0))

    assert BY_NAME["CY", "tic"].make(Given("0", "0123123")) == "00123123T"
    assert BY_NAME["HU", "adoazonosito"].make(Given("", ["07159", *"215"])) == "8071592153"


def test_hungarian_personal_and_health_numbers_follow_the_law():
    for seed in range(60):
        person = bare(BY_NAME["HU", "szig"].make(Random(seed)))
        born_from_1997 = person[0] in "34" or int(person[1:3]) >= 97
        places = range(10, 0, -1) if born_from_1997 else range(1, 11)
        assert sum(int(digit) * place for digit, place in zip(person[:10], places, strict=True)) % 11 == int(person[10])
        health = [int(digit) for digit in bare(BY_NAME["HU", "taj"].make(Random(seed)))]
        assert (3 * sum(health[:8:2]) + 7 * sum(health[1:8:2])) % 10 == health[8]


def test_luxembourg_has_both_check_digits_of_the_published_example():
    # European Commission, TIN algorithms (public), example 1893120105732.
    assert digits.luhn("18931201057") + digits.verhoeff("18931201057") == "32"
    for seed in range(60):
        number = bare(BY_NAME["LU", "matricule"].make(Random(seed)))
        assert stdnum_luhn.is_valid(number[:12])
        assert import_module("stdnum.verhoeff").is_valid(number[:11] + number[12])


def test_maltese_cards_have_seven_digits_at_most_and_a_letter_of_a_register():
    for seed in range(60):
        assert re.fullmatch(r"\d{5,7}[MGALPHBZ]", bare(BY_NAME["MT", "idcard"].make(Random(seed))))


def test_finnish_signs_of_2023_and_corsican_departments_and_danish_numbers_without_check_digit_occur():
    signs = {BY_NAME["FI", "hetu"].make(Random(seed))[6] for seed in range(300)}
    assert signs == set("-YXWVUABCDEF")
    assert any("2A" in BY_NAME["FR", "nir"].make(Random(seed)) for seed in range(300))
    checksum = import_module("stdnum.dk.cpr").checksum
    assert {checksum(bare(BY_NAME["DK", "cpr"].make(Random(seed)))) == 0 for seed in range(60)} == {True, False}


@pytest.mark.parametrize("country", sorted(banking._BBAN))
def test_ibans_are_valid_in_their_country(country):
    for seed in range(30):
        number = banking.iban(Random(seed), country)
        # That library also asks whether a Belgian bank exists; ours are made up.
        assert stdnum_iban.is_valid(number.replace("\u00a0", " "), check_country=country != "BE")


def test_cards_pass_luhn():
    assert all(stdnum_luhn.is_valid(bare(banking.card(Random(seed)))) for seed in range(200))


@pytest.mark.parametrize("country", sorted(contacts.phones()))
def test_phone_numbers_are_possible_in_their_country_and_most_lie_in_ranges_given_out(country):
    parsed = [phonenumbers.parse(contacts.phone(Random(seed), country), country) for seed in range(60)]
    assert all(map(phonenumbers.is_possible_number, parsed))
    assert sum(map(phonenumbers.is_valid_number, parsed)) >= 54


def test_every_language_has_sentences_and_labels_for_all_that_is_planted_in_it():
    for language, known in carriers().items():
        for value in planting.values_of(Random(1), language, 3):
            found = known[value.key]
            assert len(found.labels) >= 2
            assert len(found.sentences) >= (2 if value.kind in ("email", "card", "ip") else 3)
            assert all(sentence.count("{}") == 1 for sentence in found.sentences)
    assert len(carriers()) == 24


def test_a_date_is_written_in_the_language():
    day = import_module("datetime").date(1984, 3, 1)
    assert dates.written(day, "{d} ta' {m} {y}", "mt") == "1 ta' Marzu 1984"
    assert dates.written(day, "{d1er} {m} {y}", "fr") == "1er mars 1984"
    assert all(len(names.split()) == 12 for names in dates.MONTHS.values())


def test_plates_have_no_letters_that_are_not_given_out():
    for seed in range(100):
        assert not set("AEIOUCMQWY") & set(plates.plate(Random(seed), "NL"))
        assert not set("IOU") & set(plates.plate(Random(seed), "FR"))


def test_planted_values_stand_where_they_are_said_to_and_each_country_gets_its_share():
    documents = list(planting.planted(Random(3), "de", ["Ein Absatz aus Worten ohne Ziffern."], 12))
    written = [(each.key, document.text[each.start : each.end]) for document in documents for each in document.planted]
    assert all(re.fullmatch(r"[0-9 \s\u2009\u202f]{11,14}", value) for key, value in written if key == "idnr")
    assert all("@" in value for key, value in written if key == "email")
    assert sum(key == "phone" for key, _ in written) == 12
    assert sum(key == "nn" for key, _ in written) == 4  # a third of the Belgian numbers goes to German
    again = list(planting.planted(Random(3), "de", ["Ein Absatz aus Worten ohne Ziffern."], 12))
    assert documents == again


def test_every_second_sentence_is_held_out_and_only_those():
    sentences = carriers()["nl"]["bsn"].sentences
    documents = planting.planted(Random(5), "nl", ["Een alinea zonder cijfers."], 60)
    seen = set()
    for document in documents:
        for each in document.planted:
            if each.key == "bsn" and each.writing == "sentence":
                line = next(line for line in document.text.splitlines() if document.text[each.start : each.end] in line)
                place = sentences.index(line.replace(document.text[each.start : each.end], "{}"))
                assert each.held_out == (place % 2 == 1)
                seen.add(place)
    assert seen == set(range(len(sentences)))


def test_the_command_counts_what_it_planted_and_shows_no_held_out_example(tmp_path):
    folder = tmp_path / "declaration"
    folder.mkdir()
    for name in udhr.OFFICIAL.values():
        (folder / f"{name}.html").write_text("<p>alpha beta gamma delta</p>\n<p>epsilon &amp; zeta</p>")
    command = [sys.executable, "benchmarks/personal_data.py", "--declarations", str(folder), "--per-cell", "2"]
    command += ["--out", str(tmp_path / "out.json"), "--missed", str(tmp_path / "missed.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    counted = json.loads((tmp_path / "out.json").read_text())["detectors"]["Herkomst"]["outcome"]
    planted = {kind: sum(row[-1] for row in counted if row[0] == kind) for kind in ("national-id", "iban", "isbn")}
    assert planted == {"national-id": 2 * len(IDENTIFIERS), "iban": 2 * 24, "isbn": 24}
    assert "### National identifiers of which a digit stays" in done.stdout
    held_out = {text.strip() for known in carriers()["nl"].values() for text in known.sentences[1::2]}
    shown = (tmp_path / "missed.txt").read_text()
    assert not any(sentence.split("{}")[0] in shown for sentence in held_out if len(sentence.split("{}")[0]) > 10)


def test_near_misses_pass_no_check():
    for seed in range(60):
        assert not stdnum_iban.is_valid(near_misses.wrong_iban(Random(seed), "nl")[1])
        assert not stdnum_luhn.is_valid(bare(near_misses.wrong_card(Random(seed), "nl")[1]))
        assert not import_module("stdnum.pl.pesel").is_valid(near_misses.wrong_identifier(Random(seed), "pl")[1])
        assert not import_module("stdnum.dk.cpr").is_valid(bare(near_misses.wrong_identifier(Random(seed), "da")[1]))


def test_a_value_counts_as_removed_only_where_all_its_letters_and_digits_are():
    text = "BSN (1234.56.782)"
    value = planting.Planted("national-id", "NL", "bsn", "label", 5, 16)
    assert covered(text, value, [Span("national-id", 4, 17)]) == "whole"
    assert covered(text, value, [Span("phone", 5, 9), Span("phone", 10, 16)]) == "whole"
    assert covered(text, value, [Span("phone", 5, 15)]) == "part"
    assert covered(text, value, [Span("phone", 0, 4)]) == "none"


def test_shares_are_counted_by_kind_and_language():
    document = planting.Document(
        "nl",
        "a@b.nl en 123456782",
        (
            planting.Planted("email", "NL", "email", "bare", 0, 6),
            planting.Planted("national-id", "NL", "bsn", "label", 10, 19),
        ),
    )
    counts = Counts()
    counts.add(document, [Span("email", 0, 6), Span("phone", 10, 19), Span("phone", 7, 9)], near_misses=False)
    assert outcomes(counts, "whole", kind="email", bare=True) == (1, 1)
    assert outcomes(counts, "whole", language="nl") == (2, 2)
    assert precision(counts, "phone") == ((0, 2), (1, 2))
    assert counts.typed == {("email", "nl"): 1}


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    # By hand from the formula of Wilson 1927, z = 1.96; the first two stand in R. G. Newcombe, Stat. Med. 17, 1998.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (40, 40, 0.9124, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_interval_is_that_of_the_literature(hits, of, low, high):
    assert wilson(hits, of) == pytest.approx((low, high), abs=5e-5)
