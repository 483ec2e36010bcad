import time

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_curation.personal import PersonalData
from data_curation.personal_settings import PersonalDataSettings

finder = PersonalData(PersonalDataSettings())


def found(text, language="nl"):
    return [(each.kind, text[each.start : each.end]) for each in finder.replace(text, language).found]


@pytest.mark.parametrize(
    "address",
    ["jan.de.vries@example.nl", "a+b@sub.domein.example.org", "jürgen@exämple.de", "x_1%y@a-b.eu", "info@πόλη.ελ"],
)
def test_an_address_is_replaced_and_its_sentence_stays(address):
    assert finder.replace(f"Schrijf naar <{address}>, of naar {address}.", "nl").text == (
        "Schrijf naar <[EMAIL]>, of naar [EMAIL]."
    )


@pytest.mark.parametrize(
    "text",
    ["root@localhost", "@handle.nl", "a@b", "x@1.2.3.4", "waarde@.nl", "l" * 65 + "@example.nl", "a @example.nl"],
)
def test_what_only_looks_like_an_address_stays(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("language", "number", "rule"),
    [
        ("nl", "06-12345678", "phone-national"),
        ("nl", "(020) 794 08 00", "phone-national"),
        ("nl", "+31 (0)20 7940800", "phone-international"),
        ("nl", "0031207940800", "phone-international"),
        ("de", "030 / 901820", "phone-national"),
        ("fr", "01.42.68.53.00", "phone-national"),
        ("fi", "+358 9 1234 5678", "phone-international"),
        ("xx", "+48 512 345 678", "phone-international"),
    ],
)
def test_a_phone_number_is_found_by_its_form(language, number, rule):
    text = f"Bel vandaag {number}, of morgen."
    result = finder.replace(text, language)
    assert result.text == "Bel vandaag [PHONE], of morgen."
    assert [each.rule for each in result.found] == [rule]


@pytest.mark.parametrize(
    ("language", "label", "region"),
    [
        ("pl", "tel.", "PL"),
        ("es", "Teléfono:", "ES"),
        ("cs", "mobil", "CZ"),
        ("da", "tlf.", "DK"),
        ("el", "τηλ.", "GR"),
    ],
)
def test_a_number_without_a_leading_zero_needs_a_word_before_it(language, label, region):
    number = phonenumbers.format_number(
        phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE),
        phonenumbers.PhoneNumberFormat.NATIONAL,
    )
    assert found(f"{label} {number}", language) == [("phone", number)]
    assert found(f"artikel {number}", language) == []


@pytest.mark.parametrize(
    "text",
    [
        "versie 0.10.1.2345", "op 01-02-2023", "op 2023-02-01", "adres 010.020.030.040", "ISBN 0-306-40615-2",
        "ISBN-13: 978-3-16-148410-0", "gives 0.2939945977.", "0,612345678", "bestelling 0123456789", "0000000000",
        "€ 1.234.567,89", "Boston, MA 02110-1301, USA", "/06/12345678/", "sha 0612345678abcdef", "1900 2000 2010 2020",
    ],
)  # fmt: skip
def test_other_numbers_are_no_phone_numbers(text):
    assert found(text) == found(text, "de") == []


def test_a_phone_number_ends_before_the_next_number():
    assert found("06 12345678 2023 was een jaar") == [("phone", "06 12345678")]


@pytest.mark.parametrize(
    "number",
    ["NL91ABNA0417164300", "NL91 ABNA 0417 1643 00", "nl91 abna 0417 1643 00", "BE68 5390 0754 7034",
     "DE89370400440532013000",
     "MT84 MALT 0110 0001 2345 MTLC AST0 01S", "GR16\u00a00110\u00a01250\u00a00000\u00a00001\u00a02300\u00a0695"],
)  # fmt: skip
def test_an_iban_ends_where_its_country_says(number):
    assert found(f"Rekening {number} BIC ABNANL2A") == [("iban", number)]


@pytest.mark.parametrize(
    "number", ["NL92ABNA0417164300", "NL91ABNA041716430", "NL91ABNA04171643001", "XX91ABNA0417164300"]
)
def test_a_wrong_checksum_length_or_country_is_no_iban(number):
    assert found(f"Rekening {number}.") == []


@pytest.mark.parametrize(
    ("text", "number", "rule"),
    [
        ("BSN: 111222333", "111222333", "nl-bsn-context"),
        ("burgerservicenummer 1112.22.333", "1112.22.333", "nl-bsn-context"),
        ("Het nummer 123456782 is zijn sofinummer.", "123456782", "nl-bsn-context"),
        ("Nummer 1234.56.782 staat op de pas.", "1234.56.782", "nl-bsn-form"),
    ],
)
def test_a_bsn_needs_its_checksum_and_a_sign(text, number, rule):
    result = finder.replace(text, "nl")
    assert [(text[each.start : each.end], each.rule) for each in result.found] == [(number, rule)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Ordernummer 111222333", "nl"),
        ("BSN 111222334", "nl"),
        ("BSN" + " ver" * 20 + " 111222333", "nl"),
        ("[BSN] en order 111222333", "nl"),
        ("Nummer 1234.56.782", "de"),
        ("BSN 1112223334567", "nl"),
    ],
)
def test_without_checksum_or_sign_there_is_no_bsn(text, language):
    assert found(text, language) == []


def test_places_are_those_of_the_text_as_given_even_after_a_second_look():
    text = f"BSN {'x' * 30} {'a' * 40}@example.org {'-' * 5} 111222333, tel 06-12345678"
    result = finder.replace(text, "nl")
    assert [text[each.start : each.end] for each in result.found] == [
        "a" * 40 + "@example.org",
        "111222333",
        "06-12345678",
    ]
    assert result.text == f"BSN {'x' * 30} [EMAIL] ----- [NATIONAL-ID], tel [PHONE]"


def test_only_the_kinds_asked_for():
    only = PersonalData(PersonalDataSettings(kinds=("iban",)))
    assert only.replace("a@b.nl NL91ABNA0417164300 06-12345678", "nl").text == "a@b.nl [IBAN] 06-12345678"


def test_the_value_is_kept_nowhere():
    assert "example" not in repr(finder.replace("Mail a@example.nl", "nl"))


PARTS = st.sampled_from(
    ["a@b.nl", "@", "NL91ABNA0417164300", "NL91 ABNA 0417 1643 00", "06-12345678", "+31 20 794 0800", "111222333",
     "1112.22.333", "BSN", "sofi", "tel", "512 345 678", "[BSN]", "[PHONE]", "0", "31", ".", "-", "(", "+", "x" * 25,
     "geboren", "3 mei 1956", "03-05-56", "4111 1111 1111 1111", "84.23.12.99", "2a02:a44::1", "Dorpsstraat 12,",
     "1234 AB Utrecht", "kenteken", "AB-12-CD", "* ", "né", "12, rue de la Paix, ", "75002 Paris", "[at]",
     "[BIRTH-DATE]", "512345678", "36805280109", "nn", "85.07.30-033.28",
     "\n", "|", ";", "+31 20\n794 0800", "06-123\n45678", "OIB", "\u00a0", "\u2011"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(PARTS, st.text(max_size=4)), max_size=14),
    st.sampled_from(["", " "]),
    st.sampled_from(["nl", "pl", "fr"]),
)
def test_a_second_call_changes_nothing_and_places_rebuild_the_text(parts, joint, language):
    text = joint.join(parts)
    once = finder.replace(text, language)
    again = finder.replace(once.text, language)
    assert again.text == once.text and again.found == ()
    at, rebuilt = 0, ""
    for each in once.found:
        assert at <= each.start < each.end <= len(text)
        rebuilt += text[at : each.start] + f"[{each.kind.upper()}]"
        at = each.end
    assert rebuilt + text[at:] == once.text


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000, "a@" * 50_000, "a." * 60_000 + "@" + "b." * 60_000, "0 1" * 40_000, "NL12" * 30_000,
     "NL91 " * 20_000,
     "+1" * 60_000, "tel " * 30_000, "0" * 200_000, "bsn " * 20_000 + "111222334 " * 5_000],
)  # fmt: skip
def test_hostile_text_takes_time_in_proportion_to_its_length(text):
    start = time.process_time()
    finder.replace(text, "nl")
    assert time.process_time() - start < 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "part", ["1", "0", "@", "0 ", "1.", "A9", "AB-", "[A-", "(at)", "1-1-", "2001:", "4111 ", "1\n", "12|\n", "1 ("]
)
def test_a_million_hostile_characters_take_seconds(part):
    start = time.process_time()
    finder.replace(part * (1_000_000 // len(part)), "fr")
    assert time.process_time() - start < 15
