"""National identifiers that hold a date of birth, in the forms in which people write them.

Each maker takes a seeded `Random` and returns the number as written. The rule is told in its docstring.
"""

from __future__ import annotations

from random import Random

from .digits import birth, digits, grouped, luhn, verhoeff, weighted

_HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_CENTURY_1900, _CENTURY_2000 = "-YXWVU", "ABCDEF"
_CODICE_MONTHS = "ABCDEHLMPRST"
_CODICE_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_ROMANIAN_COUNTIES = (*range(1, 47), 51, 52)


def austria(random: Random) -> str:
    """VNR: serial of three, check digit at place four (weights 3 7 9 5 8 4 2 1 6 mod 11, never 10), DDMMYY."""
    born = birth(random).strftime("%d%m%y")
    while True:
        serial = str(random.randrange(100, 1000))
        check = weighted(serial + born, (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11
        if check < 10:
            return grouped(f"{serial}{check}{born}", 4, by=random.choice((" ", " ", "", "-", "/")))


def belgium(random: Random) -> str:
    """National number: YYMMDD, odd or even serial, 97 minus nine digits mod 97, a 2 before them from 2000 on."""
    born = birth(random)
    number = f"{born:%y%m%d}{random.randrange(1, 998):03d}"
    number += f"{97 - int(('2' if born.year >= 2000 else '') + number) % 97:02d}"
    dotted = f"{number[:2]}.{number[2:4]}.{number[4:6]}-{number[6:9]}.{number[9:]}"
    return random.choice((dotted, dotted, number, grouped(number, 6, 3), f"{number[:6]}-{number[6:9]}-{number[9:]}"))


def bulgaria(random: Random) -> str:
    """EGN: YYMMDD (month + 40 from 2000), three digits, weights 2 4 8 5 10 9 7 3 6 mod 11 mod 10."""
    born = birth(random)
    number = f"{born:%y}{born.month + 40 * (born.year >= 2000):02d}{born:%d}{digits(random, 3)}"
    return number + str(weighted(number, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10)


def czechia(random: Random) -> str:
    """Rodné číslo: YYMMDD (month + 50 for women), from 1954 four digits so that all ten divide by 11."""
    born = birth(random)
    start = f"{born:%y}{born.month + random.choice((0, 50)):02d}{born:%d}"
    if born.year < 1954:
        number = start + f"{random.randrange(1, 1000):03d}"
    else:
        number = start + f"{random.randrange(1000):03d}"
        while int(number) % 11 == 10:
            number = start + f"{random.randrange(1000):03d}"
        number += str(int(number) % 11)
    return grouped(number, 6, by=random.choice(("/", "/", "/", " / ", "")))


def denmark(random: Random) -> str:
    """CPR: DDMMYY, century digit and serial; weights 4 3 2 7 6 5 4 3 2 1 mod 11, not kept up since October 2007."""
    born, kept_up = birth(random), random.random() < 0.7
    century = "0123" if born.year < 2000 else "4567"
    while True:
        number = f"{born:%d%m%y}{random.choice(century)}{digits(random, 3)}"
        passes = weighted(number, (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
        if passes == kept_up and (kept_up or born.year >= 1965):
            return grouped(number, 6, by=random.choice(("-", "-", "-", " ", "", "\u2013")))
        born = birth(random, 1965 if not kept_up else 1930)
        century = "0123" if born.year < 2000 else "4567"


def _baltic(random: Random) -> str:
    born = birth(random)
    number = f"{random.choice('34' if born.year < 2000 else '56')}{born:%y%m%d}{digits(random, 3)}"
    check = weighted(number, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = weighted(number, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return f"{number}{check}"


def estonia(random: Random) -> str:
    """Isikukood: sex and century, YYMMDD, serial, check digit in two rounds (EVS 585:2007)."""
    return _baltic(random)


def lithuania(random: Random) -> str:
    """Asmens kodas: as the Estonian one."""
    return _baltic(random)


def finland(random: Random) -> str:
    """HETU: DDMMYY, a century sign (Y X W V U and B C D E F too since 2023), serial, mod 31."""
    born = birth(random)
    signs = _CENTURY_2000 if born.year >= 2000 else _CENTURY_1900
    sign = signs[0] if random.random() < 0.7 else random.choice(signs[1:])
    serial = f"{random.randrange(2, 900):03d}"
    return f"{born:%d%m%y}{sign}{serial}{_HETU[int(f'{born:%d%m%y}{serial}') % 31]}"


def france(random: Random) -> str:
    """NIR: sex, YY, MM, department (2A and 2B count as 19 and 18), commune, order, 97 minus the number mod 97."""
    born = birth(random)
    department = random.choice((*(f"{n:02d}" for n in range(1, 96) if n != 20), "2A", "2B", "2A", "2B"))
    number = f"{random.choice('12')}{born:%y%m}{department}{random.randrange(1, 500):03d}{random.randrange(1, 700):03d}"
    key = 97 - int(number.replace("2A", "19").replace("2B", "18") if department in ("2A", "2B") else number) % 97
    spaced = grouped(number, 1, 2, 2, 2, 3, 3)
    return random.choice((f"{spaced} {key:02d}", f"{spaced} {key:02d}", f"{number}{key:02d}", f"{number} {key:02d}"))


def greece(random: Random) -> str:
    """AMKA: DDMMYY, four digits, Luhn."""
    number = f"{birth(random):%d%m%y}{digits(random, 4)}"
    return grouped(number + luhn(number), 6, by=random.choice(("", "", "", " ", "-")))


def hungary_person(random: Random) -> str:
    """Személyi azonosító: sex, YYMMDD, serial; weights 1-10 mod 11, from 1997 10-1 (law LXVI of 1992)."""
    born = birth(random)
    while True:
        number = f"{random.choice('12' if born.year < 2000 else '34')}{born:%y%m%d}{digits(random, 3)}"
        weights = range(1, 11) if born.year < 1997 else range(10, 0, -1)
        check = weighted(number, weights) % 11
        if check < 10:
            sizes = random.choice(((1, 6), (1, 6), ()))
            return grouped(f"{number}{check}", *sizes, by=random.choice(("-", " ")))


def italy(random: Random) -> str:
    """Codice fiscale: consonants of the names, YY, month letter, day (+ 40 for women), Belfiore code, check letter."""
    born = birth(random)
    names = "".join(random.choice("BCDFGLMNPRSTVZ") for _ in range(6))
    day = born.day + random.choice((0, 40))
    place = random.choice("ABCDEFGHILM") + digits(random, 3)
    code = f"{names}{born:%y}{_CODICE_MONTHS[born.month - 1]}{day:02d}{place}"
    values = [int(each) if each.isdigit() else ord(each) - ord("A") for each in code]
    total = sum(_CODICE_ODD[value] for value in values[::2]) + sum(values[1::2])
    code += chr(ord("A") + total % 26)
    return random.choice((code, code, code, grouped(code, 3, 3, 5), code.lower()))


def latvia(random: Random) -> str:
    """Personas kods: DDMMYY, century, serial, (1 + weights 10 5 8 4 2 1 6 3 7 9) mod 11; since July 2017 also 32…."""
    while True:
        born = birth(random)
        start = f"{born:%d%m%y}{1 if born.year < 2000 else 2}{digits(random, 3)}"
        number = start if random.random() < 0.8 else f"32{digits(random, 8)}"
        check = (1 + weighted(number, (10, 5, 8, 4, 2, 1, 6, 3, 7, 9))) % 11
        if check < 10:
            return grouped(f"{number}{check}", 6, by=random.choice(("-", "-", "-", "")))


def luxembourg(random: Random) -> str:
    """Matricule: YYYYMMDD, serial of three, Luhn and Verhoeff digits of the first eleven (règlement of 21.12.1987)."""
    number = f"{birth(random):%Y%m%d}{random.randrange(1, 1000):03d}"
    number += luhn(number) + verhoeff(number)
    return random.choice((grouped(number, 4, 4), grouped(number, 8), number, grouped(number, 4, 2, 2, 3)))


def poland(random: Random) -> str:
    """PESEL: YYMMDD (month + 20 from 2000), serial, weights 1 3 7 9 … to ten."""
    born = birth(random)
    number = f"{born:%y}{born.month + 20 * (born.year >= 2000):02d}{born:%d}{digits(random, 4)}"
    return number + str(-weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10)


def romania(random: Random) -> str:
    """CNP: sex and century, YYMMDD, county, serial, weights 2 7 9 1 4 6 3 5 8 2 7 9 mod 11, ten counts as one."""
    born = birth(random)
    sex = random.choice("12" if born.year < 2000 else "56")
    number = f"{sex}{born:%y%m%d}{random.choice(_ROMANIAN_COUNTIES):02d}{random.randrange(1, 1000):03d}"
    check = weighted(number, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return f"{number}{1 if check == 10 else check}"


def slovakia(random: Random) -> str:
    """Rodné číslo: as the Czech one."""
    return czechia(random)


def slovenia(random: Random) -> str:
    """EMŠO: DDMMYYY, region 50, serial, weights 7 6 5 4 3 2 twice, eleven minus the rest; ten is not issued."""
    born = birth(random)
    while True:
        number = f"{born:%d%m}{born.year % 1000:03d}50{random.randrange(1000):03d}"
        check = -weighted(number, (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:
            return random.choice((f"{number}{check}", f"{number}{check}", grouped(f"{number}{check}", 7, 2, 3)))


def sweden(random: Random) -> str:
    """Personnummer: YYMMDD, - (+ from the age of one hundred), serial, Luhn; with the century in registers."""
    born = birth(random, 1915, 2007)
    number = f"{born:%y%m%d}{random.randrange(1, 1000):03d}"
    number += luhn(number)
    sign = "+" if born.year <= 1925 else "-"
    short, century = f"{number[:6]}{sign}{number[6:]}", f"{born.year // 100}"
    return random.choice((short, short, f"{century}{number[:6]}-{number[6:]}", f"{century}{number}"))
