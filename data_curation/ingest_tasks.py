"""Ingest of one source as a task for a worker process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_curation.ingest import ingest_source
from data_curation.readers import Source


@dataclass(frozen=True, slots=True)
class SourceTask:
    """One source to be read into ``folder``."""

    source: Source
    root: Path
    cache: Path
    folder: Path
    shard_documents: int


def ingest_task(task: SourceTask) -> dict[str, Any]:
    """Read the source; returns its counts."""
    return ingest_source(task.source, task.root, task.cache, task.folder, task.shard_documents)
