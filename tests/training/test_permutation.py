"""The permutation: a bijection, its own inverse backwards, well spread, and equal to the published vectors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.permutation import LARGEST, Permutation, PermutationError, PermutationTable, parameters

SPECIFICATION = Path(__file__).parents[2] / "docs" / "training-order.md"


def vectors() -> list[dict[str, Any]]:
    (block,) = re.findall(r"```json\n(.*?)```", SPECIFICATION.read_text(encoding="utf-8"), re.DOTALL)
    found = json.loads(block)["permutation"]
    assert len(found) == 8
    return list(found)


def is_bijection(n: int, key: bytes) -> bool:
    everything = np.arange(n, dtype=np.uint64)
    permutation = Permutation(n, key)
    image = permutation.forward(everything)
    return bool((np.sort(image) == everything).all() and (permutation.inverse(image) == everything).all())


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: f"n={vector['n']}")
def test_published_vectors(vector: dict[str, Any]) -> None:
    key = bytes.fromhex(vector["key"])
    round_keys = [int(word, 16) for word in vector["round_keys"]]
    assert parameters(vector["n"], key) == (vector["n"], vector["a"], vector["b"], *round_keys)
    permutation = Permutation(vector["n"], key)
    assert [permutation.forward(x) for x in vector["x"]] == vector["forward"]
    assert permutation.inverse(np.array(vector["forward"], dtype=np.uint64)).tolist() == vector["x"]


def test_bijection_of_every_small_range() -> None:
    assert [n for n in range(1, 513) if not is_bijection(n, b"small")] == []


@pytest.mark.slow
def test_bijection_of_every_range_up_to_4096() -> None:
    assert [n for n in range(513, 4097) if not is_bijection(n, b"large")] == []


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


@pytest.mark.parametrize("n", [2**16, 10**6 + 3, 244_000_000, 10**9, 2**40])
def test_low_bytes_are_covered_as_by_chance(n: int) -> None:
    """512 random numbers hit 221.5 residues modulo 256 (standard deviation 4.6); a published shuffle hits 66."""
    starts = [n // 7 * i for i in range(7)]
    residues = [
        len(np.unique(Permutation(n, bytes([i])).forward(np.arange(begin, begin + 512, dtype=np.uint64)) % 256))
        for i, begin in enumerate(starts)
    ]
    assert 221.5 - 9 < np.mean(residues) < 221.5 + 9
    assert min(residues) > 200


@pytest.mark.parametrize("n", [10**6 + 3, 244_000_000, 2**36 + 1])
def test_batches_draw_from_sources_as_a_fair_shuffle_does(n: int) -> None:
    """Chi-square of how many rows of a batch fall into each of eight equal parts of the range, over 400 batches."""
    batch, batches, parts = 1024, 400, 8
    drawn = Permutation(n, b"sources").forward(np.arange(batch * batches, dtype=np.uint64))
    part = (drawn * np.uint64(parts) // np.uint64(n)).astype(np.int64).reshape(batches, batch)
    counts = np.stack([np.bincount(row, minlength=parts) for row in part])
    without_replacement = (n - batch) / (n - 1)
    squares = ((counts - batch / parts) ** 2 / (batch / parts)).sum(axis=1) / without_replacement
    freedom = batches * (parts - 1)
    whole_shuffle_drawn = 1 - batch * batches / n
    spread = 5 * (2 * freedom) ** 0.5
    assert freedom * whole_shuffle_drawn - spread < squares.sum() < freedom + spread


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
