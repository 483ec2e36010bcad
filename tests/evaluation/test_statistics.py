from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation import statistics

# Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I:
# methods 3 (Wilson) and 5 (Clopper-Pearson).
SINGLE = [
    (81, 263, 0.2553, 0.3662, 0.2527, 0.3676),
    (15, 148, 0.0624, 0.1605, 0.0578, 0.1617),
    (0, 20, 0.0000, 0.1611, 0.0000, 0.1684),
    (1, 29, 0.0061, 0.1718, 0.0009, 0.1776),
]
# The same, "Interval estimation for the difference between independent proportions", table II: method 10.
DIFFERENCES = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (10, 10, 0, 10, 0.6075, 1.0000),
]


@pytest.mark.parametrize(("hits", "n", "low", "high", "exact_low", "exact_high"), SINGLE)
def test_shares_equal_the_published_table(
    hits: int, n: int, low: float, high: float, exact_low: float, exact_high: float
) -> None:
    wilson, exact = statistics.wilson(hits, n), statistics.clopper_pearson(hits, n)
    assert (wilson.low, wilson.high) == pytest.approx((low, high), abs=5.1e-5)
    assert (exact.low, exact.high) == pytest.approx((exact_low, exact_high), abs=5.1e-5)


@pytest.mark.parametrize(("hits", "n", "other", "other_n", "low", "high"), DIFFERENCES)
def test_differences_of_shares_equal_the_published_table(
    hits: int, n: int, other: int, other_n: int, low: float, high: float
) -> None:
    found = statistics.difference_of_shares(hits, n, other, other_n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5.1e-5)


def test_a_ratio_over_clusters_equals_the_published_example() -> None:
    # Lohr, "Sampling: Design and Analysis", example 5.2: grade averages in 5 of 100 suites of 4 students; the book's
    # standard error 0.164 has the correction for drawing 5 of 100, which ours leaves out.
    totals = [12.16, 11.36, 8.96, 12.96, 11.08]
    found = statistics.ratio(totals, [4] * 5)
    assert found.value == pytest.approx(2.826)
    assert found.error is not None and found.error * sqrt(1 - 5 / 100) == pytest.approx(0.164, abs=5e-4)


def test_a_ratio_covers_the_truth_as_often_as_it_says() -> None:
    draw = np.random.Generator(np.random.PCG64(1))
    covered = 0
    for _ in range(1000):
        sizes = draw.integers(50, 150, 20)
        found = statistics.ratio(sizes * draw.normal(2.0, 0.3, 20), sizes)
        covered += (found.low or 0) <= 2.0 <= (found.high or 0)
    assert 930 <= covered <= 970


def test_one_document_has_no_interval() -> None:
    assert statistics.ratio([3.0], [2.0]) == statistics.Estimate(1.5, None, None, 1)


def test_welch_equals_the_textbook_formula() -> None:
    one = statistics.Estimate(10.0, None, None, 10, error=3.0, freedom=9)
    two = statistics.Estimate(4.0, None, None, 20, error=4.0, freedom=19)
    found = statistics.difference(one, two)
    assert found.value == 6.0 and found.error == pytest.approx(5.0)
    assert found.freedom == pytest.approx(625 / (81 / 9 + 256 / 19))


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_exact_intervals_hold_the_share_and_stay_in_range(pair: tuple[int, int]) -> None:
    hits, n = pair
    for found in (statistics.wilson(hits, n), statistics.clopper_pearson(hits, n)):
        assert found.low is not None and found.high is not None
        assert 0 <= found.low <= hits / n <= found.high <= 1


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (-1, 3), (4, 3)])
def test_impossible_shares_are_refused(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="share"):
        statistics.wilson(hits, n)


@pytest.mark.parametrize(("n", "other"), [(20, 3), (8, 8)])
@pytest.mark.parametrize(("share", "other_share"), [(0.05, 0.05), (0.5, 0.1), (0.9, 0.9), (0.3, 0.0)])
def test_the_exact_difference_covers_the_truth_however_few(
    n: int, other: int, share: float, other_share: float
) -> None:
    from scipy.stats import binom

    covered = 0.0
    for hits in range(n + 1):
        for others in range(other + 1):
            found = statistics.exact_difference_of_shares(hits, n, others, other)
            if (found.low or 0) <= share - other_share <= (found.high or 0):
                covered += binom.pmf(hits, n, share) * binom.pmf(others, other, other_share)
    assert covered >= 0.95
