from importlib.resources import files

import pytest

from data_curation.personal import PersonalData
from data_curation.personal.context import ContextWords
from data_curation.personal.rules import read_rules
from data_curation.personal.shapes import expand
from data_curation.personal_settings import PersonalDataSettings
from data_curation.settings import OFFICIAL_LANGUAGES
from licensing.reading import UnreadableFile

TEXT = (files("configs") / "personal-data.yaml").read_text(encoding="utf-8")


def changed(tmp_path, *changes):
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "rules.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "rules.yaml"


def test_every_official_language_has_words_for_births_and_identity_numbers_and_months():
    rules = read_rules()
    for part in (rules.births.words, rules.births.months, rules.id_words, rules.titles):
        assert set(OFFICIAL_LANGUAGES) <= set(part)


def test_own_rules_change_labels_and_words(tmp_path):
    path = changed(
        tmp_path, ("email: EMAIL", "email: MAIL-ADDRESS"), ("reach: 60\n\n# National", "reach: 6\n\n# National")
    )
    finder = PersonalData(PersonalDataSettings(rules=path))
    assert finder.replace("a@b.nl BSN van mij: 111222333", "nl").text == "[MAIL-ADDRESS] BSN van mij: 111222333"
    assert finder.replace("BSN 111222333", "nl").text == "BSN [NATIONAL-ID]"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  nl-bsn:\n", "  nl-bns:\n", "exactly the rules"),
        ("email: EMAIL", "email: PHONE", "different label"),
        ("email: EMAIL", "email: mail 1", "placeholders.email"),
        ("\"AAAAAA99A99A999A\"", "\"AAAX\"", "forms"),
        ("mt: [jan, fra, mar, ", "mt: [jan, ", "twelve names"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_rules_is_an_error_that_names_its_place(tmp_path, old, new, message):
    path = changed(tmp_path, (old, new))
    with pytest.raises(UnreadableFile, match=message):
        PersonalData(PersonalDataSettings(rules=path))


def test_repetitions_are_written_out():
    assert expand("A{1-2}-9{1-2}") == ["A-9", "A-99", "AA-9", "AA-99"]


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("BSN 1", True),
        ("Bsn-nummer: 1", True),
        ("persoonlijk nummer 1", True),
        ("persoonlijk\nnummer 1", True),
        ("absn 1", False),
        ("nn 1", True),
        ("nn. is 1", True),
        ("nn staat ver 1", False),
        ("BSN" + 11 * "x" + " 1", True),
        ("BSN" + 30 * " " + "1", False),
        ("[BSN] 1", False),
        ("1 is bsn", True),
        ("1" + 30 * " " + "bsn", False),
        ("İİİİİİİİ BSN 1", True),
    ],
)
def test_a_word_must_stand_near_and_whole(text, near):
    words = ContextWords(("bsn*", "persoonlijk nummer", "nn"), reach=20)
    at = text.index("1")
    assert words.near(text, at, at + 1) == near
    assert words.possible(text, at, at + 1) >= near
