"""A document that came in several shards is curated in the first of them, and nowhere else."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data_curation.curate import _write_later_copies
from data_curation.curation_job import CurationJob
from data_curation.curation_steps import ReadAdmitted
from data_curation.settings import CurationSettings
from data_curation.shards import DECIDED, RECEIVED, write_shard


def sha(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def job_of(folder: Path, documents: list[list[int]]) -> CurationJob:
    """Shards of one source with these documents, all admitted."""
    (folder / "received" / "s").mkdir(parents=True)
    (folder / "decided" / "s").mkdir(parents=True)
    for place, numbers in enumerate(documents):
        received = [{"id": sha(number), "text": f"tekst {number}"} for number in numbers]
        decided = [{"id": sha(number), "outcome": "admit", "reason": "r", "basis": "licence"} for number in numbers]
        write_shard(folder / "received" / "s" / f"{place:05d}.parquet", received, RECEIVED)
        write_shard(folder / "decided" / "s" / f"{place:05d}.parquet", decided, DECIDED)
    everything = [number for numbers in documents for number in numbers]
    repeated = sorted(int(sha(number)[:16], 16) for number in set(everything) if everything.count(number) > 1)
    np.save(folder / "received" / "s" / "repeated-documents.npy", np.array(repeated, np.uint64))
    return CurationJob(
        folder / "received", folder / "decided", CurationSettings(), folder / "quality.yaml", folder / "partial"
    )


@settings(max_examples=15, deadline=None)
@given(documents=st.lists(st.lists(st.integers(0, 12), max_size=6), min_size=1, max_size=5))
def test_each_document_is_read_once_where_it_came_first(documents: list[list[int]]) -> None:
    with TemporaryDirectory() as name:
        job = job_of(Path(name), documents)
        _write_later_copies(job)
        tasks = range(len(documents))
        read = [[document.id for document in ReadAdmitted(job)([], task, len(documents))] for task in tasks]
        seen: set[int] = set()
        for task in tasks:
            first = set(documents[task]) - seen
            assert read[task] == sorted(map(sha, first))
            assert job.later_copies(task).exists() == bool(seen & set(documents[task]))
            seen |= first
