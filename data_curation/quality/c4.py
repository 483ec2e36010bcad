"""C4's rules (Raffel et al. 2020, section 2.2), as datatrove's ``C4QualityFilter``, without changing the text.

The filter drops single lines and gives back what is left of the text. Here the line rules only decide which lines count
towards the least number of sentences, and which are looked at for filler and brackets; the text stays whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from data_curation.vocabulary import FILLER

if TYPE_CHECKING:
    from data_curation.quality.lines import Lines
    from data_curation.settings import C4Settings
    from data_curation.words import Words

Sentences = Callable[[str], int]
"""How many sentences a line has."""

_CITATION = re.compile(r"\[\d*]|\[edit]|\[citation needed]")
_END = (".", "?", "!", '"', "'")
_POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")


def broken_c4(own: Words, lines: Lines, sentences: Sentences, settings: C4Settings) -> str | None:
    """Return the name of the first rule that the text breaks, or None; ``own`` are the words by our own split."""
    if not settings.rules_for_lines():
        return _broken_whole(own, lines.text, settings)
    count = 0
    for line in kept_lines(lines, settings):
        lowered = line.lower()
        if settings.drop_lorem_ipsum and "lorem ipsum" in lowered:
            return "lorem-ipsum"
        if settings.leave_out_javascript and "javascript" in lowered:
            continue
        if settings.drop_curly_bracket and "{" in line:
            return "curly-bracket"
        if settings.leave_out_policy and any(phrase in lowered for phrase in _POLICY):
            continue
        count += sentences(line) if settings.min_sentences else 0
    return "too-few-sentences" if count < settings.min_sentences else None


def kept_lines(lines: Lines, settings: C4Settings) -> Iterator[str]:
    """Yield the lines that the rules on length and ending leave, stripped, without citations if so wished."""
    for line in map(str.strip, lines.all):
        words = line.split()
        if settings.longest_word and any(len(word) > settings.longest_word for word in words):
            continue
        kept = _CITATION.sub("", line) if settings.leave_out_citations else line
        if settings.need_terminal_mark and (not kept.endswith(_END) or kept.endswith("...")):
            continue
        if len(words) >= settings.min_words_per_line:
            yield kept


def _broken_whole(own: Words, text: str, settings: C4Settings) -> str | None:
    """The two rules on whole pages, without a look at each line: whichever comes first in the text is told."""
    filler = text.lower().find("lorem ipsum") if settings.drop_lorem_ipsum and (own.flags & FILLER).any() else -1
    bracket = text.find("{") if settings.drop_curly_bracket else -1
    if filler < 0 and bracket < 0:
        return None
    if filler >= 0 and bracket >= 0:
        return _first_of_both(text)
    return "lorem-ipsum" if filler >= 0 else "curly-bracket"


def _first_of_both(text: str) -> str:
    """Within one line, filler comes before a bracket."""
    for line in text.splitlines():
        if "lorem ipsum" in line.lower():
            return "lorem-ipsum"
        if "{" in line:
            break
    return "curly-bracket"
