"""datatrove's local executor without its console log; an exception in a task still reaches the caller."""

from __future__ import annotations

from typing import Any

from datatrove.executor import LocalPipelineExecutor
from loguru import logger


class QuietExecutor(LocalPipelineExecutor):  # type: ignore[misc]
    """Runs tasks in this many processes; what they do is told by their outputs and not by a second log."""

    def run(self) -> Any:
        """Run every task that is not finished."""
        logger.disable("datatrove")
        return super().run()

    def _launch_run_for_rank(self, *arguments: Any, **options: Any) -> Any:
        logger.disable("datatrove")
        return super()._launch_run_for_rank(*arguments, **options)
