"""National identifiers without a date of birth, and the table of all: what is made for which country and language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from . import born
from .digits import digits, grouped, mod_11_10, weighted

_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_CYPRUS_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)


def cyprus(random: Random) -> str:
    """Tax number: 0 or 9, seven digits, letter; odd places by a table, even ones as they are, mod 26 (EU TIN sheet)."""
    number = random.choice("0009") + digits(random, 7)
    total = sum(_CYPRUS_ODD[int(each)] for each in number[::2]) + sum(map(int, number[1::2]))
    return number + random.choice(("", "", "", " ")) + chr(ord("A") + total % 26)


def germany(random: Random) -> str:
    """Steuer-IdNr: no leading 0; among ten digits one occurs twice or thrice, the others once; ISO 7064 mod 11,10."""
    while True:
        often = random.choice((2, 2, 2, 3))
        kinds = random.sample("0123456789", 10 - often + 1)
        pool = kinds + kinds[:1] * (often - 1)
        random.shuffle(pool)
        number = "".join(pool)
        if number[0] != "0" and kinds[0] * 3 not in number:
            return grouped(number + mod_11_10(number), *random.choice(((2, 3, 3), (2, 3, 3), (), (3, 3, 3))))


def spain(random: Random) -> str:
    """DNI (eight digits, letter by mod 23) and NIE (X, Y or Z stands for 0, 1 or 2)."""
    if random.random() < 0.65:
        number = f"{random.randrange(1_000_000, 100_000_000):08d}"
        letter = _DNI[int(number) % 23]
        dotted = f"{number[:2]}.{number[2:5]}.{number[5:]}"
        return random.choice(
            (number + letter, number + letter, f"{number}-{letter}", f"{dotted}-{letter}", dotted + letter)
        )
    first, rest = random.choice("XYZ"), digits(random, 7)
    letter = _DNI[int(f"{'XYZ'.index(first)}{rest}") % 23]
    return random.choice((f"{first}{rest}{letter}", f"{first}-{rest}-{letter}", f"{first}{rest}-{letter}"))


def croatia(random: Random) -> str:
    """OIB: ten random digits, ISO 7064 mod 11,10."""
    number = digits(random, 10)
    return number + mod_11_10(number)


def hungary_health(random: Random) -> str:
    """TAJ: eight digits, 3 times those at odd and 7 times those at even places, mod 10."""
    number = digits(random, 8)
    number += str(weighted(number, (3, 7) * 4) % 10)
    return grouped(number, *random.choice(((3, 3), (3, 3), ())), by=random.choice((" ", " ", "-")))


def hungary_tax(random: Random) -> str:
    """Adóazonosító jel: 8, days since 1867-01-01, three digits, weights 1 to 9 mod 11; ten is not issued."""
    while True:
        number = f"8{random.randrange(23_000, 51_000):05d}{digits(random, 3)}"
        check = weighted(number, range(1, 10)) % 11
        if check < 10:
            return f"{number}{check}"


def ireland(random: Random) -> str:
    """PPS: seven digits, weights 8 to 2, letter by mod 23; a second letter (A, B or H since 2013) counts nine times."""
    number, second = f"{random.randrange(1_000_000, 10_000_000)}", random.choice(("", "A", "A", "B"))
    total = weighted(number, range(8, 1, -1)) + 9 * (ord(second) - ord("A") + 1 if second else 0)
    return number + random.choice(("", "", "", " ")) + "WABCDEFGHIJKLMNOPQRSTUV"[total % 23] + second


def malta(random: Random) -> str:
    """Identity card: up to seven digits, zeros mostly written, and a letter for the register; no check digit."""
    number = f"{random.randrange(10_000, 1_000_000):07d}"
    letter = random.choice("MMMMGALPHBZ")
    return random.choice((number + letter, number + letter, number.lstrip("0") + letter, f"{number}({letter})"))


def netherlands(random: Random) -> str:
    """BSN: eight digits times 9 to 2 minus the ninth divide by 11."""
    while True:
        number = f"{random.randrange(1_000_000, 100_000_000):08d}"
        check = weighted(number, range(9, 1, -1)) % 11
        if check < 10:
            dotted = f"{number[:4]}.{number[4:6]}.{number[6:]}{check}"
            spaced = grouped(f"{number}{check}", *random.choice(((3, 3), (4, 2))))
            return random.choice((f"{number}{check}", f"{number}{check}", f"{number}{check}", dotted, spaced))


def portugal_tax(random: Random) -> str:
    """NIF of a person: 1, 2, 3 or 45 first, weights 9 to 2, eleven minus mod 11, ten and eleven are 0."""
    number = random.choice(("1", "2", "2", "2", "3"))
    number += digits(random, 7)
    check = -weighted(number, range(9, 1, -1)) % 11 % 10
    return grouped(f"{number}{check}", *random.choice(((3, 3), (3, 3), ())))


def portugal_card(random: Random) -> str:
    """Cartão de cidadão: civil number with its check digit, two characters of the version, Luhn to the base of 36."""
    civil = f"{random.randrange(1_000_000, 40_000_000):08d}"
    civil += str(-weighted(civil, range(9, 1, -1)) % 11 % 10)
    version = random.choice("ZY") + random.choice("ZYXWVUTS0123456789")
    total = 0
    for place, each in enumerate(reversed(civil + version)):
        value = int(each, 36) * (1 if place % 2 else 2)
        total += value if place % 2 or value < 10 else value - 9
    check = -total % 10
    return random.choice(
        (
            f"{civil[:8]} {civil[8]} {version}{check}",
            f"{civil}{version}{check}",
            f"{civil[:8]} {civil[8]}{version}{check}",
        )
    )


@dataclass(frozen=True)
class Identifier:
    """One national identifier: its country, the languages of its letters, what people call it, and its maker."""

    country: str
    languages: tuple[str, ...]
    name: str
    make: Callable[[Random], str]


IDENTIFIERS = (
    Identifier("AT", ("de",), "vnr", born.austria),
    Identifier("BE", ("nl", "fr", "de"), "nn", born.belgium),
    Identifier("BG", ("bg",), "egn", born.bulgaria),
    Identifier("CY", ("el",), "tic", cyprus),
    Identifier("CZ", ("cs",), "rc", born.czechia),
    Identifier("DE", ("de",), "idnr", germany),
    Identifier("DK", ("da",), "cpr", born.denmark),
    Identifier("EE", ("et",), "ik", born.estonia),
    Identifier("ES", ("es",), "dni", spain),
    Identifier("FI", ("fi", "sv"), "hetu", born.finland),
    Identifier("FR", ("fr",), "nir", born.france),
    Identifier("GR", ("el",), "amka", born.greece),
    Identifier("HR", ("hr",), "oib", croatia),
    Identifier("HU", ("hu",), "szig", born.hungary_person),
    Identifier("HU", ("hu",), "taj", hungary_health),
    Identifier("HU", ("hu",), "adoazonosito", hungary_tax),
    Identifier("IE", ("en", "ga"), "pps", ireland),
    Identifier("IT", ("it",), "codicefiscale", born.italy),
    Identifier("LT", ("lt",), "asmens", born.lithuania),
    Identifier("LU", ("fr", "de"), "matricule", born.luxembourg),
    Identifier("LV", ("lv",), "pk", born.latvia),
    Identifier("MT", ("mt", "en"), "idcard", malta),
    Identifier("NL", ("nl",), "bsn", netherlands),
    Identifier("PL", ("pl",), "pesel", born.poland),
    Identifier("PT", ("pt",), "nif", portugal_tax),
    Identifier("PT", ("pt",), "cc", portugal_card),
    Identifier("RO", ("ro",), "cnp", born.romania),
    Identifier("SE", ("sv",), "personnummer", born.sweden),
    Identifier("SI", ("sl",), "emso", born.slovenia),
    Identifier("SK", ("sk",), "rc", born.slovakia),
)
