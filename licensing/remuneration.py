"""Who is paid what: a pure function of a usage table, a policy and an amount, in whole cents and without rounding loss.

Partners share an amount in proportion to a count of use. A floor and a cap bound what each receives; what they take
from or leave to the others is shared again in proportion, until one level fits all: everyone receives ``level x count``
or its bound. That level is unique and is found exactly, in fractions. Cents go by largest remainder (Hamilton's
method): everyone the whole cents of the exact amount, and the cents left over to the largest fractions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, StrictInt, model_validator

from licensing.errors import HerkomstError
from licensing.reading import read_section
from licensing.settings import Section

Key = Literal["tokens-scored", "documents", "distinct-documents"]
KEYS: tuple[Key, ...] = get_args(Key)
Note = Literal["no-use", "floor-not-covered", "floor-above-cap", "cap-leaves-rest"]

Cents = Annotated[StrictInt, Field(ge=0)]
Count = int | Fraction


class RemunerationError(HerkomstError, ValueError):
    """No amount can be stated on what was given; the message says what to correct."""


class Cap(Section):
    """The most that one partner receives: whole cents, or a share (above 0, at most 1) of the amount; exactly one."""

    cents: Cents | None = None
    share: Decimal | None = Field(default=None, gt=0, le=1)

    @model_validator(mode="after")
    def _one_of_them(self) -> Cap:
        if (self.cents is None) == (self.share is None):
            raise ValueError("a cap is either cents or a share of the amount; give exactly one")
        return self


class RemunerationPolicy(Section):
    """How an amount is shared; ``configs/remuneration.yaml`` is an example with every key explained.

    ``floor`` is what each partner receives at least whose text was used at all, in cents. ``who`` says whose use
    counts: ``agreements`` takes documents under an agreement that has a key for remuneration, ``all`` every document.
    """

    key: Key
    who: Literal["agreements", "all"]
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    floor: Cents = 0
    cap: Cap | None = None
    remainder: Literal["largest-remainder"] = "largest-remainder"

    @model_validator(mode="after")
    def _floor_below_cap(self) -> RemunerationPolicy:
        if self.cap and self.cap.cents is not None and self.cap.cents < self.floor:
            raise ValueError(f"the floor ({self.floor} cents) lies above the cap ({self.cap.cents} cents)")
        return self


@dataclass(frozen=True, slots=True)
class Use:
    """One partner's line of the usage table; every count is of this run and of what was really read in training."""

    tokens_scored: Count
    documents: Count
    distinct_documents: Count

    def by(self, key: Key) -> Count:
        """Return the count that a key pays for."""
        return {
            "tokens-scored": self.tokens_scored,
            "documents": self.documents,
            "distinct-documents": self.distinct_documents,
        }[key]


@dataclass(frozen=True, slots=True)
class Payment:
    """What one partner receives and the steps that led there; ``proportional`` and ``exact`` are cents, unrounded.

    ``proportional`` is the amount by share alone, ``exact`` the amount after floors and caps, ``cents`` what is paid;
    ``at_floor`` and ``at_cap`` say that a bound decided, for a bound on others can also push this one to its own.
    """

    partner: str
    count: Count
    share: Fraction
    proportional: Fraction
    at_floor: bool
    at_cap: bool
    exact: Fraction
    cents: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """An amount shared out by one key; payments in the order of the partners' names.

    The payments and ``undistributed`` always add up to ``amount``. ``notes`` say what could not be honoured:
    ``no-use`` (nobody's text was read: nothing is paid), ``floor-not-covered`` (the amount is less than the floors
    together: it is shared equally), ``floor-above-cap`` (a cap by share came out under the floor: the cap stands),
    ``cap-leaves-rest`` (all are at their cap and something is left).
    """

    key: Key
    amount: int
    payments: tuple[Payment, ...]
    undistributed: int
    notes: tuple[Note, ...]

    def of(self, partner: str) -> Payment:
        """Return one partner's payment; raises RemunerationError where the table does not list it."""
        for payment in self.payments:
            if payment.partner == partner:
                return payment
        raise RemunerationError(
            f"partner '{partner}' is not in the usage table, so it has no part in the amount. Check the policy's "
            "key 'who': with 'agreements' only documents under an agreement with a key for remuneration count."
        )


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How one partner's payment moves, in cents: with 1 % more or less use of its text, and over all keys."""

    one_percent_more: int
    one_percent_less: int
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class Remuneration:
    """One partner's payment by the policy's key, what each key would give it, and how sensitive the result is."""

    settlement: Settlement
    payment: Payment
    alternatives: Mapping[Key, int]
    sensitivity: Sensitivity


UsageTable = Mapping[str, Use]


def load_remuneration(path: Path) -> RemunerationPolicy:
    """Read a policy file; raises ``UnreadableFile`` naming file, line and field."""
    return read_section(path, RemunerationPolicy)


def cents_of(amount: str) -> int:
    """Turn ``10000.00`` into cents; raises RemunerationError for anything but a sum of whole cents, 0 or more."""
    try:
        cents = Decimal(amount) * 100
    except InvalidOperation as error:
        raise _no_amount(amount) from error
    if not cents.is_finite() or cents < 0 or cents != cents.to_integral_value():
        raise _no_amount(amount)
    return int(cents)


def _no_amount(amount: str) -> RemunerationError:
    return RemunerationError(
        f"'{amount}' is no amount of money in whole cents, so nothing was shared out. Write it as 10000.00, with a "
        "point and without a sign or separators."
    )


def remunerate(table: UsageTable, policy: RemunerationPolicy, amount: int, partner: str) -> Remuneration:
    """Share ``amount`` (cents) out and explain one partner's part; raises RemunerationError if the table lacks it."""
    chosen = settle(table, policy, amount)
    alternatives = {key: settle(table, policy, amount, key).of(partner).cents for key in KEYS}
    paid = chosen.of(partner).cents
    more, less = (
        settle(_scaled(table, partner, Fraction(percent, 100)), policy, amount).of(partner).cents
        for percent in (101, 99)
    )
    sensitivity = Sensitivity(more - paid, less - paid, min(alternatives.values()), max(alternatives.values()))
    return Remuneration(chosen, chosen.of(partner), alternatives, sensitivity)


def _scaled(table: UsageTable, partner: str, factor: Fraction) -> UsageTable:
    use = table[partner]
    return {
        **table,
        partner: Use(use.tokens_scored * factor, use.documents * factor, use.distinct_documents * factor),
    }


def settle(table: UsageTable, policy: RemunerationPolicy, amount: int, key: Key | None = None) -> Settlement:
    """Share ``amount`` (cents) out over all partners of the table, by the policy's key or another one.

    Partners without use receive nothing, floor or not. Raises RemunerationError for a negative amount or count.
    """
    key = key or policy.key
    counts = {partner: table[partner].by(key) for partner in sorted(table)}
    if amount < 0 or any(count < 0 for count in counts.values()):
        raise RemunerationError("an amount or a count of use is below zero, so nothing was shared out; correct it.")
    used = {partner: count for partner, count in counts.items() if count}
    low, high, notes = _bounds(policy, amount, len(used))
    exact = _exact(used, amount, low, high)
    whole = _in_cents(exact, used)
    rest = amount - sum(whole.values())
    if used and rest:
        notes.append("cap-leaves-rest")
    total = Fraction(sum(counts.values()))
    payments = []
    for partner, count in counts.items():
        share = count / total if total else Fraction(0)
        mine = exact.get(partner, Fraction(0))
        payments.append(
            Payment(
                partner=partner,
                count=count,
                share=share,
                proportional=share * amount,
                at_floor=partner in used and 0 < low == mine,
                at_cap=partner in used and mine == high < amount,
                exact=mine,
                cents=whole.get(partner, 0),
            )
        )
    return Settlement(key, amount, tuple(payments), rest, tuple(notes))


def _bounds(policy: RemunerationPolicy, amount: int, partners: int) -> tuple[Fraction, int, list[Note]]:
    """Floor and cap for this amount, and what of them cannot be honoured."""
    if not partners:
        return Fraction(0), 0, ["no-use"]
    notes: list[Note] = []
    high = amount
    if policy.cap:
        # A cap is never exceeded, so a share that is no whole number of cents is cut, not rounded.
        high = policy.cap.cents if policy.cap.cents is not None else int(Fraction(policy.cap.share or 0) * amount)
        high = min(high, amount)
    low = Fraction(policy.floor)
    if low * partners > amount:
        notes.append("floor-not-covered")
        low = Fraction(amount, partners)
    if low > high:
        notes.append("floor-above-cap")
        low = Fraction(high)
    return low, high, notes


def _exact(used: Mapping[str, Count], amount: int, low: Fraction, high: int) -> dict[str, Fraction]:
    """Each partner's amount, unrounded: ``level x count`` within the bounds, with the one level at which all is paid.

    The sum grows with the level in straight pieces that meet where somebody reaches a bound, so the piece that holds
    the wanted sum is found by bisection and the level within it by one division.
    """
    if not used:
        return {}

    def paid(level: Fraction) -> list[Fraction]:
        return [min(max(level * count, low), Fraction(high)) for count in used.values()]

    total = min(Fraction(amount), Fraction(high) * len(used))
    bends = sorted({Fraction(bound) / count for count in used.values() for bound in (low, high)})
    level = bends[max(0, bisect_right(bends, total, key=lambda bend: sum(paid(bend), Fraction(0))) - 1)]
    missing = total - sum(paid(level), Fraction(0))
    free = sum(count for count in used.values() if low <= level * count < high)
    if missing and free:
        level += missing / free
    return dict(zip(used, paid(level), strict=True))


def _in_cents(exact: Mapping[str, Fraction], used: Mapping[str, Count]) -> dict[str, int]:
    """Whole cents by largest remainder; of equal remainders the larger use comes first, then the earlier name."""
    whole = {partner: int(value) for partner, value in exact.items()}
    left = int(sum(exact.values(), Fraction(0))) - sum(whole.values())
    order: Sequence[str] = sorted(exact, key=lambda name: (whole[name] - exact[name], -used[name], name))
    for partner in order[:left]:
        whole[partner] += 1
    return whole
