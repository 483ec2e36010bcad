"""The training order beside a stored permutation, Grain's index shuffle and Megatron-LM's stored index.

    python benchmarks/order.py                          10^9 documents, 244 million sequences: minutes, 17 GB of disk
    python benchmarks/order.py --documents 10000000     a hundredth of it
    python benchmarks/order.py --folder /scratch        where the tables are made (and removed again)

Grain is measured where it is installed (`pip install grain`); it is no dependency of this project.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from measure import machine
from order_systems import BATCH, SYSTEMS, Timed, seconds
from order_table import ENDS, WANTED, make_table, sequences_of, wanted_documents

_NAMES = {
    "herkomst": "Herkomst, the plan",
    "numpy uint32": "numpy shuffle, uint32, kept; scan",
    "numpy uint64": "numpy shuffle, uint64, kept; scan",
    "numpy uint32, inverse kept": "numpy shuffle, uint32, kept with its inverse",
    "grain": "Grain index_shuffle; scan",
    "megatron": "Megatron-LM's three arrays, kept; scan",
}


@dataclass(frozen=True)
class Measured:
    """What one system took, and its own memory at the peak in GiB (files that are mapped not counted)."""

    timed: Timed
    memory: float


def main() -> None:
    """Measure all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=10**9)
    parser.add_argument("--partner", type=int, default=10**6, help="documents of the partner who asks")
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="herkomst-order-", dir=asked.folder) as name:
        folder = Path(name)
        took, sequences = seconds(lambda: make_table(folder, asked.documents))
        told(f"table of {asked.documents:,} documents, {sequences:,} sequences: {took:.0f} s")
        lookup = look_up(folder, asked.documents, min(asked.partner, asked.documents))
        numbers = [asked.documents, sequences, asked.partner]
        found = {system: measured(system, folder, numbers) for system in SYSTEMS if system != "grain" or has_grain()}
    print(table(found, lookup, numbers))


def look_up(folder: Path, documents: int, partner: int) -> float:
    """Save the partner's sequences; returns the seconds of finding them, with the table in the page cache."""
    places = wanted_documents(documents, partner)
    sequences_of(folder, places)
    took, wanted = seconds(lambda: sequences_of(folder, places))
    np.save(folder / WANTED, wanted)
    told(f"{len(places):,} documents of the partner lie in {len(wanted):,} sequences: {took:.2f} s")
    return took


def measured(system: str, folder: Path, numbers: list[int]) -> Measured:
    """Run one system in a process of its own and watch its memory."""
    command = [sys.executable, str(Path(__file__).parent / "order_systems.py"), system, str(folder)]
    process = subprocess.Popen([*command, *map(str, numbers)], stdout=subprocess.PIPE, text=True)
    peak = 0
    while process.poll() is None:
        peak = max(peak, own_memory(process.pid))
        time.sleep(0.02)
    output = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"{system} ended with {process.returncode}")
    told(f"{system}: {output.strip()}, {peak / 2**30:.2f} GiB")
    return Measured(Timed(**json.loads(output)), peak / 2**30)


def own_memory(pid: int) -> int:
    """Bytes of anonymous memory that a process has resident."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


def has_grain() -> bool:
    """Whether Grain is installed."""
    try:
        version("grain")
    except PackageNotFoundError:
        told("grain is not installed and was left out")
        return False
    return True


def table(found: dict[str, Measured], lookup: float, numbers: list[int]) -> str:
    """All figures as markdown; ratios are to our own, and above 1 where ours is smaller."""
    documents, sequences, partner = numbers
    ours = found["herkomst"].timed
    packages = ["numpy", *(["grain"] if "grain" in found else [])]
    lines = [
        f"{machine()}, {', '.join(f'{name} {version(name)}' for name in packages)}; {documents:,} documents, "
        f"{sequences:,} sequences, batches of {BATCH:,}; seconds and milliseconds are of processor time",
        "",
        "| order | build, s | kept, MB | memory at peak, GiB | batch, ms "
        f"| steps of {partner:,} documents, s | times ours |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for system, one in found.items():
        shared = 0.0 if system == "megatron" else lookup
        answer = one.timed.answer + shared
        lines.append(
            f"| {_NAMES[system]} | {one.timed.build:.3f} | {one.timed.kept / 1e6:,.3f} | {one.memory:.2f} "
            f"| {one.timed.batch:.3f} | {answer:,.2f} | {answer / (ours.answer + lookup):.1f} |"
        )
    notes = [f"{_NAMES[system]}: {note}." for system, one in found.items() for note in one.timed.notes]
    lines += [
        "",
        f"All but the last begin with the table of document ends ({ENDS}, 8 bytes a document, mapped and in the page "
        f"cache): {lookup:.2f} s of each answer is the way from the documents to their sequences.",
        *notes,
    ]
    return "\n".join(lines)


def told(text: str) -> None:
    """Say how far it has come."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
