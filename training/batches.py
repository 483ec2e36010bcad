"""What one process reads at each step: its own rows of the global batch, straight from the memory-mapped streams.

The order is the plan's; the rows of a step are dealt to the processes in equal runs, so that all of them together feed
the same rows whatever their number. A thread reads ahead: the training waits for data only where the disk is slower
than the model.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from licensing.errors import HerkomstError
from training.goldfish import GoldfishMask
from training.pack import PackedCorpus
from training.plan import Plan

HASH_BYTES = 32
_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Batch:
    """One process's part of a step.

    ``streams`` and ``sequences`` are int64 [rows]; ``tokens`` int64 [rows, L]; ``scored`` bool [rows, L - 1] says which
    targets count; ``read`` is the number of tokens that are not padding; ``hashes`` uint8 [rows, 32] is `row_hash` of
    each row. ``every_stream`` int64 [batch] has the streams of the whole step's rows.
    """

    step: int
    streams: NDArray[np.int64]
    sequences: NDArray[np.int64]
    tokens: NDArray[np.int64]
    scored: NDArray[np.bool_]
    read: int
    hashes: NDArray[np.uint8]
    every_stream: NDArray[np.int64]


class Batches:
    """The rows of process ``rank`` of ``world`` for any step."""

    def __init__(self, packed: PackedCorpus, plan: Plan, rank: int, world: int) -> None:
        """Open the streams.

        Raises:
            HerkomstError: a step's rows cannot be dealt evenly to the processes.
        """
        for segment in plan.segments:
            if segment.batch % world:
                raise HerkomstError(
                    f"training.batch: segment '{segment.name}' has {segment.batch} rows a step, which {world} "
                    "processes cannot share evenly; nothing was trained. Choose a multiple of the processes."
                )
        by_name = {stream.name: stream for stream in packed.trained()}
        self._plan, self._rank, self._world, self._padding = plan, rank, world, packed.padding
        self._streams = [packed.open(by_name[ref.name], plan.sequence_length) for ref in plan.streams]
        self._goldfish = GoldfishMask(plan, self._streams, packed.end_of_document, packed.padding)

    def at(self, step: int) -> Batch:
        """Read this process's rows of a step."""
        every_stream, every_sequence = self._plan.at(step)
        rows = len(every_stream) // self._world
        own = slice(self._rank * rows, (self._rank + 1) * rows)
        streams, sequences = every_stream[own], every_sequence[own]
        pairs = zip(streams.tolist(), sequences.tolist(), strict=True)
        tokens = np.stack([self._streams[stream].sequence(sequence) for stream, sequence in pairs])
        return Batch(
            step=step,
            streams=streams,
            sequences=sequences,
            tokens=tokens,
            scored=(tokens[:, 1:] != self._padding) & self._goldfish.kept(streams, sequences, tokens),
            read=int((tokens != self._padding).sum()),
            hashes=np.stack([row_hash(row) for row in tokens]),
            every_stream=every_stream,
        )


def row_hash(tokens: NDArray[np.int64]) -> NDArray[np.uint8]:
    """SHA-256 over a row's tokens, each as 4 bytes, least significant first; uint8 [32]."""
    return np.frombuffer(hashlib.sha256(tokens.astype("<u4").tobytes()).digest(), dtype=np.uint8)


class OrderDigest:
    """A SHA-256 chain over every row that was fed to the model, in the global order.

    ``d(0) = SHA-256("herkomst-order-digest-v1\\0")``, and after step s with row hashes h(0) … h(batch - 1)
    ``d = SHA-256(d ‖ s as 8 bytes, most significant first ‖ h(0) ‖ … ‖ h(batch - 1))``. It does not depend on how many
    processes read the rows, and whoever has the plan and the tokens can compute it again.
    """

    def __init__(self, digest: str = "") -> None:
        self._digest = bytes.fromhex(digest) if digest else hashlib.sha256(b"herkomst-order-digest-v1\0").digest()

    def add(self, step: int, hashes: NDArray[np.uint8]) -> None:
        """Go one step on; ``hashes`` uint8 [batch, 32] in the order of the rows."""
        self._digest = hashlib.sha256(self._digest + step.to_bytes(8, "big") + hashes.tobytes()).digest()

    def hex(self) -> str:
        """The digest so far."""
        return self._digest.hex()


def order_digests(packed: PackedCorpus, plan: Plan, steps: Collection[int]) -> dict[int, str]:
    """The digest of what the plan feeds up to each of ``steps``, computed from plan and tokens alone."""
    order, batches, found = OrderDigest(), Batches(packed, plan, 0, 1), {}
    for step in range(max(steps, default=-1) + 1):
        if step in steps:
            found[step] = order.hex()
        if step < plan.steps:
            order.add(step, batches.at(step).hashes)
    return found


class ReadAhead:
    """The batches of steps ``first`` … ``end - 1`` in turn, read by a thread; ``waited`` is how long the last one took.

    In seconds, from asking for it to having it.
    """

    def __init__(self, batches: Batches, first: int, end: int) -> None:
        self._batches, self._steps = batches, range(first, end)
        self._queue: queue.Queue[Batch | BaseException] = queue.Queue(_AHEAD)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._read, name="read-ahead", daemon=True)
        self.waited = 0.0

    def __enter__(self) -> ReadAhead:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._thread.join()

    def take(self) -> Batch:
        """The next batch; raises what went wrong while it was read."""
        began = time.perf_counter()
        item = self._queue.get()
        self.waited = time.perf_counter() - began
        if isinstance(item, BaseException):
            raise item
        return item

    def _read(self) -> None:
        try:
            for step in self._steps:
                if not self._put(self._batches.at(step)):
                    return
        except BaseException as fault:
            self._put(fault)

    def _put(self, item: Batch | BaseException) -> bool:
        """Hand an item over; False where nobody wants it any more."""
        while not self._closing.is_set():
            try:
                self._queue.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False
