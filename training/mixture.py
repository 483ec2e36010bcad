"""How much of each stream a block holds: weights and temperature made into whole numbers, once, when the plan is made.

A stream's share is its tokens to the power ``temperature`` (1 = natural, 0 = all equal; Conneau et al. 2020,
"Unsupervised Cross-lingual Representation Learning at Scale", section 3.1) times every weight whose glob fits its name.
Shares become counts by largest remainder, ties by name. A stream whose agreement says how often it may be read gets no
more than that over the whole plan; what it cannot take goes to the others, and if nobody can take it the plan is
refused. All of it is exact arithmetic, so every machine makes the same plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from fnmatch import fnmatchcase
from fractions import Fraction
from math import floor, isfinite

from training.plan import GoldfishRule, Plan, PlanError, Segment, StreamRef

LARGEST_BLOCK = 65536
# Decimal arithmetic is the same on every machine; the power function of a C library is not, in the last bit.
_ARITHMETIC = Context(prec=30)


@dataclass(frozen=True, slots=True)
class SegmentWanted:
    """A segment as the user asks for it; ``weights`` multiply the share of the streams that a glob fits."""

    name: str
    steps: int
    batch: int
    temperature: float = 1.0
    weights: Mapping[str, float] = field(default_factory=dict)


def make_plan(
    streams: Sequence[StreamRef],
    segments_wanted: Sequence[SegmentWanted],
    sequence_length: int,
    seed: int,
    corpus_root: str,
    tokens_root: str,
    *,
    largest_block: int = LARGEST_BLOCK,
    goldfish: Sequence[GoldfishRule] = (),
) -> Plan:
    """Lay the segments one behind the other; a segment that comes first also takes first what is limited.

    ``goldfish`` says which targets are left out of the loss; it does not change the order.

    Raises:
        PlanError: a duty, a weight or a figure makes the plan impossible.
    """
    segments: list[Segment] = []
    start, step = (0,) * len(streams), 0
    for wanted in segments_wanted:
        segment = _segment(streams, wanted, start, step, seed, largest_block)
        segments.append(segment)
        start, step = tuple(segment.end(i) for i in range(len(streams))), segment.last_step_exclusive
    parts = (tuple(streams), tuple(segments))
    return Plan(sequence_length, corpus_root, tokens_root, *parts, seed, goldfish=tuple(goldfish))


def _segment(
    streams: Sequence[StreamRef],
    wanted: SegmentWanted,
    start: tuple[int, ...],
    step: int,
    seed: int,
    largest_block: int,
) -> Segment:
    block, counts = resolve_counts(
        streams,
        wanted.weights,
        wanted.temperature,
        wanted.steps * wanted.batch,
        largest_block,
        start=start,
        name=wanted.name,
    )
    return Segment(wanted.name, step, step + wanted.steps, wanted.batch, seed, block, counts, start)


def resolve_counts(
    streams: Sequence[StreamRef],
    weights: Mapping[str, float],
    temperature: float,
    slots: int,
    block: int = LARGEST_BLOCK,
    *,
    start: Sequence[int] | None = None,
    name: str = "",
) -> tuple[int, tuple[int, ...]]:
    """Return the block (slots) and the sequences of each stream in it.

    ``block`` is the largest allowed. The segment is cut into as few blocks as that allows, all of one size, so the last
    one lacks fewer slots than there are blocks. ``start`` says what earlier segments have reserved of each stream,
    ``name`` is the segment's, for messages.

    Raises:
        PlanError: a glob fits no stream, a weight or the temperature is not usable, no stream has a share, or the
            duties of the streams leave too few sequences.
    """
    where = f"segment {name!r}"
    if slots < 1 or block < 1:
        raise PlanError(
            f"plan: {where} has {slots} slots in blocks of {block}; nothing can be drawn. Both must be 1 or more."
        )
    blocks = -(-slots // block)
    size = -(-slots // blocks)
    shares = _shares(streams, weights, temperature, where)
    rooms = _rooms(streams, start or (0,) * len(streams), blocks)
    counts = _apportion(size, shares, rooms, [stream.name for stream in streams])
    if sum(counts) < size:
        raise PlanError(_too_little(streams, shares, rooms, where, size, blocks))
    return size, tuple(counts)


# --- shares ---


def _shares(
    streams: Sequence[StreamRef], weights: Mapping[str, float], temperature: float, where: str
) -> list[Fraction]:
    _check_weights(streams, weights, temperature, where)
    shares = [_share(stream, weights, temperature) for stream in streams]
    if not any(shares):
        raise PlanError(
            f"plan: {where}: no stream has both sequences and a weight above 0, so there is nothing to read. "
            "Change its weights, or supply text for a stream that has some."
        )
    return shares


def _share(stream: StreamRef, weights: Mapping[str, float], temperature: float) -> Fraction:
    if not stream.sequences or not stream.tokens:
        return Fraction(0)
    share = Fraction(_ARITHMETIC.power(Decimal(stream.tokens), Decimal(repr(float(temperature)))))
    for glob, weight in weights.items():
        if fnmatchcase(stream.name, glob):
            share *= Fraction(repr(float(weight)))
    return share


def _check_weights(streams: Sequence[StreamRef], weights: Mapping[str, float], temperature: float, where: str) -> None:
    if not 0 <= temperature <= 1:
        raise PlanError(f"plan: {where}: temperature {temperature} is not from 0 (equal) to 1 (natural); set it so.")
    for glob, weight in weights.items():
        if not (isfinite(weight) and weight >= 0):
            raise PlanError(f"plan: {where}: weight {weight} of {glob!r} is not a number of 0 or more; correct it.")
        if not any(fnmatchcase(stream.name, glob) for stream in streams):
            raise PlanError(
                f"plan: {where}: the weight for {glob!r} fits no stream and would be without effect. Correct it to fit "
                f"one of: {_listed([stream.name for stream in streams])}."
            )


# --- counts ---


def _rooms(streams: Sequence[StreamRef], start: Sequence[int], blocks: int) -> list[int | None]:
    """Return the most that one block may hold of each stream under its most-epochs duty; None is no limit."""
    return [
        None if stream.most_epochs is None else max(0, stream.most_epochs * stream.sequences - used) // blocks
        for stream, used in zip(streams, start, strict=True)
    ]


def _apportion(size: int, shares: Sequence[Fraction], rooms: Sequence[int | None], names: Sequence[str]) -> list[int]:
    """Give out ``size`` by share; who would get more than its room gets its room, and the rest is shared anew.

    What is short of ``size`` in the end found no stream with room. Sharing anew only raises the quotas of the others,
    so a stream that was filled once never has to give back.
    """
    counts = [0] * len(shares)
    open_streams = [i for i, share in enumerate(shares) if share]
    while open_streams:
        left = size - sum(counts)
        total = sum(shares[i] for i in open_streams)
        full = {i: room for i in open_streams if (room := rooms[i]) is not None and left * shares[i] / total >= room}
        if not full:
            _largest_remainder(counts, left, {i: left * shares[i] / total for i in open_streams}, names)
            break
        for i, room in full.items():
            counts[i] = room
        open_streams = [i for i in open_streams if i not in full]
    return counts


def _largest_remainder(counts: list[int], left: int, quotas: Mapping[int, Fraction], names: Sequence[str]) -> None:
    for i, quota in quotas.items():
        counts[i] = floor(quota)
    missing = left - sum(counts[i] for i in quotas)
    for i in sorted(quotas, key=lambda i: (counts[i] - quotas[i], names[i]))[:missing]:
        counts[i] += 1


def _too_little(
    streams: Sequence[StreamRef],
    shares: Sequence[Fraction],
    rooms: Sequence[int | None],
    where: str,
    size: int,
    blocks: int,
) -> str:
    limits = [
        f"{stream.name!r} (at most {stream.most_epochs} epochs of {stream.sequences} sequences, {room * blocks} left)"
        for stream, share, room in zip(streams, shares, rooms, strict=True)
        if share and room is not None
    ]
    room = sum(room for share, room in zip(shares, rooms, strict=True) if share and room is not None)
    return (
        f"plan: {where} asks for {size * blocks} sequences, but the most-epochs duties of the agreements leave "
        f"{room * blocks}, in {blocks} equal blocks: {_listed(limits)}. No plan was made, because training on more "
        "would break an agreement. Train fewer steps, give weight to a stream without that duty, or have the agreement "
        "changed."
    )


def _listed(items: Sequence[str], most: int = 8) -> str:
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more} more" if more > 0 else "")
