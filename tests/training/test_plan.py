"""The plan: both directions agree with each other, with a scan, with the published vectors and with a second reading.

``Second`` below is an implementation from ``docs/training-order.md`` in plain Python numbers; it shares no code with
the first.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.plan import Plan, PlanError, Segment, StreamRef

ROOT = "ab" * 32
SPECIFICATION = Path(__file__).parents[2] / "docs" / "training-order.md"


class Second:
    """The training order, read from the specification alone; ``plan`` is the parsed JSON."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan

    @staticmethod
    def passes(x: int, n: int, key: bytes, backwards: bool) -> int:
        a = next(a for a in range(int(n**0.5) - 1, n + 2) if a >= 1 and a * a >= n)
        b = (n + a - 1) // a
        k = [
            int.from_bytes(hashlib.sha256(b"herkomst-permutation-v1\0" + key + bytes((i,))).digest()[:8], "big")
            for i in range(6)
        ]

        def draw(v: int, k: int, m: int) -> int:
            z = v ^ k
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
            z = z ^ (z >> 31)
            return ((z >> 32) * m) >> 32

        while True:
            right, left = x // a, x % a
            for i in (4, 2, 0) if backwards else (0, 2, 4):
                if backwards:
                    right = (right - draw(left, k[i + 1], b)) % b
                    left = (left - draw(right, k[i], a)) % a
                else:
                    left = (left + draw(right, k[i], a)) % a
                    right = (right + draw(left, k[i + 1], b)) % b
            x = left + a * right
            if x < n:
                return x

    @staticmethod
    def key(domain: bytes, seed: int, name: str, x: int) -> bytes:
        text = name.encode("utf-8")
        return hashlib.sha256(
            domain + seed.to_bytes(8, "big") + len(text).to_bytes(8, "big") + text + x.to_bytes(8, "big")
        ).digest()

    def at(self, step: int) -> list[tuple[int, int]]:
        (g,) = [g for g in self.plan["segments"] if g["first_step"] <= step < g["last_step_exclusive"]]
        rows = []
        for row in range(g["batch"]):
            slot = (step - g["first_step"]) * g["batch"] + row
            b, p = slot // g["block"], slot % g["block"]
            key = self.key(b"herkomst-order-block-v1\0", g["seed"], g["name"], b)
            q = self.passes(p, g["block"], key, backwards=False)
            i = 0
            while q >= g["counts"][i]:
                q -= g["counts"][i]
                i += 1
            n = g["start"][i] + b * g["counts"][i] + q
            ref = self.plan["streams"][i]
            key = self.key(b"herkomst-order-stream-v1\0", self.plan["seed"], ref["name"], n // ref["sequences"])
            rows.append((i, self.passes(n % ref["sequences"], ref["sequences"], key, backwards=False)))
        return rows

    def positions(self, i: int, s: int) -> list[tuple[int, int]]:
        found = []
        sequences, name = self.plan["streams"][i]["sequences"], self.plan["streams"][i]["name"]
        last = self.plan["segments"][-1]
        end = last["start"][i] + self.blocks(last) * last["counts"][i]
        for e in range((end + sequences - 1) // sequences):
            key = self.key(b"herkomst-order-stream-v1\0", self.plan["seed"], name, e)
            n = e * sequences + self.passes(s, sequences, key, backwards=True)
            for g in self.plan["segments"]:
                if g["start"][i] <= n < g["start"][i] + self.blocks(g) * g["counts"][i]:
                    b, j = divmod(n - g["start"][i], g["counts"][i])
                    key = self.key(b"herkomst-order-block-v1\0", g["seed"], g["name"], b)
                    p = self.passes(sum(g["counts"][:i]) + j, g["block"], key, backwards=True)
                    slot = b * g["block"] + p
                    step = g["first_step"] + slot // g["batch"]
                    if step < g["last_step_exclusive"] and step not in g["skipped_steps"]:
                        found.append((step, slot % g["batch"]))
        return sorted(found)

    @staticmethod
    def blocks(g: dict[str, Any]) -> int:
        slots = (g["last_step_exclusive"] - g["first_step"]) * g["batch"]
        return int((slots + g["block"] - 1) // g["block"])


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan of one to four segments over streams of a few sequences, blocks of any size, some steps skipped."""
    sizes = draw(st.lists(st.integers(0, 30), min_size=1, max_size=5).filter(any))
    streams = tuple(StreamRef(f"bron/{i}/ël", size, size, size * 16) for i, size in enumerate(sizes))
    segments: list[Segment] = []
    start, step = (0,) * len(sizes), 0
    for number in range(draw(st.integers(1, 4))):
        steps, batch = draw(st.integers(1, 8)), draw(st.integers(1, 7))
        counts = tuple(draw(st.integers(0, 9)) if size else 0 for size in sizes)
        if not any(counts):
            counts = tuple(int(size > 0) for size in sizes)
        inside = st.integers(step, step + steps - 1)
        skipped = tuple(sorted(draw(st.sets(inside, max_size=2))))
        gap = draw(st.sampled_from([0, 0, 3]))
        start = tuple(free + gap for free in start)
        seed = draw(st.integers(0, 2**53 - 1))
        segment = Segment(f"deel {number}", step, step + steps, batch, seed, sum(counts), counts, start, skipped)
        segments.append(segment)
        start, step = tuple(segment.end(i) for i in range(len(sizes))), step + steps
    return Plan(16, ROOT, ROOT, streams, tuple(segments), draw(st.integers(0, 2**53 - 1)))


def scan(plan: Plan, *, include_skipped: bool = False) -> Iterator[tuple[int, int, int, int]]:
    """Yield (stream, sequence, step, row) of the whole plan, step by step."""
    for segment in plan.segments:
        for step in range(segment.first_step, segment.last_step_exclusive):
            if include_skipped or step not in segment.skipped_steps:
                for row, (stream, sequence) in enumerate(zip(*plan.at(step), strict=True)):
                    yield int(stream), int(sequence), step, row


def small_plan() -> Plan:
    streams = (StreamRef("a", 5, 2, 80, 4), StreamRef("b", 9, 3, 150))
    first = Segment("warm-up", 0, 4, 3, 1, 12, (4, 8), (0, 0))
    second = Segment("main", 4, 10, 4, 1, 10, (3, 7), (4, 8), (5,))
    return Plan(16, ROOT, ROOT, streams, (first, second), 7)


# --- forwards and backwards ---


@given(plans())
@settings(max_examples=150, deadline=None)
def test_positions_equal_a_scan(plan: Plan) -> None:
    for include_skipped in (False, True):
        expected: dict[int, list[tuple[int, int, int]]] = {i: [] for i in range(len(plan.streams))}
        for stream, sequence, step, row in scan(plan, include_skipped=include_skipped):
            expected[stream].append((sequence, step, row))
        for i, ref in enumerate(plan.streams):
            found = plan.positions(i, 0, ref.sequences, include_skipped=include_skipped)
            assert found == sorted(expected[i], key=lambda place: place[1:])


@given(plans(), st.data())
@settings(max_examples=50, deadline=None)
def test_positions_of_a_part_are_that_part(plan: Plan, data: st.DataObject) -> None:
    i = data.draw(st.sampled_from([i for i, ref in enumerate(plan.streams) if ref.sequences]))
    first = data.draw(st.integers(0, plan.streams[i].sequences - 1))
    last = data.draw(st.integers(first, plan.streams[i].sequences))
    everything = plan.positions(i, 0, plan.streams[i].sequences)
    assert plan.positions(i, first, last) == [place for place in everything if first <= place[0] < last]


@given(plans())
@settings(max_examples=60, deadline=None)
def test_second_implementation_agrees(plan: Plan) -> None:
    second = Second(json.loads(plan.to_json()))
    for step in range(plan.steps):
        stream, sequence = plan.at(step)
        assert list(zip(stream.tolist(), sequence.tolist(), strict=True)) == second.at(step)
    for i, ref in enumerate(plan.streams):
        for s in range(0, ref.sequences, 5):
            assert [(step, row) for _, step, row in plan.positions(i, s, s + 1)] == second.positions(i, s)


@given(plans())
@settings(max_examples=100, deadline=None)
def test_no_sequence_twice_in_an_epoch_and_sums_are_exact(plan: Plan) -> None:
    drawn = Counter((stream, sequence) for stream, sequence, _, _ in scan(plan, include_skipped=True))
    read = Counter(stream for stream, _, _, _ in scan(plan))
    every = Counter(stream for stream, _, _, _ in scan(plan, include_skipped=True))
    for i, consumption in enumerate(plan.consumed()):
        ref = plan.streams[i]
        assert max((times for (stream, _), times in drawn.items() if stream == i), default=0) <= consumption.most_times
        assert (consumption.name, consumption.read) == (ref.name, read[i])
        assert consumption.read + consumption.skipped == every[i]
        reserved = sum(segment.blocks * segment.counts[i] for segment in plan.segments)
        assert consumption.read + consumption.skipped + consumption.unused == reserved
        assert consumption.unused >= 0
        assert consumption.most_times == (-(-plan.segments[-1].end(i) // ref.sequences) if ref.sequences else 0)


def test_a_stream_read_exactly_three_times_shows_each_sequence_three_times() -> None:
    streams = (StreamRef("a", 20, 1, 1, 3), StreamRef("b", 10, 1, 1, 6))
    segments = (
        Segment("one", 0, 10, 6, 5, 30, (15, 15), (0, 0)),
        Segment("two", 10, 20, 6, 5, 60, (30, 30), (30, 30)),
    )
    drawn = Counter(place[:2] for place in scan(Plan(16, ROOT, ROOT, streams, segments, 3)))
    assert drawn == {**{(0, s): 3 for s in range(20)}, **{(1, s): 6 for s in range(10)}}


def test_each_epoch_has_its_own_order() -> None:
    streams = (StreamRef("a", 500, 1, 1),)
    plan = Plan(16, ROOT, ROOT, streams, (Segment("one", 0, 2, 500, 5, 500, (500,), (0,)),), 3)
    rows = np.array([[row for _, _, row in plan.positions(0, s, s + 1)] for s in range(500)])
    assert rows.shape == (500, 2)
    assert abs(float(np.corrcoef(rows[:, 0], rows[:, 1])[0, 1])) < 0.2


def test_a_step_does_not_depend_on_what_was_asked_before() -> None:
    forwards, backwards = small_plan(), Plan.from_json(small_plan().to_json())
    first = {step: [column.tolist() for column in forwards.at(step)] for step in range(10)}
    assert {step: [column.tolist() for column in backwards.at(step)] for step in reversed(range(10))} == first


def test_a_later_segment_does_not_change_an_earlier_one() -> None:
    whole = small_plan()
    begun = replace(whole, segments=whole.segments[:1])
    for step in range(4):
        assert [column.tolist() for column in begun.at(step)] == [column.tolist() for column in whole.at(step)]


def test_a_segment_cut_short_keeps_its_steps() -> None:
    """A run that stops at step 7 and goes on with another batch has a shorter segment and a new one behind it."""
    whole = small_plan()
    cut = replace(whole.segments[1], last_step_exclusive=7)
    changed = Segment("rest", 7, 9, 2, 8, 4, (1, 3), tuple(cut.end(i) for i in range(2)))
    plan = replace(whole, segments=(whole.segments[0], cut, changed))
    for step in range(7):
        assert [column.tolist() for column in plan.at(step)] == [column.tolist() for column in whole.at(step)]
    assert plan.at(7)[0].shape == (2,)


def test_source_counts_per_batch_are_those_of_a_fair_shuffle() -> None:
    """Chi-square over 512 batches of 128 out of blocks of 65,536; each block holds its counts to the sequence."""
    counts = (32768, 16384, 8192, 4096, 4096)
    streams = tuple(StreamRef(f"s{i}", 100_003, 1, 1) for i in range(5))
    plan = Plan(16, ROOT, ROOT, streams, (Segment("main", 0, 1024, 128, 11, 65536, counts, (0,) * 5),), 5)
    seen = np.stack([np.bincount(plan.at(step)[0], minlength=5) for step in range(512)])
    assert seen.sum(axis=0).tolist() == list(counts)
    expected = 128 * np.array(counts) / 65536
    squares = float(((seen - expected) ** 2 / expected).sum())
    freedom = 511 * 4
    assert abs(squares - freedom) < 5 * (2 * freedom) ** 0.5


def test_many_sequences_are_found_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = small_plan()
    everything = plan.positions(1, 0, 9)
    monkeypatch.setattr("training.plan._CHUNK", 4)
    assert plan.positions(1, 0, 9) == everything
    assert plan.consumed() == small_plan().consumed()
    assert everything


def test_large_plan_answers_both_ways() -> None:
    streams = (StreamRef("a", 2**40, 1, 1), StreamRef("b", 1, 1, 1))
    plan = Plan(4096, ROOT, ROOT, streams, (Segment("main", 0, 2**35, 4096, 11, 2**16, (2**16 - 1, 1), (2**37, 0)),), 5)
    for step in (0, 2**34 + 17, 2**35 - 1):
        stream, sequence = plan.at(step)
        for row in range(0, 4096, 1000):
            if stream[row] == 0:
                place = int(sequence[row])
                assert (place, step, row) in plan.positions(0, place, place + 1)


# --- vectors and file ---


def vectors() -> dict[str, Any]:
    (block,) = re.findall(r"```json\n(.*?)```", SPECIFICATION.read_text(encoding="utf-8"), re.DOTALL)
    return dict(json.loads(block))


def test_published_vectors() -> None:
    found = vectors()
    plan = Plan.from_json(json.dumps(found["plan"]))
    assert plan.digest() == found["digest"]
    assert len(found["at"]) == plan.steps
    for step in found["at"]:
        assert [column.tolist() for column in plan.at(step["step"])] == [step["stream"], step["sequence"]]
    for case in found["positions"]:
        places = plan.positions(case["stream"], case["sequence"], case["sequence"] + 1)
        assert [[step, row] for _, step, row in places] == case["positions"]


def test_second_implementation_reads_the_published_vectors() -> None:
    found = vectors()
    for case in found["permutation"]:
        key = bytes.fromhex(case["key"])
        assert [Second.passes(x, case["n"], key, backwards=False) for x in case["x"]] == case["forward"]
        assert [Second.passes(y, case["n"], key, backwards=True) for y in case["forward"]] == case["x"]
    second = Second(found["plan"])
    for step in found["at"]:
        assert second.at(step["step"]) == list(zip(step["stream"], step["sequence"], strict=True))
    for case in found["positions"]:
        assert [list(place) for place in second.positions(case["stream"], case["sequence"])] == case["positions"]


@given(plans())
@settings(max_examples=30, deadline=None)
def test_json_round_trip(plan: Plan) -> None:
    assert Plan.from_json(plan.to_json()) == plan
    shuffled = json.dumps(dict(reversed(json.loads(plan.to_json()).items())), indent=1)
    assert Plan.from_json(shuffled).digest() == plan.digest()
    assert plan.digest() == hashlib.sha256(plan.to_json().encode()).hexdigest()


def test_every_field_is_in_the_digest() -> None:
    plan = small_plan()
    first, second = plan.segments
    others = [
        replace(plan, sequence_length=17),
        replace(plan, corpus_root="cd" * 32),
        replace(plan, tokens_root="cd" * 32),
        replace(plan, seed=8),
        replace(plan, streams=(replace(plan.streams[0], tokens=81), plan.streams[1])),
        replace(plan, segments=(first, replace(second, skipped_steps=()))),
        replace(plan, segments=(first, replace(second, seed=2))),
    ]
    assert len({each.digest() for each in [plan, *others]}) == 8


def test_seeds_and_names_change_the_order() -> None:
    plan = small_plan()
    first, second = plan.segments
    others = [
        replace(plan, seed=8),
        replace(plan, segments=(first, replace(second, seed=2))),
        replace(plan, segments=(first, replace(second, name="elders"))),
        replace(plan, streams=(plan.streams[0], replace(plan.streams[1], name="c"))),
    ]
    orders = {tuple(scan(each)) for each in [plan, *others]}
    assert len(orders) == 5


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("format",), "herkomst-plan-v2", "format"),
        (("seed",), -1, "seed"),
        (("seed",), 2**53, "seed"),
        (("seed",), 1.0, "seed"),
        (("sequence_length",), True, "sequence_length"),
        (("corpus_root",), "AB" * 32, "corpus_root"),
        (("tokens_root",), None, "tokens_root"),
        (("streams",), [], "streams"),
        (("streams",), 3, "streams"),
        (("segments",), [], "segments"),
        (("segments",), "abc", "segments"),
        (("extra",), 1, "exactly the fields"),
        (("streams", 0, "extra"), 1, r"streams\[0\]"),
        (("streams", 0, "name"), "b", "used twice"),
        (("streams", 0, "name"), "", "printable"),
        (("streams", 0, "name"), ["a"], "printable"),
        (("streams", 0, "sequences"), "5", "sequences"),
        (("streams", 0, "sequences"), 2**41, "more than"),
        (("streams", 0, "sequences"), 0, "no sequence"),
        (("streams", 0, "most_epochs"), 2, "2 epochs are agreed"),
        (("segments", 1, "name"), "warm-up", "used twice"),
        (("segments", 1, "first_step"), 3, "begins at step 3"),
        (("segments", 1, "first_step"), 5, "begins at step 5"),
        (("segments", 0, "last_step_exclusive"), 0, "last_step_exclusive"),
        (("segments", 1, "batch"), 0, "batch"),
        (("segments", 1, "batch"), 2**52, "slots"),
        (("segments", 1, "block"), 11, "add up to 10"),
        (("segments", 1, "counts"), [3, 4, 3], "counts must be one number"),
        (("segments", 1, "counts"), 10, "counts must be one number"),
        (("segments", 1, "counts"), [-3, 13], "counts is -3"),
        (("segments", 1, "start"), [3, 8], "numbers below 4"),
        (("segments", 1, "start"), [4], "start must be one number"),
        (("segments", 1, "skipped_steps"), [10], "behind its end"),
        (("segments", 1, "skipped_steps"), [3], "skipped_steps is 3"),
        (("segments", 1, "skipped_steps"), [6, 5], "must rise"),
        (("segments", 1, "skipped_steps"), [5, 5], "must rise"),
        (("segments", 1, "skipped_steps"), 5, "must be a list"),
    ],
)
def test_an_inconsistent_plan_is_refused(where: tuple[Any, ...], value: Any, message: str) -> None:
    data = json.loads(small_plan().to_json())
    part = data
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    with pytest.raises(PlanError, match=message):
        Plan.from_json(json.dumps(data))


def test_an_agreed_limit_is_held_to_the_last_sequence() -> None:
    limited, other = StreamRef("a", 5, 1, 1, 2), StreamRef("b", 5, 1, 1)
    exact = Plan(16, ROOT, ROOT, (limited, other), (Segment("one", 0, 2, 6, 1, 12, (10, 2), (0, 0)),), 7)
    assert exact.consumed()[0].epochs == 2
    with pytest.raises(PlanError, match=r"11 draws, but 2 epochs are agreed, which is 10"):
        replace(exact, segments=(Segment("one", 0, 2, 6, 1, 12, (11, 1), (0, 0)),))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"format": "herkomst-plan-v1"}'])
def test_text_that_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="not accepted"):
        Plan.from_json(text)


def test_questions_outside_the_plan_are_refused() -> None:
    plan = small_plan()
    for step in (-1, 10):
        with pytest.raises(PlanError, match=f"no step {step}"):
            plan.at(step)
    with pytest.raises(PlanError, match="no stream 2"):
        plan.positions(2, 0, 1)
    with pytest.raises(PlanError, match="has no sequence 5"):
        plan.positions(0, 0, 6)
    with pytest.raises(PlanError, match="from -1"):
        plan.positions(0, -1, 1)
    assert plan.positions(0, 2, 2) == []


def test_importing_the_order_brings_in_nothing_heavy() -> None:
    script = "import sys, training.mixture; print([m for m in ('torch', 'pydantic', 'pandas') if m in sys.modules])"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
