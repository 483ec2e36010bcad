"""Checksums of national identity numbers: digits and capitals without separators in, true or false out.

Most come from python-stdnum (LGPL-2.1+). Own are those it lacks (Cyprus's identity card, Hungary, Luxembourg, Malta,
the British number), those where it asks today's date, for the same text must give the same result on any day
(Belgium, Denmark, Norway, Sweden), and the Finnish one, whose separator belongs to the form.

Sources: the European Commission's "TIN Algorithms - Public - Functional Specification"; the Hungarian Act XX of 1996;
the national registers' own descriptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module

Check = Callable[[str], bool]

_HETU_CHECKS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _day_of_month(day: str, month: int) -> bool:
    return 1 <= month <= 12 and 1 <= int(day) <= _DAYS[month - 1]


def _weighted(number: str, weights: Sequence[int]) -> int:
    return sum(weight * int(digit) for weight, digit in zip(weights, number, strict=False))


def stdnum(module: str) -> Check:
    """Return the check of one of python-stdnum's modules, loaded when first used."""

    @cache
    def load() -> Check:
        return import_module(f"stdnum.{module}").is_valid  # type: ignore[no-any-return]

    return lambda number: load()(number)


def belgian(number: str) -> bool:
    """Belgian national number: 97 minus the rest of nine digits (from 2000 on with a 2 before them) by 97."""
    month = int(number[2:4]) % 20
    if month > 12 or int(number[4:6]) > 31 or int(number[2:4]) > 52:
        return False
    return int(number[9:]) in (97 - int(number[:9]) % 97, 97 - int("2" + number[:9]) % 97)


def cypriot_card(number: str) -> bool:
    """Cypriot identity card: no check digit, hence only beside its name."""
    return number.isdigit()


def danish(number: str) -> bool:
    """Danish CPR number: a date alone, for since 2007 numbers are given out that fail the old checksum."""
    return _day_of_month(number[:2], int(number[2:4]))


def finnish(number: str) -> bool:
    """Finnish henkilötunnus with or without the letter for its century: DDMMYY, serial, check modulo 31."""
    if len(number) == 11 and number[6] not in "ABCDEFUVWXY":
        return False
    digits = number[:6] + number[-4:-1]
    return _day_of_month(number[:2], int(number[2:4])) and number[-1] == _HETU_CHECKS[int(digits) % 31]


def hungarian_person(number: str) -> bool:
    """Hungarian személyi azonosító: sex and century, YYMMDD, serial, check modulo 11; weights fall from 1997 on."""
    if number[0] not in "12345678" or not _day_of_month(number[5:7], int(number[3:5])):
        return False
    late = number[0] in "34" or (number[0] in "12" and number[1:3] > "96")
    weights = range(10, 0, -1) if late else range(1, 11)
    return _weighted(number, weights) % 11 == int(number[10])


def hungarian_health(number: str) -> bool:
    """Hungarian TAJ: weights 3 and 7 in turn, modulo 10."""
    return _weighted(number, (3, 7) * 4) % 10 == int(number[8])


def hungarian_tax(number: str) -> bool:
    """Hungarian adóazonosító jel: an 8, days since 1867, weights 1 to 9, modulo 11."""
    # Days from 1900 to 2030.
    born = number[0] == "8" and "12053" <= number[1:6] <= "59535"
    return born and _weighted(number, range(1, 10)) % 11 == int(number[9])


def latvian(number: str) -> bool:
    """Latvian personas kods: a date and a check digit, or since 2017 a 32 and nothing that could be checked."""
    # The module passes companies' numbers too, which begin with 4 to 9.
    return number[:2] == "32" or ((number[0] in "012" or number[:2] in ("30", "31")) and stdnum("lv.pvn")(number))


def luxembourgish(number: str) -> bool:
    """Luxembourg's matricule: date, serial, then Luhn's and Verhoeff's check digits of the same eleven digits."""
    from stdnum import luhn, verhoeff

    if not "1850" < number[:4] < "2100" or not _day_of_month(number[6:8], int(number[4:6])):
        return False
    checks = luhn.calc_check_digit(number[:11]) + verhoeff.calc_check_digit(number[:11])
    return bool(number[11:] == checks)


def maltese(number: str) -> bool:
    """Maltese identity card: up to seven digits and a letter for the register; no check digit."""
    return number[-1] in "MGAPLHBZ" and int(number[:-1]) > 0


def british(number: str) -> bool:
    """British national insurance number: prefixes that are given out, and a suffix from A to D."""
    prefix = number[:2]
    if prefix[0] in "DFIQUV" or prefix[1] in "DFIQUVO" or prefix in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ"):
        return False
    return number[-1] in "ABCD"


def swedish(number: str) -> bool:
    """Swedish personnummer or samordningsnummer (day plus 60): YYMMDD, serial, Luhn over ten digits."""
    from stdnum import luhn

    if len(number) == 12 and number[:2] not in ("18", "19", "20"):
        return False
    ten = number[-10:]
    day = int(ten[4:6])
    return _day_of_month(str(day - 60 if day > 60 else day), int(ten[2:4])) and bool(luhn.is_valid(ten))


def norwegian(number: str) -> bool:
    """Norwegian fødselsnummer or D-nummer (day plus 40): date, serial, two check digits modulo 11."""
    day = int(number[:2])
    # Months plus 40 or 80 are given to persons without an address and to test persons.
    if not _day_of_month(str(day - 40 if day > 40 else day), int(number[2:4]) % 40):
        return False
    first, second = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
    return _weighted(number, first) % 11 == 0 == _weighted(number, second) % 11


def _austrian_date(number: str) -> bool:
    """Months 13 to 15 stand for dates that have run out of serial numbers."""
    month = int(number[6:8])
    return _day_of_month(number[4:6], month - 12 if month in (13, 14, 15) else month)


def _and(check: Check, more: Check) -> Check:
    return lambda number: more(number) and check(number)


CHECKS: Mapping[str, Check] = {
    "at-vnr": _and(stdnum("at.vnr"), _austrian_date),
    "be-nn": belgian,
    "bg-egn": stdnum("bg.egn"),
    "ch-ahv": stdnum("ch.ssn"),
    "cy-id": cypriot_card,
    "cy-tic": stdnum("cy.vat"),
    "cz-rc": stdnum("cz.rc"),
    "de-idnr": stdnum("de.idnr"),
    "dk-cpr": danish,
    "ee-ik": stdnum("ee.ik"),
    "es-dni": stdnum("es.dni"),
    "es-nie": stdnum("es.nie"),
    "fi-hetu": finnish,
    "fr-nir": _and(stdnum("fr.nir"), lambda number: number[0] in "123478" and "01" <= number[3:5] <= "42"),
    "gr-amka": stdnum("gr.amka"),
    "hr-oib": stdnum("hr.oib"),
    "hu-adoazonosito": hungarian_tax,
    "hu-szemelyi": hungarian_person,
    "hu-taj": hungarian_health,
    "ie-pps": stdnum("ie.pps"),
    "it-codicefiscale": stdnum("it.codicefiscale"),
    # The same module passes numbers without a date, which begin with 9.
    "lt-asmens": _and(stdnum("lt.asmens"), lambda number: number[0] in "123456"),
    "lu-matricule": luxembourgish,
    "lv-pk": latvian,
    "mt-id": maltese,
    "nl-bsn": stdnum("nl.bsn"),
    "no-fodselsnummer": norwegian,
    "pl-pesel": stdnum("pl.pesel"),
    "pt-cc": stdnum("pt.cc"),
    # Other beginnings are companies and public bodies.
    "pt-nif": _and(stdnum("pt.nif"), lambda number: number[0] in "123" or number[:2] == "45"),
    "ro-cnp": stdnum("ro.cnp"),
    "se-personnummer": swedish,
    "si-emso": stdnum("si.emso"),
    "sk-rc": stdnum("sk.rc"),
    "uk-nino": british,
}
"""The check of each national identity number."""
