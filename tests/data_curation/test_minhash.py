import hashlib
import tracemalloc

import numpy as np
import pytest

from data_curation.minhash import NO_WORDS, band_keys, estimate, shingle_hashes, signature, standard_error
from data_curation.settings import DuplicatesSettings

SETTINGS = DuplicatesSettings()


def numbers(seed, count):
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64)


def pair_of_jaccard(seed, jaccard, size=400):
    """Two documents whose shingles (of one word) overlap by exactly ``jaccard``."""
    shared = round(2 * size * jaccard / (1 + jaccard))
    words = numbers(seed, 2 * size - shared)
    return words[:size], words[size - shared :]


def test_published_constants_are_followed():
    words = numbers(1, 9)
    shingles = shingle_hashes(words, 5).astype(object)
    for i in (0, 7, 139):
        digest = hashlib.sha256(b"herkomst-minhash-v2" + i.to_bytes(4, "little")).digest()
        a = int.from_bytes(digest[:4], "little") | 1
        assert signature(words, SETTINGS)[i] == min(a * x % 2**32 for x in shingles)


def test_a_shingle_is_the_polynomial_of_its_words():
    words = numbers(2, 7)
    base, mix, expected = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, []
    for at in range(3):
        value = 0
        for word in words[at : at + 5].tolist():
            value = (value * base + word) % 2**64
        expected.append((value ^ (value >> 32)) * mix % 2**64 >> 32 | 1)
    assert shingle_hashes(words, 5).tolist() == expected


def test_short_documents_have_one_shingle_and_empty_ones_none():
    assert len(shingle_hashes(numbers(3, 3), 5)) == 1
    assert not np.array_equal(signature(numbers(3, 3), SETTINGS), signature(numbers(3, 2), SETTINGS))
    assert (signature(numbers(3, 0), SETTINGS) == NO_WORDS).all()


def test_order_and_repeats_of_shingles_do_not_matter_but_order_of_words_does():
    one = DuplicatesSettings(shingle_words=1)
    words = numbers(4, 2000)
    assert np.array_equal(signature(words, one), signature(np.concatenate([words[::-1], words]), one))
    assert estimate(signature(words, SETTINGS)[None], signature(words[::-1].copy(), SETTINGS)[None])[0] < 0.05


@pytest.mark.parametrize("jaccard", [0.3, 0.6, 0.8, 0.95])
def test_estimate_is_unbiased_and_as_sharp_as_theory_says(jaccard):
    one = DuplicatesSettings(shingle_words=1)
    pairs = [pair_of_jaccard(seed, jaccard) for seed in range(200)]
    left, right = (np.stack([signature(pair[side], one) for pair in pairs]) for side in (0, 1))
    estimates = estimate(left, right)
    deviation = standard_error(np.array(jaccard), one)
    assert deviation == pytest.approx((jaccard * (1 - jaccard) / 140) ** 0.5)
    assert abs(estimates.mean() - jaccard) < 4 * deviation / 200**0.5
    assert 0.8 * deviation < estimates.std() < 1.2 * deviation


def test_recall_at_the_similarity_aimed_at_and_little_below():
    one = DuplicatesSettings(shingle_words=1)

    def found(jaccard):
        pairs = [pair_of_jaccard(1000 + seed, jaccard) for seed in range(400)]
        left, right = (np.stack([signature(pair[side], one) for pair in pairs]) for side in (0, 1))
        nl = np.zeros(400, np.uint64)
        meet = (band_keys(left, nl, one) == band_keys(right, nl, one)).any(axis=1)
        return (meet & (estimate(left, right) >= one.least_estimate)).mean()

    # The table of the module says 0.982, 0.268 and 0.000; the bounds are three standard errors of 400 pairs away.
    assert found(0.8) >= 0.96
    assert 0.19 <= found(0.7) <= 0.34
    assert found(0.5) == 0


def test_band_keys_part_languages_bands_and_values():
    row = signature(numbers(5, 50), SETTINGS)
    keys = band_keys(np.stack([row, row, row]), np.array([1, 1, 2], np.uint64), SETTINGS)
    assert keys.shape == (3, 20)
    assert np.array_equal(keys[0], keys[1])
    assert not np.intersect1d(keys[0], keys[2]).size
    assert len(np.unique(keys[0])) == 20
    changed = row.copy()
    changed[8] ^= 1
    assert np.flatnonzero(band_keys(changed[None], np.array([1], np.uint64), SETTINGS)[0] != keys[0]).tolist() == [1]


def test_keys_are_spread_evenly_over_their_highest_bits():
    keys = band_keys(
        np.stack([signature(numbers(seed, 9), SETTINGS) for seed in range(500)]), np.zeros(500, np.uint64), SETTINGS
    )
    share = np.bincount((keys.ravel() >> np.uint64(61)).astype(int), minlength=8) / keys.size
    assert abs(share - 1 / 8).max() < 0.02


@pytest.mark.parametrize("count", [4, 5, 259, 260, 261, 700])
def test_no_shingle_is_lost_where_blocks_meet(count):
    words = numbers(6, count)
    single = [signature(words[at : at + 5], SETTINGS) for at in range(max(1, count - 4))]
    assert np.array_equal(signature(words, SETTINGS), np.min(single, axis=0))


def test_one_shared_shingle_never_makes_two_documents_alike():
    """Under permutations with a fixed point, the documents that hold it would agree everywhere."""
    one = DuplicatesSettings(shingle_words=1)
    left, right = numbers(7, 500), numbers(8, 500)
    wanted = [np.uint64(0)]  # its shingle is 0 before it is made odd
    pair = [signature(np.concatenate([words, wanted]), one)[None] for words in (left, right)]
    assert shingle_hashes(np.array(wanted), 1).tolist() == [1]
    assert estimate(*pair)[0] < 0.05


def test_memory_for_a_long_document_is_a_few_times_its_hashes():
    words = numbers(9, 10**6)
    tracemalloc.start()
    signature(words, SETTINGS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * words.nbytes
