"""What one protocol says about training on a document, with the evidence for it, and how several are combined.

Three values, as in the IETF vocabulary for usage preferences (draft-ietf-aipref-vocab-07, section 5): ``allowed``,
``disallowed``, ``unknown``. The draft lets an allowance cancel what is unknown; here it does not, for what could not be
read might have said no. So the most restrictive of all wins, in the order disallowed, unknown, allowed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

Value = Literal["allowed", "disallowed", "unknown"]

_STRICTNESS: dict[Value, int] = {"allowed": 0, "unknown": 1, "disallowed": 2}
_TEXT_CHARACTERS = 200
_MOST_ALIKE = 3


@dataclass(frozen=True, slots=True)
class Signal:
    """One finding: ``protocol`` says ``value``, in the words ``text`` (shortened) that stand at ``where``.

    ``where`` is an address or a file, with line, header or element. ``sha256`` is that of the evidence, the bytes of
    the file or the recorded answer, in hexadecimal; empty where there is no evidence at all. ``fetched`` is the day of
    the evidence (ISO 8601), empty likewise.
    """

    protocol: str
    value: Value
    where: str
    text: str
    sha256: str
    fetched: str


@dataclass(frozen=True, slots=True)
class Reservation:
    """What all protocols together say about a document, as judged on the day ``as_of`` (ISO 8601)."""

    state: Value
    signals: tuple[Signal, ...]
    as_of: str

    @property
    def decisive(self) -> tuple[Signal, ...]:
        """The signals that carry the state."""
        return tuple(signal for signal in self.signals if signal.value == self.state)


@dataclass(frozen=True)
class Evidence:
    """Bytes that a finding rests on: where they came from, and on which day (ISO 8601).

    ``excerpt_of`` is the SHA-256 of a whole of which the bytes are only a part, where that whole is kept elsewhere.
    """

    where: str
    data: bytes
    fetched: str
    excerpt_of: str = ""

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the bytes, or of the whole that they are taken from, in hexadecimal."""
        return self.excerpt_of or hashlib.sha256(self.data).hexdigest()

    def signal(self, protocol: str, value: Value, text: str, place: str = "") -> Signal:
        """Make a finding that rests on these bytes; ``place`` is the line, header or element within them."""
        where = f"{self.where}, {place}" if place else self.where
        return Signal(
            protocol, value, where, shortened(text), self.sha256 if self.data or self.excerpt_of else "", self.fetched
        )


def combined(values: Iterable[Value]) -> Value:
    """Return the most restrictive of several values; of none at all nothing is known.

    For one value or more this is a join: commutative, associative, idempotent, and never more permissive with one more.
    """
    return max(values, key=_STRICTNESS.__getitem__, default="unknown")


def reservation(signals: Iterable[Signal], as_of: str) -> Reservation:
    """Combine findings in a fixed order that does not depend on theirs.

    Of findings of one protocol that say the same, the first three are kept, so that a file of a thousand lines does not
    fill the ledger.
    """
    distinct = sorted(set(signals), key=lambda one: (-_STRICTNESS[one.value], one.protocol, one.where, one.text))
    alike: Counter[tuple[str, str]] = Counter()
    kept: list[Signal] = []
    for one in distinct:
        alike[one.protocol, one.value] += 1
        if alike[one.protocol, one.value] <= _MOST_ALIKE:
            kept.append(one)
    return Reservation(combined(one.value for one in distinct), tuple(kept), as_of)


def shortened(text: str) -> str:
    """Text on one line, cut for a ledger and free of what UTF-8 cannot carry."""
    return " ".join(text.split())[:_TEXT_CHARACTERS].encode("utf-8", "backslashreplace").decode()


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of JSON whose keys stand there once; of two values JSON keeps the last, which may be the milder.

    Raises:
        ValueError: a key is given twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found
