"""The search for duplicates alone, on made signatures of 10^5 documents and more: time, memory, and their slope.

Signatures are drawn at random; every tenth document is a near copy of an earlier one (a fifth of its places differ),
and every twentieth has the same text as another.

    python benchmarks/duplicate_scale.py DOCUMENTS FOLDER     one size, prints JSON
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from measure import REPOSITORY

from data_curation.duplicates import find_duplicates
from data_curation.settings import DuplicatesSettings
from data_curation.signatures import KEY, write_signatures

_TASK = 50_000
_FAR = 10**9


def scale(documents: int) -> None:
    """Measure at a tenth of the documents and at all of them, and say what 10^9 would need."""
    print(
        "| documents | processor s | MB of memory of its own | MB with mapped files | removed |\n|---|---|---|---|---|"
    )
    found = []
    for count in (documents // 10, documents):
        with tempfile.TemporaryDirectory() as name:
            command = [sys.executable, __file__, str(count), name]
            done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, check=True,
                                  stdout=subprocess.PIPE, text=True)  # fmt: skip
        one = json.loads(done.stdout.splitlines()[-1])
        found.append(one)
        print(f"| {count:,} | {one['seconds']:.1f} | {one['own']:.0f} | {one['mapped']:.0f} | {one['removed']:,} |")
    more = documents - documents // 10
    memory, seconds = (
        (found[1][name] - found[0][name]) * unit / more for name, unit in (("own", 1e6), ("seconds", 1e6))
    )
    print(f"\nSlope: {memory:.0f} bytes and {seconds:.1f} microseconds a document.")
    print(_extrapolated(memory, seconds))


def _extrapolated(memory: float, seconds: float) -> str:
    settings = DuplicatesSettings()
    signatures, keys = 4 * settings.permutations * _FAR / 1e12, KEY.itemsize * _FAR / 1e12
    bands = 8 * settings.bands * _FAR / 1e12
    ranges = 1 << max(0, (_FAR - 1) // settings.keys_in_memory).bit_length()
    return (
        f"At {_FAR:,} documents on this slope: {memory * _FAR / 1e9:.0f} GB of memory and {seconds * _FAR / 3.6e9:.0f} "
        f"hours on one core. Disk: {2 * (signatures + keys):.2f} TB for signatures and keys (the work folder holds a "
        f"copy) and {bands:.2f} TB for the keys of bands. With keys_in_memory at {settings.keys_in_memory:,} each band "
        f"is read in {ranges} ranges, {ranges * bands:.0f} TB in all, which comes on top of the hours. Signatures are "
        "then larger than memory, so that each comparison may cost a read from disk at a random place, which this "
        "measurement does not show."
    )


def make(folder: Path, count: int, settings: DuplicatesSettings) -> list[Path]:
    """Write signatures of ``count`` documents in folders of one task each."""
    draw, folders = np.random.default_rng(1), list[Path]()
    for start in range(0, count, _TASK):
        size = min(_TASK, count - start)
        keys = np.zeros(size, KEY)
        for name in ("id", "text"):
            keys[name] = draw.integers(0, 2**64, (size, 4), np.uint64)
        keys["language"] = draw.choice(np.array([b"de", b"fr", b"nl"]), size)
        values = draw.integers(0, 2**32, (size, settings.permutations), np.uint32)
        near = np.arange(9, size, 10)
        values[near] = np.where(draw.random((len(near), settings.permutations)) < 0.2, values[near], values[near - 1])
        keys["language"][near] = keys["language"][near - 1]
        keys["text"][5::20], keys["language"][5::20] = keys["text"][4::20], keys["language"][4::20]
        keys["received"] = keys["text"]
        folders.append(folder / f"{start:09d}")
        write_signatures(folders[-1], keys, values, settings)
    return folders


class Own:
    """The peak of a process's anonymous memory, looked at every 20 ms: mapped files are the system's to take back."""

    def __init__(self) -> None:
        self.peak = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith("RssAnon"):
                    self.peak = max(self.peak, int(line.split()[1]) * 1024)
            time.sleep(0.02)


def main() -> None:
    """Make signatures, search them, print what it took."""
    settings, folder = DuplicatesSettings(), Path(sys.argv[2])
    make(folder, int(sys.argv[1]), settings)
    subprocess.run([sys.executable, __file__, "search", str(folder)], check=True)


def search(folder: Path) -> None:
    """Search the folders of made signatures; in a process that did not make them."""
    own, begun = Own(), time.process_time()
    folders = sorted(path for path in folder.iterdir() if path.name.isdigit())
    stats = find_duplicates(folders, folder / "duplicates.parquet", DuplicatesSettings(), folder / "work")
    seconds = time.process_time() - begun
    mapped = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    removed = stats.exact + stats.near
    print(json.dumps({"seconds": seconds, "own": own.peak / 1e6, "mapped": mapped / 1e6, "removed": removed}))


if __name__ == "__main__":
    if sys.argv[1] == "search":
        search(Path(sys.argv[2]))
    else:
        main()
