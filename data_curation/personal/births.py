"""Dates of birth: a full date shortly after "born" or "date of birth" in the text's language, or after a star.

A date alone is no personal data, and a year alone is no date; hence the words. Found as ``birth-date-context`` and
``birth-date-star`` ("(* 3. Mai 1956").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from data_curation.personal.context import ContextWords
from data_curation.personal.found import Found
from data_curation.personal.rules import Births

_MONTH = r"(?P<{0}>[^\W\d_]{{3,14}})"
_YEAR = r"(?P<{0}>[12][0-9]{{3}})"
# A digit first, and what stands before it asked afterwards: see shapes.
_DATE = re.compile(
    r"[0-9](?<!\w.)(?:"
    # 3.5.1956, 03-05-56, 3 / 5 / 1956
    r"[0-9]?(?: ?[./-] ?[0-9]{1,2} ?[./-] ?(?:(?P<numeric>[12][0-9]{3})|[0-9]{2})(?![0-9])"
    # 3 mei 1956, 1er mai 1956, 3 de mayo de 1956, 3. Mai 1956
    r"|(?:\.|º|°|-?[^\W\d_]{1,3})?[ \u00a0-](?:de |ta['’] ?|d['’]|of )?"
    + _MONTH.format("month")
    + r"[.,]?(?: de| del| tal-| ta['’])?[ \u00a0-]?"
    + _YEAR.format("year")
    + r"(?![0-9]))"
    # 1956-05-03, 1956. 05. 03.
    r"|(?<=[12])[0-9]{3}(?:[-./] ?[0-9]{1,2}[-./] ?[0-9]{1,2}(?![0-9])\.?"
    # 1956. gada 3. maijā
    r"|\.? gada [0-9]{1,2}\. "
    + _MONTH.format("last")
    +
    # 1956. május 3., 1956 m. gegužės 3 d.
    r"|(?:\.| m\.) "
    + _MONTH.format("later")
    + r" [0-9]{1,2}(?![0-9])(?:\.| d\.)?))"
)
_MONTH_FIRST = re.compile(r"[0-9]{1,2}(?:st|nd|rd|th)?,? (?P<year>[12][0-9]{3})(?![0-9])")
_MONTH_BEFORE = re.compile(r"(?<!\w)(?P<month>[^\W\d_]{3,9})\.? \Z")
_STAR = re.compile(r"(?:\(|[^\W\d_][,;]? )\* ?\Z")
_STAR_AND_DIGIT = re.compile(r"\* ?[0-9]")
_AFTER_REACH = 12
# Wide enough that a date cut off at the edge of a part is out of any word's reach.
_BEFORE, _AFTER = 100, 150
_LONGEST_WORD = 50


class BirthDates:
    """Finds dates of birth in texts of the languages that the rules name."""

    def __init__(self, rules: Births, label: str) -> None:
        self._rules = rules
        self._placeholder = f"[{label}"
        self._words = cache(lambda language: ContextWords(self._for(language), rules.reach))
        self._after = cache(lambda language: ContextWords(self._for(language), _AFTER_REACH))
        self._months = cache(self._months_of)

    def find(self, text: str, language: str) -> Iterator[Found]:
        """Find dates of birth; a word counts for the first date after it alone."""
        floor = 0
        for start, end in sorted(
            {date for part in self._parts(text, language) for date in self._dates(text, *part, language)}
        ):
            rule = self._rule(text, start, end, language, self._floor(text, floor, start))
            floor = end
            if rule:
                yield Found("birth-date", start, end, rule)

    def _parts(self, text: str, language: str) -> Iterator[tuple[int, int]]:
        """Yield the parts of a text around words and stars; outside of them no date is one of birth."""
        stars = [match.start() for match in _STAR_AND_DIGIT.finditer(text)]
        start = end = 0
        for place in sorted([*self._words(language).starts(text), *stars]):
            if place - _BEFORE > end:
                if end:
                    yield start, end
                start = place - _BEFORE
            end = place + self._rules.reach + _AFTER
        if end:
            yield max(0, start), end

    def _dates(self, text: str, first: int, last: int, language: str) -> Iterator[tuple[int, int]]:
        """Yield the places of all dates of the years that count in a part of the text."""
        for match in _DATE.finditer(text, first, last):
            if self._is_date(match, language):
                yield match.span()
        for match in _MONTH_FIRST.finditer(text, first, last):
            before = _MONTH_BEFORE.search(text, max(0, match.start() - 12), match.start())
            if before and self._is_month(before["month"], language) and self._young(match["year"]):
                yield before.start(), match.end()

    def _rule(self, text: str, start: int, end: int, language: str, floor: int) -> str | None:
        if _STAR.search(text, max(0, start - 5), start):
            return "birth-date-star"
        if self._words(language).before(text, start, floor) or self._after(language).after(text, end):
            return "birth-date-context"
        return None

    def _floor(self, text: str, floor: int, start: int) -> int:
        """Move ``floor`` behind the last date of birth that has been replaced before ``start``."""
        return max(floor, text.rfind(self._placeholder, max(0, start - self._rules.reach - _LONGEST_WORD), start) + 1)

    def _is_date(self, match: re.Match[str], language: str) -> bool:
        month = match["month"] or match["later"] or match["last"]
        if month is not None and not self._is_month(month, language):
            return False
        first = match.group()[:4]
        year = match["numeric"] or match["year"] or (first if first.isdigit() else None)
        return year is None or self._young(year)

    def _is_month(self, word: str, language: str) -> bool:
        return word.lower().startswith(self._months(language))

    def _young(self, year: str) -> bool:
        return int(year) >= self._rules.earliest_year

    def _for(self, language: str) -> tuple[str, ...]:
        return (*self._rules.words.get(language, ()), *self._rules.words.get("en", ()))

    def _months_of(self, language: str) -> tuple[str, ...]:
        named = (*self._rules.months.get(language, ()), *self._rules.months.get("en", ()))
        return tuple(each for names in named for each in names.split("|"))
