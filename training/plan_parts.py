"""What a plan consists of (streams and segments), and the checks that no plan gets past.

Every plan is checked when it is made and when it is read back, so that a wrong one cannot answer a question: the
formulas of ``training.plan`` are right only if counts fill their blocks and no running number is given out twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from licensing.errors import HerkomstError
from training.permutation import LARGEST

# Whole numbers in JSON are exact for every reader only below this (RFC 8259, section 6).
LARGEST_WHOLE = 2**53 - 1
LARGEST_RUNNING_NUMBER = 2**48
MOST_STREAMS = 2**16
MOST_EVERY = 2**16
LONGEST_WINDOW = 2**10
REMEDY = "The plan was not accepted; make it again with training.mixture.make_plan."

Part = TypeVar("Part")


class PlanError(HerkomstError):
    """A plan that cannot be made, is not consistent, or is asked for what it does not contain."""


@dataclass(frozen=True, slots=True)
class StreamRef:
    """One stream as the order sees it: ``sequences`` of the plan's length, and how often it may be read at most."""

    name: str
    sequences: int
    documents: int
    tokens: int
    most_epochs: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of steps with one mixture; the steps are ``first_step`` … ``last_step_exclusive - 1``.

    ``batch`` is rows per step over all processes, ``block`` slots per block, ``counts`` sequences per stream and block,
    ``start`` running numbers of each stream given out before this segment, ``skipped_steps`` those whose update was
    dropped (their data counts as drawn, not as read).
    """

    name: str
    first_step: int
    last_step_exclusive: int
    batch: int
    seed: int
    block: int
    counts: tuple[int, ...]
    start: tuple[int, ...]
    skipped_steps: tuple[int, ...] = ()

    @property
    def slots(self) -> int:
        """Rows over all steps."""
        return (self.last_step_exclusive - self.first_step) * self.batch

    @property
    def blocks(self) -> int:
        """Blocks, the last one perhaps cut short."""
        return -(-self.slots // self.block)

    def end(self, stream: int) -> int:
        """First running number of ``stream`` behind those that this segment reserves."""
        return self.start[stream] + self.blocks * self.counts[stream]


@dataclass(frozen=True, slots=True)
class Parent:
    """The plan that a training followed up to a checkpoint after ``step`` steps, before it went on with this one.

    Both give the same sequences at every step; what differs is the text at the places of documents that were withdrawn.
    """

    plan_digest: str
    step: int


@dataclass(frozen=True, slots=True)
class GoldfishRule:
    """One target in ``every`` of these streams is left out of the loss, chosen by a hash of ``window`` ids before it.

    ``streams`` are names, rising. Which targets these are says `training.goldfish`.
    """

    every: int
    window: int
    streams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Consumption:
    """What a plan draws from one stream, in sequences.

    ``read`` were trained on, ``skipped`` drawn in skipped steps, ``unused`` reserved for slots that a cut-short last
    block does not have. ``most_times`` is the number of epochs begun: no sequence can have been drawn more often.
    """

    name: str
    sequences: int
    read: int
    skipped: int
    unused: int
    most_times: int

    @property
    def epochs(self) -> float:
        """Sequences read over sequences there are."""
        return self.read / self.sequences if self.sequences else 0.0


# --- checks ---


def check_parent(parent: Parent | None, steps: int) -> None:
    """Raise PlanError unless the parent is a plan's digest and a step of this one."""
    if parent is None:
        return
    _check_whole("parent", step=(parent.step, 0))
    _check(parent.step <= steps, "parent", f"step {parent.step} lies behind the end, which is {steps}")
    good = isinstance(parent.plan_digest, str) and bool(re.fullmatch("[0-9a-f]{64}", parent.plan_digest))
    _check(good, "parent", f"plan_digest {parent.plan_digest!r} is not a SHA-256 in lower-case hexadecimal")


def check_goldfish(rules: tuple[GoldfishRule, ...], streams: tuple[StreamRef, ...]) -> None:
    """Raise PlanError unless every rule is usable and no stream has two."""
    _check(isinstance(rules, tuple), "goldfish", "must be a list of rules")
    free = {stream.name for stream in streams}
    for number, rule in enumerate(rules):
        where = f"goldfish[{number}]"
        _check_whole(where, every=(rule.every, 2), window=(rule.window, 1))
        _check(rule.every <= MOST_EVERY, where, f"every is {rule.every}, more than {MOST_EVERY}")
        _check(rule.window <= LONGEST_WINDOW, where, f"window is {rule.window}, more than {LONGEST_WINDOW}")
        names = rule.streams
        good = isinstance(names, tuple) and len(names) > 0 and all(isinstance(name, str) for name in names)
        _check(good, where, "streams must be a list of one name or more")
        _check(list(names) == sorted(set(names)), where, "the names of its streams must rise, each once")
        unknown = sorted(set(names) - free)
        _check(not unknown, where, f"streams {unknown} are not there, or another rule holds for them")
        free -= set(names)


def check_heading(sequence_length: int, seed: int, roots: dict[str, str]) -> None:
    """Raise PlanError unless the plan's own figures are whole numbers and its roots are digests."""
    _check_whole("heading", sequence_length=(sequence_length, 1), seed=(seed, 0))
    for field, root in roots.items():
        good = isinstance(root, str) and bool(re.fullmatch("[0-9a-f]{64}", root))
        _check(good, field, f"{root!r} is not a SHA-256 in lower-case hexadecimal")


def check_parts(streams: tuple[StreamRef, ...], segments: tuple[Segment, ...]) -> None:
    """Raise PlanError unless the segments follow one another, fit the streams and share no running number."""
    _check(isinstance(streams, tuple) and 1 <= len(streams) <= MOST_STREAMS, "streams", f"must be 1 to {MOST_STREAMS}")
    _check(isinstance(segments, tuple) and len(segments) > 0, "segments", "there is none, so nothing to train on")
    for stream in streams:
        _check_stream(stream)
    _check_names("streams", [stream.name for stream in streams])
    _check_names("segments", [segment.name for segment in segments])
    free, step = (0,) * len(streams), 0
    for segment in segments:
        _check_segment(segment, streams, free, step)
        free, step = tuple(segment.end(i) for i in range(len(free))), segment.last_step_exclusive


def _check_stream(stream: StreamRef) -> None:
    where = f"stream {stream.name!r}"
    _check_whole(where, sequences=(stream.sequences, 0), documents=(stream.documents, 0), tokens=(stream.tokens, 0))
    _check(stream.sequences <= LARGEST, where, f"has {stream.sequences} sequences, more than {LARGEST}")
    if stream.most_epochs is not None:
        _check_whole(where, most_epochs=(stream.most_epochs, 0))


def _check_segment(segment: Segment, streams: tuple[StreamRef, ...], free: tuple[int, ...], step: int) -> None:
    where = f"segment {segment.name!r}"
    first, last = segment.first_step, segment.last_step_exclusive
    _check_whole(where, first_step=(first, 0), batch=(segment.batch, 1), seed=(segment.seed, 0))
    _check_whole(where, last_step_exclusive=(last, first + 1), block=(segment.block, 1))
    _check_whole(where, slots=(segment.slots, 1))
    _check(first == step, where, f"begins at step {first}, but the steps before it end at {step}")
    _check(segment.block <= LARGEST, where, f"has blocks of {segment.block} slots, more than {LARGEST}")
    _check_counts(segment, where, len(streams))
    _check_skipped(segment, where)
    for i, stream in enumerate(streams):
        _check_reserved(segment, i, stream, free[i])


def _check_counts(segment: Segment, where: str, streams: int) -> None:
    for field, values in (("counts", segment.counts), ("start", segment.start)):
        good = isinstance(values, tuple) and len(values) == streams
        _check(good, where, f"{field} must be one number for each of the {streams} streams")
        for value in values:
            _check_whole(where, **{field: (value, 0)})
    total = sum(segment.counts)
    _check(total == segment.block, where, f"counts add up to {total}, not to the block's {segment.block}")


def _check_skipped(segment: Segment, where: str) -> None:
    skipped = segment.skipped_steps
    _check(isinstance(skipped, tuple), where, "skipped_steps must be a list of steps")
    for step in skipped:
        _check_whole(where, skipped_steps=(step, segment.first_step))
    _check(max(skipped, default=0) < segment.last_step_exclusive, where, "a skipped step lies behind its end")
    _check(list(skipped) == sorted(set(skipped)), where, "skipped_steps must rise, each step once")


def _check_reserved(segment: Segment, i: int, stream: StreamRef, free: int) -> None:
    where = f"segment {segment.name!r}, stream {stream.name!r}"
    end = segment.end(i)
    start = segment.start[i]
    _check(start >= free, where, f"starts at {start}, but running numbers below {free} are given out already")
    _check(end <= LARGEST_RUNNING_NUMBER, where, f"would be drawn {end} times, more than {LARGEST_RUNNING_NUMBER}")
    _check(stream.sequences > 0 or segment.counts[i] == 0, where, "is to be read but has no sequence")
    if stream.most_epochs is not None and segment.counts[i]:
        most = stream.most_epochs * stream.sequences
        _check(end <= most, where, f"{end} draws, but {stream.most_epochs} epochs are agreed, which is {most}")


def _check_whole(where: str, **bounded: tuple[object, int]) -> None:
    for field, (value, least) in bounded.items():
        good = type(value) is int and least <= value <= LARGEST_WHOLE
        _check(good, where, f"{field} is {value!r}, not a whole number from {least} to {LARGEST_WHOLE}")


def _check_names(where: str, names: list[str]) -> None:
    for name in names:
        good = isinstance(name, str) and name != "" and name.isprintable()
        _check(good, where, f"the name {name!r} is not printable text")
    _check(len(set(names)) == len(names), where, "a name is used twice, but the keys of the order are made from names")


def _check(good: bool, where: str, fault: str) -> None:
    if not good:
        raise PlanError(f"plan: {where}: {fault}. {REMEDY}")


def read_part(kind: type[Part], data: Any, where: str) -> Part:
    """Make one dataclass from parsed JSON; raises PlanError unless exactly its fields are there."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if not isinstance(data, dict) or set(data) != names:
        got = sorted(data) if isinstance(data, dict) else type(data).__name__
        raise PlanError(f"plan: {where} must have exactly the fields {sorted(names)} but has {got}. {REMEDY}")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in data.items()})
