"""Harmless words stand in for listed ones, so that these tests can be read by anybody."""

import dataclasses

import pytest

from data_curation.harm.harm import Harm, HarmResult, read_word_lists
from data_curation.harm.settings import HarmSettings
from data_curation.settings import OFFICIAL_LANGUAGES
from data_curation.words import Words
from licensing.errors import HerkomstError


@pytest.fixture
def lists(tmp_path):
    (tmp_path / "lists.yaml").write_text('languages:\n  nl: [bloempot, "gebakken peer", "gebakken peer met room"]\n')
    return tmp_path


def judge(root, text, language="nl", **keys):
    return Harm(HarmSettings(lists="lists.yaml", **keys), root).judge(Words.of(text), text, language)


def shout(text, language):
    return 0.9 if text.isupper() else 0.12345


def broken(text, language):
    return 3.0


def test_terms_are_counted_whatever_their_case_and_only_as_whole_words(lists):
    assert judge(lists, "Een BLOEMPOT, en bloempotten niet.") == HarmResult(None, 1, "harm-word-list", False)
    assert judge(lists, "Een pot bloemen.") == HarmResult(None, 0, None, False)
    assert judge(lists, "bloempot", language="de").terms == 0
    assert judge(lists, "").terms == 0


def test_terms_of_several_words_need_all_in_order(lists):
    assert judge(lists, "Een gebakken peer met room, een gebakken\npeer, een peer gebakken, gebakken").terms == 3


def test_removes_only_where_the_operator_says_so(lists):
    assert judge(lists, "bloempot", action="remove").remove
    assert not judge(lists, "bloempot", action="remove", least_terms=2).remove
    assert judge(lists, "bloempot", word_lists=False) == HarmResult(None, 0, None, False)


def test_a_classifier_is_asked_and_its_score_rounded(lists):
    hook = {"classifier": f"{__name__}:shout", "action": "remove"}
    assert judge(lists, "ALLES", **hook) == HarmResult(0.9, 0, "harm-classifier", True)
    assert judge(lists, "niets", **hook) == HarmResult(0.1235, 0, None, False)
    assert not judge(lists, "ALLES", threshold=0.95, **hook).remove


@pytest.mark.parametrize(
    ("name", "message"),
    [("no.such.module:f", "cannot be loaded"), ("json:nothing", "cannot be loaded"), ("sys:path", "is no function")],
)
def test_a_classifier_that_is_not_there_says_so(lists, name, message):
    with pytest.raises(HerkomstError, match=message):
        judge(lists, "tekst", classifier=name)


def test_a_score_outside_0_and_1_is_an_error(lists):
    with pytest.raises(HerkomstError, match=r"gave 3\.0 for a text in nl"):
        judge(lists, "tekst", classifier=f"{__name__}:broken")


def test_a_result_carries_no_word():
    assert {field.name for field in dataclasses.fields(HarmResult)} == {"score", "terms", "rule", "remove"}


def test_our_own_lists_find_each_of_their_terms_and_two_languages_have_none(tmp_path):
    own = read_word_lists()
    assert set(OFFICIAL_LANGUAGES) - set(own) == {"ga", "mt"}
    harm = Harm(HarmSettings(), tmp_path)
    for language, terms in own.items():
        assert len(set(terms)) == len(terms)
        assert all(harm.judge(Words.of(term), term, language).terms >= 1 for term in terms)


def test_a_term_without_a_letter_names_the_file(tmp_path):
    (tmp_path / "lists.yaml").write_text('languages:\n  nl: ["!!"]\n')
    with pytest.raises(HerkomstError, match=r"lists\.yaml: languages\.nl"):
        judge(tmp_path, "tekst")
