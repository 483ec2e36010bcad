"""Intervals for what the suites measure; every figure that is reported has one, or says that it cannot have one.

Which for what: `wilson` for the share of right answers; `clopper_pearson` (exact, never too narrow) for rare events
such as verbatim reproduction; `ratio` for totals over totals, with documents as the unit that was drawn, because tokens
of one document are not independent; `difference_of_shares` and `difference` for two groups drawn apart from each other,
`exact_difference_of_shares` where one of them may be small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval; bounds and ``error`` (standard error) are None where the data cannot give them.

    ``n`` is the number of independently drawn units, ``freedom`` the degrees of freedom of ``error``.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    error: float | None = None
    freedom: float | None = None

    def bounds(self) -> dict[str, float | None]:
        """Return ``{"low": …, "high": …}``, as the suites write them."""
        return {"low": self.low, "high": self.high}


def wilson(hits: int, n: int, confidence: float = CONFIDENCE) -> Estimate:
    """Score interval of a share (Wilson, JASA 22, 1927; recommended by Brown, Cai and DasGupta, 2001).

    Raises:
        ValueError: ``hits`` is not in 0 … ``n``, or ``n`` is 0.
    """
    _check_share(hits, n)
    z = _z(confidence)
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Estimate(share, 0.0 if hits == 0 else middle - half, 1.0 if hits == n else middle + half, n)


def clopper_pearson(hits: int, n: int, confidence: float = CONFIDENCE) -> Estimate:
    """Exact binomial interval of a share (Clopper and Pearson, Biometrika 26, 1934).

    Raises:
        ValueError: ``hits`` is not in 0 … ``n``, or ``n`` is 0.
    """
    from scipy.stats import beta  # type: ignore[import-untyped, unused-ignore]

    _check_share(hits, n)
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, n - hits + 1))
    high = 1.0 if hits == n else float(beta.ppf(1 - tail, hits + 1, n - hits))
    return Estimate(hits / n, low, high, n)


def ratio(
    numerators: Sequence[float] | Any, denominators: Sequence[float] | Any, confidence: float = CONFIDENCE
) -> Estimate:
    """Sum over sum, with units (documents) drawn at random: linearised variance and Student's t.

    Cochran, "Sampling Techniques", 3rd ed. 1977, section 2.11; with equal weights it is the cluster-robust standard
    error of Miller, "Adding Error Bars to Evals", 2024. One unit gives no interval.

    Raises:
        ValueError: no units, unequal lengths, or denominators that sum to 0.
    """
    above, below = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    n, total = above.size, float(below.sum())
    if n == 0 or below.size != n or total <= 0:
        raise ValueError(f"a ratio needs at least one unit and a positive total; got {n} and {total}.")
    value = float(above.sum()) / total
    if n == 1:
        return Estimate(value, None, None, 1)
    residuals = above - value * below
    error = sqrt(n / (n - 1) * float((residuals**2).sum())) / total
    half = _t(confidence, n - 1) * error
    return Estimate(value, value - half, value + half, n, error, n - 1)


def difference(first: Estimate, second: Estimate, confidence: float = CONFIDENCE) -> Estimate:
    """``first - second`` of two independent estimates with standard errors (Welch, Biometrika 34, 1947)."""
    value = first.value - second.value
    if first.error is None or second.error is None or not first.freedom or not second.freedom:
        return Estimate(value, None, None, min(first.n, second.n))
    variances = first.error**2, second.error**2
    error = sqrt(sum(variances))
    spread = variances[0] ** 2 / first.freedom + variances[1] ** 2 / second.freedom
    freedom = error**4 / spread if spread > 0 else first.freedom + second.freedom
    half = _t(confidence, freedom) * error
    return Estimate(value, value - half, value + half, min(first.n, second.n), error, freedom)


def difference_of_shares(hits: int, n: int, other_hits: int, other_n: int, confidence: float = CONFIDENCE) -> Estimate:
    """``hits / n - other_hits / other_n`` of two independent samples.

    Newcombe's hybrid score interval: method 10 in Statistics in Medicine 17, 1998, pages 873-890.

    Raises:
        ValueError: hits out of range, or an empty sample.
    """
    one, two = wilson(hits, n, confidence), wilson(other_hits, other_n, confidence)
    value = one.value - two.value
    low = value - sqrt((one.value - _known(one.low)) ** 2 + (_known(two.high) - two.value) ** 2)
    high = value + sqrt((_known(one.high) - one.value) ** 2 + (two.value - _known(two.low)) ** 2)
    return Estimate(value, max(-1.0, low), min(1.0, high), min(n, other_n))


def exact_difference_of_shares(
    hits: int, n: int, other_hits: int, other_n: int, confidence: float = CONFIDENCE
) -> Estimate:
    """As `difference_of_shares`, never too narrow however small the samples are.

    Both shares get an exact interval (Clopper-Pearson) at the square root of ``confidence``; the samples are
    independent, so that both hold at once, and with them every difference between them, at ``confidence`` or more.

    Raises:
        ValueError: hits out of range, or an empty sample.
    """
    one, two = (clopper_pearson(k, size, sqrt(confidence)) for k, size in ((hits, n), (other_hits, other_n)))
    low, high = _known(one.low) - _known(two.high), _known(one.high) - _known(two.low)
    return Estimate(one.value - two.value, low, high, min(n, other_n))


def _known(bound: float | None) -> float:
    if bound is None or not isfinite(bound):
        raise ValueError("an interval without bounds cannot be compared.")
    return bound


def _check_share(hits: int, n: int) -> None:
    if not (n > 0 and 0 <= hits <= n):
        raise ValueError(f"a share needs 0 <= hits <= n and n > 0; got {hits} of {n}.")


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _t(confidence: float, freedom: float) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + confidence) / 2, freedom))
