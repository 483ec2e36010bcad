"""A keyed shuffle of ``range(n)`` that is a formula: nothing is stored, and it can be asked backwards.

Numbers are written as ``x = left + a * right`` with ``a * b`` just above ``n``; the two halves are stirred in turn,
each by a hash of the other ("generalised Feistel"), and a result that falls outside ``range(n)`` is sent through again
until it falls inside ("cycle walking"); both from Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA
2002. Because ``a * b - n < a``, about one number in ``sqrt(n)`` walks, at most. The hash is the finaliser of
SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, with Stafford's constants).

It spreads, it does not hide: the mixer is fast and not a cipher, and the key stands in the plan for all to read.
The exact specification, with test vectors, is ``docs/training-order.md``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from math import isqrt
from typing import overload

import numpy as np
from numpy.typing import NDArray

from licensing.errors import HerkomstError

LARGEST = 2**40
ROUNDS = 6
Numbers = NDArray[np.uint64]

_Once = Callable[[Numbers, Numbers], Numbers]
_DOMAIN = b"herkomst-permutation-v1\0"
# Numbers worked on at a time: the handful of temporary arrays then stay in the processor's cache.
_CHUNK = 2**14


class PermutationError(HerkomstError):
    """A permutation of an impossible size, or a number outside it."""


def parameters(n: int, key: bytes) -> tuple[int, ...]:
    """Return ``(n, a, b, key of round 0, …, key of round 5)``, all that defines one permutation.

    Raises:
        PermutationError: ``n`` is not in 1 … 2**40.
    """
    if not 1 <= n <= LARGEST:
        raise PermutationError(f"permutation: n is {n}; no order can be drawn. It must be from 1 to {LARGEST}.")
    a = isqrt(n - 1) + 1
    b = -(-n // a)
    return (n, a, b, *(_round_key(key, number) for number in range(ROUNDS)))


def _round_key(key: bytes, number: int) -> int:
    return int.from_bytes(hashlib.sha256(_DOMAIN + key + bytes([number])).digest()[:8], "big")


class PermutationTable:
    """Several permutations side by side, applied in one pass; ``which`` says for each number which one is meant."""

    def __init__(self, rows: Sequence[tuple[int, ...]]) -> None:
        """Take one result of ``parameters`` for each permutation."""
        self._columns: Numbers = np.array(rows, dtype=np.uint64).T.copy()

    def forward(self, x: Numbers, which: NDArray[np.intp] | None = None) -> Numbers:
        """Permute ``x`` (one dimension); without ``which`` all by the first permutation. Numbers are not checked."""
        return self._in_chunks(_forward_once, x, which)

    def inverse(self, y: Numbers, which: NDArray[np.intp] | None = None) -> Numbers:
        """Undo ``forward``: ``inverse(forward(x, which), which)`` is ``x``."""
        return self._in_chunks(_inverse_once, y, which)

    def _in_chunks(self, once: _Once, x: Numbers, which: NDArray[np.intp] | None) -> Numbers:
        out = np.empty_like(x)
        for begin in range(0, x.size, _CHUNK):
            part = slice(begin, begin + _CHUNK)
            columns = self._columns[:, :1] if which is None else self._columns[:, which[part]]
            out[part] = _walk(once, x[part], columns)
        return out


class Permutation:
    """One keyed bijection of ``range(n)``, for every n from 1 to 2**40."""

    def __init__(self, n: int, key: bytes) -> None:
        """Derive the round keys from ``key`` (any bytes); raises PermutationError for an impossible ``n``."""
        self.n = n
        self._table = PermutationTable([parameters(n, key)])

    @overload
    def forward(self, x: int) -> int: ...
    @overload
    def forward(self, x: Numbers) -> Numbers: ...
    def forward(self, x: int | Numbers) -> int | Numbers:
        """Return the place of ``x``: a number for a number, an array of the same length for an array.

        Raises:
            PermutationError: a number is not in ``range(n)``.
        """
        return self._apply(self._table.forward, x)

    @overload
    def inverse(self, y: int) -> int: ...
    @overload
    def inverse(self, y: Numbers) -> Numbers: ...
    def inverse(self, y: int | Numbers) -> int | Numbers:
        """Return the number whose place is ``y``; raises PermutationError as ``forward`` does."""
        return self._apply(self._table.inverse, y)

    def _apply(self, direction: Callable[[Numbers], Numbers], x: int | Numbers) -> int | Numbers:
        smallest, largest = (x, x) if isinstance(x, int) else (int(x.min(initial=0)), int(x.max(initial=0)))
        if smallest < 0 or largest >= self.n:
            raise PermutationError(
                f"permutation of {self.n} numbers: {largest if largest >= self.n else smallest} is outside it; "
                f"nothing was computed. Ask for numbers from 0 to {self.n - 1}."
            )
        if isinstance(x, int):
            return int(direction(np.array([x], dtype=np.uint64))[0])
        return direction(x.astype(np.uint64, copy=False))


# --- one pass through the rounds; ``columns`` are rows n, a, b, keys, each of length 1 or of the length of x ---


def _walk(once: _Once, x: Numbers, columns: Numbers) -> Numbers:
    y = once(x, columns)
    outside = np.flatnonzero(y >= columns[0])
    while outside.size:
        own = columns if columns.shape[1] == 1 else columns[:, outside]
        again = once(y[outside], own)
        y[outside] = again
        outside = outside[again >= own[0]]
    return y


def _forward_once(x: Numbers, columns: Numbers) -> Numbers:
    a, b, keys = columns[1], columns[2], columns[3:]
    right, left = np.divmod(x, a)
    for number in range(0, ROUNDS, 2):
        left = _add(left, _draw(right, keys[number], a), a)
        right = _add(right, _draw(left, keys[number + 1], b), b)
    joined: Numbers = left + a * right
    return joined


def _inverse_once(y: Numbers, columns: Numbers) -> Numbers:
    a, b, keys = columns[1], columns[2], columns[3:]
    right, left = np.divmod(y, a)
    for number in range(ROUNDS - 2, -1, -2):
        right = _add(right, b - _draw(left, keys[number + 1], b), b)
        left = _add(left, a - _draw(right, keys[number], a), a)
    joined: Numbers = left + a * right
    return joined


def _draw(half: Numbers, key: Numbers, bound: Numbers) -> Numbers:
    """Hash one half to a number below ``bound`` (at most 2**20, so that the product fits 64 bits)."""
    z = mix(half ^ key)
    # Scaling the upper 32 bits needs no division, and the low bits of the result come from well-mixed ones.
    z >>= 32
    z *= bound
    z >>= 32
    return z


def mix(z: Numbers) -> Numbers:
    """Stir 64 bits so that each depends on all, in place: the finaliser of SplitMix64, a bijection."""
    z ^= z >> 30
    z *= 0xBF58476D1CE4E5B9
    z ^= z >> 27
    z *= 0x94D049BB133111EB
    z ^= z >> 31
    return z


def _add(half: Numbers, drawn: Numbers, bound: Numbers) -> Numbers:
    """Add modulo ``bound``; where the sum is below it, subtracting wraps round to a huge number and the sum stands."""
    total = half + drawn
    reduced: Numbers = np.minimum(total, total - bound)
    return reduced
