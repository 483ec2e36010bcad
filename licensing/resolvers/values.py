"""One value from a field that names a licence: an SPDX expression, an address, or prose."""

from __future__ import annotations

import re
from collections.abc import Iterable

from licensing.expression import canonical
from licensing.rights import Declared

PROSE_CHARACTERS = 300
MOST_STATEMENTS = 64
_LONGEST_EXPRESSION = 1000
_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)

_RESTRICTIONS = (
    (
        re.compile(
            r"all rights reserved|alle rechten|alle rechte|tous droits|propriet|confidential|vertrouwelijk", re.I
        ),
        None,
    ),
    (re.compile(r"\bNC\b|(?i:non.?commerc|niet.?commerc|nicht.?kommerz)"), re.compile(r"\bnc\b|noncommercial")),
    (re.compile(r"\bND\b|(?i:no.?deriv|geen.?afgeleide|keine.?bearbeit)"), re.compile(r"\bnd\b|nod")),
)


def statement(value: str, where: str) -> Declared | None:
    """Return what a value declares; None where it is blank."""
    text = plain(value)
    if not text:
        return None
    if _ADDRESS.fullmatch(text):
        return Declared(text, where, "url")
    if is_expression(text):
        return Declared(text, where, "spdx")
    return prose(text, where)


def address(value: str, where: str) -> Declared | None:
    """Return the target of a link; a relative one stays an address, which no licence table knows."""
    text = plain(value)
    return Declared(text, where, "url") if text else None


def prose(value: str, where: str) -> Declared:
    """Return text for a person to read, cut to ``PROSE_CHARACTERS``; blank text says that it is."""
    return Declared(plain(value)[:PROSE_CHARACTERS] or "(empty)", where, "prose")


def is_expression(text: str) -> bool:
    """Whether a text is an SPDX expression that can be read; very long ones are not tried."""
    return len(text) <= _LONGEST_EXPRESSION and canonical(text) is not None


def distinct(found: Iterable[Declared]) -> tuple[Declared, ...]:
    """Return each statement once, at the first of its places; more than `MOST_STATEMENTS` end in one that is prose."""
    first: dict[tuple[str, str], Declared] = {}
    for one in found:
        first.setdefault((one.form, one.text), one)
        if len(first) > MOST_STATEMENTS:
            first[one.form, one.text] = prose("(more statements than can be read)", one.where)
            break
    return tuple(first.values())


def first_of(parts: Iterable[str], most: int = 2000) -> str:
    """Return the first ``most`` characters of a text that comes in parts, and take no more of them than that needs."""
    taken: list[str] = []
    for part in parts:
        taken.append(part[:most])
        most -= len(part)
        if most <= 0:
            break
    return "".join(taken)


def restricts_beyond(text: str, targets: Iterable[str]) -> bool:
    """Whether words beside the address of a licence deny what that licence grants, as far as set phrases show it.

    "NonCommercial" beside the address of a BY-NC licence says the same and no more. This can only make a reading
    stricter; it never takes the place of one.
    """
    known = " ".join(targets).lower()
    return any(words.search(text) and not (mark and mark.search(known)) for words, mark in _RESTRICTIONS)


def plain(text: str) -> str:
    """One line, white space squeezed; half a surrogate pair is written as an escape, for no ledger can hold it."""
    return " ".join(text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", " ").split())
