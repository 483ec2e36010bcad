"""Counts: whole, by share, within every agreement, and the same on every machine."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.mixture import SegmentWanted, make_plan, resolve_counts
from training.plan import Plan, PlanError, StreamRef

ROOT = "ab" * 32


def streams(*sizes: int, most: dict[int, int] | None = None) -> list[StreamRef]:
    limits = most or {}
    return [StreamRef(f"bron-{i:02}/nl", size, size, size * 64, limits.get(i)) for i, size in enumerate(sizes)]


def plan_of(refs: list[StreamRef], *wanted: SegmentWanted, largest_block: int = 65536) -> Plan:
    return make_plan(refs, wanted, 64, 20260101, ROOT, ROOT, largest_block=largest_block)


def test_natural_shares_follow_the_tokens() -> None:
    assert resolve_counts(streams(600, 300, 100), {}, 1.0, 50) == (50, (30, 15, 5))


def test_temperature_zero_is_equal_and_a_half_is_the_square_root() -> None:
    refs = streams(1600, 400, 100)
    assert resolve_counts(refs, {}, 0.0, 30)[1] == (10, 10, 10)
    assert resolve_counts(refs, {}, 0.5, 70)[1] == (40, 20, 10)


def test_weights_multiply_by_glob_and_several_apply_together() -> None:
    refs = [StreamRef(name, 100, 1, 6400) for name in ("krant/own/nl", "krant/own/fr", "wiki/CC-BY-SA-4.0/nl")]
    assert resolve_counts(refs, {"krant/*": 2.0, "*/nl": 3.0}, 1.0, 11)[1] == (6, 2, 3)
    assert resolve_counts(refs, {"wiki/*": 0.0}, 1.0, 10)[1] == (5, 5, 0)


def test_largest_remainder_goes_first_and_ties_go_by_name() -> None:
    assert resolve_counts(streams(100, 100, 100), {}, 1.0, 4)[1] == (2, 1, 1)
    reverse = [StreamRef(name, 100, 1, 100) for name in ("c", "b", "a")]
    assert resolve_counts(reverse, {}, 1.0, 4)[1] == (1, 1, 2)
    assert resolve_counts(streams(55, 27, 18), {}, 1.0, 10)[1] == (5, 3, 2)


def test_a_segment_is_one_block_until_it_is_too_long() -> None:
    refs = streams(60, 40)
    assert resolve_counts(refs, {}, 1.0, 65536)[0] == 65536
    assert resolve_counts(refs, {}, 1.0, 65537)[0] == 32769
    assert resolve_counts(refs, {}, 1.0, 1_000_000)[0] == 62500


@given(st.integers(1, 10**9), st.integers(1, 10**5))
def test_blocks_are_as_few_and_as_even_as_can_be(slots: int, largest: int) -> None:
    size, _ = resolve_counts(streams(10), {}, 1.0, slots, largest)
    blocks = -(-slots // size)
    assert size <= largest
    assert blocks == -(-slots // largest)
    assert blocks * size - slots < blocks


def test_a_limit_is_kept_and_the_rest_goes_to_the_others_by_share() -> None:
    refs = streams(100, 300, 100, most={0: 1})
    assert resolve_counts(refs, {"bron-00*": 10.0}, 1.0, 500)[1] == (100, 300, 100)
    assert resolve_counts(refs, {"bron-00*": 10.0}, 1.0, 900)[1] == (100, 600, 200)


def test_a_limit_that_is_reached_by_redistribution_is_kept_too() -> None:
    refs = streams(10, 50, 100, most={0: 1, 1: 2})
    assert resolve_counts(refs, {"bron-00*": 100.0}, 1.0, 1000)[1] == (10, 100, 890)


def test_exactly_all_that_is_allowed_can_be_asked_for_and_not_one_more() -> None:
    refs = streams(25, 10, most={0: 4, 1: 3})
    assert resolve_counts(refs, {}, 1.0, 130)[1] == (100, 30)
    with pytest.raises(PlanError, match=r"asks for 131 .* leave 130") as refusal:
        resolve_counts(refs, {}, 1.0, 131, name="main")
    for word in ("'main'", "'bron-00/nl'", "4 epochs of 25", "'bron-01/nl'", "agreement", "Train fewer steps"):
        assert word in str(refusal.value)


def test_a_stream_without_weight_does_not_take_what_a_limited_one_cannot() -> None:
    with pytest.raises(PlanError, match="bron-00/nl"):
        resolve_counts(streams(10, 1000, most={0: 2}), {"bron-01*": 0.0}, 1.0, 21)


def test_earlier_segments_use_up_the_limit() -> None:
    refs = streams(100, 1000, most={0: 2})
    plan = plan_of(
        refs,
        SegmentWanted("main", 10, 50, weights={"bron-00*": 3.0}),
        SegmentWanted("annealing", 10, 50, weights={"bron-00*": 50.0}),
    )
    first, second = plan.segments
    assert first.counts == (115, 385)
    assert second.counts == (85, 415)
    assert second.start == (115, 385)
    with pytest.raises(PlanError, match=r"'annealing'.*0 left"):
        plan_of(
            refs,
            SegmentWanted("main", 10, 50, weights={"bron-00*": 50.0}),
            SegmentWanted("annealing", 1, 1, weights={"bron-01*": 0.0}),
        )


def test_most_epochs_zero_means_not_read() -> None:
    assert resolve_counts(streams(10, 10, most={0: 0}), {}, 1.0, 8)[1] == (0, 8)


def test_a_stream_without_a_whole_sequence_is_not_read() -> None:
    refs = [StreamRef("short", 0, 3, 60), StreamRef("long", 9, 1, 600)]
    for temperature in (0.0, 1.0):
        assert resolve_counts(refs, {"short": 9.0}, temperature, 8)[1] == (0, 8)


@pytest.mark.parametrize(
    ("weights", "temperature", "slots", "message"),
    [
        ({"bron-9*": 1.0}, 1.0, 8, "fits no stream"),
        ({"bron-00*": -1.0}, 1.0, 8, "weight -1.0"),
        ({"bron-00*": float("nan")}, 1.0, 8, "weight nan"),
        ({"bron-00*": float("inf")}, 1.0, 8, "weight inf"),
        ({"*": 0.0}, 1.0, 8, "nothing to read"),
        ({}, 1.5, 8, "temperature 1.5"),
        ({}, float("nan"), 8, "temperature nan"),
        ({}, 1.0, 0, "0 slots"),
    ],
)
def test_unusable_wishes_are_refused(weights: dict[str, float], temperature: float, slots: int, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        resolve_counts(streams(10, 20), weights, temperature, slots)


@st.composite
def wishes(draw: st.DrawFn) -> tuple[list[StreamRef], list[SegmentWanted], int]:
    sizes = draw(st.lists(st.integers(0, 40), min_size=1, max_size=5).filter(any))
    most = {i: draw(st.integers(0, 5)) for i in range(len(sizes)) if draw(st.booleans())}
    wanted = [
        SegmentWanted(
            f"deel {number}",
            draw(st.integers(1, 10)),
            draw(st.integers(1, 8)),
            draw(st.sampled_from([0.0, 0.3, 0.7, 1.0])),
            {"bron-00*": draw(st.sampled_from([0.5, 1.0, 8.0]))},
        )
        for number in range(draw(st.integers(1, 3)))
    ]
    return streams(*sizes, most=most), wanted, draw(st.sampled_from([7, 20, 65536]))


@given(wishes())
@settings(max_examples=200, deadline=None)
def test_no_plan_ever_reads_more_than_is_agreed(wish: tuple[list[StreamRef], list[SegmentWanted], int]) -> None:
    refs, wanted, largest_block = wish
    try:
        plan = plan_of(refs, *wanted, largest_block=largest_block)
    except PlanError:
        assert_refusal_was_due(refs, wanted, largest_block)
        return
    drawn = Counter(
        (stream, sequence)
        for step in range(plan.steps)
        for stream, sequence in zip(*(column.tolist() for column in plan.at(step)), strict=True)
    )
    assert drawn.total() == sum(each.steps * each.batch for each in wanted)
    for i, ref in enumerate(refs):
        times = [drawn[i, sequence] for sequence in range(ref.sequences)]
        if ref.most_epochs is not None:
            assert max(times, default=0) <= ref.most_epochs
    for before, after in pairwise(plan.segments):
        assert after.start == tuple(before.end(i) for i in range(len(refs)))


def assert_refusal_was_due(refs: list[StreamRef], wanted: list[SegmentWanted], largest_block: int) -> None:
    """Without a limit on some stream that has text, anything can be planned; with limits, rounding is bounded."""
    if any(ref.most_epochs is None and ref.sequences for ref in refs):
        pytest.fail("refused although a stream without a limit could have taken the rest")
    allowed = sum((ref.most_epochs or 0) * ref.sequences for ref in refs)
    blocks = sum(-(-each.steps * each.batch // largest_block) for each in wanted)
    assert sum(each.steps * each.batch for each in wanted) > allowed - blocks * (len(refs) + 1)


@given(
    st.lists(st.integers(1, 10**9), min_size=1, max_size=30),
    st.integers(1, 65536),
    st.sampled_from([0.0, 0.3, 0.7, 1.0]),
)
def test_counts_stay_within_one_of_the_exact_share(sizes: list[int], slots: int, temperature: float) -> None:
    refs = streams(*sizes)
    _, counts = resolve_counts(refs, {}, temperature, slots)
    shares = [Fraction((size * 64) ** temperature) for size in sizes]
    assert sum(counts) == slots
    for count, share in zip(counts, shares, strict=True):
        assert abs(count - slots * share / sum(shares)) < 1 + Fraction(1, 1000)


def test_counts_do_not_depend_on_the_order_of_the_streams() -> None:
    refs = streams(100, 70, 70, 70, 13, most={1: 1})
    expected = dict(zip([ref.name for ref in refs], resolve_counts(refs, {}, 0.7, 333)[1], strict=True))
    turned = refs[::-1]
    assert dict(zip([ref.name for ref in turned], resolve_counts(turned, {}, 0.7, 333)[1], strict=True)) == expected


def test_the_same_wish_gives_the_same_plan_and_nothing_is_lost_in_the_file() -> None:
    wanted = (SegmentWanted("main", 300, 32, 0.7), SegmentWanted("annealing", 60, 32, 0.3, {"bron-02*": 4.0}))
    plan = plan_of(streams(5000, 900, 70, most={2: 4}), *wanted)
    assert plan.digest() == plan_of(streams(5000, 900, 70, most={2: 4}), *wanted).digest()
    assert Plan.from_json(plan.to_json()) == plan
    assert [each.batch for each in plan.segments] == [32, 32]
    assert plan.steps == 360
    assert sum(each.read for each in plan.consumed()) == 360 * 32


def test_a_segment_of_several_blocks_leaves_almost_nothing_unused() -> None:
    plan = plan_of(streams(90_000, 40_000), SegmentWanted("main", 1001, 131))
    consumed = plan.consumed()
    assert plan.segments[0].blocks == 3
    assert sum(each.unused for each in consumed) == 2
    assert sum(each.read for each in consumed) == 1001 * 131


def test_a_tiny_stream_shows_as_unread_and_a_larger_block_lets_it_in() -> None:
    refs = streams(1_000_000, 2)
    assert plan_of(refs, SegmentWanted("main", 1000, 500)).consumed()[1].read == 0
    assert plan_of(refs, SegmentWanted("main", 1000, 500), largest_block=500_000).consumed()[1].read == 1
