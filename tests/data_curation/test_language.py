import pytest

from data_curation.language import SAMPLE_CHARACTERS, Languages, primary, sample
from data_curation.settings import OFFICIAL_LANGUAGES, LanguageSettings
from licensing.errors import HerkomstError

SENTENCES = {
    "bg": "Тази сутрин влакът закъсня с двадесет минути и пътниците чакаха на перона.",
    "cs": "Dnes ráno měl vlak dvacet minut zpoždění a cestující čekali na nástupišti.",
    "da": "I morges var toget tyve minutter forsinket, og passagererne ventede på perronen uden at vide hvorfor.",
    "de": "Heute Morgen hatte der Zug zwanzig Minuten Verspätung, und die Reisenden warteten auf dem Bahnsteig.",
    "el": "Σήμερα το πρωί το τρένο καθυστέρησε είκοσι λεπτά και οι επιβάτες περίμεναν στην αποβάθρα.",
    "en": "This morning the train was twenty minutes late and the passengers were waiting on the platform.",
    "es": "Esta mañana el tren llegó con veinte minutos de retraso y los viajeros esperaban en el andén.",
    "et": "Täna hommikul hilines rong kakskümmend minutit ja reisijad ootasid perroonil.",
    "fi": "Tänä aamuna juna oli kaksikymmentä minuuttia myöhässä ja matkustajat odottivat laiturilla.",
    "fr": "Ce matin, le train avait vingt minutes de retard et les voyageurs attendaient sur le quai.",
    "ga": "Bhí an traein fiche nóiméad déanach ar maidin agus bhí na paisinéirí ag fanacht ar an ardán.",
    "hr": "Jutros je vlak kasnio dvadeset minuta, a putnici su čekali na peronu i pitali što se događa.",
    "hu": "Ma reggel a vonat húsz percet késett, és az utasok a peronon várakoztak.",
    "it": "Questa mattina il treno aveva venti minuti di ritardo e i viaggiatori aspettavano sul binario.",
    "lt": "Šį rytą traukinys vėlavo dvidešimt minučių, o keleiviai laukė perone.",
    "lv": "Šorīt vilciens kavējās divdesmit minūtes, un pasažieri gaidīja uz perona.",
    "mt": "Dalgħodu l-ferrovija ddewmet għoxrin minuta u l-passiġġieri kienu qed jistennew fuq il-pjattaforma.",
    "nl": "Vanmorgen had de trein twintig minuten vertraging en de reizigers stonden op het perron te wachten.",
    "pl": "Dziś rano pociąg był spóźniony o dwadzieścia minut, a podróżni czekali na peronie.",
    "pt": "Esta manhã o comboio chegou com vinte minutos de atraso e os passageiros esperavam na plataforma.",
    "ro": "În această dimineață trenul a întârziat douăzeci de minute, iar călătorii așteptau pe peron.",
    "sk": "Dnes ráno meškal vlak dvadsať minút a cestujúci čakali na nástupišti, kým im niekto niečo povie.",
    "sl": "Danes zjutraj je vlak zamujal dvajset minut in potniki so čakali na peronu.",
    "sv": "I morse var tåget tjugo minuter försenat och resenärerna väntade på perrongen utan att få veta varför.",
}


@pytest.fixture(scope="module")
def languages():
    return Languages(LanguageSettings().candidates, OFFICIAL_LANGUAGES)


@pytest.mark.parametrize("code", OFFICIAL_LANGUAGES)
def test_detects_every_official_language(languages, code):
    detected, confidence = languages.detect(SENTENCES[code])
    assert detected == code and 0.5 < confidence <= 1


def test_agreement_keeps_and_a_region_does_not_matter(languages):
    result = languages.judge(SENTENCES["pt"], "pt_BR", 0.5)
    assert (result.language, result.declared, result.outcome, result.reason) == ("pt", "pt", "keep", "language-agrees")


def test_nothing_declared_is_kept_as_detected(languages):
    result = languages.judge(SENTENCES["nl"], None, 0.5)
    assert (result.language, result.declared, result.outcome, result.reason) == (
        "nl",
        None,
        "keep",
        "language-detected",
    )


def test_an_untranslated_page_is_a_mismatch_unless_the_operator_wants_it():
    text = SENTENCES["en"]
    strict, lenient = (Languages(["nl", "en"], keep_under_detected=keep) for keep in (False, True))
    refused = strict.judge(text, "nl", 0.5)
    assert (refused.language, refused.outcome, refused.reason) == ("en", "remove", "language-mismatch")
    kept = lenient.judge(text, "nl", 0.5)
    assert (kept.language, kept.outcome, kept.reason) == ("en", "keep", "language-detected")


def test_a_language_that_is_not_wanted_is_removed_even_if_declared():
    result = Languages(["nl", "de"], ["nl"]).judge(SENTENCES["de"], "de", 0.5)
    assert (result.outcome, result.reason) == ("remove", "language-not-wanted")


def test_a_short_unsure_text_stays_as_declared_if_that_is_likely(languages):
    ranked = languages._ranked("Radio 3")
    declared = next(code for code, _ in ranked[1:3] if code in OFFICIAL_LANGUAGES)
    result = languages.judge("Radio 3", declared, 0.99)
    assert (result.language, result.outcome, result.reason) == (declared, "keep", "language-declared")
    assert result.confidence == dict(ranked)[declared]


def test_a_long_unsure_text_and_an_unlikely_declaration_are_removed(languages):
    mixed = " ".join(SENTENCES.values())
    assert languages.judge(mixed, "ga", 1.0).reason == "language-unsure"
    assert languages.judge("Radio 3", "el", 0.99).reason == "language-unsure"


@pytest.mark.parametrize("text", ["", "  \n", "123 456", "## -- .."])
def test_a_text_without_letters_has_no_language(languages, text):
    result = languages.judge(text, "nl", 0.5)
    assert (result.language, result.confidence, result.reason) == ("und", 0.0, "language-unsure")


def test_probabilities_add_up_over_the_candidates():
    assert sum(share for _, share in Languages(["nl", "de", "en"])._ranked("een kort stukje")) == pytest.approx(
        1, abs=1e-3
    )


def test_reads_start_middle_and_end_only():
    text = "a" * 50_000 + "m" * 2_000 + "z" * 50_000
    read = sample(text)
    assert len(read) <= SAMPLE_CHARACTERS and set(read) == {"a", "m", "z", " "}
    assert sample("kort") == "kort"


def test_an_unknown_candidate_names_itself():
    with pytest.raises(HerkomstError, match="candidates xq are not known to py3langid"):
        Languages(["nl", "xq"])


@pytest.mark.parametrize(
    ("tag", "code"),
    [("nl", "nl"), ("pt_BR", "pt"), ("zh-Hant", "zh"), ("de.UTF-8", "de"), (" EN ", "en"), ("", None), (None, None)],
)
def test_first_part_of_a_tag(tag, code):
    assert primary(tag) == code
