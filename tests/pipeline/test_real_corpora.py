"""Every file of the real corpora ends in the ledger, and the root is the same however the work was cut."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from licensing.files import file_digest
from licensing.ledger import Ledger
from pipeline.run_directory import RunDirectory
from pipeline.runner import newest_entries
from tests.pipeline import real_corpora
from tests.pipeline.conftest import herkomst

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not real_corpora.CORPORA.is_dir(), reason="the real corpora of ../shared/data are not here"),
]

WAYS = {
    "one": (1, {"shard_documents": 2000}),
    "two": (2, {"shard_documents": 300, "slice_bytes": 4 << 20}),
    "seven": (7, {"shard_documents": 90, "slice_bytes": 1 << 20}),
}
"""Workers, and how the work is cut."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("real")
    for name, (workers, curation) in WAYS.items():
        config = real_corpora.write(folder / f"{name}.yaml", **curation)
        herkomst("run", config.name, "--workers", workers, "--until", "commit", cwd=folder)
    return {name: folder / "runs" / name for name in WAYS}


def test_every_received_file_is_in_the_ledger(runs: dict[str, Path]) -> None:
    columns = ["source", "received_sha256", "decision"]
    rows = [row for batch in Ledger(runs["one"] / "ledger").batches(None, columns, 1000) for row in batch.to_pylist()]
    expected = {name: len(paths) for name, paths in real_corpora.files().items()}
    assert Counter(row["source"] for row in rows) == expected
    known = {(row["source"], row["received_sha256"]) for row in rows}
    for name, paths in real_corpora.files().items():
        assert {(name, file_digest(path)[0]) for path in paths} <= known
    # GPL-like and non-commercial text never gets in, whatever else changes.
    assert not [row for row in rows if row["source"] == "progit2-nl" and row["decision"] == "admit"]


def test_the_root_is_the_same_with_one_two_and_seven_tasks(runs: dict[str, Path]) -> None:
    roots = {}
    shards = {}
    for name, run in runs.items():
        figures = {stage: entry.predicate["figures"] for stage, entry in newest_entries(RunDirectory(run)).items()}
        roots[name] = figures["commit"]["root"]
        shards[name] = len(list((run / "work" / "received").rglob("*.parquet")))
    assert len(set(roots.values())) == 1
    assert shards["one"] < shards["two"] < shards["seven"]
