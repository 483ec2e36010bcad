import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_curation.languages.judge import Languages
from data_curation.languages.paragraphs import ForeignText
from data_curation.settings import OFFICIAL_LANGUAGES, LanguageSettings, ParagraphSettings
from data_curation.words import Words
from tests.data_curation.languages.sentences import SENTENCES

DUTCH = [
    "Als u op de knop klikt, verschijnt er een venster waarin u de naam van het document kunt opgeven.",
    "De instellingen die u hier kiest, gelden voor alle documenten die u daarna opent of maakt.",
    "Kies in de lijst welke kolom u wilt sorteren, en of dat van laag naar hoog moet of andersom.",
    "Het bestand wordt bewaard in de map die u bij de installatie heeft aangewezen, tenzij u iets anders kiest.",
]
ENGLISH = [
    "This method is only available for scripts that are written in Basic.",
    "When the event occurs, the linked macro will be called by the program.",
    "You can also press the key to open the list of all the fields that are in the form.",
]
KINDS = {
    "names": "Jansen, Pieter\nBakker, Anna\nVisser, Willem\nMulder, Femke\nO'Brien, Pat\nSmith, John",
    "figures": "1 234,50\n2 345,75\n3 456,00\n1995 1996 1997 1998\n€ 12,00 € 24,00 € 36,00 € 48,00 € 60,00",
    "code": 'for (i = 0; i < n; i++) { if (not_in(a[i], b)) { return to("the end", of(a)); } }\nimport os, sys',
    "menus": "Bestand - Openen - Recent\nBewerken - Plakken speciaal\nBeeld - Werkbalken - Standaard\nOpmaak - Tekens",
}


def page(*paragraphs):
    return "\n\n".join(paragraphs)


def mixed():
    return page(DUTCH[0], ENGLISH[0], DUTCH[1], ENGLISH[1], DUTCH[2], ENGLISH[2], DUTCH[3])


def judge(languages, text, declared="nl"):
    return languages.judge(Words.of(text), declared)


def with_settings(lists, **keys):
    return Languages(LanguageSettings(**keys), OFFICIAL_LANGUAGES, lists)


def test_short_untranslated_paragraphs_are_cut_and_accounted_for(languages):
    result = judge(languages, mixed())
    assert result.text == page(*DUTCH) and result.cut and (result.language, result.outcome) == ("nl", "keep")
    assert result.foreign == (ForeignText("en", 3, sum(map(len, ENGLISH))),)
    assert result.told().endswith(f"; 3 paragraphs of {sum(map(len, ENGLISH))} characters in en")


@pytest.mark.parametrize("code", [code for code in OFFICIAL_LANGUAGES if code not in ("nl", "en")])
def test_english_is_cut_from_a_page_in_every_official_language(languages, code):
    own = [SENTENCES[code]] * 8
    result = judge(languages, page(*own[:4], *ENGLISH[1:], *own[4:]), code)
    assert (result.language, result.text) == (code, page(*own))


def test_operators_may_keep_mixed_texts_or_remove_them(lists):
    kept = judge(with_settings(lists, mixed="keep"), mixed())
    assert (kept.text, kept.cut, kept.outcome, kept.foreign[0].paragraphs) == (mixed(), False, "keep", 3)
    removed = judge(with_settings(lists, mixed="remove"), mixed())
    assert (removed.outcome, removed.reason, removed.foreign[0].paragraphs) == ("remove", "language-mixed", 3)


def test_a_text_of_which_too_little_would_remain_is_removed(lists):
    strict = with_settings(lists, paragraphs=ParagraphSettings(least_remaining=0.9))
    result = judge(strict, mixed())
    assert (result.outcome, result.reason, result.text) == ("remove", "language-mixed", mixed())


def test_quotations_stay(languages):
    sentence = DUTCH[0] + " “The rest is silence, and there is nothing that we can do about it,” zei hij. " + DUTCH[1]
    letter = page(*DUTCH * 20, *ENGLISH[:2], *DUTCH * 20)
    for text in (page(sentence, DUTCH[2]), letter):
        result = judge(languages, text)
        assert (result.text, result.foreign) == (text, ())


def test_a_single_short_paragraph_is_too_little_to_be_sure(languages):
    text = page(DUTCH[0], ENGLISH[0], DUTCH[1])
    assert judge(languages, text).text == text


@pytest.mark.parametrize("kind", KINDS)
def test_names_figures_and_code_stay(languages, kind):
    text = page(DUTCH[0], KINDS[kind], DUTCH[1], KINDS[kind], DUTCH[2], DUTCH[3])
    assert judge(languages, text).text == text


def test_a_language_without_function_words_is_known_by_its_script(languages):
    japanese = "この方法は基本的なスクリプトでのみ使用できます。" * 6
    result = judge(languages, page(DUTCH[0], japanese, DUTCH[1], DUTCH[2], DUTCH[3]))
    assert result.text == page(*DUTCH) and result.foreign == (ForeignText("ja", 1, len(japanese)),)


def test_several_languages_are_told_apart(languages):
    french = ["Ce bouton ouvre la liste des champs qui sont dans le formulaire, et vous pouvez y choisir le nom."] * 2
    result = judge(languages, page(DUTCH[0], *ENGLISH, DUTCH[1], *french, *DUTCH[1:], *DUTCH))
    assert [(one.language, one.paragraphs) for one in result.foreign] == [("en", 3), ("fr", 2)]


@given(st.lists(st.sampled_from([*DUTCH, *ENGLISH, *KINDS.values()]), min_size=1, max_size=12), st.randoms())
def test_what_goes_on_is_the_text_without_whole_foreign_paragraphs(languages, paragraphs, chance):
    text = "".join(each + chance.choice(["\n\n", "\n \n\n", "\n\t\n "]) for each in paragraphs)
    result = judge(languages, text)
    stays = [each for each in paragraphs if each not in ENGLISH]
    if result.cut:
        assert result.text.split() == page(*stays).split()
        assert sum(one.paragraphs for one in result.foreign) == len(paragraphs) - len(stays)
    else:
        assert result.text == text


def test_a_long_text_without_blank_lines_is_judged_by_lines(languages):
    own, foreign = ["\n".join(each) for each in (DUTCH * 8, ENGLISH * 4)]
    result = judge(languages, f"{own}\n{foreign}\n{own}")
    assert result.text == f"{own}\n{own}" and result.foreign[0].paragraphs == 12
