"""IBANs of all member states and payment cards; the bank codes are random, so that no account is meant."""

from __future__ import annotations

from random import Random

from .digits import digits, grouped, luhn, mod_97_10, weighted

_BBAN = {
    "AT": "16n", "BE": "12n", "BG": "4a6n8c", "CY": "8n16c", "CZ": "20n", "DE": "18n", "DK": "14n", "EE": "16n",
    "ES": "20n", "FI": "14n", "FR": "10n11c2n", "GR": "7n16c", "HR": "17n", "HU": "24n", "IE": "4a14n",
    "IT": "1a10n12c", "LT": "16n", "LU": "3n13c", "LV": "4a13c", "MT": "4a5n18c", "NL": "4a10n", "PL": "24n",
    "PT": "21n", "RO": "4a16c", "SE": "20n", "SI": "15n", "SK": "20n",
}  # fmt: skip
"""The structures of the IBAN registry (SWIFT): n digits, a capitals, c both; most c places hold digits in life."""
_CCC = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)


def _part(random: Random, count: int, kind: str) -> str:
    if kind == "n" or (kind == "c" and random.random() < 0.7):
        return digits(random, count)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if kind == "a" else "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
    return "".join(random.choice(letters) for _ in range(count))


def _bban(random: Random, country: str) -> str:
    structure, number, count = _BBAN[country], "", ""
    for character in structure:
        if character.isdigit():
            count += character
        else:
            number, count = number + _part(random, int(count), character), ""
    if country == "BE":
        return f"{number[:10]}{int(number[:10]) % 97 or 97:02d}"
    if country == "ES":
        return f"{number[:8]}{_spanish('00' + number[:8])}{_spanish(number[10:])}{number[10:]}"
    return number


def _spanish(number: str) -> str:
    check = -weighted(number, _CCC) % 11
    return "1" if check == 10 else str(check)


def compact_iban(random: Random, country: str) -> str:
    """An IBAN without separators: ISO 13616, check digits by ISO 7064 mod 97-10."""
    bban = _bban(random, country)
    return f"{country}{mod_97_10(f'{bban}{country}00')}{bban}"


def iban(random: Random, country: str) -> str:
    """An IBAN as written: in fours, run together, or in small letters."""
    number = compact_iban(random, country)
    fours = grouped(number, *[4] * 9)
    return random.choice((fours, fours, fours, number, number, fours.replace(" ", "\u00a0"), number.lower()))


_ISSUERS = (
    ("4", 16, 4), ("4", 16, 4), ("51", 16, 4), ("55", 16, 4), ("2221", 16, 4), ("2720", 16, 4), ("34", 15, 0),
    ("37", 15, 0), ("50", 16, 4), ("67", 16, 4), ("36", 14, 0), ("6011", 16, 4), ("3528", 16, 4), ("3589", 16, 4),
    ("62", 16, 4),
)  # fmt: skip
"""First digits (ISO/IEC 7812 ranges as the issuers publish them), length, and 4 where cards are written in fours:
Visa, Mastercard, American Express, Maestro, Diners, Discover, JCB, UnionPay."""


def card(random: Random, _: str = "") -> str:
    """A payment card number as written."""
    first, length, fours = random.choice(_ISSUERS)
    number = first + digits(random, length - len(first) - 1)
    number += luhn(number)
    sizes = (4, 4, 4) if fours else (4, 6)
    return grouped(number, *sizes, by=random.choice((" ", " ", "-", "")))
