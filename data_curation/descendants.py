"""What was made from some documents, directly or through others.

Rows name their parents by the partner's own ids, within one source (``columns.parents``). What holds for a text that
may not be used holds for every text made from it, however many steps lie between.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from data_curation.shards import read_shard, shards


def any_derived(received: Path) -> bool:
    """Whether any document below ``received`` names a parent."""
    return any(_has_derived(source) for source in _sources(received))


def descendants(received: Path, documents: Collection[str]) -> dict[str, str]:
    """Find everything below ``received`` that was made from one of ``documents`` (ids).

    Returns:
        For the id of each, in no order, the one of ``documents`` that it was made from (the first by id where there
        are several). Members of ``documents`` are left out. Sources are read once for each generation, and memory
        holds what is found.
    """
    found: dict[str, str] = {}
    wanted = set(documents)
    for source in _sources(received) if wanted else []:
        if _has_derived(source):
            found |= _of_source(source, wanted)
    return found


def _sources(received: Path) -> list[Path]:
    return sorted(path for path in received.iterdir() if path.is_dir()) if received.is_dir() else []


def _has_derived(source: Path) -> bool:
    return any(row["parents"] for path in shards(source) for row in read_shard(path, ["parents"]))


def _of_source(source: Path, documents: set[str]) -> dict[str, str]:
    behind: dict[str, str] = {}
    for path in shards(source):
        for row in read_shard(path, ["id", "native_id"]):
            if row["id"] in documents:
                behind[row["native_id"]] = min(row["id"], behind.get(row["native_id"], row["id"]))
    found: dict[str, str] = {}
    latest = behind
    while latest:
        made: dict[str, str] = {}
        for path in shards(source):
            for row in read_shard(path, ["id", "native_id", "parents"]):
                named = [latest[parent] for parent in row["parents"] or () if parent in latest]
                if named and row["id"] not in documents and row["id"] not in found:
                    found[row["id"]] = min(named)
                    made[row["native_id"]] = min(named)
        latest = made
    return found
