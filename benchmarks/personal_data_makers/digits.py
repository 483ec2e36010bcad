"""Check digits and random parts of identifiers, each written from its published rule and from no library.

Every function takes the digits before the check digit as a string.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from random import Random

_VERHOEFF_TIMES = tuple(
    tuple(
        (a + b) % 5 if a < 5 and b < 5 else 5 + (a + b) % 5 if a < 5 else 5 + (a - b) % 5 if b < 5 else (a - b) % 5
        for b in range(10)
    )
    for a in range(10)
)
"""The dihedral group of order ten: 0-4 are turns of a pentagon, 5-9 its reflections."""
_VERHOEFF_STEP = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def digits(random: Random, count: int) -> str:
    """``count`` random digits."""
    return "".join(str(random.randrange(10)) for _ in range(count))


def birth(random: Random, first: int = 1930, last: int = 2007) -> date:
    """A random date of birth from the first of January of ``first`` to the end of ``last``."""
    start = date(first, 1, 1)
    return start + timedelta(days=random.randrange((date(last, 12, 31) - start).days + 1))


def weighted(number: str, weights: Iterable[int]) -> int:
    """The sum of the digits, each times its weight."""
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))


def luhn(number: str) -> str:
    """ISO/IEC 7812-1 annex B: every second digit from the right doubled, its digits added."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def mod_11_10(number: str) -> str:
    """ISO 7064 mod 11,10 (German tax number, Croatian OIB)."""
    carry = 10
    for digit in number:
        carry = 2 * ((int(digit) + carry) % 10 or 10) % 11
    return str((11 - carry) % 10)


def mod_97_10(text: str) -> str:
    """ISO 7064 mod 97-10 of an IBAN: country and "00" already at the end; letters count from A = 10."""
    number = "".join(str(int(character, 36)) for character in text)
    return f"{98 - int(number) % 97:02d}"


def verhoeff(number: str) -> str:
    """J. Verhoeff, Error detecting decimal codes, 1969: a permutation by place, multiplied in the dihedral group."""
    check = 0
    for place, digit in enumerate(reversed(number), start=1):
        value = int(digit)
        for _ in range(place % 8):
            value = _VERHOEFF_STEP[value]
        check = _VERHOEFF_TIMES[check][value]
    return str(next(n for n in range(10) if not _VERHOEFF_TIMES[check][n]))


def grouped(number: str, *sizes: int, by: str = " ") -> str:
    """Cut into groups of these sizes; what is left over is the last group."""
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return by.join(part for part in [*parts, number[at:]] if part)
