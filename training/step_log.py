"""What is told of every step, once all processes have said their part: loss, bits per byte, and the order that was fed.

The processes keep what they know of a step to themselves until `flush`, some steps later: nothing here makes a step
wait for a GPU. What a killed run wrote after its last checkpoint is cut off before it is written again.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from licensing.errors import HerkomstError
from licensing.files import write_atomically
from training.batches import OrderDigest
from training.control import Control
from training.meter import Meter
from training.pack import PackedCorpus
from training.plan import Plan

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class StepDone:
    """One process's part of a finished step.

    ``read`` are the tokens that all processes read; ``nats`` [rows] is the loss of each of its own rows, perhaps still
    on a GPU; ``targets`` int64 [rows] how many tokens of each counted; ``hashes`` uint8 [rows, 32]; ``every_stream``
    int64 [batch] of all rows. ``dropped`` says that the update was not made.
    """

    step: int
    learning_rate: float
    read: int
    nats: torch.Tensor
    targets: NDArray[np.int64]
    hashes: NDArray[np.uint8]
    every_stream: NDArray[np.int64]
    gradient_norm: torch.Tensor | None = None
    dropped: bool = False


class StepLog:
    """One JSON line a step; ``order`` is the digest of all that was fed before the last flush, ``loss`` the newest.

    ``row_hashes`` is a file that gets 32 bytes for every row, in the global order: too much for a whole training, what
    a replay is compared by.
    """

    def __init__(
        self,
        path: Path,
        packed: PackedCorpus,
        plan: Plan,
        control: Control,
        first_step: int,
        order: str,
        row_hashes: Path | None = None,
    ) -> None:
        """Open the log at ``first_step``, at which the digest of what was fed is ``order``."""
        by_name = {stream.name: stream for stream in packed.trained()}
        self._streams = [by_name[ref.name] for ref in plan.streams]
        self._path, self._control, self._row_hashes = path, control, row_hashes
        self._waiting: list[StepDone] = []
        self.order = OrderDigest(order)
        self.loss = math.nan
        if control.rank == 0:
            kept = [line for line in whole_lines(path) if json.loads(line)["step"] < first_step]
            write_atomically(path, "".join(line + "\n" for line in kept).encode())

    def add(self, done: StepDone) -> None:
        """Keep a step until the next flush."""
        self._waiting.append(done)

    def flush(self, meter: Meter) -> list[dict[str, Any]]:
        """Put together what all processes know of the steps since the last flush; all of them must call it.

        Args:
            meter: says how fast each step was.

        Returns:
            The lines written, as values.

        Raises:
            HerkomstError: loss or gradient of a step whose update was made is no number, on every process alike.
        """
        lines = [self._line(done) | _speed(done, meter) for done in self._waiting]
        self._waiting = []
        if self._control.rank == 0 and lines:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(json.dumps(line, sort_keys=True) + "\n" for line in lines))
        for line in lines:
            _refuse_no_number(line)
        return lines

    def _line(self, done: StepDone) -> dict[str, Any]:
        known = np.stack([done.nats.double().cpu().numpy(), done.targets.astype(np.float64)], axis=1)
        rows = np.concatenate(self._control.gather(known))
        hashes = np.concatenate(self._control.gather(done.hashes))
        self.order.add(done.step, hashes)
        if self._row_hashes and self._control.rank == 0:
            with self._row_hashes.open("ab") as file:
                file.write(hashes.tobytes())
        self.loss = float(rows[:, 0].sum()) / max(1.0, float(rows[:, 1].sum()))
        line = {
            "step": done.step,
            "loss": round(self.loss, 6) if math.isfinite(self.loss) else None,
            "learning_rate": done.learning_rate,
            "tokens": done.read,
            "bits_per_byte": self._bits_per_byte(done.every_stream, rows),
        }
        if done.gradient_norm is not None:
            line["gradient_norm"] = _finite(float(done.gradient_norm))
        return line | ({"dropped": True} if done.dropped else {})

    def _bits_per_byte(self, streams: NDArray[np.int64], rows: NDArray[np.float64]) -> dict[str, float | None]:
        """Training loss by language in bits per byte of text; bytes are the stream's mean per token."""
        nats: dict[str, float] = defaultdict(float)
        size: dict[str, float] = defaultdict(float)
        for index, (loss, targets) in zip(streams.tolist(), rows.tolist(), strict=True):
            stream = self._streams[index]
            nats[stream.language] += loss
            size[stream.language] += targets * stream.bytes / max(1, stream.tokens)
        return {name: _finite(nats[name] / math.log(2) / size[name], 4) for name in sorted(nats) if size[name]}


def _speed(done: StepDone, meter: Meter) -> dict[str, Any]:
    """What the meter says of a step; what it does not know, as MFU of a device without a known peak, is left out."""
    return {name: value for name, value in meter.row(done.step, done.read).items() if value is not None}


def _refuse_no_number(line: dict[str, Any]) -> None:
    """Stop before such weights are saved: a finite loss with an infinite gradient spoils them just as well."""
    wrong = [name for name in ("loss", "gradient_norm") if line.get(name, 0.0) is None]
    if wrong and not line.get("dropped"):
        raise HerkomstError(
            f"step {line['step']}: the {wrong[0].replace('_', ' ')} is not a number; nothing was saved since the last "
            "checkpoint, which is whole. The same command runs into it again. Lower training.learning_rate or "
            "training.clip, or set training.skip_spikes: with other settings training begins anew, and the checkpoints "
            "so far are kept in checkpoints/superseded."
        )


def whole_lines(path: Path) -> list[str]:
    """The whole lines of a log; one that a kill cut short is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [line for line in lines if line.startswith("{") and line.endswith("}")]


def _finite(value: float, digits: int = 6) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
