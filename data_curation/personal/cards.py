"""Payment cards: issuer, length and Luhn's check (ISO/IEC 7812), in groups of four as printed or as digits alone.

One of about 50 random numbers of sixteen digits passes; numbers of so many digits are rare in prose. Issuers of many
prefixes need a word where their numbers are not in groups.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from data_curation.personal.context import ContextWords
from data_curation.personal.national_ids import BOOK_NUMBER
from data_curation.personal.rules import Card, Rules
from data_curation.personal.shapes import Place
from data_curation.personal_settings import Kind

_GROUPED = ("9999 9999 9999 9999", "9999-9999-9999-9999", "9999 999999 99999", "9999-999999-99999",
            "9999 999999 9999", "9999-999999-9999", "9999 9999 9999 9999 999")  # fmt: skip

# A part of an account number, whose own check may be wrong.
_GROUP_BEFORE = re.compile(r"(?<!\w)(?=[A-Z]{0,3}[0-9])[A-Z0-9]{4}[ -]\Z")
# The sum of the digits of twice a digit.
_DOUBLED = {str(digit): 2 * digit - 9 * (digit > 4) for digit in range(10)}


class CardJudge:
    """All issuers; found as ``card-ISSUER``."""

    kind: Kind = "card"
    forms = (*_GROUPED, "9{12-19}")

    def __init__(self, rules: Rules) -> None:
        self._words = ContextWords(rules.card_words, rules.reach)
        self._cards = tuple((card, tuple(_ranges(card))) for card in rules.cards)

    def judge(self, place: Place) -> str | None:
        """Return the rule where the number is that of a card, None where it is not."""
        number = place.compact
        issuers = [card for card, ranges in self._cards if len(number) in card.lengths and _issued(number, ranges)]
        if not issuers or not _luhn(number) or BOOK_NUMBER.search(place.text, max(0, place.start - 16), place.start):
            return None
        if _GROUP_BEFORE.search(place.text, max(0, place.start - 6), place.start):
            return None
        grouped = not place.form.isdigit()
        alone = next((card for card in issuers if grouped or not card.word), None)
        if alone or self._words.near(place.text, place.start, place.end):
            return f"card-{(alone or issuers[0]).name}"
        return None


def _ranges(card: Card) -> Iterator[tuple[str, str]]:
    for prefix in card.prefixes:
        low, _, high = prefix.partition("-")
        yield low, high or low


def _issued(number: str, ranges: tuple[tuple[str, str], ...]) -> bool:
    return any(low <= number[: len(low)] <= high for low, high in ranges)


def _luhn(number: str) -> bool:
    doubled = sum(_DOUBLED[sign] for sign in number[-2::-2])
    return (doubled + sum(map(int, number[-1::-2]))) % 10 == 0 and len(set(number)) > 1
