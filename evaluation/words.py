"""Codes in words, in English and Dutch: reasons, languages, kinds of personal data, fields of an agreement.

Rights codes come from ``licensing.reasons``; those of ingest and curation stand here. A code that nobody put in words
is shown as it is and says so, for a made-up sentence would be worse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from licensing.reasons import REASONS

Language = Literal["en", "nl"]
Words = Mapping[str, tuple[str, str]]

LANGUAGES: Words = MappingProxyType(
    {
        "bg": ("Bulgarian", "Bulgaars"),
        "ca": ("Catalan", "Catalaans"),
        "cs": ("Czech", "Tsjechisch"),
        "da": ("Danish", "Deens"),
        "de": ("German", "Duits"),
        "el": ("Greek", "Grieks"),
        "en": ("English", "Engels"),
        "es": ("Spanish", "Spaans"),
        "et": ("Estonian", "Ests"),
        "eu": ("Basque", "Baskisch"),
        "fi": ("Finnish", "Fins"),
        "fr": ("French", "Frans"),
        "ga": ("Irish", "Iers"),
        "gl": ("Galician", "Galicisch"),
        "hr": ("Croatian", "Kroatisch"),
        "hu": ("Hungarian", "Hongaars"),
        "is": ("Icelandic", "IJslands"),
        "it": ("Italian", "Italiaans"),
        "lt": ("Lithuanian", "Litouws"),
        "lv": ("Latvian", "Lets"),
        "mt": ("Maltese", "Maltees"),
        "nl": ("Dutch", "Nederlands"),
        "nn": ("Norwegian Nynorsk", "Nieuwnoors"),
        "no": ("Norwegian", "Noors"),
        "pl": ("Polish", "Pools"),
        "pt": ("Portuguese", "Portugees"),
        "ro": ("Romanian", "Roemeens"),
        "sk": ("Slovak", "Slowaaks"),
        "sl": ("Slovene", "Sloveens"),
        "sv": ("Swedish", "Zweeds"),
        "uk": ("Ukrainian", "Oekraïens"),
    }
)
"""Names of languages by ISO 639-1 code."""

PERSONAL_DATA: Words = MappingProxyType(
    {
        "email": ("E-mail addresses", "E-mailadressen"),
        "phone": ("Telephone numbers", "Telefoonnummers"),
        "iban": ("Bank account numbers (IBAN)", "Rekeningnummers (IBAN)"),
        "card": ("Payment card numbers", "Nummers van betaalkaarten"),
        "ip": ("Internet addresses (IP)", "Internetadressen (IP)"),
        "national-id": ("National identity numbers, such as the Dutch BSN", "Persoonsnummers, zoals het BSN"),
        "licence-plate": ("Vehicle registrations", "Kentekens"),
        "birth-date": ("Dates of birth", "Geboortedata"),
        "address": ("Postal addresses", "Postadressen"),
        "name": ("Names of persons after a title", "Namen van personen na een aanspreektitel"),
    }
)
"""Kinds of personal data that curation replaces."""

DECISIONS: Words = MappingProxyType(
    {
        "admit": ("admitted", "toegelaten"),
        "review": ("for review", "ter beoordeling"),
        "refuse": ("refused", "geweigerd"),
    }
)

USES: Words = MappingProxyType(
    {
        "train": ("in the training text", "in de trainingstekst"),
        "held-out": ("held out for testing", "apart gehouden om te testen"),
        "none": ("not used", "niet gebruikt"),
    }
)

ENDS: Words = MappingProxyType(
    {
        "unreadable": ("Could not be read", "Niet te lezen"),
        "refused": ("Refused on rights", "Geweigerd om de rechten"),
        "review": ("Held for review by a person", "Aangehouden voor beoordeling door een mens"),
        "language": ("Removed: language", "Verwijderd: taal"),
        "quality": ("Removed: quality", "Verwijderd: kwaliteit"),
        "duplicates": ("Removed: duplicate", "Verwijderd: doublure"),
        "other": ("Removed: another rule of this run", "Verwijderd: een andere regel van deze run"),
        "unexplained": ("No reason recorded", "Geen reden vastgelegd"),
        "train": ("In the training text", "In de trainingstekst"),
        "held-out": ("Held out for testing", "Apart gehouden om te testen"),
    }
)

BASES: Words = MappingProxyType(
    {
        "licence": ("public licence", "openbare licentie"),
        "agreement": ("agreement", "overeenkomst"),
        "public-domain": ("public domain", "publiek domein"),
        "official-work": ("official work", "overheidswerk"),
        "dsm-art-3": (
            "text and data mining for research (DSM Directive, art. 3)",
            "tekst- en datamining voor onderzoek (DSM-richtlijn, art. 3)",
        ),
        "dsm-art-4": ("text and data mining (DSM Directive, art. 4)", "tekst- en datamining (DSM-richtlijn, art. 4)"),
        "own": ("own work", "eigen werk"),
        "consent": ("consent", "toestemming"),
        "none": ("none established", "geen vastgesteld"),
    }
)

FIELDS: Words = MappingProxyType(
    {
        "sources": ("Sources covered", "Bronnen die eronder vallen"),
        "permitted_uses": ("Permitted uses", "Toegestaan gebruik"),
        "content_period": ("Publication dates covered", "Publicatiedata die eronder vallen"),
        "use_period": ("Period of use", "Gebruikstermijn"),
        "most_epochs": ("Most times a document may be read", "Hoe vaak een document hoogstens gelezen mag worden"),
        "verbatim_limit": ("Longest literal passage, in characters", "Langste letterlijke passage, in tekens"),
        "hold_out_share": ("Share set aside and never trained on", "Deel dat apart blijft en nooit in training gaat"),
        "attribution": ("Words of attribution", "Bronvermelding"),
        "purpose": ("Purpose", "Doel"),
        "territory": ("Territory", "Gebied"),
        "deletion_duty": ("Duty to delete", "Plicht tot verwijderen"),
        "notice_period_days": ("Notice period, in days", "Opzegtermijn, in dagen"),
        "remuneration_key": ("Key for remuneration", "Verdeelsleutel voor de vergoeding"),
    }
)
"""Fields of an agreement."""

PERMISSIONS: Words = MappingProxyType(
    {
        "training": ("training", "training"),
        "commercial": ("commercial use", "commercieel gebruik"),
        "share_weights": ("releasing the weights", "vrijgeven van de modelgewichten"),
        "share_data": ("releasing the text", "vrijgeven van de tekst"),
        "sell_outputs": ("selling outputs", "verkopen van uitvoer"),
    }
)

REMUNERATION: Words = MappingProxyType(
    {
        "tokens-scored": ("per token the model was trained to predict", "per token dat het model leerde voorspellen"),
        "documents": ("per document trained on", "per document in training"),
        "distinct-documents": ("per distinct document trained on", "per verschillend document in training"),
        "none": ("none agreed", "geen afgesproken"),
    }
)

COUNTED: Words = MappingProxyType(
    {
        "tokens-scored": ("tokens", "tokens"),
        "documents": ("documents read in training", "documenten gelezen in de training"),
        "distinct-documents": (
            "different documents read in training",
            "verschillende documenten gelezen in de training",
        ),
    }
)
"""The unit that each key for remuneration counts."""

DUTIES: Words = MappingProxyType(
    {
        "attribution": ("name the author or source", "noem de maker of de bron"),
        "notice": ("keep the licence notice", "behoud de licentievermelding"),
        "share-alike": (
            "share what is made from it on the same terms",
            "deel wat ervan wordt gemaakt onder dezelfde voorwaarden",
        ),
    }
)

RESERVATIONS: Words = MappingProxyType(
    {
        "allowed": ("use allowed", "gebruik toegestaan"),
        "disallowed": ("use reserved, so not allowed", "gebruik voorbehouden, dus niet toegestaan"),
        "unknown": ("not established, treated as not allowed", "niet vast te stellen, behandeld als niet toegestaan"),
    }
)
"""What a rightholder's signals say of text and data mining."""

CLAUSES: Words = MappingProxyType(
    {
        "withdrawal": ("the withdrawal", "de intrekking"),
        "fail closed": ("what is not known stays out", "wat niet vaststaat, blijft buiten"),
        "policy.copies_not_admitted": (
            "the policy of this run on copies",
            "het beleid van deze run voor kopieën",
        ),
        "policy.reservations_on_licensed": (
            "the policy of this run on reservations",
            "het beleid van deze run voor voorbehouden",
        ),
    }
)
"""Places that decisions rest on where that is no article of a text."""

WITHDRAWAL_STATES: Words = MappingProxyType(
    {
        "requested": ("requested", "aangevraagd"),
        "frozen": ("frozen: no new use", "bevroren: geen nieuw gebruik"),
        "removed": ("removed from the text", "uit de tekst verwijderd"),
        "retrained": ("model retrained without it", "model zonder deze tekst opnieuw getraind"),
        "recalled": ("released models recalled", "vrijgegeven modellen teruggeroepen"),
    }
)
"""Where a withdrawal stands, in the order in which it proceeds."""

PROBES: Words = MappingProxyType(
    {"trained": ("Trained on", "In training"), "held-out": ("Held out, never seen", "Apart gehouden, nooit gezien")}
)

_CURATION: Words = MappingProxyType(
    {
        "native-id-repeated": (
            "The supplier's id stands for more than one content, so it cannot be said which is meant.",
            "Het kenmerk van de leverancier hoort bij meer dan één inhoud; welke bedoeld is, staat niet vast.",
        ),
        "duplicate-exact": ("The same text is already in the corpus.", "Dezelfde tekst zit al in het corpus."),
        "duplicate-near": (
            "Nearly the same text is already in the corpus.",
            "Vrijwel dezelfde tekst zit al in het corpus.",
        ),
        "language-not-wanted": (
            "The text is in a language that this run does not use.",
            "De tekst is in een taal die deze run niet gebruikt.",
        ),
        "language-mismatch": (
            "The text is in another language than the one declared.",
            "De tekst is in een andere taal dan is opgegeven.",
        ),
        "language-unsure": (
            "The language of the text could not be established.",
            "De taal van de tekst is niet vast te stellen.",
        ),
        "language-agrees": ("The language is as declared.", "De taal is zoals opgegeven."),
        "language-detected": ("The language was detected from the text.", "De taal is uit de tekst afgeleid."),
        "language-declared": ("The declared language was followed.", "De opgegeven taal is gevolgd."),
        "language-mixed": (
            "Too much of the text is in another language than the rest.",
            "Te veel van de tekst is in een andere taal dan de rest.",
        ),
        "language-paragraphs-cut": (
            "Paragraphs in another language were left out; the rest is used.",
            "Alinea's in een andere taal zijn weggelaten; de rest is gebruikt.",
        ),
        "repeats-cut": (
            "Passages that another document holds word for word were left out; the rest is used.",
            "Passages die woordelijk in een ander document staan, zijn weggelaten; de rest is gebruikt.",
        ),
        "repeats-counted": (
            "Some passages stand word for word in another document too; they were counted only.",
            "Sommige passages staan ook woordelijk in een ander document; ze zijn alleen geteld.",
        ),
        "repeats-nothing-left": (
            "Nearly all of the text stands word for word in other documents.",
            "Vrijwel de hele tekst staat woordelijk in andere documenten.",
        ),
        "contaminated": (
            "The text holds questions of a test by which the model is judged.",
            "De tekst bevat vragen uit een toets waarmee het model wordt beoordeeld.",
        ),
        "harm-word-list": (
            "The text holds words from a list of insults. That is no judgement of the text.",
            "De tekst bevat woorden uit een lijst met scheldwoorden. Dat is geen oordeel over de tekst.",
        ),
        "harm-classifier": (
            "A program that scores harmful language gave the text a high score.",
            "Een programma dat kwetsende taal meet, gaf de tekst een hoge score.",
        ),
        "block-dropped": (
            "A filter that this run adds removed the text.",
            "Een filter dat deze run toevoegt, heeft de tekst verwijderd.",
        ),
        "block-changed": (
            "A step that this run adds changed the text.",
            "Een stap die deze run toevoegt, heeft de tekst gewijzigd.",
        ),
        "quality-no-rules": (
            "There are no quality rules for this language.",
            "Voor deze taal zijn er geen kwaliteitsregels.",
        ),
        "quality-too-short": ("The text is too short to learn from.", "De tekst is te kort om van te leren."),
        "quality-too-many-symbols": (
            "The text has too many characters that are neither letter nor digit.",
            "De tekst heeft te veel tekens die letter noch cijfer zijn.",
        ),
        "quality-gopher-long-doc": ("The text is too long.", "De tekst is te lang."),
        "quality-gopher-below-avg-threshold": ("The words are unusually short.", "De woorden zijn ongewoon kort."),
        "quality-gopher-above-avg-threshold": ("The words are unusually long.", "De woorden zijn ongewoon lang."),
        "quality-gopher-too-many-hashes": ("The text has too many hash signs.", "De tekst heeft te veel hekjes (#)."),
        "quality-gopher-too-many-ellipsis": (
            "The text has too many ellipses.",
            "De tekst heeft te veel beletseltekens (…).",
        ),
        "quality-gopher-too-many-bullets": (
            "The text is almost only a list.",
            "De tekst is bijna alleen een opsomming.",
        ),
        "quality-gopher-too-many-end-ellipsis": (
            "Too many lines break off with an ellipsis.",
            "Te veel regels breken af met een beletselteken (…).",
        ),
        "quality-gopher-below-alpha-threshold": (
            "Too few of the words contain a letter.",
            "Te weinig woorden bevatten een letter.",
        ),
        "quality-gopher-enough-stop-words": (
            "The text has too few of the common words that running text has.",
            "De tekst heeft te weinig van de gewone woorden die lopende tekst heeft.",
        ),
        "quality-gopher-dropped": (
            "The text failed a basic test of running text.",
            "De tekst voldoet niet aan een basistoets voor lopende tekst.",
        ),
        "quality-fineweb-line-punct-ratio": (
            "Too few lines end in punctuation.",
            "Te weinig regels eindigen op een leesteken.",
        ),
        "quality-fineweb-short-line-ratio": (
            "Most lines are very short, as in a menu.",
            "De meeste regels zijn heel kort, zoals in een menu.",
        ),
        "quality-fineweb-char-dup-ratio": (
            "Too much of the text stands in repeated lines.",
            "Te veel van de tekst staat in herhaalde regels.",
        ),
        "quality-fineweb-list-ratio": (
            "The text has too many line breaks, as in a list.",
            "De tekst heeft te veel regeleinden, zoals in een lijst.",
        ),
        "quality-fineweb-empty": ("There is no text left to judge.", "Er is geen tekst om te beoordelen."),
        "quality-c4-curly-bracket": (
            "The text holds program code (curly brackets).",
            "De tekst bevat programmacode (accolades).",
        ),
        "quality-c4-too-few-sentences": ("The text has too few sentences.", "De tekst heeft te weinig zinnen."),
        "quality-c4-lorem-ipsum": ("The text is filler (“lorem ipsum”).", "De tekst is opvulling (‘lorem ipsum’)."),
        "quality-repetition-empty": ("There is no text left to judge.", "Er is geen tekst om te beoordelen."),
        "quality-repetition-dup-para-frac": ("Too many paragraphs are repeated.", "Te veel alinea’s komen vaker voor."),
        "quality-repetition-dup-para-char-frac": (
            "Too much of the text stands in repeated paragraphs.",
            "Te veel van de tekst staat in herhaalde alinea’s.",
        ),
        "quality-repetition-dup-line-frac": ("Too many lines are repeated.", "Te veel regels komen vaker voor."),
        "quality-repetition-dup-line-char-frac": (
            "Too much of the text stands in repeated lines.",
            "Te veel van de tekst staat in herhaalde regels.",
        ),
        "unreadable-empty": ("The document was empty.", "Het document was leeg."),
        "unreadable-not-utf-8": (
            "The document is not valid text (UTF-8).",
            "Het document is geen geldige tekst (UTF-8).",
        ),
        "unreadable-truncated": ("The file breaks off in the middle.", "Het bestand breekt halverwege af."),
        "unreadable-too-large": (
            "The document is larger than this run reads.",
            "Het document is groter dan deze run leest.",
        ),
        "unreadable-empty-file": ("The file was empty.", "Het bestand was leeg."),
        "unreadable-control-characters": (
            "The document holds characters that no text has.",
            "Het document bevat tekens die in geen tekst voorkomen.",
        ),
        "unreadable-not-html": ("The document is not valid HTML.", "Het document is geen geldige HTML."),
        "unreadable-not-xml": (
            "The document is not XML of a kind that this run reads.",
            "Het document is geen XML van een soort die deze run leest.",
        ),
        "unreadable-not-parquet": ("The file is not valid Parquet.", "Het bestand is geen geldig Parquet-bestand."),
        "unreadable-entities-refused": (
            "The document refers to contents outside itself, which are never fetched.",
            "Het document verwijst naar inhoud buiten zichzelf; die wordt nooit opgehaald.",
        ),
        "unreadable-outside-folder": (
            "The file lies outside the folder that was delivered.",
            "Het bestand ligt buiten de geleverde map.",
        ),
        "unreadable-not-a-file": ("What was delivered is not a file.", "Het geleverde is geen bestand."),
        "unreadable-bad-date": ("The date given is no date.", "De opgegeven datum is geen datum."),
        "unreadable-bad-parents": (
            "It does not say in a readable way what the document was made from.",
            "Niet leesbaar is opgegeven waaruit het document is gemaakt.",
        ),
        "unreadable-passed-over": (
            "Pages that hold no text of their own, such as redirects, were passed over.",
            "Pagina's zonder eigen tekst, zoals doorverwijzingen, zijn overgeslagen.",
        ),
        "unreadable-ocr-confidence": (
            "The page was recognised too poorly from its picture.",
            "De pagina is te slecht herkend op de afbeelding.",
        ),
        "unreadable-no-text-layer": (
            "The document holds pictures of pages and no text.",
            "Het document bevat afbeeldingen van pagina's en geen tekst.",
        ),
        "unreadable-encrypted": ("The document is encrypted.", "Het document is versleuteld."),
        "unreadable-wrong-length": (
            "The file says another length of the document than it has.",
            "Het bestand noemt een andere lengte van het document dan het heeft.",
        ),
        "unreadable-wrong-field-count": (
            "The row has more or fewer fields than its table.",
            "De rij heeft meer of minder velden dan de tabel.",
        ),
        "unreadable-nested-archive": (
            "An archive inside an archive is not opened.",
            "Een archief binnen een archief wordt niet geopend.",
        ),
        "unreadable-unsafe-name": (
            "The file's name leads outside the archive that it came in.",
            "De bestandsnaam leidt buiten het archief waarin het bestand zat.",
        ),
        "unreadable-link": (
            "A link inside an archive stands for another file and is not followed.",
            "Een koppeling binnen een archief staat voor een ander bestand en wordt niet gevolgd.",
        ),
        "unreadable-bomb": (
            "The archive unpacks to far more than its size allows.",
            "Het archief pakt uit tot veel meer dan bij zijn omvang past.",
        ),
        "unreadable-damaged-entry": (
            "The file is damaged inside its archive.",
            "Het bestand is binnen zijn archief beschadigd.",
        ),
        "unreadable-repeated-name": (
            "The archive holds two files of the same name.",
            "Het archief bevat twee bestanden met dezelfde naam.",
        ),
        "unreadable-http-status": (
            "The web server answered with an error instead of the page.",
            "De webserver gaf een foutmelding in plaats van de pagina.",
        ),
        "unreadable-other-media-type": (
            "The web archive holds something other than text here.",
            "Het webarchief bevat hier iets anders dan tekst.",
        ),
        "unreadable-deleted": ("The text was deleted by its publisher.", "De tekst is door de uitgever verwijderd."),
        "unreadable-not-pdf": ("The document is not a valid PDF.", "Het document is geen geldige PDF."),
        "unreadable-not-epub": ("The document is not a valid EPUB.", "Het document is geen geldige EPUB."),
        "unreadable-not-warc": (
            "The record of the web archive cannot be read.",
            "De opname in het webarchief is niet te lezen.",
        ),
        "unreadable-not-zip": ("The archive cannot be opened.", "Het archief is niet te openen."),
        "unreadable-not-http": (
            "The answer of the web server was stored in a form that cannot be read.",
            "Het antwoord van de webserver is opgeslagen in een vorm die niet te lezen is.",
        ),
        "unreadable-unknown-coding": (
            "The web server packed the page in a way that this run does not unpack.",
            "De webserver heeft de pagina verpakt op een manier die deze run niet uitpakt.",
        ),
        "unreadable-pdf-failed": (
            "The PDF took too long to read, or ended the reading.",
            "Het lezen van de PDF duurde te lang of brak af.",
        ),
        "unreadable-several-documents": (
            "The file holds several documents; it has to be delivered as a feed of news.",
            "Het bestand bevat meerdere documenten; het moet als nieuwsstroom worden aangeleverd.",
        ),
        "unreadable-bad-header": (
            "The first row of the table does not name its columns.",
            "De eerste rij van de tabel noemt de kolommen niet.",
        ),
        "unreadable-bad-quotes": (
            "The row's quotation marks do not match.",
            "De aanhalingstekens in de rij sluiten niet.",
        ),
        "unreadable-bad-value": (
            "A field of the row holds a value that cannot be read.",
            "Een veld van de rij bevat een waarde die niet te lezen is.",
        ),
        "unreadable-damaged-page": ("A page of the document is damaged.", "Een pagina van het document is beschadigd."),
        "unreadable-revisit": (
            "The web archive only says that the page had not changed.",
            "Het webarchief vermeldt alleen dat de pagina niet was gewijzigd.",
        ),
        "unreadable-reader-warning": (
            "The reader that this run adds left something out.",
            "De lezer die deze run toevoegt, heeft iets weggelaten.",
        ),
        "unreadable-reader-failed": (
            "The reader that this run adds stopped here.",
            "De lezer die deze run toevoegt, is hier gestopt.",
        ),
        "unreadable-not-json": ("The line is not valid JSON.", "De regel is geen geldige JSON."),
        "unreadable-missing-column": ("A required field is missing.", "Een verplicht veld ontbreekt."),
        "unreadable-no-id": ("The document carries no id of its own.", "Het document heeft geen eigen kenmerk."),
    }
)
# Rules that datatrove names after a length, such as top-3-gram.
_PATTERNS: tuple[tuple[re.Pattern[str], tuple[str, str]], ...] = (
    (
        re.compile(r"quality-repetition-top-\d+-gram"),
        ("One phrase makes up too much of the text.", "Eén woordgroep beslaat te veel van de tekst."),
    ),
    (
        re.compile(r"quality-repetition-duplicated-\d+-n-grams"),
        (
            "Too much of the text consists of repeated phrases.",
            "Te veel van de tekst bestaat uit herhaalde woordgroepen.",
        ),
    ),
    (re.compile(r"unreadable-.+"), ("The document could not be read.", "Het document was niet te lezen.")),
)


def reason(code: str, language: Language = "en") -> str:
    """Put a reason code in one sentence; an unknown code is shown and said to be so."""
    if code in REASONS:
        return str(getattr(REASONS[code], language))
    if code in _CURATION:
        return _CURATION[code][language == "nl"]
    for pattern, words in _PATTERNS:
        if pattern.fullmatch(code):
            return words[language == "nl"]
    if language == "nl":
        return f"Redencode “{code}”; hiervoor is nog geen uitleg in woorden vastgelegd."
    return f"Reason code “{code}”; no explanation in words is on file for it."


def word(words: Words, code: str, language: Language = "en") -> str:
    """Name a code by one of the tables above, or return the code itself where the table lacks it."""
    return words[code][language == "nl"] if code in words else code
