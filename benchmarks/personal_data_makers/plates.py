"""Licence plates of the Netherlands, Germany, France and Belgium in the series that are on the road."""

from __future__ import annotations

from random import Random

_LETTERS = {
    "NL": "BDFGHJKLNPRSTVXZ",
    "DE": "ABCDEFGHJKLMNPRSTUVWXYZ",
    "FR": "ABCDEFGHJKLMNPQRSTVWXYZ",
    "BE": "ABCDEFGHJKLNPRSTUVXYZ",
}
"""Left out: vowels and letters too like others or kept for officials, as the registrars publish."""
_SERIES = {
    "NL": ("99-LL-LL", "99-LLL-9", "9-LLL-99", "LL-999-L", "L-999-LL", "99-LL-LL", "LL-99-LL"),
    "DE": ("@-LL 9999", "@-L 999", "@ LL 999", "@-LL 99", "@ L 9999", "@-LL 999E", "@-LL 99H"),
    "FR": ("LL-999-LL", "LL-999-LL", "LL 999 LL", "LL999LL"),
    "BE": ("1-LLL-999", "2-LLL-999", "1 LLL 999", "1LLL999", "LLL-999"),
}
"""L a letter, 9 a digit, @ a German district."""
_DISTRICTS = [
    "B",
    "HH",
    "M",
    "K",
    "F",
    "S",
    "D",
    "DO",
    "E",
    "L",
    "DD",
    "HB",
    "H",
    "N",
    "KA",
    "MA",
    "MS",
    "BI",
    "BN",
    "AC",
    "WI",
    "KI",
    "HL",
    "OS",
    "OL",
    "GÖ",
    "TÜ",
    "FÜ",
    "LÖ",
]


def plate(random: Random, country: str) -> str:
    """A plate as written."""
    written = ""
    for each in random.choice(_SERIES[country]):
        if each == "@":
            written += random.choice(_DISTRICTS)
        elif each == "L":
            written += random.choice(_LETTERS[country])
        elif each == "9":
            # No German number begins with 0; the other countries fill up with zeros.
            lowest = 1 if not written or (country == "DE" and not written[-1].isdigit()) else 0
            written += str(random.randrange(lowest, 10))
        else:
            written += each
    return written
