"""E-mail addresses, and those written against collectors: ``jan [at] example [dot] org``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from data_curation.personal.found import Found

_LOCAL = re.compile(r"(?<![\w.+%&-])[\w+%&-][\w.+%&-]{0,63}\Z")
_DOMAIN = re.compile(r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w@-])")
_LONGEST_LOCAL = 64


def find_emails(text: str) -> Iterator[Found]:
    """Find e-mail addresses, also with letters beyond ASCII; looks only at the surroundings of each ``@``."""
    at, searched = text.find("@"), 0
    while at >= 0:
        domain = _DOMAIN.match(text, at)
        # One character more than an address may have, so that a longer run is seen to be longer.
        local = domain and _LOCAL.search(text, max(searched, at - _LONGEST_LOCAL - 1), at)
        if domain and local:
            searched = domain.end()
            yield Found("email", local.start(), searched, "email-address")
        at = text.find("@", max(at + 1, searched))
    yield from _find_hidden(text)


_AT = re.compile(r"[\[({<][ _-]?(?:at|AT|At|ät|apenstaartje|arroba|arobase|chiocciola|małpa|zavináč|@)[ _-]?[\])}>]")
_DOT = r"(?: ?[\[({<] ?(?:dot|DOT|Dot|punt|punkt|point|punto|ponto|tečka|kropka) ?[\])}>] ?|\.)"
_HIDDEN_DOMAIN = re.compile(
    rf" ?[^\W_][\w-]{{0,62}}(?:{_DOT}[^\W_][\w-]{{0,62}}){{0,6}}{_DOT}[^\W\d_]{{2,24}}(?![\w@-])"
)
_HIDDEN_LOCAL = re.compile(rf"(?<![\w.+%&-])[\w+%&-][\w+%&-]{{0,63}}(?:{_DOT}[\w+%&-]{{1,63}}){{0,4}} ?\Z")
_LONGEST_HIDDEN = 100


def _find_hidden(text: str) -> Iterator[Found]:
    """Find addresses with a bracketed word for the sign; a word without brackets is no sign of an address."""
    searched = 0
    for at in _AT.finditer(text):
        domain = _HIDDEN_DOMAIN.match(text, at.end())
        local = domain and _HIDDEN_LOCAL.search(text, max(searched, at.start() - _LONGEST_HIDDEN), at.start())
        if domain and local:
            searched = domain.end()
            yield Found("email", local.start(), searched, "email-hidden")
