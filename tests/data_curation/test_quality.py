import pickle

import pytest

from data_curation.quality import Quality, QualityResult, read_quality
from data_curation.settings import OFFICIAL_LANGUAGES, QualitySettings
from licensing.errors import HerkomstError

MANUAL = """Een afdruk maken
Kies Bestand - Afdrukken.
Kies de printer in de lijst. Staat de printer er niet bij, sluit hem dan eerst aan en begin opnieuw.
Geef op welke bladzijden je wilt hebben:
- alle bladzijden
- een reeks, bijvoorbeeld 3-7
- alleen de bladzijde waarop de cursor staat
Klik op OK. Het document gaat naar de printer en de voortgang is te zien in de balk onder in het venster.
"""
MENU = (
    "Start Nieuws Sport Weer Verkeer Cultuur Economie Politiek Regio Dossiers Podcast Video Archief Zoeken Contact "
    "Voorwaarden Privacy Vacatures Adverteren de het Inloggen Aanmelden Winkelwagen Nieuwsbrief"
).replace(" ", "\n")
PROSE = (
    "De gemeente heeft gisteren besloten dat de oude brug over het kanaal wordt hersteld. Volgens de wethouder is dat "
    "goedkoper dan een nieuwe brug, maar bewoners vrezen dat het werk langer duurt dan is beloofd."
)


@pytest.fixture(scope="module")
def quality():
    return Quality(read_quality())


def test_a_manual_page_and_prose_stay(quality):
    assert quality.judge(MANUAL, "nl") == QualityResult(True)
    assert quality.judge(PROSE, "nl") == QualityResult(True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "quality-too-short"),
        ("Te kort om van de een of de ander te zijn.", "quality-too-short"),
        (MENU, "quality-fineweb-short-line-ratio"),
        ("#@! $% ^&* ()_+ {}|: de het een <>? ~~~ " * 40, "quality-too-many-symbols"),
        (PROSE.replace(" ", " # "), "quality-gopher-too-many-hashes"),
        (f"{PROSE}\n" + f"{PROSE} lorem ipsum dolor sit amet.", "quality-c4-lorem-ipsum"),
        ("Deze regel van het menu staat er telkens en zegt niets nieuws.\n" * 12, "quality-fineweb-char-dup-ratio"),
        ("de prijs van " + "12 34 56 78 90 en " * 5, "quality-gopher-below-avg-threshold"),
        (f"{PROSE} {'en dan nog maar eens een keer ' * 20}", "quality-repetition-top-3-gram"),
    ],
)  # fmt: skip
def test_junk_is_removed_with_a_stable_reason(quality, text, reason):
    assert quality.judge(text, "nl") == QualityResult(False, reason)


def test_stop_words_belong_to_the_language(quality):
    assert quality.judge(PROSE, "fi").reason == "quality-gopher-enough-stop-words"


def test_a_language_without_rules_fails_closed(quality):
    assert quality.judge(PROSE, "xx").reason == "quality-no-rules"


def test_all_official_languages_have_stop_words_that_can_match():
    settings = read_quality()
    assert set(OFFICIAL_LANGUAGES) <= set(settings.languages)
    for code, rules in settings.languages.items():
        assert len(set(rules.stop_words)) >= 15, code
        assert all(word.replace("ʼ", "").isalpha() and word == word.lower() for word in rules.stop_words), code


def test_the_shipped_file_and_the_documented_defaults_agree():
    settings = read_quality()
    assert settings.thresholds == QualitySettings(languages={"nl": {"stop_words": "de het"}}).thresholds


def test_thresholds_of_a_language_win_and_a_group_can_be_switched_off():
    lenient = {"stop_words": "de het", "thresholds": {"gopher": {"min_words": 2, "min_stop_words": 0}, "fineweb": None}}
    quality = Quality(QualitySettings.model_validate({"languages": {"nl": lenient, "de": {"stop_words": "der die"}}}))
    assert quality.judge("Korte tekst hier", "nl").keep
    assert quality.judge("Korte tekst hier", "de").reason == "quality-too-short"
    assert quality.judge("kat\nhond\nvis\npaard\nezel\nrund\nmier", "nl").keep


def test_a_short_page_is_not_taken_for_repetition(quality):
    page = (
        "Verwijzingsgegevenspaneel weergeven en verbergen: kies Beeld en dan Verwijzingsgegevenspaneel, of druk op de "
        "toets die in het overzicht van de sneltoetsen staat en die u zelf kunt veranderen."
    )
    assert quality.judge(page, "nl").keep


def test_pickles_into_a_worker(quality):
    assert pickle.loads(pickle.dumps(quality)).judge(MENU, "nl") == quality.judge(MENU, "nl")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("languages: {}", "languages: Dictionary should have at least 1 item"),
        ("languages: {it: {stop_words: [1, di]}}", r"languages\.it\.stop_words\.0: Input should be a valid string"),
        (
            "languages: {nl: {stop_words: de het}}\nthresholds: {gopher: {min_word: 3}}",
            "thresholds.gopher.min_word: Extra",
        ),
        ("languages: [", "cannot be used"),
    ],
)
def test_a_wrong_file_names_file_and_field(tmp_path, content, message):
    path = tmp_path / "rules.yaml"
    path.write_text(content)
    with pytest.raises(HerkomstError, match=message) as error:
        read_quality(path)
    assert str(path) in str(error.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(HerkomstError, match=r"absent\.yaml cannot be used"):
        read_quality(tmp_path / "absent.yaml")
