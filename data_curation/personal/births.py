"""Dates of birth: a full date shortly after "born" or "date of birth" in the text's language, under it in a
table, before it in a sentence of the languages whose verb stands last, or after a star.

A date alone is no personal data, and a year alone is no date; hence the words. Found as ``birth-date-context`` and
``birth-date-star`` ("(* 3. Mai 1956").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from data_curation.personal.context import ContextWords
from data_curation.personal.found import UNKNOWN, Found
from data_curation.personal.rules import Births

_MONTH = r"(?P<{0}>[^\W\d_]{{3,14}})"
_YEAR = r"(?P<{0}>[12][0-9]{{3}})"
# A digit first, and what stands before it asked afterwards: see shapes. "~" is a space or the end of a line.
_DATE = re.compile(
    (
        r"[0-9](?<!\w.)(?:"
        # 3.5.1956, 03-05-56, 3 / 5 / 1956, 3-5-'56, 3/5 1956
        r"[0-9]?(?:(?:~?[./-]~?[0-9]{1,2}~?[./-]~?|/[0-9]{1,2}~(?=[12][0-9]{3}))"
        r"(?:(?P<numeric>[12][0-9]{3})|['’]?[0-9]{2})(?![0-9])"
        # 3 mei 1956, 1er mai 1956, 3 de mayo de 1956, 3. Mai 1956, 3 Meán Fómhair 1956
        r"|(?:\.|º|°|-?[^\W\d_]{1,3})?(?:~|-)(?:de~|ta['’]~?|d['’]|of~|[Mm]h?í~(?:na~|an~)?)?"
        + _MONTH.format("month")
        + r"[.,]?(?:~Fómhair)?(?:~de|~del|~tal-|~ta['’])?(?:~|-)?"
        + r"(?:"
        + _YEAR.format("year")
        + r"|['’][0-9]{2})(?![0-9]))"
        # 19560503
        r"|(?<=[12])(?:9[0-9]|0[0-3])[0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?!\w)"
        # 1956-05-03, 1956. 05. 03.
        r"|(?<=[12])[0-9]{3}(?:[-./]~?[0-9]{1,2}[-./]~?[0-9]{1,2}(?![0-9])\.?"
        # 1956. gada 3. maijā
        r"|\.?~gada~[0-9]{1,2}\.~"
        + _MONTH.format("last")
        +
        # 1956. május 3., 1956 m. gegužės 3 d.
        r"|(?:\.|~m\.)~"
        + _MONTH.format("later")
        + r"~[0-9]{1,2}(?![0-9])(?:\.|~d\.)?))"
    ).replace("~", "[ \\n]")
)
_MONTH_FIRST = re.compile(r"[0-9]{1,2}(?:st|nd|rd|th)?,?[ \n](?P<year>[12][0-9]{3})(?![0-9])")
_MONTH_BEFORE = re.compile(r"(?<!\w)(?P<month>[^\W\d_]{3,9})\.?[ \n]\Z")
_STAR = re.compile(r"(?:\(|[^\W\d_][,;]? )\* ?\Z")
_AFTER_REACH = 12
_SENTENCE_END = re.compile(r"[.!?;](?=\s)(?<!\d.)|\n\n")
# The end of a paragraph, unless it ends with a label.
_PARAGRAPH_END = re.compile(r"(?<![:*_|\n])[ \t]*\n[ \t]*\n")
_LONGEST_WORD = 50


class BirthDates:
    """Finds dates of birth in texts of the languages that the rules name."""

    def __init__(self, rules: Births, label: str) -> None:
        self._rules = rules
        self._placeholder = f"[{label}"
        self._words = cache(lambda language: ContextWords(self._for(language), rules.reach))
        self._after = cache(lambda language: ContextWords(self._for(language), _AFTER_REACH))
        self._verbs = cache(lambda language: ContextWords(self._verbs_of(language), rules.after_reach))
        self._months = cache(self._months_of)

    def find(self, text: str, language: str) -> Iterator[Found]:
        """Find dates of birth; a word counts for the first date after it alone."""
        floor = 0
        for start, end in sorted(set(self._dates(text, language))):
            rule = self._rule(text, start, end, language, floor)
            floor = end
            if rule:
                yield Found("birth-date", start, end, rule)

    def _dates(self, text: str, language: str) -> Iterator[tuple[int, int]]:
        """Yield the places of all dates of the years that count: dates are rarer than words such as "born"."""
        for match in _DATE.finditer(text):
            if self._is_date(match, language):
                yield match.span()
        for match in _MONTH_FIRST.finditer(text):
            before = _MONTH_BEFORE.search(text, max(0, match.start() - 12), match.start())
            if before and self._is_month(before["month"], language) and self._young(match["year"]):
                yield before.start(), match.end()

    def _rule(self, text: str, start: int, end: int, language: str, floor: int) -> str | None:
        if _STAR.search(text, max(0, start - 5), start):
            return "birth-date-star"
        words = self._words(language)
        # Most dates have no word at all before them: asked first, for that is fast.
        before = words.before(text, start, floor) and words.before(text, start, self._floor(text, floor, start))
        if before or words.labels(text, start, end):
            return "birth-date-context"
        # A paragraph that ends with the date is asked no further.
        if self._after(language).after(text, end, text.find("\n\n", end, end + _AFTER_REACH)):
            return "birth-date-context"
        return "birth-date-context" if self._verb_follows(text, end, language) else None

    def _verb_follows(self, text: str, end: int, language: str) -> bool:
        """Say whether "geboren" and the like ends the sentence of a date, with no other date between."""
        verbs = self._verbs(language)
        if not verbs.any_in(text, end + self._rules.after_reach + _LONGEST_WORD, end + self._rules.after_reach):
            return False
        most = end + self._rules.after_reach
        stop = _SENTENCE_END.search(text, end, most)
        date = _DATE.search(text, end, stop.start() if stop else most)
        return verbs.after(text, end, date.start() if date else stop.start() + 1 if stop else most)

    def _floor(self, text: str, floor: int, start: int) -> int:
        """Move ``floor`` behind the last date of birth that has been replaced before ``start``."""
        first = max(0, start - self._rules.reach - _LONGEST_WORD)
        for paragraph in _PARAGRAPH_END.finditer(text, first, start):
            floor = max(floor, paragraph.end())
        return max(floor, text.rfind(self._placeholder, first, start) + 1)

    def _is_date(self, match: re.Match[str], language: str) -> bool:
        month = match["month"] or match["later"] or match["last"]
        if month is not None and not self._is_month(month, language):
            return False
        first = match.group()[:4]
        if len(match.group()) == 8 and match.group().isdigit() and first[:2] not in ("19", "20"):
            return False
        year = match["numeric"] or match["year"] or (first if first.isdigit() else None)
        return year is None or self._young(year)

    def _is_month(self, word: str, language: str) -> bool:
        return word.lower().startswith(self._months(language))

    def _young(self, year: str) -> bool:
        return int(year) >= self._rules.earliest_year

    def _for(self, language: str) -> tuple[str, ...]:
        return _of(self._rules.words, language)

    def _verbs_of(self, language: str) -> tuple[str, ...]:
        if language == UNKNOWN:
            return _of(self._rules.after, language)
        return self._rules.after.get(language, ())

    def _months_of(self, language: str) -> tuple[str, ...]:
        return tuple(each for names in _of(self._rules.months, language) for each in names.split("|"))


def _of(words: Mapping[str, tuple[str, ...]], language: str) -> tuple[str, ...]:
    """The words of a language and of English, or of all languages where it is unknown."""
    if language == UNKNOWN:
        return tuple(dict.fromkeys(word for each in words.values() for word in each))
    return (*words.get(language, ()), *words.get("en", ()))
