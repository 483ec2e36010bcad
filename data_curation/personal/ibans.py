"""International bank account numbers: length and structure of the country (IBAN registry), ISO 7064 mod 97-10."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from data_curation.personal.found import Found

# Digits come first and what stands before them is asked afterwards: re finds a leading digit ten times as fast.
_CHECK = re.compile(r"[0-9]{2}(?<=[A-Za-z]{2}[0-9]{2})(?<![^\W_][A-Za-z]{2}[0-9]{2})")
_REST = re.compile(r"(?:[ .-]?[A-Za-z0-9]){11,30}")
_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]")


def find_ibans(text: str) -> Iterator[Found]:
    """Find IBANs, grouped or not, in capitals or small letters."""
    for check in _CHECK.finditer(text):
        start = check.start() - 2
        length = _length(text[start : start + 2].upper())
        rest = _REST.match(text, check.end()) if length else None
        end = _end(text, start, rest.end(), length) if rest else None
        if end:
            yield Found("iban", start, end, "iban-checksum")


def _end(text: str, start: int, most: int, length: int) -> int | None:
    """Return where the IBAN that starts here ends, None where there is none.

    What looks like one may run on into the next words; the country's length says where the number has to end.
    """
    from stdnum import iban

    places = [place for place in range(start, most) if text[place].isalnum()]
    if len(places) < length:
        return None
    end = places[length - 1] + 1
    if end < len(text) and text[end].isalnum():
        return None
    return end if iban.is_valid(_NOT_ALPHANUMERIC.sub("", text[start:end]), check_country=False) else None


@cache
def _length(country: str) -> int:
    """Return the number of characters of an IBAN of ``country`` by the IBAN registry, 0 for an unknown country."""
    from stdnum import numdb

    _, known = numdb.get("iban").info(country)[0]
    return 4 + sum(map(int, re.findall(r"(\d+)!", known["bban"]))) if known.get("bban") else 0
