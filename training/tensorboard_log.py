"""The step log once more for TensorBoard, to be looked at while a run goes on; ``log.jsonl`` stays the truth.

A resumed run writes a new file whose first event tells TensorBoard to forget all points from its first step on
(``purge_step``), so that steps which a killed run had done after its last checkpoint do not show twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from licensing.errors import HerkomstError

_CURVES = {
    "loss": "training/loss",
    "learning_rate": "training/learning_rate",
    "gradient_norm": "training/gradient_norm",
    "tokens_per_second": "speed/tokens_per_second",
    "tflops": "speed/tflops_per_device",
    "mfu": "speed/mfu",
    "data_wait_share": "speed/data_wait_share",
}


class TensorBoardLog:
    """Writes rows of the step log as curves into ``folder``; only the process that writes the log makes one.

    Args:
        folder: where TensorBoard is pointed at (``tensorboard --logdir FOLDER``).
        first_step: the step that is done next; points of it and of later steps are forgotten.

    Raises:
        HerkomstError: the package is not installed.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as fault:
            raise HerkomstError(
                f"training.tensorboard: the package `tensorboard` cannot be used ({fault}); nothing was trained. "
                'Install it with pip install "herkomst[tensorboard]", or set training.tensorboard to false.'
            ) from fault
        self._writer: Any = SummaryWriter(str(folder), purge_step=first_step)

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row of the step log; what it lacks, or has as None, is left out."""
        for name, value in _points(row):
            self._writer.add_scalar(name, value, row["step"])

    def add_all(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows and give them to the file system, with the log and before a checkpoint."""
        for row in rows:
            self.add(row)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


def _points(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, name in _CURVES.items():
        if row.get(key) is not None:
            yield name, row[key]
    for language, bits in row.get("bits_per_byte", {}).items():
        if bits is not None:
            yield f"bits_per_byte/{language}", bits
