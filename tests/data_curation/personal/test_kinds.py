import pytest

from data_curation.personal import PersonalData
from data_curation.personal_settings import PersonalDataSettings

FINDERS = {
    kind: PersonalData(PersonalDataSettings(kinds=(kind,)))
    for kind in ("email", "phone", "card", "ip", "licence-plate", "birth-date", "address", "name")
}


def found(kind, text, language):
    return [text[each.start : each.end] for each in FINDERS[kind].replace(text, language).found]


@pytest.mark.parametrize(
    "address",
    [
        "jan [at] example [dot] org",
        "jan(at)example.org",
        "jan.de.vries (at) mail.example (punt) nl",
        "j <AT> e <DOT> eu",
    ],
)
def test_an_address_hidden_from_collectors_is_found(address):
    assert found("email", f"Mail naar {address}, graag.", "nl") == [address]


@pytest.mark.parametrize(
    "text", ["kom om 9 (at) huis", "look (at) this. Then", "an [at] sign", "jan at example dot org"]
)
def test_a_word_for_the_sign_alone_is_no_address(text):
    assert found("email", text, "en") == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Mój numer telefonu to 512 345 678.", "pl"),
        ("Llámame al 612 345 678.", "es"),
        ("Mobil (soukromý): 601 123 456", "cs"),
    ],
)
def test_a_word_may_stand_a_few_words_before_a_phone_number(text, language):
    assert len(found("phone", text, language)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "09.27.1902 06:00:00",
        "cell 00:09:59.999999",
        "call 2004-11-29-21:10",
        "+922 337 203 685 477,58",
    ],
)
def test_dates_decimals_and_large_numbers_are_no_phones(text):
    assert found("phone", text, "de") == found("phone", text, "da") == []


def test_a_part_of_an_order_number_is_no_phone():
    assert found("phone", "bel over bestelling 2024-88-310-7745, tel.", "nl") == []
    assert found("phone", "tel. 2024-88-310-7745", "nl") == []


@pytest.mark.parametrize(
    "number",
    ["4111 1111 1111 1111", "4111111111111111", "5555-5555-5555-4444", "2223 0031 2200 3222", "3782 822463 10005",
     "6011111111111117", "3530 1113 3330 0000"],
)  # fmt: skip
def test_a_card_is_found_by_issuer_and_check(number):
    assert found("card", f"met {number}, vervallen", "nl") == [number]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "9111111111111111",
        "0000 0000 0000 0000",
        "ISBN 4111111111111111",
        "4111 1111 1111 1111 2",
    ],
)
def test_a_wrong_check_or_issuer_is_no_card(text):
    assert found("card", text, "nl") in ([], ["4111 1111 1111 1111"] if text.endswith(" 2") else [])


def test_some_issuers_need_a_word():
    assert found("card", "order 30569309025904", "nl") == []
    assert found("card", "creditcard 30569309025904", "nl") == ["30569309025904"]


@pytest.mark.parametrize(
    "text",
    ["Van 84.23.12.99: GET", "ip 5.6.7.8", "host 2a02:a44:5::1, en", "2001:67c:2564:a119::77", "(91.198.174.192)"],
)  # fmt: skip
def test_an_ip_address_is_found(text):
    assert len(found("ip", text, "nl")) == 1


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1", "10.0.0.1", "192.168.1.20", "192.0.2.44", "203.0.113.77", "169.254.99.99", "224.0.0.251", "8.8.8.8",
     "version 91.198.174.192", "versie 91.198.174.192", "1.2.3.4", "§ 12.4.5.6", "91.198.174.0/24", "91.198.174.192.5",
     "x91.198.174.192", "91.198.174.999", "2001:db8::1", "fe80::1", "12:30:45", "2001:67c:2564::/48", "::1"],
)  # fmt: skip
def test_private_example_and_version_numbers_stay(text):
    assert found("ip", f"a {text} b", "nl") == []


@pytest.mark.parametrize(
    ("text", "language", "plate"),
    [
        ("Met kenteken AB-12-CD reed hij", "nl", "AB-12-CD"),
        ("De auto GB-123-X stond daar", "nl", "GB-123-X"),
        ("Das Kennzeichen war M-AB 1234.", "de", "M-AB 1234"),
        ("la voiture AB-123-CD est", "fr", "AB-123-CD"),
        ("de wagen 1-ABC-123 is", "nl", "1-ABC-123"),
        ("matrícula 1234 BCD", "es", "1234 BCD"),
        ("numer rejestracyjny WA 12345", "pl", "WA 12345"),
        ("targa AB 123 CD", "it", "AB 123 CD"),
    ],
)
def test_a_plate_is_found_by_its_form_and_word(text, language, plate):
    assert found("licence-plate", text, language) == [plate]


@pytest.mark.parametrize(
    ("text", "language"),
    [("De auto GA-123-X", "nl"), ("das ist B-AB 1234", "de"), ("code AB-12-CD", "nl"),
     ("1-ABC-123", "pl"), ("1-abc-123", "nl"), ("XY-AB-123-CD-9", "fr")],
)  # fmt: skip
def test_a_code_is_no_plate(text, language):
    assert found("licence-plate", text, language) == []


@pytest.mark.parametrize(
    ("text", "language", "date"),
    [
        ("роден на 3 май 1956 г.", "bg", "3 май 1956"),
        ("narozen 3. května 1956", "cs", "3. května 1956"),
        ("født den 3. maj 1956", "da", "3. maj 1956"),
        ("geb. am 03.05.56", "de", "03.05.56"),
        ("Max (* 3. Mai 1956 in Köln)", "de", "3. Mai 1956"),
        ("γεννήθηκε στις 3 Μαΐου 1956", "el", "3 Μαΐου 1956"),
        ("born on May 3, 1956", "en", "May 3, 1956"),
        ("Date of birth: 1956-05-03", "en", "1956-05-03"),
        ("nacida el 3 de mayo de 1956", "es", "3 de mayo de 1956"),
        ("sündinud 3. mai 1956", "et", "3. mai 1956"),
        ("syntynyt 3. toukokuuta 1956", "fi", "3. toukokuuta 1956"),
        ("née le 1er mars 1956", "fr", "1er mars 1956"),
        ("rugadh é 3 Bealtaine 1956", "ga", "3 Bealtaine 1956"),
        ("rođen 3. svibnja 1956", "hr", "3. svibnja 1956"),
        ("született 1956. május 3.", "hu", "1956. május 3."),
        ("nata a Roma il 3 maggio 1956", "it", "3 maggio 1956"),
        ("gimė 1956 m. gegužės 3 d.", "lt", "1956 m. gegužės 3 d."),
        ("dzimis 1956. gada 3. maijā", "lv", "1956. gada 3. maijā"),
        ("twieled fit-3 ta' Mejju 1956", "mt", "3 ta' Mejju 1956"),
        ("geboren te Utrecht op 3 mei 1956", "nl", "3 mei 1956"),
        ("urodzony 3 maja 1956", "pl", "3 maja 1956"),
        ("nascido a 3 de maio de 1956", "pt", "3 de maio de 1956"),
        ("născut la 3 mai 1956", "ro", "3 mai 1956"),
        ("narodená 3. mája 1956", "sk", "3. mája 1956"),
        ("rojen 3. maja 1956", "sl", "3. maja 1956"),
        ("född den 3 maj 1956", "sv", "3 maj 1956"),
    ],
)
def test_a_date_of_birth_is_found_in_every_language(text, language, date):
    assert found("birth-date", text, language) == [date]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("op 3 mei 1956 trouwde zij", "nl"),
        ("geboren in 1956", "nl"),
        ("geboren op 3 mei 1756", "nl"),
        ("geboren 3 fietsen 1956", "nl"),
        ("* 3. Mai 1956", "de"),
        ("geb. 03.05.1856", "de"),
    ],
)
def test_other_dates_stay(text, language):
    assert found("birth-date", text, language) == []


def test_a_word_counts_for_the_first_date_after_it():
    assert found("birth-date", "geboren op 3 mei 1956, getrouwd op 4 juni 1980", "nl") == ["3 mei 1956"]
    assert found("birth-date", "born May 3, 1956, died June 4, 1980", "en") == ["May 3, 1956"]


@pytest.mark.parametrize(
    ("language", "address"),
    [
        ("nl", "Dorpsstraat 12a, 1234 AB Utrecht"),
        ("nl", "Laan van Meerdervoort 5-2\n2517 AA Den Haag"),
        ("nl", "Kerkstraat 12, 2000 Antwerpen"),
        ("fr", "12 bis, rue de la Paix, 75002 Paris"),
        ("fr", "Rue de la Loi 16, 1000 Bruxelles"),
        ("de", "Bahnhofstraße 5, 10115 Berlin"),
        ("de", "Am Markt 1a, D-01067 Dresden"),
        ("de", "Mariahilfer Straße 10, 1060 Wien"),
        ("it", "Via Roma 12, 00184 Roma"),
        ("es", "Calle Mayor, 5, 2º B, 28013 Madrid"),
        ("pt", "Rua Augusta 10, 1100-053 Lisboa"),
        ("pl", "ul. Długa 5, 00-238 Warszawa"),
        ("sv", "Storgatan 5, 114 55 Stockholm"),
        ("fi", "Mannerheimintie 5 A 12, 00100 Helsinki"),
        ("da", "Vesterbrogade 12, 1620 København"),
    ],
)
def test_an_address_is_found_as_a_whole(language, address):
    assert found("address", f"x: {address}.", language) == [address]


@pytest.mark.parametrize(
    ("text", "language"),
    [("in 1995 Amsterdam", "nl"), ("de code 1234 AB staat", "nl"), ("Artikel 12, 2000 Euro", "de"),
     ("Dorpsstraat 12", "nl"), ("Im Jahr 12345 Menschen", "de")],
)  # fmt: skip
def test_a_postcode_without_street_stays(text, language):
    assert found("address", text, language) == []


def test_names_after_a_title_are_found_only_when_asked_for():
    text = "Volgens mevrouw A. van der Berg en de heer Jansen is dat zo."
    assert found("name", text, "nl") == ["A. van der Berg", "Jansen"]
    assert found("name", "κ.ο.κ. Οι", "el") == []
    assert PersonalData(PersonalDataSettings()).replace(text, "nl").found == ()
