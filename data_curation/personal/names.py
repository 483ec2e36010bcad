"""Names of persons after a form of address ("de heer J. de Vries", "Frau Schmidt", "M. Dupont"); off unless asked for.

Three reasons why it is off: it also takes the names of authors, office holders and persons long dead, which text is
about and often has to name (attribution is a duty of many licences); it finds only names that follow a title, so that
it does not make a text anonymous; and declined forms and capitals at the start of a sentence make it imprecise. Lists
of names would find more. The one for Dutch (deduce) states LGPL-3.0 in its metadata and GPL-3.0 in its description, and
is therefore not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from data_curation.personal.found import Found

_CAPITAL = r"[A-ZÀ-ÖØ-ÞŁŚŻĆŹŠŽČĎĚŇŘŤŮĐĶĻŅĢĪŪĒĀĖĘĮŲŐŰĠĦĊȘȚĂΑ-ΩΆΈΉΊΌΎΏА-ЯЁ]"
_WORD = rf"{_CAPITAL}[\w'’-]+"
_INITIALS = rf"(?:{_CAPITAL}\.[ -]?){{1,4}} ?"
_PARTICLES = r"(?:(?:van|von|de|den|der|ter|ten|te|'t|la|le|du|des|di|da|del|della|dos|zu|af|av|el) ){0,3}"
_NAME = rf"(?:{_INITIALS})?{_PARTICLES}{_WORD}(?: {_PARTICLES}{_WORD}){{0,2}}"


class Names:
    """Finds names by the titles of the text's language, as ``name-title``."""

    def __init__(self, titles: Mapping[str, tuple[str, ...]]) -> None:
        self._patterns = {language: _pattern(words) for language, words in titles.items()}

    def find(self, text: str, language: str) -> Iterator[Found]:
        """Find names; the form of address stays."""
        pattern = self._patterns.get(language)
        if pattern:
            for match in pattern.finditer(text):
                yield Found("name", *match.span("name"), "name-title")


def _pattern(titles: tuple[str, ...]) -> re.Pattern[str]:
    every = sorted({form for title in titles for form in (title, title[:1].upper() + title[1:])}, key=len, reverse=True)
    return re.compile(rf"(?<![\w./])(?:{'|'.join(map(re.escape, every))})[ \u00a0](?P<name>{_NAME})")
