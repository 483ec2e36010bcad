"""Licence plates: a form of a country and a word such as "kenteken", or a form that hardly anything else has.

Found as ``COUNTRY-plate-context`` or ``COUNTRY-plate-form``. Forms with little in them ("AB 1234") are looked for only
in texts of the country's languages; codes of goods have them too.
"""

from __future__ import annotations

from data_curation.personal.context import ContextWords
from data_curation.personal.found import UNKNOWN
from data_curation.personal.rules import Plates, Rules
from data_curation.personal.shapes import Place, expand
from data_curation.personal_settings import Kind


class PlateJudge:
    """The plates of one country."""

    kind: Kind = "licence-plate"

    def __init__(self, country: str, plates: Plates, words: ContextWords) -> None:
        self.forms = (*plates.forms, *plates.alone)
        self._country, self._plates, self._words = country, plates, words
        self._alone = frozenset(each for form in plates.alone for each in expand(form))

    def judge(self, place: Place) -> str | None:
        """Return the rule where this is a plate, None where it is not."""
        if place.language not in self._plates.languages and place.language != UNKNOWN:
            return None
        if self._words.near(place.text, place.start, place.end):
            return f"{self._country}-plate-context"
        letters = (sign for sign in place.compact if sign.isalpha())
        if (
            place.form in self._alone
            and place.language != UNKNOWN
            and all(sign in self._plates.letters for sign in letters)
        ):
            return f"{self._country}-plate-form"
        return None


def plate_judges(rules: Rules) -> list[PlateJudge]:
    """Make a judge for each country of the rules."""
    words = ContextWords(rules.plate_words, rules.reach)
    return [PlateJudge(country, plates, words) for country, plates in rules.plates.items()]
