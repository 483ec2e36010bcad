"""Dictionaries of Structured Field Values for HTTP (RFC 9651, section 4.2.2): keys and the kind of their values.

Only what usage preferences need is kept: a token's text. Any other valid value is a value all the same and kept as
None; anything that is not a dictionary is an error, as the standard demands.
"""

from __future__ import annotations

import re

_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
_SPACE = re.compile(r"[ \t]*")
_TOKEN = re.compile(r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*")
_ITEM = re.compile(
    r"""-?[0-9]{1,15}(?:\.[0-9]{1,3})?      # integer or decimal
    | "(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"   # string
    | :[A-Za-z0-9+/=]*:                     # bytes
    | \?[01]                                # boolean
    | @-?[0-9]{1,15}                        # date
    | %"(?:[\x20\x21\x23-\x24\x26-\x7e]|%[0-9a-f]{2})*"   # display string
    """,
    re.VERBOSE,
)


class NotADictionary(ValueError):
    """The text is no dictionary; the whole field is then to be ignored, and nothing is known."""


def parse_dictionary(text: str) -> dict[str, str | None]:
    """Read a dictionary; a later value of the same key replaces an earlier one.

    Returns:
        The text of each token, and None for every other kind of value.

    Raises:
        NotADictionary: the text is not one.
    """
    reader = _Reader(text.strip(" "))
    found: dict[str, str | None] = {}
    while not reader.done():
        key = reader.take(_KEY, "a key")
        found.pop(key, None)
        found[key] = reader.value() if reader.accept("=") else None
        reader.parameters()
        reader.skip()
        if reader.done():
            break
        if not reader.accept(","):
            raise NotADictionary(f"character {reader.place + 1}: a comma is missing")
        reader.skip()
        if reader.done():
            raise NotADictionary("it ends with a comma")
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self.place = text, 0

    def done(self) -> bool:
        return self.place >= len(self._text)

    def skip(self) -> None:
        self.take(_SPACE, "space")

    def accept(self, character: str) -> bool:
        here = self._text.startswith(character, self.place)
        self.place += len(character) * here
        return here

    def take(self, pattern: re.Pattern[str], what: str) -> str:
        found = pattern.match(self._text, self.place)
        if found is None:
            raise NotADictionary(f"character {self.place + 1}: {what} is missing")
        self.place = found.end()
        return found[0]

    def value(self) -> str | None:
        if self.accept("("):
            self._inner_list()
            return None
        return self._bare()

    def _bare(self) -> str | None:
        token = _TOKEN.match(self._text, self.place)
        if token is not None:
            self.place = token.end()
            return token[0]
        self.take(_ITEM, "a value")
        return None

    def _inner_list(self) -> None:
        self.skip()
        while not self.accept(")"):
            self._bare()
            self.parameters()
            if not self._text.startswith((" ", ")"), self.place):
                raise NotADictionary(f"character {self.place + 1}: a list is not closed")
            self.skip()

    def parameters(self) -> None:
        while self.accept(";"):
            self.skip()
            self.take(_KEY, "a parameter")
            if self.accept("="):
                self._bare()
