"""Values as real text writes them: broken by a line end, in typographic signs, in tables, under words after them."""

import pytest

from data_curation.personal import PersonalData
from data_curation.personal.plain import plain
from data_curation.personal.rules import read_rules
from data_curation.personal.tables import column_head
from data_curation.settings import OFFICIAL_LANGUAGES, PersonalDataSettings

finder = PersonalData(PersonalDataSettings())


def found(text, language="nl"):
    return [(each.kind, text[each.start : each.end]) for each in finder.replace(text, language).found]


@pytest.mark.parametrize(
    ("kind", "value", "language", "before"),
    [
        ("iban", "NL91 ABNA 0417 1643 00", "nl", "op "),
        ("card", "4111-1111-1111-1111", "nl", "met "),
        ("phone", "+31 20 794-0800", "nl", "bel "),
        ("national-id", "36 574 261 809", "de", "Steuer-ID "),
        ("birth-date", "3 mei 1956", "nl", "geboren op "),
        ("birth-date", "03-05-1956", "nl", "geb. "),
        ("licence-plate", "AB-12-CD", "nl", "kenteken "),
        ("address", "Dorpsstraat 12, 1234 AB Utrecht", "nl", "adres: "),
    ],
)
def test_a_value_is_found_in_any_spaces_and_hyphens_and_over_a_line_end(kind, value, language, before):
    for space, hyphen in ((" ", "-"), ("\u00a0", "\u2011"), ("\u202f", "\u2013"), ("\u2009", "\u2212")):
        written = value.replace(" ", space).replace("-", hyphen)
        assert found(f"x {before}{written}, en", language) == [(kind, written)]
    if kind != "licence-plate" and " " in value:
        for at in (at for at, sign in enumerate(value) if sign == " "):
            wrapped = value[:at] + "\n" + value[at + 1 :]
            assert found(f"x {before}{wrapped}, en", language) == [(kind, wrapped)]


def test_every_character_keeps_its_place_in_the_plain_text():
    text = "a\u00a0b\u2011c\u2013d\u202f1234567ab\u2212 MÖ-X 12 vlbplm42s44l563v İ ﬁ"
    assert plain(text) == "a b-c-d 1234567AB- MO-X 12 VLBPLM42S44L563V İ ﬁ"


@pytest.mark.parametrize(
    "text",
    ["tel. 030 901820\n0301 234567", "tel: 020-7940800\n020-7940801", "Tel. 06 12345678\n2023 was"],
)
def test_two_lines_with_a_phone_number_each_stay_two(text):
    assert all("\n" not in value for _, value in found(text, "de") + found(text))


@pytest.mark.parametrize(
    "text", ["12\n34\n56\n78", "in 1956\n12345 en\n7 of 8", "1234\n567 89\n\nx", "0123\n\n4567 89"]
)
def test_numbers_on_several_lines_are_no_value(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("head", "value", "language", "kind"),
    [
        ("OIB", "33392005961", "hr", "national-id"),
        ("RČ", "530101123", "cs", "national-id"),
        ("GEBOORTEDATUM", "3-5-1956", "nl", "birth-date"),
        ("Γεν.", "3 Μαΐου 1956", "el", "birth-date"),
        ("telefon", "512 345 678", "pl", "phone"),
        ("Kennzeichen", "M-AB 1234", "de", "licence-plate"),
    ],
)
@pytest.mark.parametrize("sign", ["|", "\t", ";"])
def test_the_head_of_a_column_counts_for_its_values_alone(head, value, language, kind, sign):
    names = [f"rij {number}{sign}{'x' * 60}{sign}{value}" for number in range(4)]
    table = "\n".join([f"nr{sign}over{sign}{head}", *names])
    assert found(f"Inleiding.\n\n{table}\n\nEinde.", language) == [(kind, value)] * 4
    other = "\n".join([f"nr{sign}{head}{sign}over", f"rij{sign}{'x' * 120}{sign}{value}"])
    assert found(f"\n{other}\n", language) == []


def test_the_head_of_a_column_is_the_cell_above_in_the_first_line():
    text = "a|bcd|e\n--|--|--\n1|2|3"
    assert text[slice(*column_head(text, text.index("2")))] == "bcd"
    assert column_head(text, text.index("bcd")) is None
    assert column_head("x" * 1000, 900) is None


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("33392005961 (OIB)", "hr", "national-id"),
        ("612 345 678 (móvil)", "es", "phone"),
        ("3. maj 1956 (f.)", "da", "birth-date"),
        ("Er wurde am 3. Mai 1956 in einem Dorf bei Köln geboren.", "de", "birth-date"),
        ("född den 19560503", "sv", "birth-date"),
        ("født 3/5 1956", "da", "birth-date"),
        ("geb. 3-5-'56", "nl", "birth-date"),
        ("Rugadh í ar 6 Deireadh Fómhair 1944", "ga", "birth-date"),
        ("né en Bretagne le 3 mai 1956", "fr", "birth-date"),
        ("Kennzeichen LÖ-T 987", "de", "licence-plate"),
        ("codice vlbplm42s44l563v", "it", "national-id"),
        ("codice FPB DLB 84M63 F818E", "it", "national-id"),
        ("0895242(P) hija n-numru tal-karta tal-identità", "mt", "national-id"),
        ("nieobowiązkowo 44051401359", "pl", "national-id"),
        ("8 612 34567", "lt", "phone"),
        ("la 021.393.51.76", "ro", "phone"),
        ("IP:2a02:a44:5::1", "nl", "ip"),
        ("adresa:2a02:a44:5::1", "sk", "ip"),
        ("VISA 4111 1111 1111 1111", "nl", "card"),
        ("mobile +353\n(0)87 236 8593, but", "en", "phone"),
        ("a (1) 345-7062 számon", "hu", "phone"),
        ("6759 6498 2643 8453", "nl", "card"),
    ],
)
def test_a_value_is_found_by_a_word_after_it_or_its_own_form(text, language, kind):
    assert [each for each, _ in found(text, language)] == [kind]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Am 3. Mai 1956 heiratete er. Sein Sohn war geboren.", "de"),
        ("Am 3. Mai 1956 traf er die am 4. Juni 1930 geborene Anna", "de"),
        ("Jean, né à Paris.\n\nLa décision est du 10 décembre 1967.", "fr"),
        ("ordernr. 067506-5382", "sv"),
        ("NL92 ABNA 0417 1643 00", "nl"),
        ("Tellimuse nr EE86 8190 9277 6256 3872", "et"),
        ("revenue of 1234567 in tax", "en"),
        ("telk 5123 5315", "et"),
        ("DIČ 0283971295", "sk"),
        ("Ordine n. 023324056", "it"),
        ("odprto 08.00-12.30, 13.95-17.00", "sl"),
    ],
)
def test_what_has_a_word_or_form_by_chance_stays(text, language):
    assert [value for _, value in found(text, language) if value not in ("4. Juni 1930",)] == []


def test_in_a_text_of_unknown_language_the_words_of_all_count():
    text = "nar. 3.5.1956, tālr. 29 379 069, OIB 33392005961, Dorpsstraat 12, 1234 AB Utrecht"
    assert [kind for kind, _ in found(text, "und")] == ["birth-date", "phone", "national-id", "address"]


def test_every_official_language_has_words_for_phones_and_offices():
    rules = read_rules()
    assert set(OFFICIAL_LANGUAGES) <= set(rules.phone_words_own) and set(OFFICIAL_LANGUAGES) <= set(rules.office_words)


def test_a_second_call_changes_nothing_in_a_table_of_lines():
    text = "naam;geb.;bsn\n" + "\n".join(f"rij {day};{day}-5-1956;111222333\n06-123\n45678" for day in range(1, 9))
    once = finder.replace(text, "nl")
    assert finder.replace(once.text, "nl").found == ()
