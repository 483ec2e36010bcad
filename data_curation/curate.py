"""Curation: admitted documents one at a time, then duplicates, repeats and evaluation items over all of them.

Documents that were not admitted on their rights go along as far as a signature, so that no copy of theirs is used
unnoticed (`data_curation.copies`); their text goes no further. What becomes of one document stands in
`data_curation.curation_steps`.

`datatrove` carries the documents: one task is one shard, a step is one of its pipeline steps, and its executor runs the
tasks in as many processes as are given. Two things differ from its habits. A step never drops a document, it marks it
with stage, reason and detail, so that the ledger has a row for everything; and a task's output appears under its final
name only when it is whole, so that a killed task leaves nothing that a later run would take for finished.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from data_curation.contamination.match import EvaluationSets
from data_curation.contamination.table import gather_hits
from data_curation.curation_job import CurationJob
from data_curation.curation_steps import steps
from data_curation.duplicates import find_duplicates
from data_curation.personal.pseudonyms import require_same_key
from data_curation.repeats.search import find_repeats
from data_curation.shards import read_shard, shards
from data_curation.shared_terms import write_terms
from licensing.canonical import canonical
from licensing.files import atomic_folder, write_atomically


def curate(
    job: CurationJob, workers: int, expect: Callable[[int, int], None], advance: Callable[[int], None]
) -> dict[str, Any]:
    """Curate everything that was admitted; results lie in ``job.partial / "out"``.

    ``expect(tasks in all, tasks done before)`` and ``advance(tasks)`` tell the progress.

    Returns:
        Figures: documents, kept, removed by reason, personal data by kind, duplicates, repeats (None if not looked
        for) and, with evaluation sets, contamination. ``kept`` are those before repeats are cut.
    """
    tasks = len(job.shards())
    (job.partial / "tasks").mkdir(parents=True, exist_ok=True)
    require_same_key(job.settings.personal_data.resolved(job.root), job.partial / "pseudonym-key")
    _write_later_copies(job)
    if job.settings.contamination.sets and not job.evaluation_sets.exists():
        EvaluationSets.load(job.settings.contamination, job.root).write(job.evaluation_sets)
    with _Watch(job.partial / "tasks", tasks, expect, advance):
        _execute(job, tasks, workers)
    with atomic_folder(job.partial / "out") as out:
        return _search(job, _finished(job, tasks), out)


def _search(job: CurationJob, finished: Sequence[Path], out: Path) -> dict[str, Any]:
    """What can be said only over all tasks: duplicates, copies, repeats, and evaluation items found."""
    settings, work = job.settings, job.partial / "search"
    duplicates = find_duplicates(
        [task / "signatures" for task in finished],
        out / "duplicates.parquet",
        settings.duplicates,
        work,
        out / "copies.parquet",
    )
    write_terms(out / "duplicates.parquet", job.decisions, out / "terms.parquet")
    # Nothing is cut in favour of a text that is not used.
    unused = [out / "duplicates.parquet", *([] if job.copies_used else [out / "copies.parquet"])]
    repeats = (
        find_repeats(
            [task / "repeats" for task in finished],
            unused,
            out / "repeats.parquet",
            settings.repeats,
            work,
        )
        if settings.repeats
        else None
    )
    contamination = gather_hits([task / "hits.parquet" for task in finished], out / "contamination.parquet")
    (out / "documents").mkdir()
    for number, task in enumerate(finished):
        os.link(task / "documents.parquet", out / "documents" / f"{number:06d}.parquet")
        # Near copies of what is withdrawn one day are found by these, when the text is gone.
        (out / "signatures" / f"{number:06d}").mkdir(parents=True)
        for path in sorted((task / "signatures").iterdir()):
            os.link(path, out / "signatures" / f"{number:06d}" / path.name)
    figures = _figures(out, asdict(duplicates))
    figures["repeats"] = asdict(repeats) if repeats else None
    if settings.contamination.sets:
        sets = EvaluationSets.open(job.evaluation_sets, settings.contamination).counts
        figures["contamination"] = {name: counts | contamination.get(name, {}) for name, counts in sets.items()}
    return figures


def _write_later_copies(job: CurationJob) -> None:
    """Tell each task which documents of its shard came in an earlier one: only the first copy is curated."""
    arrays = [np.load(path) for path in sorted(job.received.glob("*/repeated-documents.npy"))]
    repeated = {format(prefix, "016x") for array in arrays for prefix in array.tolist()}
    seen = set[str]()
    for number, path in enumerate(job.shards() if repeated else []):
        here = {row["id"] for row in read_shard(path, ["id"]) if row["id"][:16] in repeated}
        if later := sorted(here & seen):
            write_atomically(job.later_copies(number), canonical(later))
        seen |= here


def _finished(job: CurationJob, tasks: int) -> list[Path]:
    return [job.task(number) for number in range(tasks)]


def _execute(job: CurationJob, tasks: int, workers: int) -> None:
    from data_curation.executor import QuietExecutor

    executor = QuietExecutor(
        pipeline=steps(job),
        tasks=tasks,
        workers=min(workers, tasks),
        logging_dir=str(job.partial / "datatrove"),
        skip_completed=True,
    )
    executor.run()


def _figures(out: Path, duplicates: dict[str, Any]) -> dict[str, Any]:
    removed: Counter[str] = Counter()
    personal: Counter[str] = Counter()
    documents = 0
    for path in shards(out / "documents"):
        for row in read_shard(path, ["reason", "kept", "personal_data"]):
            documents += 1
            removed.update([row["reason"]] if not row["kept"] else [])
            personal.update({item["kind"]: item["count"] for item in row["personal_data"]})
    with pq.ParquetFile(out / "duplicates.parquet") as file:
        for batch in file.iter_batches(columns=["kind"]):
            removed.update(f"duplicate-{kind}" for kind in batch.column(0).to_pylist())
    return {
        "documents": documents,
        "kept": documents - sum(removed.values()),
        "removed": dict(sorted(removed.items())),
        "personal_data": dict(sorted(personal.items())),
        "duplicates": duplicates,
    }


class _Watch:
    """Counts finished tasks on disk while the executor, which tells nothing, runs."""

    def __init__(
        self, folder: Path, tasks: int, expect: Callable[[int, int], None], advance: Callable[[int], None]
    ) -> None:
        self._folder, self._advance = folder, advance
        self._seen = self._finished()
        expect(tasks, self._seen)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _finished(self) -> int:
        return sum(1 for _ in self._folder.glob("[0-9]*/counts.json"))

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            self._tell()

    def _tell(self) -> None:
        now = self._finished()
        if now > self._seen:
            self._advance(now - self._seen)
            self._seen = now

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._tell()
