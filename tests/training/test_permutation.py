"""The permutation: a bijection, its own inverse backwards, well spread, and equal to the published vectors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.permutation import LARGEST, Numbers, Permutation, PermutationError, PermutationTable, parameters

SPECIFICATION = Path(__file__).parents[2] / "docs" / "training-order.md"


def vectors() -> list[dict[str, Any]]:
    (block,) = re.findall(r"```json\n(.*?)```", SPECIFICATION.read_text(encoding="utf-8"), re.DOTALL)
    found = json.loads(block)["permutation"]
    assert len(found) == 8
    return list(found)


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: f"n={vector['n']}")
def test_published_vectors(vector: dict[str, Any]) -> None:
    key = bytes.fromhex(vector["key"])
    round_keys = [int(word, 16) for word in vector["round_keys"]]
    assert parameters(vector["n"], key) == (vector["n"], vector["a"], vector["b"], *round_keys)
    permutation = Permutation(vector["n"], key)
    assert [permutation.forward(x) for x in vector["x"]] == vector["forward"]
    assert permutation.inverse(np.array(vector["forward"], dtype=np.uint64)).tolist() == vector["x"]


@pytest.mark.parametrize(("first", "last"), [(1, 1024), (1024, 2048)])
def test_bijection_of_every_small_range(first: int, last: int) -> None:
    check_bijections(first, last)


@pytest.mark.slow
def test_bijection_of_every_range_up_to_4096() -> None:
    check_bijections(2048, 4097)


def check_bijections(first: int, last: int) -> None:
    """Every number of ranges ``first`` … ``last - 1`` is hit once and found again; some ranges side by side."""
    for begin in range(first, last, 64):
        sizes = np.arange(begin, min(begin + 64, last))
        table = PermutationTable([parameters(n, n.to_bytes(2, "big")) for n in sizes.tolist()])
        which, starts = np.repeat(np.arange(len(sizes)), sizes), np.repeat(np.cumsum(sizes) - sizes, sizes)
        x = (np.arange(len(which)) - starts).astype(np.uint64)
        y = table.forward(x, which)
        assert (y < sizes[which].astype(np.uint64)).all()
        assert (np.bincount(starts + y.astype(np.int64), minlength=len(x)) == 1).all()
        assert (table.inverse(y, which) == x).all()


@given(st.data(), st.integers(1, LARGEST), st.binary(max_size=40))
@settings(max_examples=200, deadline=None)
def test_inverse_undoes_forward(data: st.DataObject, n: int, key: bytes) -> None:
    x = data.draw(st.integers(0, n - 1))
    permutation = Permutation(n, key)
    y = permutation.forward(x)
    assert 0 <= y < n
    assert permutation.inverse(y) == x
    assert permutation.forward(permutation.inverse(x)) == x


@given(st.lists(st.tuples(st.integers(1, 5000), st.binary(max_size=4), st.integers(0, 4999)), min_size=1, max_size=40))
@settings(deadline=None)
def test_table_applies_to_each_number_its_own_permutation(cases: list[tuple[int, bytes, int]]) -> None:
    table = PermutationTable([parameters(n, key) for n, key, _ in cases])
    x = np.array([number % n for n, _, number in cases], dtype=np.uint64)
    which = np.arange(len(cases))
    y = table.forward(x, which)
    assert y.tolist() == [Permutation(n, key).forward(number % n) for n, key, number in cases]
    assert (table.inverse(y, which) == x).all()


def test_long_arrays_are_cut_without_a_seam() -> None:
    x = np.arange(40_000, dtype=np.uint64)
    permutation = Permutation(40_000, b"seam")
    together = permutation.forward(x)
    assert together[16_380:16_390].tolist() == [permutation.forward(i) for i in range(16_380, 16_390)]
    assert (permutation.inverse(together) == x).all()


Forward = Callable[[Numbers], Numbers]
SOURCES, BATCH, BATCHES = 8, 1024, 400


def mean_residues(forward: Forward, n: int) -> float:
    """How many residues modulo 256 a run of 512 numbers hits on average, over runs in eight places."""
    runs = (np.arange(begin, begin + 512, dtype=np.uint64) for begin in range(0, n - 512, n // 8))
    return float(np.mean([len(np.unique(forward(run) % np.uint64(256))) for run in runs]))


def parity_bias(forward: Forward, n: int) -> float:
    """How far the most telling pair of input bits gives away the parity of the output: 0.5 is wholly, 0 not at all."""
    x = np.random.default_rng(1).integers(0, n, 2**14, dtype=np.uint64)
    bits = [(x >> np.uint64(i)) & np.uint64(1) for i in range(n.bit_length() - 1)]
    parity = forward(x) & np.uint64(1)
    pairs = [a ^ b for i, a in enumerate(bits) for b in bits[i + 1 :]] + bits
    return max(abs(float((parity ^ pair).mean()) - 0.5) for pair in pairs)


def variance_ratio(forward: Forward, n: int) -> float:
    """Variance of how many rows of a batch fall into each of eight equal parts, over that of drawing without return."""
    drawn = forward(np.arange(BATCH * BATCHES, dtype=np.uint64))
    part = (drawn * np.uint64(SOURCES) // np.uint64(n)).astype(np.int64).reshape(BATCHES, BATCH)
    counts = np.stack([np.bincount(row, minlength=SOURCES) for row in part])
    hypergeometric = BATCH * (1 / SOURCES) * (1 - 1 / SOURCES) * (n - BATCH) / (n - 1)
    return float(((counts - BATCH / SOURCES) ** 2).mean() / hypergeometric)


def multiplied(n: int) -> Forward:
    """A published Feistel shuffle of a power of two whose round is a product without a shift, rewritten here."""
    half = (n.bit_length() - 1) // 2
    mask = np.uint64(2**half - 1)

    def forward(x: Numbers) -> Numbers:
        left, right = x >> np.uint64(half), x & mask
        for key in (0x1234567, 0x89ABCDE, 0xF012345, 0x6789ABC, 0xDEF0123):
            left, right = right, left ^ ((right * np.uint64(2654435761) + np.uint64(key)) & mask)
        joined: Numbers = left << np.uint64(half) | right
        return joined

    return forward


def linear(n: int) -> Forward:
    """A published shuffle that is one linear congruence, rewritten here."""
    return lambda x: (x * np.uint64(n * 618 // 1000 | 1) + np.uint64(12345)) % np.uint64(n)


@pytest.mark.parametrize("n", [2**16, 10**6 + 3, 244_000_000, 10**9, 2**40])
def test_low_bytes_are_covered_as_by_chance(n: int) -> None:
    """512 random numbers hit 221.5 residues modulo 256, with a standard deviation of 4.6 (1.6 for a mean of eight)."""
    assert abs(mean_residues(Permutation(n, b"low bytes").forward, n) - 221.5) < 5 * 4.6 / 8**0.5


@pytest.mark.parametrize("n", [2**16, 2**28])
def test_low_bytes_of_a_published_shuffle_are_not_covered(n: int) -> None:
    """What the test above is for: the low bits of a product mix with nothing above them."""
    flawed = multiplied(n)
    assert len(np.unique(flawed(np.arange(2**16, dtype=np.uint64)))) == 2**16
    assert mean_residues(flawed, n) < 100
    assert parity_bias(flawed, n) == 0.5
    assert parity_bias(Permutation(n, b"parity").forward, n) < 5 * 0.5 / 2**7


@pytest.mark.parametrize("n", [10**6 + 3, 244_000_000, 2**36 + 1])
def test_batches_draw_from_sources_as_a_fair_shuffle_does(n: int) -> None:
    """Chi-square of the counts against the hypergeometric law: five standard deviations about its mean, which is 1.

    Of the smallest range 400 batches are four tenths, so the counts also make up for one another: 0.59 is its mean.
    """
    whole = 1 - (BATCH * BATCHES - BATCH) / (n - BATCH) if n < 10**7 else 1.0
    spread = 5 * (2 / (BATCHES * (SOURCES - 1))) ** 0.5
    assert whole - spread < variance_ratio(Permutation(n, b"sources").forward, n) < 1 + spread


def test_batches_of_a_published_shuffle_draw_too_evenly() -> None:
    assert variance_ratio(linear(2**28), 2**28) < 0.2


@pytest.mark.parametrize("n", [10**6 + 3, 244_000_000])
def test_neighbours_and_parity_are_independent(n: int) -> None:
    x = np.arange(200_000, dtype=np.uint64)
    y = Permutation(n, b"neighbours").forward(x)
    assert abs(float(np.corrcoef(x, y)[0, 1])) < 0.012
    assert abs(float(np.corrcoef(y[:-1], y[1:])[0, 1])) < 0.012
    for bit in range(4):
        assert abs(float(((y ^ (x >> np.uint64(bit))) & np.uint64(1)).mean()) - 0.5) < 0.006


def test_every_order_of_a_few_numbers_occurs() -> None:
    """All 24 orders of four numbers, over 4,800 keys, each about 200 times (five standard deviations either way)."""
    orders: dict[tuple[int, ...], int] = {}
    for number in range(4800):
        order = tuple(Permutation(4, number.to_bytes(4, "big")).forward(np.arange(4, dtype=np.uint64)).tolist())
        orders[order] = orders.get(order, 0) + 1
    assert len(orders) == 24
    assert max(orders.values()) < 270
    assert min(orders.values()) > 130


def test_another_key_is_another_order() -> None:
    x = np.arange(10_000, dtype=np.uint64)
    same_place = (Permutation(10_000, b"one").forward(x) == Permutation(10_000, b"two").forward(x)).sum()
    assert same_place < 10


@pytest.mark.parametrize("n", [0, -1, LARGEST + 1])
def test_impossible_size_is_refused(n: int) -> None:
    with pytest.raises(PermutationError, match="from 1 to"):
        Permutation(n, b"")


def test_numbers_outside_are_refused() -> None:
    permutation = Permutation(10, b"")
    for bad in (10, -1):
        with pytest.raises(PermutationError, match=f"{bad} is outside"):
            permutation.forward(bad)
        with pytest.raises(PermutationError, match="outside"):
            permutation.inverse(bad)
    with pytest.raises(PermutationError, match="11 is outside"):
        permutation.forward(np.array([3, 11], dtype=np.uint64))
    assert permutation.forward(np.array([], dtype=np.uint64)).size == 0
