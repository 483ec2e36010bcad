"""Phone numbers, confirmed by the numbering plans in phonenumbers (Apache-2.0).

``phone-international``: ``+`` or ``00`` and a number valid in its country; ``phone-national``: a leading 0, valid in a
country of the text's language; ``phone-context``: no leading 0 (Spain, Poland, Czechia, …), valid, and a word such as
"tel" shortly before it, for half of all numbers of nine digits are valid Polish phone numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from data_curation.personal.context import ContextWords
from data_curation.personal.found import UNKNOWN, Found
from data_curation.personal.national_ids import BOOK_NUMBER
from data_curation.personal.rules import Rules

_GAP = r"[ ./()-]{0,3}+"
_CLUSTER = re.compile(rf"[0-9](?<![0-9].)(?:{_GAP}[0-9]){{6,}}+")
_DIGITS = rf"(?:{_GAP}[0-9]){{%s}}(?![\w@]|[.,][0-9])"
_STARTS = r"(?<![\w.,+/-])"
_INTERNATIONAL = re.compile(_STARTS + r"\(?(?:\+|00)(?=[ ]?\(?[1-9])" + _DIGITS % "7,17")
_NATIONAL = re.compile(_STARTS + r"\(?0(?=[ )-]?[1-9])" + _DIGITS % "6,13")
# Lithuania's prefix for calls within the country was 8 up to 2024.
_EIGHT = re.compile(_STARTS + r"\(?8[ -]\(?(?=[3-7])" + _DIGITS % "7,8")
_BARE = re.compile(_STARTS + r"\(?[1-9]" + _DIGITS % "6,13")
# A part of an account number, whose check may be wrong.
_IN_ACCOUNT = re.compile(r"(?<!\w)[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){1,7} ?\Z")
_LONGEST_ACCOUNT = 42
# A date or time that goes on, opening hours, or a decimal number.
_STARTS_AS_DATE = re.compile(
    r"\(?(?:[0-2]?\d\.[0-5]\d ?- ?[0-2]?\d\.[0-5]\d"
    r"|\d{1,2}[-./]\d{1,2}[-./]\d{4}|[12]\d{3}[-./]\d{1,2}[-./]\d{1,2})(?!\d)"
)
_DECIMAL = re.compile(r"\d{1,3}\.\d+")
_MORE_THOUSANDS = re.compile(r" \d{3}(?:,\d| \d{3})")
_NOT_A_PHONE = re.compile(
    r"\d{1,2}[-./]\d{1,2}[-./]\d{2,4}|\d{4}[-./]\d{1,2}[-./]\d{1,2}|(?!0\d\d\.\d{3}\.\d\d\.\d\d\Z)\d{1,3}(?:\.\d{1,3}){3}|[01]+|0123456789"
)
# The address of the Free Software Foundation (Boston, MA 02110-1301) stands in half of all Debian documents.
_US_STATE = re.compile(r"\b[A-Z]{2}\s+\Z")
_US_POSTCODE = re.compile(r"[0-9]{5}-[0-9]{4}(?![0-9])")
# A row of numbers or a time of day.
_IN_A_ROW = re.compile(r"[0-9][ :]\Z")
_ZERO_APART = re.compile(r"0[ -]")
# What follows after one of these belongs to the same number: "2024-88-310-7745" is an order and no phone.
_JOINTS = ("-", ".", "/")
# An identity number of the north or of Czechia and Slovakia, whose check may be wrong; Germany has such area codes.
_DATE_AND_SERIAL = re.compile(r"\d{6} ?[-/+] ?\d{3,4}")
_LONG_CODES = frozenset(("DE", "AT"))
_LAST_GROUP = re.compile(r"(?<=[0-9])(?!\.[0-9])[^0-9]+[0-9]+\Z")
_NOT_DIGIT = re.compile(r"[^0-9]+")
_LONGEST_PREFIX = 4
_DIRECTLY_AFTER = 3
_DIRECTLY_BEFORE = 6


class Phones:
    """Finds phone numbers: international ones anywhere, national ones by the rules of regions."""

    def __init__(self, rules: Rules, regions: Mapping[str, Sequence[str]]) -> None:
        every = tuple(dict.fromkeys(each for some in regions.values() for each in some))
        self._regions = {UNKNOWN: every, **regions}
        self._words = cache(lambda language: ContextWords(_words(rules, language), rules.phone_reach))
        self._other = ContextWords(rules.phone_not_after, _DIRECTLY_BEFORE)
        self._after = cache(lambda language: ContextWords(rules.phone_words_after.get(language, ()), _DIRECTLY_AFTER))

    def find(self, text: str, language: str, *, strict: bool = False) -> Iterator[Found]:
        """Find phone numbers in runs of at least seven digits.

        With ``strict`` a number without a country's code needs a word.
        """
        regions, words = self._regions.get(language, ()), self._words(language)
        for cluster in _CLUSTER.finditer(text):
            if _NOT_A_PHONE.fullmatch(cluster.group()):
                continue
            # A bracket and a plus sign may stand before the first digit, and what follows is asked for too.
            start, end = max(0, cluster.start() - 2), min(len(text), cluster.end() + 2)
            if text.find("+", start, end) >= 0 or text.find("00", start, end) >= 0:
                for match in _INTERNATIONAL.finditer(text, start, end):
                    yield from _confirmed(text, *match.span(), regions or ("ZZ",), "phone-international")
            if text.find("0", start, end) >= 0:
                for match in _NATIONAL.finditer(text, start, end):
                    if _may_be_national(text, match, regions, words, strict) and not self._is_other(text, match):
                        yield from _confirmed(text, *match.span(), regions, "phone-national")
            if "LT" in regions and text.find("8", start, end) >= 0:
                for match in _EIGHT.finditer(text, start, end):
                    if _may_be_national(text, match, regions, words, strict):
                        yield from _confirmed(text, *match.span(), ("LT",), "phone-national")
            after = self._after(language).after(text, cluster.end())
            if after or words.any_in(text, start, end) or words.labels(text, *cluster.span()):
                for match in _BARE.finditer(text, start, end):
                    named = (after and match.end() == cluster.end()) or _has_word(text, match, words)
                    if named and not self._is_other(text, match):
                        yield from _confirmed(text, *match.span(), regions, "phone-context")

    def _is_other(self, text: str, match: re.Match[str]) -> bool:
        return self._other.before(text, match.start())


def _words(rules: Rules, language: str) -> tuple[str, ...]:
    own = rules.phone_words_own
    if language == UNKNOWN:
        return tuple(dict.fromkeys([*rules.phone_words, *(word for each in own.values() for word in each)]))
    return (*rules.phone_words, *own.get(language, ()))


def _may_be_national(
    text: str, match: re.Match[str], regions: Sequence[str], words: ContextWords, strict: bool
) -> bool:
    """Say whether this is no number in a row; a zero that stands apart ("0 49 21/24") needs a word too."""
    if _IN_A_ROW.search(text, max(0, match.start() - 2), match.start()):
        return False
    alone = _ZERO_APART.match(match.group()) is None and not strict
    if alone and _DATE_AND_SERIAL.fullmatch(match.group()) and _LONG_CODES.isdisjoint(regions):
        return False
    return alone or _has_word(text, match, words)


def _has_word(text: str, match: re.Match[str], words: ContextWords) -> bool:
    return words.before(text, match.start()) or words.labels(text, *match.span())


def _confirmed(text: str, start: int, end: int, regions: Sequence[str], rule: str) -> Iterator[Found]:
    """Confirm a candidate, if need be without its last groups of digits, which may belong to something else."""
    candidate = text[start:end]
    if _begins_something_else(text, start, candidate):
        return
    while not any(_valid_in(candidate, region) for region in regions):
        shorter = _LAST_GROUP.sub("", candidate)
        if shorter == candidate:
            return
        candidate = shorter
    if rule == "phone-context" and text[start + len(candidate) : end].startswith(_JOINTS):
        return
    if not _is_something_else(text, start, candidate):
        yield Found("phone", start, start + len(candidate), rule)


def _begins_something_else(text: str, start: int, candidate: str) -> bool:
    """Say whether a date, a version, a book or an American postcode starts here."""
    if _STARTS_AS_DATE.match(candidate) or _NOT_A_PHONE.fullmatch(candidate):
        return True
    if _IN_ACCOUNT.search(text, max(0, start - _LONGEST_ACCOUNT), start):
        return True
    before = text[max(0, start - 16) : start]
    return bool(BOOK_NUMBER.search(before) or (_US_STATE.search(before) and _US_POSTCODE.match(candidate)))


def _is_something_else(text: str, start: int, candidate: str) -> bool:
    """Say whether a valid number is a date, a version, or a part of a large or decimal number all the same."""
    if _NOT_A_PHONE.fullmatch(candidate) or _DECIMAL.fullmatch(candidate):
        return True
    return _MORE_THOUSANDS.match(text, start + len(candidate)) is not None


def _valid_in(candidate: str, region: str) -> bool:
    if not _possible(candidate, region):
        return False
    import phonenumbers

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(candidate, region)))
    except phonenumbers.NumberParseException:
        return False


def _possible(candidate: str, region: str) -> bool:
    """Say whether the digits, less at most four of a prefix, fit the region; spares most of the costly parsing."""
    if "+" in candidate or candidate.startswith(("00", "(00")):
        return True
    digits, pattern = _NOT_DIGIT.sub("", candidate), _national(region)
    return any(pattern.fullmatch(digits, prefix) for prefix in range(_LONGEST_PREFIX + 1))


@cache
def _national(region: str) -> re.Pattern[str]:
    """The pattern of all significant numbers of a region."""
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    described = metadata.general_desc if metadata else None
    return re.compile((described.national_number_pattern if described else None) or r"(?!)")
