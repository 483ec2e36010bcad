"""Language tags as publishers write them, brought to the codes that the detector answers with."""

from __future__ import annotations

import re

_SAME = {
    "alb": "sq", "baq": "eu", "bre": "br", "bul": "bg", "cat": "ca", "ces": "cs", "cym": "cy", "cze": "cs", "dan": "da",
    "deu": "de", "dut": "nl", "ell": "el", "eng": "en", "est": "et", "eus": "eu", "fin": "fi", "fra": "fr", "fre": "fr",
    "fry": "fy", "ger": "de", "gla": "gd", "gle": "ga", "glg": "gl", "gre": "el", "hrv": "hr", "hun": "hu", "ice": "is",
    "isl": "is", "ita": "it", "lat": "la", "lav": "lv", "lit": "lt", "ltz": "lb", "mac": "mk", "mkd": "mk", "mlt": "mt",
    "nld": "nl", "nno": "nn", "nob": "no", "nor": "no", "oci": "oc", "pol": "pl", "por": "pt", "ron": "ro", "rum": "ro",
    "rus": "ru", "slk": "sk", "slo": "sk", "slv": "sl", "spa": "es", "sqi": "sq", "srp": "sr", "swe": "sv", "tur": "tr",
    "ukr": "uk", "wel": "cy",
    "nb": "no", "mo": "ro", "iw": "he", "in": "id", "cz": "cs", "gr": "el", "sh": "sr",
}  # fmt: skip
"""ISO 639-2 codes (both forms), withdrawn ISO 639-1 codes, two country codes that are often taken for languages, and
Bokmål, which py3langid calls ``no``."""


def primary(declared: str | None) -> str | None:
    """Return the language of a tag as ISO 639-1 (``pt_BR``, ``pt-BR`` and ``por`` give ``pt``), None for nothing.

    ``und`` and ``mul`` (ISO 639-2: undetermined, multiple) declare nothing.
    """
    if not declared:
        return None
    first = re.split("[-_.@]", declared.strip().lower())[0]
    return None if first in ("", "und", "mul", "zxx") else _SAME.get(first, first)
