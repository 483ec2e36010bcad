"""Personal data in text, replaced by typed placeholders: e-mail addresses, phone numbers, IBANs and Dutch BSNs.

Each kind has a cheap search for candidates and a strict confirmation; the value itself is kept nowhere.

========  ============================================================================  ===================
kind      rule                                                                          placeholder
========  ============================================================================  ===================
email     ``email-address``: local part of at most 64 characters, ``@``, dotted domain  ``[EMAIL]``
phone     ``phone-international``: ``+`` or ``00`` and a number valid in its country;   ``[PHONE]``
          ``phone-national``: a leading 0, valid in a country of the text's language;
          ``phone-context``: no leading 0 (Spain, Poland, Czechia, …), valid, and a
          word such as "tel" close before it
iban      ``iban-checksum``: length and structure of its country, ISO 7064 mod 97-10    ``[IBAN]``
bsn       ``bsn-context``: 8 or 9 digits, elfproef, and a word such as "BSN" or         ``[BSN]``
          "burgerservicenummer" within 60 characters before or after;
          ``bsn-dotted``: elfproef and the form 1234.56.782 in a Dutch text
========  ============================================================================  ===================

One of eleven random numbers passes the elfproef, and half of all nine-digit numbers are valid Polish phone numbers:
hence the context words. Overlaps go to the earlier and then the longer match. A text is searched again until nothing
more is found (a replacement may bring "BSN" closer to a number), so that a second call changes nothing.

Not found: spelled-out addresses (``jan at example dot org``), numbers split over lines, names and postal addresses.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from data_curation.settings import Kind, PersonalDataSettings

PLACEHOLDERS: dict[Kind, str] = {"email": "[EMAIL]", "phone": "[PHONE]", "iban": "[IBAN]", "bsn": "[BSN]"}
_ORDER: tuple[Kind, ...] = ("iban", "email", "bsn", "phone")


@dataclass(frozen=True, slots=True)
class Found:
    """One piece of personal data: its kind, where it stood in the text as given (characters), and the rule."""

    kind: Kind
    start: int
    end: int
    rule: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text after replacement, and what was replaced, in order of place."""

    text: str
    found: tuple[Found, ...]


class PersonalData:
    """Finds and replaces the kinds of personal data that the settings name."""

    def __init__(self, settings: PersonalDataSettings) -> None:
        self._settings = settings
        self._kinds = tuple(kind for kind in _ORDER if kind in settings.kinds)

    def replace(self, text: str, language: str) -> Redacted:
        """Return ``text`` with its personal data replaced; ``language`` decides national phone and BSN forms."""
        found: list[Found] = []
        current = text
        while fresh := self._search(current, language):
            found = sorted([*found, *_as_given(fresh, found)], key=lambda each: each.start)
            current = _replaced(text, found)
        return Redacted(current, tuple(found))

    def _search(self, text: str, language: str) -> list[Found]:
        regions = self._settings.regions.get(language, ())
        finders: dict[Kind, Callable[[], Iterator[Found]]] = {
            "iban": lambda: find_ibans(text),
            "email": lambda: find_emails(text),
            "bsn": lambda: find_bsns(text, language),
            "phone": lambda: find_phones(text, regions),
        }
        return _without_overlaps([each for kind in self._kinds for each in finders[kind]()])


def _without_overlaps(found: list[Found]) -> list[Found]:
    kept: list[Found] = []
    # A stable sort: of two with equal span, the kind that comes first in _ORDER stays.
    for each in sorted(found, key=lambda each: (each.start, -each.end)):
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept


def _replaced(text: str, found: Sequence[Found]) -> str:
    parts, at = [], 0
    for each in found:
        parts += [text[at : each.start], PLACEHOLDERS[each.kind]]
        at = each.end
    return "".join([*parts, text[at:]])


def _as_given(fresh: Sequence[Found], earlier: Sequence[Found]) -> Iterator[Found]:
    """Move places in the text with ``earlier`` replaced back to places in the text as given."""
    ends, shifts, shift = [], [], 0
    for each in earlier:
        shift += each.end - each.start - len(PLACEHOLDERS[each.kind])
        ends.append(each.end - shift)
        shifts.append(shift)
    for each in fresh:
        # Placeholders hold no digit and no "@", so nothing fresh reaches over one: both ends move alike.
        before = bisect_right(ends, each.start)
        move = shifts[before - 1] if before else 0
        yield Found(each.kind, each.start + move, each.end + move, each.rule)


# --- e-mail -----------------------------------------------------------------------------------------------------------

_LOCAL = re.compile(r"(?<![\w.+%&-])[\w+%&-][\w.+%&-]{0,63}\Z")
_DOMAIN = re.compile(r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w@-])")
_LONGEST_LOCAL = 64


def find_emails(text: str) -> Iterator[Found]:
    """Find e-mail addresses, also with letters beyond ASCII; looks only at the surroundings of each ``@``."""
    at, searched = text.find("@"), 0
    while at >= 0:
        domain = _DOMAIN.match(text, at)
        # One character more than an address may have, so that a longer run is seen to be longer.
        local = domain and _LOCAL.search(text, max(searched, at - _LONGEST_LOCAL - 1), at)
        if domain and local:
            searched = domain.end()
            yield Found("email", local.start(), searched, "email-address")
        at = text.find("@", max(at + 1, searched))


# --- IBAN -------------------------------------------------------------------------------------------------------------

# Digits come first and what stands before them is asked afterwards: re finds a leading digit ten times as fast.
_IBAN_CHECK = re.compile(r"[0-9]{2}(?<=[A-Za-z]{2}[0-9]{2})(?<![^\W_][A-Za-z]{2}[0-9]{2})")
_IBAN_REST = re.compile(r"(?:[ \u00a0.-]?[A-Za-z0-9]){11,30}")
_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]")


def find_ibans(text: str) -> Iterator[Found]:
    """Find IBANs, grouped or not, in capitals or small letters."""
    for check in _IBAN_CHECK.finditer(text):
        start = check.start() - 2
        length = _iban_length(text[start : start + 2].upper())
        rest = _IBAN_REST.match(text, check.end()) if length else None
        end = _iban_end(text, start, rest.end(), length) if rest else None
        if end:
            yield Found("iban", start, end, "iban-checksum")


def _iban_end(text: str, start: int, most: int, length: int) -> int | None:
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
def _iban_length(country: str) -> int:
    """Return the number of characters of an IBAN of ``country`` by the IBAN registry, 0 for an unknown country."""
    from stdnum import numdb

    _, known = numdb.get("iban").info(country)[0]
    return 4 + sum(map(int, re.findall(r"(\d+)!", known["bban"]))) if known.get("bban") else 0


# --- BSN --------------------------------------------------------------------------------------------------------------

# The placeholder [BSN] is no context word, or one number would make the next one suspect.
_BSN_CONTEXT = re.compile(
    r"(?<![^\W\d_])(?:(?<!\[)bsn|bsn(?!\])|burgerservicen(?:umme)?r|sofi(?:-?n(?:umme)?r)?|persoonsn(?:umme)?r|"
    r"citizen service number)(?![^\W\d_])",
    re.IGNORECASE,
)
_BSN = re.compile(
    r"(?<![\w.,+/-])(?:[0-9]{8,9}|[0-9]{4}[. ][0-9]{2}[. ][0-9]{3}|[0-9]{3}[. ][0-9]{3}[. ][0-9]{3})"
    r"(?![\w/]|[.,-][0-9])"
)
_EIGHT_DIGITS = re.compile(r"[0-9](?:[. ]?[0-9]){7}")
_DOTTED = re.compile(r"[0-9]{4}\.[0-9]{2}\.[0-9]{3}")
_BSN_REACH = 60


def find_bsns(text: str, language: str) -> Iterator[Found]:
    """Find Dutch citizen service numbers that pass the elfproef and have a context word or the dotted Dutch form."""
    from stdnum.nl import bsn

    words = [match.span() for match in _BSN_CONTEXT.finditer(text)] if _EIGHT_DIGITS.search(text) else []
    if not words and (language != "nl" or not _DOTTED.search(text)):
        return
    for match in _BSN.finditer(text):
        near = _near(words, *match.span())
        dotted = language == "nl" and _DOTTED.fullmatch(match.group())
        if (near or dotted) and bsn.is_valid(match.group()):
            yield Found("bsn", *match.span(), "bsn-context" if near else "bsn-dotted")


def _near(words: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Say whether a word lies within reach of start or end; words stand in order and do not overlap."""
    after = bisect_right(words, (start, start))
    before = words[after - 1][1] if after else None
    if before is not None and start - before <= _BSN_REACH:
        return True
    return after < len(words) and words[after][0] - end <= _BSN_REACH


# --- phone ------------------------------------------------------------------------------------------------------------

_DIGITS = r"(?:[ \u00a0./()\-\u2011\u2013]{0,3}[0-9]){%s}(?![\w@]|[.,][0-9])"
_INTERNATIONAL = re.compile(r"(?<![\w.,+/-])\(?(?:\+|00)(?=[ ]?\(?[1-9])" + _DIGITS % "7,17")
_NATIONAL = re.compile(r"(?<![\w.,+/-])\(?0(?=\)?[1-9])" + _DIGITS % "6,13")
_BARE = re.compile(r"(?<![\w.,+/-])\(?[1-9]" + _DIGITS % "6,13")
_SEVEN_DIGITS = re.compile(r"[0-9](?:[ \u00a0./()\-\u2011\u2013]{0,3}[0-9]){6}")
# Not after "[": the placeholder [PHONE] is no context word.
_CONTEXT = re.compile(
    r"(?<![^\W\d_])(?<!\[)(?:tel|tél|tlf|telefon\w{0,4}|telefoon\w{0,6}|téléphone|teléfono|telefone|telefono|phone|"
    r"puhelin|puh|telefonszám|τηλ|τηλέφωνο|тел|телефон|mobile?|mobil\w{0,4}|móvil|gsm|fax|faks)[^\w\n]{0,6}\Z",
    re.IGNORECASE,
)
_CONTEXT_REACH = 25
_BOOK_NUMBER = re.compile(r"\b(?:isbn|issn|ean|doi|rfc|iso)\b\W{0,3}(?:1[03]\W{1,3})?$", re.IGNORECASE)
_NOT_A_PHONE = re.compile(
    r"\d{1,2}[-./]\d{1,2}[-./]\d{2,4}|\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,3}(?:\.\d{1,3}){3}|0123456789"
)
# The address of the Free Software Foundation (Boston, MA 02110-1301) stands in half of all Debian documents.
_US_STATE = re.compile(r"\b[A-Z]{2}\s+\Z")
_US_POSTCODE = re.compile(r"[0-9]{5}-[0-9]{4}(?![0-9])")
_LAST_GROUP = re.compile(r"(?<=[0-9])(?!\.[0-9])[^0-9]+[0-9]+\Z")


def find_phones(text: str, regions: Sequence[str]) -> Iterator[Found]:
    """Find phone numbers: international ones anywhere, national ones by the rules of ``regions``."""
    if not _SEVEN_DIGITS.search(text):
        return
    if "+" in text or "00" in text:
        for match in _INTERNATIONAL.finditer(text):
            yield from _phone(text, *match.span(), regions or ("ZZ",), "phone-international")
    if "0" in text:
        for match in _NATIONAL.finditer(text):
            yield from _phone(text, *match.span(), regions, "phone-national")
    for match in _BARE.finditer(text):
        if _CONTEXT.search(text, max(0, match.start() - _CONTEXT_REACH), match.start()):
            yield from _phone(text, *match.span(), regions, "phone-context")


def _phone(text: str, start: int, end: int, regions: Sequence[str], rule: str) -> Iterator[Found]:
    """Confirm a candidate, if need be without its last groups of digits, which may belong to something else."""
    before, candidate = text[max(0, start - 12) : start], text[start:end]
    if _BOOK_NUMBER.search(before) or _NOT_A_PHONE.fullmatch(candidate):
        return
    if _US_STATE.search(before) and _US_POSTCODE.match(candidate):
        return
    while not any(_valid_in(candidate, region) for region in regions):
        shorter = _LAST_GROUP.sub("", candidate)
        if shorter == candidate:
            return
        candidate = shorter
    yield Found("phone", start, start + len(candidate), rule)


def _valid_in(candidate: str, region: str) -> bool:
    import phonenumbers

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(candidate, region)))
    except phonenumbers.NumberParseException:
        return False
