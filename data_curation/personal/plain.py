"""The same text with one sign for all spaces and one for all hyphens, so that each finder knows a single writing.

Typesetting breaks a number with no-break and thin spaces, and with the hyphens of Unicode; the minus and the en dash
stand for a hyphen as often. Every sign is replaced by one sign, so that places stay those of the text as given. Letters
of a few identity numbers, written small as in a form on the web, become capitals, and those of German plates lose
their dots.
"""

from __future__ import annotations

import re

_SPACES = "\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f"
_HYPHENS = "\u2010\u2011\u2012\u2013\u2212"
# A digit first, and what stands before it asked afterwards: see shapes.
_SMALL = re.compile(
    r"[0-9](?=[0-9]?-?[a-z])(?:"
    # An Italian codice fiscale, in one piece and in groups.
    r"(?<=[a-z]{6}[0-9])[0-9][a-z][0-9]{2}[a-z][0-9]{3}[a-z](?!\w)"
    r"|(?<=[a-z]{3} [a-z]{3} [0-9])[0-9][a-z][0-9]{2} ?[a-z][0-9]{3}[a-z](?!\w)"
    # Numbers with one or two letters at their end: Cyprus, Finland, Ireland, Malta, Spain.
    r"|(?<=[0-9]{3})-?[a-z]{1,2}(?!\w))"
)
_LETTERS_BEFORE = 7
# German plates: their letters, and those of no other number, may have dots.
_UMLAUTS = re.compile("[ÄÖÜ](?=[A-Z]?[ -][A-ZÄÖÜ]{1,2}[ -]?[0-9]|[ -]?[0-9])")
_BASE = {"Ä": "A", "Ö": "O", "Ü": "U"}


def plain(text: str) -> str:
    """Return ``text`` with plain spaces and hyphens; each character keeps its place."""
    if not text.isascii():
        for signs, sign in ((_SPACES, " "), (_HYPHENS, "-")):
            for each in signs:
                # Most texts have none of them, and to look is faster than to copy.
                if each in text:
                    text = text.replace(each, sign)
        if any(each in text for each in _BASE):
            text = _UMLAUTS.sub(lambda match: _BASE[match.group()], text)
    return _with_capitals(text)


def _with_capitals(text: str) -> str:
    parts, at = [], 0
    for match in _SMALL.finditer(text):
        # Only where letters stand before the digits does a number begin with them.
        start = match.start() - _LETTERS_BEFORE if match.end() - match.start() > 4 else match.start()
        start = max(at, start)
        parts += [text[at:start], _capitals(text[start : match.end()])]
        at = match.end()
    return "".join([*parts, text[at:]]) if parts else text


def _capitals(part: str) -> str:
    """ASCII letters alone, for others may change their length."""
    return part.upper() if part.isascii() else part
