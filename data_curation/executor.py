"""datatrove's local executor without its console log, and one whose tasks do not take one another down.

datatrove's own pool waits for ever when a worker is killed, and ends every task under way when one fails.
"""

from __future__ import annotations

from datatrove.executor import LocalPipelineExecutor
from loguru import logger

from data_curation.parallel import run_tasks


class QuietExecutor(LocalPipelineExecutor):  # type: ignore[misc]
    """Runs tasks in this many processes; what they do is told by their outputs and not by a second log."""

    def run(self) -> None:
        """Run every task that is not finished."""
        logger.disable("datatrove")
        ranks = self.get_incomplete_ranks(range(self.local_rank_offset, self.local_rank_offset + self.local_tasks))
        for _ in run_tasks(self._one, ranks, min(self.workers, max(1, len(ranks)))):
            pass

    def _one(self, rank: int) -> None:
        logger.disable("datatrove")
        self._run_for_rank(rank)
