"""Postal addresses: street and house number next to a postcode of the country, and the place where it is named.

The postcode is looked for first, then the street to its left. A street and number without postcode is not taken: it is
as often an institution or a place in a story. Found as ``COUNTRY-address``; the whole of it is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from data_curation.personal.found import UNKNOWN, Found
from data_curation.personal.rules import Addresses

_LONGEST_LEFT = 90
_NAME = r"[^\W\d_][\w.'’-]*"
_NUMBER = (
    r"(?:(?:n\.|nr\.?|n°|nº|nro\.?|no\.) ?)?[1-9][0-9]{0,4}(?: ?[-/+] ?[0-9]{1,4})?(?: ?[a-zA-Z](?!\w))?"
    r"(?: ?(?:bis|ter|quater|hs|[IVX]{1,4})(?!\w))?(?:,? (?:bus|bte|boîte|m\.|lok\.|apt\.?|app\.?) ?\w{1,4}|"
    r",? [0-9]{1,2}[ºª°.]? ?[A-Za-z]{0,3}| ?[-/] ?[a-zA-Z0-9]{1,4})?"
)
_END = r"[,;\s|-]{1,3}(?:[A-Z]{1,3}-)?\Z"
_STARTS = r"[A-ZÀ-ÖØ-ÞŁŚŻĆŹ]"
_PARTICLES = "aan|den|de|der|la|le|les|sur|am|an|im|in|do|da|del"
_PLACE = (
    rf"(?:St\.? )?{_STARTS}[\w'’]*(?:[ -](?:{_STARTS}[\w'’]+|(?:{_PARTICLES})(?!\w)(?:\n{_STARTS}[\w'’]+)?)){{0,3}}"
)
# What stands on the next line may be a label as well.
_PLACE_OR_NOT = rf" {{0,2}}{_PLACE}| ?\n{_PLACE}(?=[.,;)\n]|\Z)"


class AddressFinder:
    """The addresses of one country."""

    def __init__(self, country: str, rules: Addresses) -> None:
        self._languages = frozenset(rules.languages)
        self._rule = f"{country}-address"
        self._place = re.compile(rf"(?: {{0,2}}| ?\n){_PLACE}" if rules.place_needed else _PLACE_OR_NOT)
        self._postcode = re.compile(_postcode(rules.postcode, rules.place_needed))
        self._left = re.compile(_left(rules))

    def reads(self, language: str) -> bool:
        """Say whether texts of a language are searched; those of an unknown one are."""
        return language in self._languages or language == UNKNOWN

    def find(self, text: str) -> Iterator[Found]:
        """Find addresses."""
        for code in self._postcode.finditer(text):
            start = self._start(text, code.start())
            if start is not None:
                place = self._place.match(text, code.end())
                yield Found("address", start, place.end() if place else code.end(), self._rule)

    def _start(self, text: str, code: int) -> int | None:
        """Return where the street before the postcode begins; a postcode is first tested for a separator before it."""
        if text[code - 1 : code] not in (" ", "\n", "-", ","):
            return None
        left = self._left.search(text, max(0, code - _LONGEST_LEFT), code)
        return left.start() if left else None


def _postcode(form: str, place_needed: bool) -> str:
    """A pattern that begins with a digit: see shapes."""
    pattern = form.replace("9", "[0-9]").replace("A", "[A-Z]").replace(" ", " {0,2}")
    pattern = pattern.replace("[0-9]", r"[1-9](?<![\w.,].)" if place_needed is False else r"[0-9](?<![\w.,].)", 1)
    return pattern + r"(?![\w-])" + (rf"(?=(?: {{1,2}}| ?\n){_STARTS}[^\W\d_])" if place_needed else "")


def _left(rules: Addresses) -> str:
    if rules.number == "before":
        street = rf"(?:{_words(rules.before)})[ \n](?:{_NAME}[ \n]){{0,5}}{_NAME}"
        return rf"(?<![\w.,]){_NUMBER},?[ \n]{street}[,\s]{{0,3}}" + _END
    kinds = []
    if rules.before:
        kinds.append(rf"(?:{_words(rules.before)})[ \n]?(?:{_NAME}[ \n]){{0,5}}{_NAME}")
    if rules.ends:
        kinds.append(rf"(?:{_NAME} ){{0,2}}{_STARTS}[\w.'’-]*(?:{_words(rules.ends)})")
        kinds.append(rf"{_STARTS}[\w.'’-]* (?:{_words(rules.ends)})")
    if rules.any_street:
        kinds.append(rf"{_STARTS}[\w.'’-]+(?: {_NAME}){{0,4}}")
    return rf"(?<!\w)(?:{'|'.join(kinds)})(?:,? |,?\n){_NUMBER}{_END}"


def _words(words: tuple[str, ...]) -> str:
    return "(?i:" + "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) + ")"
