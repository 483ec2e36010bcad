from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.reading import UnreadableFile
from licensing.remuneration import (
    KEYS,
    Cap,
    RemunerationError,
    RemunerationPolicy,
    Use,
    cents_of,
    load_remuneration,
    remunerate,
    settle,
)

EXAMPLE = Path(__file__).resolve().parents[2] / "configs" / "remuneration.yaml"


def policy(**changes: Any) -> RemunerationPolicy:
    return RemunerationPolicy(**{"key": "tokens-scored", "who": "agreements", "currency": "EUR"} | changes)


def table(**tokens: int) -> dict[str, Use]:
    return {partner: Use(count, min(count, 7), min(count, 5)) for partner, count in tokens.items()}


def paid(settlement: Any) -> dict[str, int]:
    return {one.partner: one.cents for one in settlement.payments}


def test_an_amount_is_shared_by_use_and_every_cent_is_paid() -> None:
    shared = settle(table(a=1, b=1, c=1), policy(), 100)
    assert paid(shared) == {"a": 34, "b": 33, "c": 33} and shared.undistributed == 0 and not shared.notes
    assert shared.of("a").share == Fraction(1, 3) and shared.of("a").proportional == Fraction(100, 3)


def test_a_floor_is_taken_from_the_others_in_proportion() -> None:
    shared = settle(table(small=1, middle=49, large=50), policy(floor=1000), 10_000)
    assert paid(shared) == {"small": 1000, "middle": 4455, "large": 4545}
    assert [one.partner for one in shared.payments if one.at_floor] == ["small"]


def test_a_cap_goes_to_the_others_and_may_lift_them_to_the_cap_too() -> None:
    shared = settle(table(a=90, b=9, c=1), policy(cap=Cap(share="0.45")), 1000)
    assert paid(shared) == {"a": 450, "b": 450, "c": 100} and shared.of("a").at_cap and shared.of("b").at_cap


def test_what_cannot_be_honoured_is_said() -> None:
    poor = settle(table(a=1, b=99), policy(floor=80), 100)
    assert paid(poor) == {"a": 50, "b": 50} and poor.notes == ("floor-not-covered",)
    tight = settle(table(a=1, b=99), policy(cap=Cap(cents=30)), 100)
    assert paid(tight) == {"a": 30, "b": 30} and tight.undistributed == 40 and tight.notes == ("cap-leaves-rest",)
    crossed = settle(table(a=1, b=1, c=1), policy(floor=30, cap=Cap(share="0.1")), 100)
    assert paid(crossed) == {"a": 10, "b": 10, "c": 10} and "floor-above-cap" in crossed.notes
    unused = settle(table(a=0, b=0), policy(floor=10), 100)
    assert paid(unused) == {"a": 0, "b": 0} and unused.undistributed == 100 and unused.notes == ("no-use",)


def test_one_partner_gets_all_and_a_partner_without_use_nothing() -> None:
    assert paid(settle(table(a=5), policy(floor=10), 12_345)) == {"a": 12_345}
    assert paid(settle(table(a=5, idle=0), policy(floor=10), 100)) == {"a": 100, "idle": 0}


def test_alternatives_and_sensitivity_are_those_of_a_new_settlement() -> None:
    uses = {"a": Use(500, 10, 10), "b": Use(1500, 10, 5)}
    told = remunerate(uses, policy(), 100_000, "a")
    assert told.payment.cents == 25_000
    assert told.alternatives == {"tokens-scored": 25_000, "documents": 50_000, "distinct-documents": 66_667}
    assert (told.sensitivity.lowest, told.sensitivity.highest) == (25_000, 66_667)
    more = settle({"a": Use(505, 10, 10), "b": uses["b"]}, policy(), 100_000).of("a").cents
    assert told.sensitivity.one_percent_more == more - 25_000 > 0 > told.sensitivity.one_percent_less


def test_a_partner_outside_the_table_is_an_error() -> None:
    with pytest.raises(RemunerationError, match="not in the usage table"):
        remunerate(table(a=1), policy(), 100, "b")


counts = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 10**6), min_size=1, max_size=8)
amounts = st.integers(0, 10**7)
caps = st.one_of(
    st.none(),
    st.integers(0, 10**6).map(lambda cents: Cap(cents=cents)),
    st.integers(1, 100).map(lambda percent: Cap(share=f"{percent / 100:.2f}")),
)


@st.composite
def policies(draw: Any) -> RemunerationPolicy:
    cap = draw(caps)
    floor = draw(st.integers(0, 10**5))
    if cap and cap.cents is not None:
        floor = min(floor, cap.cents)
    return policy(floor=floor, cap=cap)


@given(counts, policies(), amounts)
def test_nothing_is_lost_and_bounds_hold_or_are_reported(
    used: dict[str, int], terms: RemunerationPolicy, amount: int
) -> None:
    shared = settle(table(**used), terms, amount)
    assert sum(paid(shared).values()) + shared.undistributed == amount
    if shared.undistributed:
        assert set(shared.notes) & {"no-use", "cap-leaves-rest"}
    high = amount
    if terms.cap:
        high = terms.cap.cents if terms.cap.cents is not None else int(Fraction(terms.cap.share or 0) * amount)
    low = 0 if set(shared.notes) & {"floor-not-covered", "floor-above-cap"} else terms.floor
    for one in shared.payments:
        assert one.cents <= high
        assert one.cents >= low if one.count else one.cents == 0
        assert abs(one.exact - one.cents) < 1


@given(counts, policies(), amounts)
def test_the_order_of_partners_does_not_matter(used: dict[str, int], terms: RemunerationPolicy, amount: int) -> None:
    turned = dict(reversed(list(table(**used).items())))
    assert settle(turned, terms, amount) == settle(table(**used), terms, amount)


@given(counts, policies(), amounts, st.integers(1, 10**6))
def test_more_use_never_yields_less(used: dict[str, int], terms: RemunerationPolicy, amount: int, extra: int) -> None:
    before = settle(table(**used), terms, amount)
    in_order = sorted(before.payments, key=lambda one: one.count)
    for low, high in pairwise(in_order):
        assert low.cents <= high.cents or low.count == high.count
    partner = min(used)
    if used[partner]:
        after = settle(table(**used | {partner: used[partner] + extra}), terms, amount)
        assert after.of(partner).cents >= before.of(partner).cents


@given(counts, amounts)
def test_without_bounds_it_is_plain_proportion(used: dict[str, int], amount: int) -> None:
    for one in settle(table(**used), policy(), amount).payments:
        assert one.exact == one.proportional


def test_the_example_is_a_policy_and_says_what_it_says() -> None:
    found = load_remuneration(EXAMPLE)
    assert found.key in KEYS and found.cap and Fraction(found.cap.share or 0) == Fraction(2, 5)


@pytest.mark.parametrize(
    "wrong",
    [
        "key: tokens\nwho: all\ncurrency: EUR\n",
        "key: documents\nwho: all\ncurrency: EUR\nfloor: 10\ncap: {cents: 5}\n",
        "key: documents\nwho: all\ncurrency: EUR\ncap: {cents: 5, share: 0.5}\n",
        "key: documents\nwho: all\ncurrency: EUR\ncap: {share: 1.5}\n",
        "key: documents\nwho: all\ncurrency: EUR\nfloor: 10.5\n",
        "key: documents\ncurrency: EUR\n",
        "key: documents\nwho: all\ncurrency: euro\n",
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "policy.yaml").write_text(wrong)
    with pytest.raises(UnreadableFile, match=r"policy\.yaml"):
        load_remuneration(tmp_path / "policy.yaml")


@pytest.mark.parametrize(
    ("text", "cents"), [("10000.00", 1_000_000), ("0", 0), ("12.5", 1250), ("1e3", 100_000), ("0.01", 1)]
)
def test_an_amount_in_whole_cents(text: str, cents: int) -> None:
    assert cents_of(text) == cents


@pytest.mark.parametrize("text", ["-1", "1.001", "NaN", "Infinity", "10.000,00", "ten", ""])
def test_another_amount_is_refused(text: str) -> None:
    with pytest.raises(RemunerationError, match="whole cents"):
        cents_of(text)
