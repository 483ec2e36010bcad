"""Texts that were made from what is held back only when the corpus is committed.

Derived documents are decided at admission, by the decisions on their parents. Two things are known only later: that a
withdrawal refuses a parent, by itself or as a copy, and that a copy of a parent came in under terms that were not
admitted. Either reaches everything that was made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data_curation.descendants import any_derived, descendants
from data_curation.shards import read_shard, shards
from data_curation.withdrawn import Refusal, Withdrawn


@dataclass(frozen=True, slots=True)
class HeldBack:
    """By document id: what a withdrawal of something behind it refuses, and the document behind it of which a copy
    was not admitted."""

    withdrawn: dict[str, Refusal]
    copies: dict[str, str]


def held_back(
    received: Path, curated: Path, withdrawn: Withdrawn | None, copies: Path | None, duplicates: Path
) -> HeldBack:
    """Find what was made from withdrawn documents, and from those that ``copies`` marks or their duplicates."""
    if not any_derived(received):
        return HeldBack({}, {})
    refusals = {
        name: Refusal("parent-withdrawn", f"made from {behind}, which was withdrawn or is a copy of a withdrawn text")
        for name, behind in descendants(received, _refused(received, curated, withdrawn)).items()
    }
    return HeldBack(refusals, descendants(received, _marked(copies, duplicates)))


def _refused(received: Path, curated: Path, withdrawn: Withdrawn | None) -> set[str]:
    if not withdrawn:
        return set()
    own = (row | {"final_sha256": None} for path in shards(received) for row in read_shard(path, _OWN))
    final = (row | {"received_sha256": None} for path in shards(curated) for row in read_shard(path, _FINAL))
    return {row["id"] for rows in (own, final) for row in rows if withdrawn.refusal(row, row["final_sha256"])}


_OWN = ["id", "received_sha256"]
_FINAL = ["id", "final_sha256"]


def _marked(copies: Path | None, duplicates: Path) -> set[str]:
    """A group of duplicates stands or falls together: what was removed for a marked survivor is a copy of it."""
    survivors = {row["id"] for row in read_shard(copies, ["id"])} if copies else set()
    if not survivors:
        return survivors
    removed = (row for row in read_shard(duplicates, ["id", "survivor"]) if row["survivor"] in survivors)
    return survivors | {row["id"] for row in removed}
