"""What is left out of the loss: by the specification, the same however text is cut, and as often as the rule says.

``Second`` is written from ``docs/training-order.md`` in plain Python numbers; it shares no code with the first.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.goldfish import GoldfishMask, chosen, goldfish_kept, goldfish_rules, left_out
from training.pack import read_packed
from training.permutation import mix
from training.plan import GoldfishRule, Plan, PlanError, Segment, StreamRef
from training.settings import GoldfishSettings, ModelSettings, SegmentSettings, TrainingSettings, resolve_shape
from training.stage import lay_plan
from training.token_stream import StreamWriter, TokenStream

SPECIFICATION = Path(__file__).parents[2] / "docs" / "training-order.md"
END, PADDING = 1, 0
ROOT = "ab" * 32


class Second:
    """The rule as the specification has it."""

    @staticmethod
    def mix(z: int) -> int:
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        return z ^ (z >> 31)

    @classmethod
    def hash(cls, ids: list[int]) -> int:
        h = 0
        for one in ids:
            h = (h * 0x9E3779B97F4A7C15 + cls.mix((one + 0x9E3779B97F4A7C15) % 2**64)) % 2**64
        return h

    @classmethod
    def left_out(cls, document: list[int], t: int, every: int, window: int) -> bool:
        return t >= window and (cls.mix(cls.hash(document[t - window : t])) >> 32) * every >> 32 == 0


def vectors() -> dict[str, Any]:
    (block,) = re.findall(r"```json\n(.*?)```", SPECIFICATION.read_text(encoding="utf-8"), re.DOTALL)
    return dict(json.loads(block))


def rule(every: int = 4, window: int = 13, *streams: str) -> GoldfishRule:
    return GoldfishRule(every, window, streams or ("a",))


def opened(folder: Path, documents: list[list[int]], length: int) -> TokenStream:
    """A stream of these documents."""
    folder.mkdir(parents=True, exist_ok=True)
    with StreamWriter(folder, np.dtype("<u2"), END) as writer:
        for number, ids in enumerate(documents, 1):
            writer.add(f"{number:064x}", ids, 1)
    return TokenStream(folder, np.dtype("<u2"), length, PADDING)


def plan_over(streams: list[TokenStream], *rules: GoldfishRule) -> Plan:
    """A plan of one step over streams a, b, …"""
    refs = tuple(StreamRef("abc"[i], one.sequences, one.documents, len(one.tokens)) for i, one in enumerate(streams))
    counts = tuple(ref.sequences for ref in refs)
    segment = Segment("main", 0, 1, sum(counts), 1, sum(counts), counts, (0,) * len(refs))
    return Plan(streams[0].length, ROOT, ROOT, refs, (segment,), 1, goldfish=rules)


def left_out_in_batch(streams: list[TokenStream], plan: Plan) -> set[tuple[int, int]]:
    """(stream, place in it) of every target that the mask of a batch leaves out."""
    at, sequences = plan.at(0)
    tokens = np.stack([streams[i].sequence(s) for i, s in zip(at.tolist(), sequences.tolist(), strict=True)])
    kept = GoldfishMask(plan, streams, END, PADDING).kept(at, sequences, tokens)
    assert kept.shape == (len(at), plan.sequence_length - 1)
    rows, columns = np.nonzero(~kept & (tokens[:, 1:] != PADDING))
    return {
        (int(at[row]), int(sequences[row]) * plan.sequence_length + int(column) + 1)
        for row, column in zip(rows, columns, strict=True)
    }


def left_out_by_second(stream: TokenStream, one: GoldfishRule) -> set[int]:
    """The same of one stream, read from the specification document by document, its end included."""
    found = set()
    for place in range(stream.documents):
        first, end = stream.span(place)
        document = stream.tokens[first:end].tolist()
        for t in range(len(document) + 1):
            if (first + t) % stream.length and Second.left_out(document, t, one.every, one.window):
                found.add(first + t)
    return found


# --- vectors ---


def test_published_vectors() -> None:
    found = vectors()["goldfish"]
    document = found["document"]
    for case in found["rules"]:
        one = rule(case["every"], case["window"])
        # One more token stands for the end of the document; its own id is never looked at.
        flags = left_out(np.array([*document, END]), np.arange(len(document) + 1), one)
        assert np.flatnonzero(flags).tolist() == case["left_out"]
        second = [t for t in range(len(document) + 1) if Second.left_out(document, t, one.every, one.window)]
        assert second == case["left_out"]
    for case in found["hashes"]:
        assert f"{Second.hash(case['ids']):016x}" == case["h"]
    assert document[20:33] == document[5:18] and {18, 33} < set(found["rules"][0]["left_out"])


def test_the_rule_is_in_the_digest_of_the_plan() -> None:
    found = vectors()
    plan = Plan.from_json(json.dumps(found["plan"]))
    ruled = Plan.from_json(json.dumps(found["plan"] | {"goldfish": [found["goldfish_rule"]]}))
    assert ruled.digest() == found["digest_with_goldfish_rule"] != plan.digest() == found["digest"]
    assert Plan.from_json(ruled.to_json()) == ruled
    assert "goldfish" not in json.loads(plan.to_json())
    assert ruled.goldfish_of("udhr/Public-Domain/mt") == ruled.goldfish[0]
    assert ruled.goldfish_of("krant/LicenseRef-overeenkomst/nl") is None


# --- which targets ---


@given(
    st.lists(st.lists(st.integers(2, 5), max_size=40), min_size=1, max_size=8),
    st.integers(2, 19),
    st.integers(2, 5),
    st.integers(1, 9),
)
@settings(max_examples=60, deadline=None)
def test_a_batch_leaves_out_what_the_specification_says(
    tmp_path_factory: pytest.TempPathFactory, documents: list[list[int]], length: int, every: int, window: int
) -> None:
    """Few different ids, so that windows often repeat; two streams, of which one has the rule."""
    folder = tmp_path_factory.mktemp("streams")
    streams = [opened(folder / "a", documents, length), opened(folder / "b", documents, length)]
    one = rule(every, window, "b")
    expected = {(1, place) for place in left_out_by_second(streams[1], one)}
    assert left_out_in_batch(streams, plan_over(streams, one)) == expected


@given(st.lists(st.lists(st.integers(2, 5), min_size=1, max_size=40), min_size=1, max_size=8), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_documents_side_by_side_lose_what_each_loses_alone(documents: list[list[int]], window: int) -> None:
    ids = np.concatenate([np.array(one) for one in documents])
    offsets = np.concatenate([np.arange(len(one)) for one in documents])
    expected = [Second.left_out(one, t, 3, window) for one in documents for t in range(len(one))]
    assert left_out(ids, offsets, rule(3, window)).tolist() == expected


def test_a_passage_loses_the_same_tokens_wherever_it_stands_and_is_cut(tmp_path: Path) -> None:
    drawn = random.Random(1)
    passage = drawn.choices(range(2, 9000), k=200)
    documents = [drawn.choices(range(2, 9000), k=k) + passage for k in (0, 3, 77)]
    found = []
    for length in (16, 37, 1000):
        stream = opened(tmp_path / str(length), documents, length)
        gone = left_out_in_batch([stream], plan_over([stream], rule(4, 13)))
        for place in range(3):
            begin = stream.span(place)[1] - len(passage)
            targets = [t for t in range(13, 200) if (begin + t) % length]
            found.append({t: (0, begin + t) in gone for t in targets})
    whole = found[-1]
    assert 20 < sum(whole.values()) < 80
    assert all(whole[t] == lost for one in found for t, lost in one.items() if t in whole)
    assert sum(len(one) for one in found) > 9 * 150


def test_what_was_withdrawn_is_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where padding stands in place of a document, what lies behind it is scored as at any document's beginning."""
    monkeypatch.setattr("training.goldfish.chosen", lambda ids, one: np.ones((1, ids.shape[1] - 1), dtype=np.bool_))
    tokens = np.array([[END, 5, 6, PADDING, PADDING, PADDING, END, 7, 8, 9, 10]])
    kept = goldfish_kept(tokens, rule(2, 2), END, PADDING)
    assert kept.tolist() == [[True, False, True, True, True, True, True, False, False]]


# --- how often ---


@pytest.mark.parametrize("every", [2, 4, 50])
@pytest.mark.parametrize("window", [1, 13, 50])
def test_one_target_in_so_many_is_left_out(every: int, window: int) -> None:
    """Over windows that are all different; five standard deviations of the binomial either way."""
    size = 200_000
    ids = np.arange(size) if window == 1 else np.random.default_rng(window).integers(0, 60_000, size)
    hits = chosen(ids, rule(every, window))
    spread = 5 * (len(hits) * (1 / every) * (1 - 1 / every)) ** 0.5
    assert abs(hits.sum() - len(hits) / every) < spread


def test_even_ids_do_not_run_together_as_in_a_product() -> None:
    """50 ids that are all even: their product is 0 modulo 2**64, whatever they are, and one fate would befall all."""
    ids = np.random.default_rng(3).integers(1, 30_000, 100_000) * 2
    windows = np.lib.stride_tricks.sliding_window_view(ids, 50)
    assert set(np.prod(windows[:1000].astype(np.uint64), axis=1).tolist()) == {0}
    share = chosen(ids, rule(4, 50)).mean()
    assert 0.24 < share < 0.26


def test_the_order_of_ids_matters_and_neighbours_are_independent() -> None:
    ids = np.random.default_rng(4).integers(0, 60_000, 200_000)
    hits = chosen(ids, rule(4, 13))
    swapped = chosen(ids.reshape(-1, 2)[:, ::-1].reshape(-1), rule(4, 13))
    assert abs(np.corrcoef(hits, swapped)[0, 1]) < 0.012
    assert abs(np.corrcoef(hits[:-1], hits[1:])[0, 1]) < 0.012


def test_a_stricter_rule_covers_a_milder_one() -> None:
    ids = np.random.default_rng(5).integers(0, 60_000, 50_000)
    milder, stricter = chosen(ids, rule(8, 13)), chosen(ids, rule(4, 13))
    assert milder.sum() > 5000 and not (milder & ~stricter).any()


def test_the_mixer_is_the_known_one() -> None:
    """The first numbers that SplitMix64 gives for the seed 0."""
    states = np.arange(1, 4, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert [f"{one:x}" for one in mix(states).tolist()] == ["e220a8397b1dcdaf", "6e789e6aa1b965f4", "6c45d188009454f"]


# --- rules ---


def test_globs_name_streams_by_licence_or_group() -> None:
    names = ["krant~own~nl", "wiki~CC-BY-SA-4.0~fr", "wiki~CC-BY-SA-4.0~nl"]
    wanted = [GoldfishSettings(streams=["*~CC-BY-SA-4.0~*"]), GoldfishSettings(streams=["krant*"], every=2, window=5)]
    assert goldfish_rules(names, wanted) == [GoldfishRule(4, 13, tuple(names[1:])), GoldfishRule(2, 5, (names[0],))]
    assert goldfish_rules(names, []) == []
    with pytest.raises(PlanError, match=r"goldfish\[0\]: '\*~CC-BY-NC\*' fits no stream"):
        goldfish_rules(names, [GoldfishSettings(streams=["*~CC-BY-NC*"])])
    with pytest.raises(PlanError, match=r"goldfish\[1\]: stream 'wiki~CC-BY-SA-4.0~nl' falls under rule 0 too"):
        goldfish_rules(names, [wanted[0], GoldfishSettings(streams=["*~nl"])])


def test_a_configured_rule_and_batch_come_into_the_plan(packed_folder: Path) -> None:
    packed = read_packed(packed_folder)
    shape = resolve_shape(ModelSettings(depth=1, width=32, heads=2, sequence_length=32), packed.vocabulary_size)
    segments = [
        SegmentSettings(name="warm-up", steps=2, batch=4, temperature=0.5),
        SegmentSettings(name="main", steps=3),
        SegmentSettings(name="annealing", steps=2, batch=16, weights={"*~nl": 4.0}),
    ]
    rules = [GoldfishSettings(streams=["*~CC0-1.0~nl"], every=3, window=7)]
    chosen_settings = TrainingSettings(segments=segments, batch=8, goldfish=rules)
    plan = lay_plan(packed, shape, chosen_settings, 3, ROOT)
    assert [segment.batch for segment in plan.segments] == [4, 8, 16]
    assert [len(plan.at(step)[0]) for step in range(plan.steps)] == [4, 4, 8, 8, 8, 16, 16]
    assert plan.goldfish == (GoldfishRule(3, 7, ("group~CC0-1.0~nl",)),)
    assert plan.segments[2].counts[1] > 2 * plan.segments[2].counts[0]
    plain = lay_plan(packed, shape, TrainingSettings(segments=segments, batch=8), 3, ROOT)
    assert plain == replace(plan, goldfish=()) and plain.digest() != plan.digest()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "absent or a list"),
        ({}, "absent or a list"),
        (None, "absent or a list"),
        ([3], r"goldfish\[0\] must have exactly"),
        ([{"every": 4, "streams": ["a"]}], r"goldfish\[0\] must have exactly"),
        ([{"every": 1, "streams": ["a"], "window": 13}], "every is 1"),
        ([{"every": 2**17, "streams": ["a"], "window": 13}], "more than 65536"),
        ([{"every": 4, "streams": ["a"], "window": 0}], "window is 0"),
        ([{"every": 4, "streams": ["a"], "window": 1025}], "more than 1024"),
        ([{"every": 4, "streams": [], "window": 13}], "one name or more"),
        ([{"every": 4, "streams": "a", "window": 13}], "one name or more"),
        ([{"every": 4, "streams": [["a"]], "window": 13}], "one name or more"),
        ([{"every": 4, "streams": ["z"], "window": 13}], "not there"),
        ([{"every": 4, "streams": ["b", "a"], "window": 13}], "must rise"),
        ([{"every": 4, "streams": ["a"], "window": 13}] * 2, "another rule"),
    ],
)
def test_a_plan_with_an_unusable_rule_is_refused(value: Any, message: str) -> None:
    refs = (StreamRef("a", 5, 2, 80), StreamRef("b", 5, 2, 80))
    plan = Plan(16, ROOT, ROOT, refs, (Segment("main", 0, 1, 4, 1, 4, (2, 2), (0, 0)),), 7)
    with pytest.raises(PlanError, match=message):
        Plan.from_json(json.dumps(json.loads(plan.to_json()) | {"goldfish": value}))
