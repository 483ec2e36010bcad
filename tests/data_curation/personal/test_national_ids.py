import random
import re
import string

import pytest

from data_curation.personal import PersonalData
from data_curation.personal.checks import CHECKS
from data_curation.personal.rules import read_rules
from data_curation.personal.shapes import expand
from data_curation.personal_settings import NATIONAL_IDS, PersonalDataSettings

RULES = read_rules().national_ids
# Published examples: documentation of the registers and of python-stdnum, TIN specification of the Commission.
EXAMPLES = {
    "at-vnr": "1237 010180", "be-nn": "85.07.30-033.28", "bg-egn": "7523169263", "ch-ahv": "756.9217.0769.85",
    "cy-id": "1234567", "cy-tic": "10259033P", "cz-rc": "710319/2745", "de-idnr": "36 574 261 809",
    "dk-cpr": "211062-5629", "ee-ik": "36805280109", "es-dni": "54362315K", "es-nie": "X2482300W",
    "fi-hetu": "131052-308T", "fr-nir": "2 95 10 99 126 111 93", "gr-amka": "01013099997", "hr-oib": "33392005961",
    "hu-adoazonosito": "8365670003", "hu-szemelyi": "1-850101-0029", "hu-taj": "111 111 110", "ie-pps": "6433435F",
    "it-codicefiscale": "RCCMNL83S18D969H", "lt-asmens": "33309240064", "lu-matricule": "1893120105732",
    "lv-pk": "161175-19997", "mt-id": "1234567M", "nl-bsn": "111222333", "no-fodselsnummer": "15108695088",
    "pl-pesel": "44051401359", "pt-cc": "00000000 0 ZZ4", "pt-nif": "123456789", "ro-cnp": "1630615123457",
    "se-personnummer": "880320-0016", "si-emso": "0101006500006", "sk-rc": "710319/2745", "uk-nino": "AB123456C",
}  # fmt: skip


def only(name):
    return PersonalData(PersonalDataSettings(kinds=("national-id",), national_ids=(name,)))


def rules_of(result):
    return [each.rule for each in result.found]


def word(name):
    return max(RULES[name].words, key=len).replace("*", "")


@pytest.mark.parametrize("name", NATIONAL_IDS)
def test_each_number_is_found_beside_its_word_in_any_text(name):
    text = f"Xyz {word(name)}: {EXAMPLES[name]}, en verder."
    result = only(name).replace(text, "xx")
    assert (result.text, rules_of(result)) == (f"Xyz {word(name)}: [NATIONAL-ID], en verder.", [f"{name}-context"])


@pytest.mark.parametrize("name", NATIONAL_IDS)
def test_without_its_word_a_number_is_found_only_as_its_rule_says(name):
    rule, number = RULES[name], EXAMPLES[name]
    form = re.sub(r"[A-Z]", "A", re.sub(r"\d", "9", number))
    needs = rule.bare if form.isdigit() else rule.written
    own = needs != "context" or form in rule.own_forms
    assert bool(rules_of(only(name).replace(f"Xyz {number}.", rule.languages[0]))) == own
    assert bool(rules_of(only(name).replace(f"Xyz {number}.", "xx"))) == (needs == "any")


# Numbers without a check digit: a Danish one is a date, a Maltese one a letter for its register, a Cypriot one nothing.
@pytest.mark.parametrize("name", [name for name in NATIONAL_IDS if name not in ("cy-id", "dk-cpr", "mt-id", "uk-nino")])
def test_a_changed_digit_is_seen(name):
    compact = re.sub(r"[^A-Z0-9]", "", EXAMPLES[name])
    places = [place for place, sign in enumerate(compact) if sign.isdigit()]
    assert CHECKS[name](compact)
    changed = [compact[:at] + str((int(compact[at]) + 1) % 10) + compact[at + 1 :] for at in places]
    # Where a letter follows the digits, and with modulo 11 and the like, a rare single change stays unseen.
    assert sum(CHECKS[name](each) for each in changed) <= len(changed) // 5


@pytest.mark.parametrize("name", NATIONAL_IDS)
def test_random_input_passes_no_more_often_than_documented(name):
    source, rule, tries = random.Random(name), RULES[name], 1000
    for form in expand(rule.forms[0]):
        passed = sum(CHECKS[name](_random(form, source)) for _ in range(tries))
        mean = rule.chance * tries
        assert passed <= mean + 4 * mean**0.5 + 2, form


@pytest.mark.parametrize("name", NATIONAL_IDS)
def test_a_number_taken_without_a_word_is_improbable_enough(name):
    rule = RULES[name]
    if rule.bare != "context":
        assert rule.chance <= (0.001 if rule.bare == "any" else 0.004)
    if rule.written == "own" and name != "pt-cc":
        assert rule.chance <= 0.05
    if rule.written == "any":
        assert rule.chance <= 0.02


# A Maltese number has no check digit: seven digits and one of eight letters, in Maltese text alone.
@pytest.mark.parametrize("name", [name for name in NATIONAL_IDS if RULES[name].own_forms and name != "mt-id"])
def test_a_form_taken_without_a_word_in_its_language_is_improbable_enough(name):
    source, tries = random.Random(name), 1000
    for form in (each for written in RULES[name].own_forms for each in expand(written)):
        mean = (0.02 if form.isdigit() else 0.17) * tries
        assert sum(CHECKS[name](_random(form, source)) for _ in range(tries)) <= mean + 4 * mean**0.5, form


def _random(form, source):
    signs = {"9": string.digits, "A": string.ascii_uppercase}
    return "".join(source.choice(signs[sign]) for sign in form if sign in signs)


@pytest.mark.parametrize(
    ("number", "language"),
    [("12-850101-00161", "hu"), ("1111222333", "nl"), ("x111222333", "nl"), ("111222333x", "nl"), ("1.111222333", "nl"),
     ("/111222333", "nl"), ("111222333.5", "nl"), ("111222333-7", "nl"), ("111222333@x", "nl")],
)  # fmt: skip
def test_a_part_of_a_larger_number_or_word_is_no_number(number, language):
    found = PersonalData(PersonalDataSettings(kinds=("national-id",)))
    assert rules_of(found.replace(f"BSN személyi szám {number}", language)) == []


def test_words_of_the_language_count_for_rules_of_its_countries_alone():
    text = "persoonlijk nummer 111222333"
    assert rules_of(only("nl-bsn").replace(text, "nl")) == ["nl-bsn-context"]
    assert rules_of(only("nl-bsn").replace(text, "de")) == []
    assert rules_of(only("pt-nif").replace("persoonlijk nummer 123456789", "nl")) == []


def test_a_book_is_no_person():
    found = only("lu-matricule")
    assert rules_of(found.replace("a 1893120105732 b", "nl")) == ["lu-matricule-form"]
    assert rules_of(found.replace("EAN: 1893120105732 b", "nl")) == []


def test_an_unknown_rule_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no rule for nl-bns.*nl-bsn"):
        PersonalDataSettings(national_ids=("nl-bns",))
