"""Wilson's interval for a share."""

from __future__ import annotations

from math import sqrt

_Z = 1.959963984540054
"""The normal quantile of 95 % on two sides."""


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of ``hits / of`` (E. B. Wilson, JASA 22, 1927, without continuity correction).

    Without observations it is (0, 1): nothing is known.
    """
    if of == 0:
        return 0.0, 1.0
    share, square = hits / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _Z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, middle - half), min(1.0, middle + half)
