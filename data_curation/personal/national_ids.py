"""National identity numbers: a known form, its checksum, and as a rule a word near it.

A number that passes its check by chance with more than a few in a thousand needs a word such as "BSN" or a text of its
own language; ``configs/personal-data.yaml`` says which, and with what probability random digits pass.
"""

from __future__ import annotations

import re
from functools import cache

from data_curation.personal.checks import CHECKS
from data_curation.personal.context import ContextWords
from data_curation.personal.found import UNKNOWN
from data_curation.personal.rules import NationalId, Rules
from data_curation.personal.shapes import Place, expand
from data_curation.personal_settings import Kind

BOOK_NUMBER = re.compile(r"\b(?:isbn|issn|ean|gtin|doi|rfc|iso)\b\W{0,3}(?:1[03]\W{1,3})?\Z", re.IGNORECASE)
"""What stands before a number of thirteen digits that belongs to a thing."""
_CHECKED = 0.2
"""Chance of random digits up to which a number counts as one with a check."""


class IdJudge:
    """One rule of ``national_ids``; found as ``NAME-context`` or ``NAME-form``."""

    kind: Kind = "national-id"

    def __init__(self, name: str, rule: NationalId, rules: Rules) -> None:
        self.forms = rule.forms
        self._name, self._rule = name, rule
        self._check = CHECKS[name]
        self._own_forms = frozenset(each for form in rule.own_forms for each in expand(form))
        self._rules = rules
        self._words = cache(self._words_in)

    def judge(self, place: Place) -> str | None:
        """Return the rule where the number is one of these, None where it is not."""
        alone, words = self._alone(place), self._words(place.language)
        # Words are cheaper to look for than checksums are to compute.
        if not alone and not words.possible(place.text, place.start, place.end):
            return None
        if not self._check(place.compact):
            return None
        if words.near(place.text, place.start, place.end):
            return f"{self._name}-context"
        if alone and not BOOK_NUMBER.search(place.text, max(0, place.start - 16), place.start):
            return f"{self._name}-form"
        return None

    def _alone(self, place: Place) -> bool:
        needs = self._rule.bare if place.form.isdigit() else self._rule.written
        # A text of unknown language may be of any country, but digits alone are then too little.
        own = place.language in self._rule.languages or (place.language == UNKNOWN and not place.form.isdigit())
        return needs == "any" or (own and (needs == "own" or place.form in self._own_forms))

    def _words_in(self, language: str) -> ContextWords:
        spoken = self._rule.languages if language == UNKNOWN else {language}.intersection(self._rule.languages)
        lists = [self._rules.id_words]
        if self._rule.chance <= _CHECKED:
            lists.append(self._rules.office_words)
        own = [word for words in lists for each in sorted(spoken) for word in words.get(each, ())]
        return ContextWords((*self._rule.words, *own), self._rules.reach)
