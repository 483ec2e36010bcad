"""Replacing personal data: all finders over a text, overlaps settled, and a second look where something was replaced.

Overlaps go to the earlier and then the longer match, and of two alike to the kind that stands first in the order below.
A replacement may bring a word such as "BSN" closer to a number; what has changed is therefore searched again until
nothing more is found, so that a second call changes nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from data_curation.personal.addresses import AddressFinder
from data_curation.personal.births import BirthDates
from data_curation.personal.cards import CardJudge
from data_curation.personal.emails import find_emails
from data_curation.personal.found import Found, Redacted, in_placeholder
from data_curation.personal.ibans import find_ibans
from data_curation.personal.ips import IpAddresses
from data_curation.personal.names import Names
from data_curation.personal.national_ids import IdJudge
from data_curation.personal.phones import Phones
from data_curation.personal.plain import plain
from data_curation.personal.plates import plate_judges
from data_curation.personal.pseudonyms import stand_in
from data_curation.personal.rules import Rules, read_rules
from data_curation.personal.shapes import Judge, Shapes
from data_curation.personal.wrapped import Finder, find_wrapped
from data_curation.personal_settings import Kind, PersonalDataSettings

_ORDER: tuple[Kind, ...] = (
    "iban", "email", "national-id", "card", "phone", "ip", "birth-date", "licence-plate", "address", "name",
)  # fmt: skip
_AROUND = 400
"""Characters around a replacement that are searched again: more than any reach and any value together."""


_FEWEST_DIGITS = 6
"""Digits of a phone number that stands alone; fewer at the end of a line are the beginning of one."""


@dataclass(frozen=True, slots=True)
class _Replaced:
    """A find and what stands in its place."""

    found: Found
    stand_in: str


class PersonalData:
    """Finds and replaces the kinds of personal data that the settings name; raises ``NoKey``, ``UnreadableFile``."""

    def __init__(self, settings: PersonalDataSettings) -> None:
        self._settings = settings
        rules = read_rules(settings.rules)
        self._stand_in = stand_in(settings, rules.placeholders)
        finders = _finders(settings, rules)
        self._finders = [finder for finder, _ in finders]
        self._wrapped = [wrapped for _, wrapped in finders if wrapped]

    def replace(self, text: str, language: str) -> Redacted:
        """Return ``text`` with its personal data replaced; ``language`` decides words and national forms."""
        replaced: list[_Replaced] = []
        current = text
        while fresh := self._search(current, language):
            replaced = sorted([*replaced, *self._as_given(text, fresh, replaced)], key=lambda each: each.found.start)
            current = _rebuilt(text, replaced)
            if not self._anything_around(current, replaced, language):
                break
        return Redacted(current, tuple(each.found for each in replaced))

    def __getstate__(self) -> PersonalDataSettings:
        return self._settings

    def __setstate__(self, settings: PersonalDataSettings) -> None:
        self.__init__(settings)  # type: ignore[misc]

    def _search(self, text: str, language: str) -> list[Found]:
        """Search the text as it is, and over the ends of its lines."""
        text = plain(text)
        found = [each for finder in self._finders for each in finder(text, language)]
        whole = _whole_phones(found)
        found += [each for each in find_wrapped(text, language, self._wrapped) if not _are_two(text, each, whole)]
        return _without_overlaps([each for each in found if not in_placeholder(text, each.start, each.end)])

    def _anything_around(self, text: str, replaced: Sequence[_Replaced], language: str) -> bool:
        return any(self._search(text[start:end], language) for start, end in _around(text, replaced))

    def _as_given(self, text: str, fresh: Sequence[Found], earlier: Sequence[_Replaced]) -> Iterator[_Replaced]:
        """Move places in the text with ``earlier`` replaced back to places in the text as given."""
        ends, shifts, shift = [], [], 0
        for each in earlier:
            shift += each.found.end - each.found.start - len(each.stand_in)
            ends.append(each.found.end - shift)
            shifts.append(shift)
        for found in fresh:
            # Nothing fresh overlaps a placeholder: both ends move alike.
            before = bisect_right(ends, found.start)
            move = shifts[before - 1] if before else 0
            start, end = found.start + move, found.end + move
            yield _Replaced(Found(found.kind, start, end, found.rule), self._stand_in(found.kind, text[start:end]))


def _finders(settings: PersonalDataSettings, rules: Rules) -> list[tuple[Finder, Finder | None]]:
    """Make the finders of the kinds asked for, each with that for values over two lines; fixed forms share one."""
    phones, ips = Phones(rules, settings.regions), IpAddresses(rules.ip)
    births, names = BirthDates(rules.births, rules.placeholders["birth-date"]), Names(rules.titles)
    addresses = [AddressFinder(country, each) for country, each in rules.addresses.items()]
    own: dict[Kind, Finder] = {
        "iban": lambda text, language: find_ibans(text),
        "email": lambda text, language: find_emails(text),
        "phone": phones.find,
        "ip": lambda text, language: ips.find(text),
        "birth-date": births.find,
        "address": lambda text, language: (
            found for finder in addresses if finder.reads(language) for found in finder.find(text)
        ),
        "name": names.find,
    }
    wrapped: dict[Kind, Finder] = {
        "iban": own["iban"],
        "phone": lambda text, language: phones.find(text, language, strict=True),
    }
    shapes = Shapes(_judges(settings, rules))
    asked = [kind for kind in _ORDER if kind in settings.kinds and kind in own]
    return [(shapes.find, shapes.find), *((own[kind], wrapped.get(kind)) for kind in asked)]


def _judges(settings: PersonalDataSettings, rules: Rules) -> list[Judge]:
    judges: list[Judge] = []
    if "national-id" in settings.kinds:
        judges += [IdJudge(name, rules.national_ids[name], rules) for name in settings.national_ids]
    if "card" in settings.kinds:
        judges.append(CardJudge(rules))
    if "licence-plate" in settings.kinds:
        judges += plate_judges(rules)
    return judges


def _without_overlaps(found: list[Found]) -> list[Found]:
    kept: list[Found] = []
    for each in sorted(found, key=lambda each: (each.start, -each.end, _ORDER.index(each.kind))):
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept


def _whole_phones(found: Sequence[Found]) -> tuple[set[int], list[int]]:
    """Return where phone numbers begin, and in order where those begin that show it by a plus or a zero."""
    phones = [each for each in found if each.kind == "phone"]
    return {each.start for each in phones}, sorted(each.start for each in phones if each.rule != "phone-context")


def _are_two(text: str, wrapped: Found, whole: tuple[set[int], list[int]]) -> bool:
    """Say whether a phone number over two lines is one that ends on the first and another on the second."""
    starts, sure = whole
    if wrapped.kind != "phone":
        return False
    first = text[wrapped.start : text.index("\n", wrapped.start)]
    at = bisect_left(sure, wrapped.start)
    second = at < len(sure) and sure[at] < wrapped.end and sum(map(str.isdigit, first)) >= _FEWEST_DIGITS
    return wrapped.start in starts or second


def _rebuilt(text: str, replaced: Sequence[_Replaced]) -> str:
    parts, at = [], 0
    for each in replaced:
        parts += [text[at : each.found.start], each.stand_in]
        at = each.found.end
    return "".join([*parts, text[at:]])


def _around(text: str, replaced: Sequence[_Replaced]) -> Iterator[tuple[int, int]]:
    """Yield the parts of ``text`` around its stand-ins, from space to space."""
    shift, start, end = 0, -1, -1
    for each in replaced:
        first = each.found.start + shift - _AROUND
        shift += len(each.stand_in) - (each.found.end - each.found.start)
        if end >= 0 and first > end:
            yield start, end
            start = -1
        if start < 0:
            start = max(0, first)
        end = min(len(text), each.found.end + shift + _AROUND)
    if end >= 0:
        yield start, end
