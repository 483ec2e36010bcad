"""One value from a field that names a licence: an SPDX expression, an address, or prose."""

from __future__ import annotations

import re
from collections.abc import Iterable

from licensing.expression import canonical
from licensing.rights import Declared

PROSE_CHARACTERS = 300
_LONGEST_EXPRESSION = 1000
_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)


def statement(value: str, where: str) -> Declared | None:
    """Return what a value declares; None where it is blank. A value cut by ``PROSE_CHARACTERS`` is always prose."""
    text = plain(value)
    if not text:
        return None
    if _ADDRESS.fullmatch(text):
        return Declared(text, where, "url")
    if is_expression(text):
        return Declared(text, where, "spdx")
    return prose(text, where)


def statements(values: Iterable[str], where: str) -> tuple[Declared, ...]:
    """Return what each value declares, at one place; blank ones declare nothing."""
    return tuple(found for found in (statement(value, where) for value in values) if found)


def address(value: str, where: str) -> Declared | None:
    """Return the target of a link; a relative one stays an address, which no licence table knows."""
    text = plain(value)
    return Declared(text, where, "url") if text else None


def prose(value: str, where: str) -> Declared:
    """Return text for a person to read, cut to ``PROSE_CHARACTERS``."""
    return Declared(plain(value)[:PROSE_CHARACTERS], where, "prose")


def is_expression(text: str) -> bool:
    """Whether a text is an SPDX expression that can be read; very long ones are not tried."""
    return len(text) <= _LONGEST_EXPRESSION and canonical(text) is not None


def plain(text: str) -> str:
    """One line, white space squeezed; half a surrogate pair is written as an escape, for no ledger can hold it."""
    return " ".join(text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", " ").split())
