import pickle

import pytest
from datatrove.data import Document
from datatrove.pipeline.filters import GopherQualityFilter

from data_curation.quality import Quality, QualityResult, read_quality
from data_curation.quality.splitters import stock_splitter
from data_curation.settings import OFFICIAL_LANGUAGES, QualitySettings, ScoreSettings
from data_curation.words import Words
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


def judged(quality, text, language):
    return quality.judge(Words.of(text), language)


def changed(**values):
    """Rules for Dutch alone, with no group but those given."""
    groups = {"gopher": None, "repetition": None, "fineweb": None, "c4": None}
    rules = {"stop_words": "de het", "thresholds": groups | values}
    return Quality(QualitySettings.model_validate({"languages": {"nl": rules}}))


def test_a_manual_page_and_prose_stay(quality):
    assert judged(quality, MANUAL, "nl").keep
    assert judged(quality, PROSE, "nl").keep


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
    assert judged(quality, text, "nl") == QualityResult(False, reason)


def test_stop_words_belong_to_the_language(quality):
    assert judged(quality, PROSE, "fi").reason == "quality-gopher-enough-stop-words"


def test_a_language_without_rules_fails_closed(quality):
    assert judged(quality, PROSE, "xx").reason == "quality-no-rules"


def test_all_official_languages_have_stop_words_that_can_match():
    settings = read_quality()
    assert {*OFFICIAL_LANGUAGES, "ca", "eu", "gl"} <= set(settings.languages)
    for code, rules in settings.languages.items():
        assert len(set(rules.stop_words)) >= 15, code
        assert all(word.replace("ʼ", "").isalpha() and word == word.lower() for word in rules.stop_words), code


def test_the_shipped_file_and_the_documented_defaults_agree():
    settings = read_quality()
    bare = QualitySettings(languages={"nl": {"stop_words": "de het"}})
    assert (settings.thresholds, settings.score, settings.words) == (bare.thresholds, bare.score, bare.words)


def test_thresholds_of_a_language_win_and_a_group_can_be_switched_off():
    lenient = {"stop_words": "de het", "thresholds": {"gopher": {"min_words": 2, "min_stop_words": 0}, "fineweb": None}}
    quality = Quality(QualitySettings.model_validate({"languages": {"nl": lenient, "de": {"stop_words": "der die"}}}))
    assert judged(quality, "Korte tekst hier", "nl").keep
    assert judged(quality, "Korte tekst hier", "de").reason == "quality-too-short"
    assert judged(quality, "kat\nhond\nvis\npaard\nezel\nrund\nmier", "nl").keep


@pytest.mark.parametrize(
    ("rule", "text", "reason"),
    [
        ({"drop_curly_bracket": True}, "Zo staat het er: { en meer", "curly-bracket"),
        ({"min_sentences": 2}, "Eén zin is te weinig.", "too-few-sentences"),
        ({"min_sentences": 1, "need_terminal_mark": True}, "Een kop zonder punt\nEn nog een...", "too-few-sentences"),
        ({"min_sentences": 1, "min_words_per_line": 3}, "Twee woorden.\nNog twee.", "too-few-sentences"),
        ({"min_sentences": 1, "longest_word": 9}, "Dit woord is verschrikkelijk lang.", "too-few-sentences"),
        ({"min_sentences": 1, "leave_out_javascript": True}, "Zet JavaScript aan om te lezen.", "too-few-sentences"),
        ({"min_sentences": 1, "leave_out_policy": True}, "Read our Cookie Policy here.", "too-few-sentences"),
        ({"leave_out_citations": True}, "Daar staat lorem [3]ipsum te lezen.", "lorem-ipsum"),
        ({}, "Zo was het { in het begin.\nEn dan Lorem IPSUM als vulling.", "lorem-ipsum"),
        ({"drop_curly_bracket": True}, "Zo was het { in het begin.\nEn dan Lorem IPSUM hier.", "curly-bracket"),
    ],
)
def test_each_rule_of_c4_can_be_switched_on(rule, text, reason):
    words = Words.of(text)
    assert changed(c4=rule).judge(words, "nl").reason == f"quality-c4-{reason}"
    others = {"drop_lorem_ipsum": False} | {name: value for name, value in rule.items() if name == "min_sentences"}
    assert changed(c4=others | {"min_sentences": 0}).judge(words, "nl").keep
    assert words.text == text


def test_the_score_prefers_the_cleaner_of_two_copies(quality):
    page = PROSE.replace(". ", ".\n")
    menu = f"Start\nNieuws\nSport\nWeer\n{page}\nContact\nPrivacy"
    twice = f"{page}\nDat is goedkoper dan een nieuwe brug, maar bewoners vrezen dat het werk langer duurt."
    scores = [judged(quality, text, "nl").score for text in (page, twice, menu)]
    assert 1000 >= scores[0] > scores[1] > scores[2] > 0
    assert judged(quality, MENU, "nl").score == 0


def test_the_weights_of_the_score_are_settings():
    only_lines = ScoreSettings(phrases=0, letters=0, symbols=0)
    rules = QualitySettings(languages={"nl": {"stop_words": "de het"}}, score=only_lines)
    half = f"{PROSE}\nEn hier staat een kop boven niets"
    assert judged(Quality(rules), half, "nl").score == 500
    with pytest.raises(ValueError, match="all weights are 0"):
        ScoreSettings(phrases=0, lines=0, letters=0, symbols=0)


def test_other_white_space_is_no_symbol():
    table = "\t\u2003".join(PROSE.split())
    assert changed().judge(Words.of(table), "nl").keep
    soup = changed().judge(Words.of("a\t" * 9 + "#! " * 9), "nl")
    assert soup == QualityResult(False, "quality-too-many-symbols")


def test_datatroves_own_splitter_can_be_asked_for(monkeypatch):
    asked = {"languages": {"nl": {"stop_words": "de het"}}, "words": "datatrove"}
    quality = Quality(QualitySettings.model_validate(asked))
    monkeypatch.setattr("data_curation.quality.splitters.find_spec", lambda name: None)
    stock_splitter.cache_clear()
    with pytest.raises(HerkomstError, match=r"words: datatrove.*language nl.*install spacy"):
        judged(quality, PROSE, "nl")


@pytest.mark.slow
def test_rules_on_datatroves_own_split_give_datatroves_own_verdicts():
    pytest.importorskip("spacy", reason="datatrove's own splitter rests on spaCy, which Herkomst does not ask for")
    stock_splitter.cache_clear()
    text = "De e-mail-adres-lijst en het zakje-met-thee-en-koffie."
    verdicts = {}
    for words in ("unicode", "datatrove"):
        gopher = {"min_words": 10, "max_average_word": 30}
        rules = {"stop_words": "De het", "thresholds": {"gopher": gopher, "fineweb": None, "repetition": None}}
        settings = QualitySettings.model_validate({"languages": {"nl": rules}, "words": words})
        verdicts[words] = Quality(settings).judge(Words.of(text), "nl").reason
    stock = GopherQualityFilter(min_doc_words=10, max_avg_word_length=30, stop_words=["De", "het"], language="nl")
    assert stock.filter(Document(text=text, id="1")) == (False, "gopher_short_doc")
    assert verdicts == {"unicode": None, "datatrove": "quality-too-short"}


def test_a_short_page_is_not_taken_for_repetition(quality):
    page = (
        "Verwijzingsgegevenspaneel weergeven en verbergen: kies Beeld en dan Verwijzingsgegevenspaneel, of druk op de "
        "toets die in het overzicht van de sneltoetsen staat en die u zelf kunt veranderen."
    )
    assert judged(quality, page, "nl").keep


def test_pickles_into_a_worker(quality):
    assert judged(pickle.loads(pickle.dumps(quality)), MENU, "nl") == judged(quality, MENU, "nl")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("languages: {}", "languages: Dictionary should have at least 1 item"),
        ("languages: {it: {stop_words: [1, di]}}", r"languages\.it\.stop_words\.0: Input should be a valid string"),
        (
            "languages: {nl: {stop_words: de het}}\nthresholds: {gopher: {min_word: 3}}",
            "thresholds.gopher.min_word: Extra",
        ),
        (
            "languages: {nl: {stop_words: de het}}\nthresholds: {drop_lorem_ipsum: true}",
            "thresholds: .*drop_lorem_ipsum has moved: write it under c4",
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
