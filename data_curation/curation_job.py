"""What a task of curation is told: where its input lies, its rules, and where its output goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data_curation.settings import CurationSettings
from data_curation.shards import shards


@dataclass(frozen=True, slots=True)
class CurationJob:
    """What curation reads, its rules, and the folder in which finished tasks wait for the rest.

    ``root`` is the folder of the configuration file, at which relative paths in the settings start. ``copies_used``
    says that copies of what was not admitted are used all the same (``policy.copies_not_admitted: admit``).
    """

    received: Path
    decisions: Path
    settings: CurationSettings
    quality_rules: Path
    partial: Path
    root: Path = Path()
    copies_used: bool = False

    def shards(self) -> list[Path]:
        """The shards in a fixed order; the place in this list is the task's number."""
        return shards(self.received)

    def task(self, number: int) -> Path:
        """The folder of a finished task."""
        return self.partial / "tasks" / f"{number:06d}"

    def later_copies(self, number: int) -> Path:
        """The ids of a shard's documents that came in an earlier shard already; there is no file where there are none.

        A file a shard, so that a task does not read what concerns the others.
        """
        return self.partial / "later-copies" / f"{number:06d}.json"

    @property
    def evaluation_sets(self) -> Path:
        """The index of the evaluation sets that documents are held against."""
        return self.partial / "evaluation-sets"
