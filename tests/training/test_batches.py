"""What the processes read of a step: together the whole of it, whatever their number, and told by one digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from licensing.errors import HerkomstError
from tests.training.conftest import make_job
from training.batches import Batches, OrderDigest, ReadAhead, row_hash
from training.pack import PackedCorpus, read_packed
from training.plan import Plan


@pytest.fixture
def opened(packed_folder: Path, tmp_path: Path) -> tuple[PackedCorpus, Plan]:
    job = make_job(packed_folder, tmp_path)
    return read_packed(packed_folder), Plan.from_json(Path(job.plan).read_text(encoding="utf-8"))


@pytest.mark.parametrize("world", [1, 2, 4, 8])
def test_all_processes_together_read_the_plan(opened: tuple[PackedCorpus, Plan], world: int) -> None:
    packed, plan = opened
    parts = [Batches(packed, plan, rank, world) for rank in range(world)]
    by_name = {stream.name: stream for stream in packed.trained()}
    streams = [packed.open(by_name[ref.name], plan.sequence_length) for ref in plan.streams]
    for step in range(plan.steps):
        batches = [part.at(step) for part in parts]
        expected = [streams[i].sequence(s) for i, s in zip(*(side.tolist() for side in plan.at(step)), strict=True)]
        assert np.array_equal(np.concatenate([batch.tokens for batch in batches]), np.stack(expected))
        assert sum(batch.read for batch in batches) == int((np.stack(expected) != packed.padding).sum())


def test_the_order_digest_is_what_the_docstring_says(opened: tuple[PackedCorpus, Plan]) -> None:
    packed, plan = opened
    order, expected = OrderDigest(), hashlib.sha256(b"herkomst-order-digest-v1\0").digest()
    batches = Batches(packed, plan, 0, 1)
    for step in range(3):
        batch = batches.at(step)
        order.add(step, batch.hashes)
        rows = b"".join(hashlib.sha256(row.astype("<u4").tobytes()).digest() for row in batch.tokens)
        expected = hashlib.sha256(expected + step.to_bytes(8, "big") + rows).digest()
    assert order.hex() == expected.hex()
    resumed = OrderDigest(order.hex())
    resumed.add(3, batches.at(3).hashes)
    order.add(3, batches.at(3).hashes)
    assert resumed.hex() == order.hex()


def test_a_changed_token_changes_the_hash_of_its_row() -> None:
    row = np.arange(16)
    other = row.copy()
    other[3] += 1
    assert row_hash(row).tobytes() != row_hash(other).tobytes()


def test_a_batch_that_cannot_be_shared_is_refused(opened: tuple[PackedCorpus, Plan]) -> None:
    with pytest.raises(HerkomstError, match="8 rows a step, which 3 processes"):
        Batches(*opened, 0, 3)


def test_reading_ahead_gives_every_step_once_and_passes_faults_on(opened: tuple[PackedCorpus, Plan]) -> None:
    batches = Batches(*opened, 0, 1)
    with ReadAhead(batches, 1, 5) as ahead:
        assert [ahead.take().step for _ in range(4)] == [1, 2, 3, 4]
    with ReadAhead(batches, 5, 99) as ahead, pytest.raises(HerkomstError, match="there is no step 6"):
        ahead.take()
        ahead.take()


def test_leaving_early_ends_the_thread(opened: tuple[PackedCorpus, Plan]) -> None:
    with ReadAhead(Batches(*opened, 0, 1), 0, 6) as ahead:
        ahead.take()
    assert not ahead._thread.is_alive()
