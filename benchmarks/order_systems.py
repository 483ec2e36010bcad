"""Four ways to keep a training order over the same sequences: our plan, a stored permutation, and those of two others.

Each is built, asked for batches, and asked which (step, row) read a partner's documents. What Megatron-LM stores is
made here from the description of its three arrays in the documentation of its ``GPTDataset``; Grain's ``index_shuffle``
is called as it is published.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from measure import REPOSITORY
from numpy.typing import NDArray
from order_table import LENGTHS, SEQUENCE, WANTED, blocks, wanted_documents

sys.path.insert(0, str(REPOSITORY))

BATCH = 1024
_PART = 10_000_000
_CALLS = 1_000_000


@dataclass
class Timed:
    """Seconds to build, milliseconds for a batch, seconds to answer, bytes kept, and how many reads were found."""

    build: float = 0.0
    batch: float = 0.0
    answer: float = 0.0
    kept: int = 0
    found: int = 0
    notes: list[str] = field(default_factory=list)


def seconds(action: Callable[[], Any]) -> tuple[float, Any]:
    """Run once; returns the processor time and the result.

    Everything here runs in one thread, and processor time does not grow when others use the machine too. Waiting for
    the disk is not in it, which favours what is kept in files.
    """
    began = time.process_time()
    result = action()
    return time.process_time() - began, result


def batch_ms(at: Callable[[int], Any], steps: int, times: int = 200) -> float:
    """Mean milliseconds over steps in places drawn at random."""
    places = np.random.default_rng(3).integers(0, steps, times + 1).tolist()
    at(places.pop())
    took, _ = seconds(lambda: [at(step) for step in places])
    return took * 1000 / times


def check(good: bool, name: str) -> None:
    """Stop where a system's answer does not agree with its own batches."""
    if not good:
        raise SystemExit(f"{name}: the answer is not what the batches say; nothing was measured.")


# --- ours


def herkomst(folder: Path, documents: int, sequences: int) -> Timed:
    """The plan: a few hundred bytes, formulas both ways."""
    from training.mixture import SegmentWanted, make_plan
    from training.plan import StreamRef

    wanted, steps = np.load(folder / WANTED), sequences // BATCH
    stream = StreamRef("all~CC0-1.0~nl", sequences, documents, sequences * SEQUENCE)
    build, plan = seconds(
        lambda: make_plan([stream], [SegmentWanted("main", steps, BATCH)], SEQUENCE, 1, "0" * 64, "0" * 64)
    )
    answer, (found, step, row) = seconds(lambda: plan.find(0, wanted))
    for i in np.linspace(0, len(found) - 1, 300).astype(int).tolist():
        check(int(plan.at(int(step[i]))[1][row[i]]) == int(found[i]), "herkomst")
    return Timed(build, batch_ms(plan.at, steps), answer, len(plan.to_json()), len(found))


# --- a permutation that is stored


def stored(folder: Path, sequences: int, dtype: type[np.unsignedinteger[Any]], inverse: bool) -> Timed:
    """numpy's shuffle of all sequences; answers by a scan, or with ``inverse`` from a second array of that size."""
    wanted, steps = np.load(folder / WANTED), sequences // BATCH
    build, order = seconds(lambda: _shuffled(np.arange(sequences, dtype=dtype)))
    kept = order.nbytes
    if inverse:
        more, slots_of = seconds(lambda: _inverse(order))
        build, kept = build + more, kept + slots_of.nbytes
        answer, slots = seconds(lambda: slots_of[wanted])
    else:
        answer, slots = seconds(lambda: _scan(order, wanted))
    slots = slots[slots < steps * BATCH]
    check(bool(np.isin(order[slots[:1000]], wanted).all()), "numpy")
    timed = batch_ms(lambda step: order[step * BATCH : (step + 1) * BATCH].astype(np.int64), steps)
    return Timed(build, timed, answer, kept, len(slots))


def _shuffled(order: NDArray[Any]) -> NDArray[Any]:
    np.random.default_rng(1).shuffle(order)
    return order


def _inverse(order: NDArray[Any]) -> NDArray[Any]:
    slots_of = np.empty_like(order)
    slots_of[order] = np.arange(len(order), dtype=order.dtype)
    return slots_of


def _scan(order: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.int64]:
    """Places of the wanted numbers, by looking at all."""
    asked = np.zeros(len(order), dtype=np.bool_)
    asked[wanted] = True
    parts = range(0, len(order), _PART)
    return np.concatenate([begin + np.flatnonzero(asked[order[begin : begin + _PART]]) for begin in parts])


# --- Grain


def grain(folder: Path, sequences: int) -> Timed:
    """A formula forwards, one number a call, without an inverse: the answer takes asking for every slot."""
    from grain.python.experimental import index_shuffle

    def slots(begin: int, end: int) -> list[int]:
        return [index_shuffle(slot, max_index=sequences - 1, seed=1, rounds=4) for slot in range(begin, end)]

    calls = min(_CALLS, sequences)
    took, _ = seconds(lambda: slots(0, calls))
    note = f"answer reckoned from {calls:,} calls of {sequences:,}"
    timed = batch_ms(lambda step: slots(step * BATCH, (step + 1) * BATCH), sequences // BATCH)
    return Timed(0.0, timed, took * sequences / calls, 0, 0, [note])


# --- Megatron-LM


def megatron(folder: Path, documents: int, sequences: int, partner: int) -> Timed:
    """Documents shuffled, then cut into samples, then samples shuffled: three arrays, kept as files."""
    build, samples = seconds(lambda: _megatron_arrays(folder, documents, sequences))
    files = [folder / name for name in ("document_index.bin", "sample_index.bin", "shuffle_index.bin")]
    document, sample, shuffle = (
        np.memmap(path, dtype=kind, mode="r") for path, kind in zip(files, _KINDS, strict=True)
    )
    sample = sample.reshape(-1, 2)
    wanted = wanted_documents(documents, partner)
    answer, slots = seconds(lambda: _megatron_answer(document, sample, shuffle, wanted))
    for slot in slots[:: max(1, len(slots) // 300)].tolist():
        (first, _), (last, offset) = sample[shuffle[slot]], sample[shuffle[slot] + 1]
        held = document[first : last + (offset > 0)]
        places = np.minimum(np.searchsorted(wanted, held), len(wanted) - 1)
        check(bool((wanted[places] == held).any()), "megatron")

    def at(step: int) -> list[NDArray[Any]]:
        rows = shuffle[step * BATCH : (step + 1) * BATCH]
        first, last = sample[rows, 0], sample[rows + 1, 0]
        return [document[a : b + 1] for a, b in zip(first.tolist(), last.tolist(), strict=True)]

    kept = sum(path.stat().st_size for path in files)
    timed = batch_ms(at, samples // BATCH)
    for path in files:
        path.unlink()
    return Timed(build, timed, answer, kept, len(slots))


_KINDS: tuple[Any, ...] = (np.int32, np.int32, np.uint32)


def _megatron_arrays(folder: Path, documents: int, sequences: int) -> int:
    drawn = np.random.RandomState(1)
    order = np.arange(documents, dtype=np.int32)
    drawn.shuffle(order)
    order.tofile(folder / "document_index.bin")
    del order
    lengths, end, begun = np.fromfile(folder / LENGTHS, dtype=np.uint16), 0, 0
    samples = 0
    with (folder / "sample_index.bin").open("wb") as file:
        for part in blocks(folder / "document_index.bin", np.int32):
            ends = end + np.cumsum(lengths[part], dtype=np.int64)
            # Samples whose first token lies in this part: which document of the part, and how far into it.
            edge = np.arange(-(-end // SEQUENCE), -(-int(ends[-1]) // SEQUENCE), dtype=np.int64) * SEQUENCE
            at = np.searchsorted(ends, edge, side="right")
            opened = np.where(at > 0, ends[np.maximum(at - 1, 0)], end)
            np.stack([begun + at, edge - opened], axis=1).astype(np.int32).tofile(file)
            end, begun, samples = int(ends[-1]), begun + len(part), samples + len(edge)
        np.array([[begun - 1, int(lengths[part[-1]])]], dtype=np.int32).tofile(file)
    shuffle = np.arange(samples, dtype=np.uint32)
    drawn.shuffle(shuffle)
    shuffle.tofile(folder / "shuffle_index.bin")
    return samples


def _megatron_answer(
    document: NDArray[Any], sample: NDArray[Any], shuffle: NDArray[Any], wanted: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Slots of the samples that hold a wanted document: a scan of the documents, a search, a scan of the samples."""
    places = _scan(document, wanted)
    starts = np.ascontiguousarray(sample[:-1, 0])
    last = np.searchsorted(starts, places, side="right") - 1
    # No document is longer than a sample, so that it lies in one or two.
    first = last - ((starts[last] == places) & (sample[last, 1] > 0))
    return _scan(shuffle, np.unique(np.concatenate([np.maximum(first, 0), last])))


def run_system(name: str, folder: Path, documents: int, sequences: int, partner: int) -> Timed:
    """Measure one of them."""
    systems: dict[str, Callable[[], Timed]] = {
        "herkomst": lambda: herkomst(folder, documents, sequences),
        "numpy uint32": lambda: stored(folder, sequences, np.uint32, inverse=False),
        "numpy uint64": lambda: stored(folder, sequences, np.uint64, inverse=False),
        "numpy uint32, inverse kept": lambda: stored(folder, sequences, np.uint32, inverse=True),
        "grain": lambda: grain(folder, sequences),
        "megatron": lambda: megatron(folder, documents, sequences, partner),
    }
    return systems[name]()


SYSTEMS = ("herkomst", "numpy uint32", "numpy uint64", "numpy uint32, inverse kept", "grain", "megatron")

if __name__ == "__main__":
    system, place, *numbers = sys.argv[1:]
    print(json.dumps(vars(run_system(system, Path(place), *map(int, numbers)))))
