"""Many documents at once: what is counted is what each document's own exposure and positions add up to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.reach import Reach, reach_of
from pipeline.run_directory import RunDirectory
from pipeline.trace import TraceError, Tracer
from pipeline.usage import usage_of
from tests.pipeline.conftest import REPOSITORY
from tests.pipeline.made_order import make_order

ORDERS = [(seed, done) for seed in range(6) for done in (1.0, 0.4)]


def check_usage(run: RunDirectory) -> int:
    """Compare every partner's usage with the sum over its documents; returns how many were trained on."""
    tracer, trained = Tracer(run), 0
    for one in tracer.ledger.partners():
        rows = [row for row in tracer.rows(one.partner) if row["use"] == "train"]
        seen = {row["id"]: tracer.exposure(row) for row in rows}
        read = [exposure for exposure in seen.values() if exposure.times]
        usage = usage_of(tracer, one.partner)
        assert usage is not None
        assert dict(usage.per_document) == {name: (each.tokens_read, each.times) for name, each in seen.items()}
        assert usage.tokens_read == sum(each.tokens_read for each in read)
        assert usage.tokens_scored == sum(each.tokens_scored for each in read)
        assert usage.documents == len(read)
        assert usage.first_step == min((each.first_step for each in read if each.first_step is not None), default=None)
        assert usage.last_step == max((each.last_step for each in read if each.last_step is not None), default=None)
        assert usage.epochs == (sum(each.times for each in read) / len(read) if read else 0)
        assert usage.most_read == max((each.times for each in seen.values()), default=None)
        trained += len(read)
    return trained


def check_reach(tracer: Tracer, reach: Reach, ids: set[str]) -> int:
    """Compare with positions, document by document; returns how many positions there were."""
    rows = [row for row in tracer.rows() if row["id"] in ids]
    answers = [tracer.answer(row) for row in rows]
    positions = {(step, at) for one in answers for step, at in one["positions"]}
    assert reach.documents == len(rows) == len(ids)
    assert reach.steps.tolist() == sorted({step for step, _ in positions})
    assert reach.positions == len(positions)
    spans = [one["tokens"] for one in answers if one["tokens"]]
    assert (reach.kept, reach.tokens) == (len(spans), sum(one["count"] for one in spans))
    assert {
        (part.stream.name, part.stream.use, begin, end)
        for part in reach.streams
        for begin, end in zip(part.begin.tolist(), part.end.tolist(), strict=True)
    } == {(one["stream"], one["use"], one["first"], one["end"]) for one in spans}
    touched = set()
    for row in rows:
        known = tracer.stream(row["stream"], row["use"]) if row["stream"] else None
        if known:
            place = known[1].place_of(row["id"])
            assert place is not None
            touched |= {(row["stream"], row["use"], one) for one in range(*known[1].sequences_of(place))}
            part = next(
                one for one in reach.streams if (one.stream.name, one.stream.use) == (row["stream"], row["use"])
            )
            assert place in part.places
    assert reach.sequences == len(touched)
    for steps in range(tracer.steps_done + 1):
        assert reach.read_by(steps) == any(step < steps for step, _ in positions)
    return len(positions)


@pytest.mark.parametrize(("seed", "done"), ORDERS)
def test_usage_is_the_sum_of_its_documents_in_any_order(tmp_path: Path, seed: int, done: float) -> None:
    assert check_usage(make_order(tmp_path, seed, done=done)) > 10


@pytest.mark.parametrize(("seed", "done"), ORDERS)
def test_reach_is_the_union_of_its_documents_positions(tmp_path: Path, seed: int, done: float) -> None:
    tracer = Tracer(make_order(tmp_path, seed, done=done))
    rows = list(tracer.rows())
    found = 0
    for partner in ("A", "B", "C"):
        mine = {row["id"] for row in rows if row["partner"] == partner}
        found += check_reach(tracer, reach_of(tracer, partner=partner), mine)
    assert found > 10
    under = {row["id"] for row in rows if row["agreement"] == "x"}
    check_reach(tracer, reach_of(tracer, agreement="x"), under)
    some = {row["id"] for row in rows[::5]}
    check_reach(tracer, reach_of(tracer, ids=[*some, *some]), some)
    unkept = [row["id"] for row in rows if row["use"] != "train"]
    assert check_reach(tracer, reach_of(tracer, ids=unkept), set(unkept)) == 0


def test_sequences_looked_up_in_several_turns_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_order(tmp_path, 3)
    whole = reach_of(Tracer(run), partner="A")
    monkeypatch.setattr("pipeline.trace._SEQUENCES", 2)
    parts = reach_of(Tracer(run), partner="A")
    assert parts.steps.tolist() == whole.steps.tolist() and parts.positions == whole.positions
    assert check_usage(run) > 10


def test_a_small_run_and_its_partners(small_run: Path) -> None:
    run = RunDirectory(small_run)
    assert check_usage(run) > 40
    tracer = Tracer(run)
    for one in tracer.ledger.partners():
        mine = {row["id"] for row in tracer.rows(one.partner)}
        assert check_reach(tracer, reach_of(tracer, partner=one.partner), mine) > 0


@pytest.mark.slow
def test_every_document_of_the_demo() -> None:
    path = REPOSITORY / "runs" / "demo"
    if not (path / "training" / "plan.json").exists():
        pytest.skip("runs/demo is not there; `make demo` makes it")
    run = RunDirectory(path)
    assert check_usage(run) > 1000
    tracer = Tracer(run)
    for one in tracer.ledger.partners():
        mine = {row["id"] for row in tracer.rows(one.partner)}
        check_reach(tracer, reach_of(tracer, partner=one.partner), mine)


def test_what_cannot_be_answered_is_refused(tmp_path: Path) -> None:
    run = make_order(tmp_path, 1)
    tracer = Tracer(run)
    with pytest.raises(TraceError, match="only one"):
        reach_of(tracer, partner="A", agreement="x")
    with pytest.raises(TraceError, match="was received"):
        reach_of(tracer, ids=["0" * 64])
    row = next(row for row in tracer.rows("A") if row["use"] == "train")
    ids = next(run.tokens.glob(f"train/{row['stream']}/ids.bin"))
    ids.write_bytes(ids.read_bytes().replace(bytes.fromhex(row["id"]), bytes(32)))
    with pytest.raises(TraceError, match=f"{row['id']} here"):
        usage_of(Tracer(run), "A")
    with pytest.raises(TraceError, match="not among the tokens"):
        reach_of(Tracer(run), partner="A")


def test_a_partner_of_whom_nothing_came_used_nothing(tmp_path: Path) -> None:
    usage = usage_of(Tracer(make_order(tmp_path, 1)), "nobody")
    assert usage is not None and usage.documents == usage.tokens_read == 0 and not usage.per_document
