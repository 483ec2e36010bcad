import pytest

from data_curation.languages.detector import Detector
from data_curation.languages.judge import Languages
from data_curation.settings import OFFICIAL_LANGUAGES, CurationSettings, LanguageSettings
from data_curation.words import Words
from tests.data_curation.languages.sentences import SENTENCES


def judge(languages, text, declared):
    return languages.judge(Words.of(text), declared)


def settled(result):
    return result.language, result.declared, result.outcome, result.reason


def with_settings(lists, wanted=OFFICIAL_LANGUAGES, **keys):
    return Languages(LanguageSettings(**keys), wanted, lists)


@pytest.mark.parametrize("code", OFFICIAL_LANGUAGES)
def test_detects_every_official_language(languages, code):
    result = judge(languages, SENTENCES[code], None)
    assert settled(result) == (code, None, "keep", "language-detected") and 0.5 < result.confidence <= 1


def test_agreement_keeps_and_a_region_does_not_matter(languages):
    assert settled(judge(languages, SENTENCES["pt"], "pt_BR")) == ("pt", "pt", "keep", "language-agrees")


def test_an_untranslated_page_is_a_mismatch_unless_the_operator_wants_it(lists, languages):
    assert settled(judge(languages, SENTENCES["en"], "nl")) == ("en", "nl", "remove", "language-mismatch")
    lenient = with_settings(lists, keep_under_detected=True)
    assert settled(judge(lenient, SENTENCES["en"], "nl")) == ("en", "nl", "keep", "language-detected")


def test_a_long_untranslated_page_is_a_mismatch_too(languages):
    page = "\n\n".join([SENTENCES["en"] + " It was late and nobody had told them what they should do about it."] * 12)
    result = judge(languages, page, "nl")
    assert settled(result) == ("en", "nl", "remove", "language-mismatch")
    assert result.text == page and not result.foreign


def test_a_language_that_is_not_wanted_is_removed_even_if_declared(lists):
    result = judge(with_settings(lists, ["nl"]), SENTENCES["de"], "de")
    assert (result.outcome, result.reason) == ("remove", "language-not-wanted")


def test_a_short_unsure_text_stays_as_declared_if_that_is_likely(lists):
    likely = dict(Detector(LanguageSettings().candidates).ranked("Radio 3", 600)[1:3])
    declared = next(iter(likely))
    result = judge(with_settings(lists, LanguageSettings().candidates, least_confidence=0.99), "Radio 3", declared)
    assert settled(result) == (declared, declared, "keep", "language-declared")
    assert result.confidence == likely[declared]


def test_a_long_unsure_text_and_an_unlikely_declaration_are_removed(lists):
    strict = with_settings(lists, least_confidence=1.0)
    assert judge(strict, " ".join(SENTENCES.values()), "ga").reason == "language-unsure"
    assert judge(strict, "Radio 3", "el").reason == "language-unsure"


@pytest.mark.parametrize("text", ["", "  \n", "123 456", "## -- ..", "1\n\n2\n\n3"])
def test_a_text_without_letters_has_no_language(languages, text):
    result = judge(languages, text, "nl")
    assert (result.language, result.confidence, result.reason, result.text) == ("und", 0.0, "language-unsure", text)


def test_a_second_half_in_another_language_than_the_sample_shows_is_seen_by_the_function_words(languages):
    """The first short sample alone must not settle a text whose function words point elsewhere."""
    dutch, english = (SENTENCES[code] + "\n\n" for code in ("nl", "en"))
    text = dutch * 3 + english * 8 + dutch * 6 + english * 8 + dutch * 3
    quick, whole = judge(languages, text, "nl"), Detector(LanguageSettings().candidates).ranked(text, 4000)
    assert quick.language == whole[0][0]


def test_regional_languages_are_told_from_their_neighbours(languages):
    assert judge(languages, "A xente agardaba na estación porque o tren chegou tarde, e ninguén sabía por que.", "es") \
        .language == "gl"  # fmt: skip
    frisian = "De trein wie fan 'e moarn tweintich minuten te let en de reizgers stiene op it perron te wachtsjen."
    assert settled(judge(languages, frisian, "nl"))[::2] == ("fy", "remove")


def test_every_candidate_can_be_found_by_its_words_or_its_script(lists):
    scripts = {"ar", "fa", "he", "hi", "ja", "ko", "zh"}
    assert set(LanguageSettings().candidates) - set(lists) == scripts
    assert set(CurationSettings().languages) <= set(lists)
