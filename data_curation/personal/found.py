"""What was found: a kind, a place and a rule, never the value; and the placeholders that stand for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from data_curation.personal_settings import Kind


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


PLACEHOLDER = re.compile(r"\[[A-Z]+(?:-[A-Z]+)*(?:-[0-9a-f]{6,16})?\]")
"""Anything that has the form of a placeholder: no word in it is a context word, and nothing in it is a value."""
LONGEST_PLACEHOLDER = 48
UNKNOWN = "und"
"""The language of a text whose language is unknown (ISO 639-2): the words of all languages count."""


def in_placeholder(text: str, start: int, end: int) -> bool:
    """Say whether the characters from ``start`` to ``end`` overlap what has the form of a placeholder."""
    at = text.rfind("[", max(0, start - LONGEST_PLACEHOLDER), end)
    placeholder = PLACEHOLDER.match(text, at) if at >= 0 else None
    return placeholder is not None and placeholder.end() > start
