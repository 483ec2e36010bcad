"""Feed mutated small files to every reader, for minutes or hours, and keep what makes one fail.

    nice python benchmarks/fuzz_readers.py --minutes 10 [--reader csv] [--seed 1] [--keep /tmp/crashes]

A reader may stop a whole source with `SourceError`; any other exception, a file without a row, a row that no ledger can
hold, or one run of more than ten seconds of processor time is a failure.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pydantic import TypeAdapter

from benchmarks.fuzz_seeds import TOKENS, Kind, kinds
from data_curation.readers import Source, SourceError, read
from data_curation.readers.apt import Package
from data_curation.readers.debian import read_package
from data_curation.received import Received

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to four changes: bits flipped, cut, doubled, inserted, swapped, or replaced by what readers trip over."""
    result = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(len(result) + 1)
        end = min(len(result), place + chance.choice((1, 2, 8, 64, 1000)))
        match chance.randrange(7):
            case 0 if result:
                result[min(place, len(result) - 1)] ^= 1 << chance.randrange(8)
            case 1:
                del result[place:]
            case 2:
                del result[place:end]
            case 3:
                result[place:place] = result[place:end] * chance.choice((1, 2, 20))
            case 4:
                result[place:place] = chance.choice(TOKENS)
            case 5:
                result[place:end] = chance.choice(TOKENS)
            case _:
                other = chance.randrange(len(result) + 1)
                result[place:end] = result[other : other + end - place]
    return bytes(result)


def executed(name: str, kind: Kind, data: bytes, folder: Path) -> None:
    """Read one file and check what came out.

    Raises:
        Exception: whatever the reader let through, or AssertionError with what is wrong with its rows.
    """
    path = folder / kind.file
    path.write_bytes(data)
    keys = kind.keys | ({"path": kind.file} if kind.keys.get("path") == "x" else {})
    source: Any = SOURCE.validate_python({"name": "x", "partner": "P"} | keys | {"largest_document": 1 << 20})
    start = time.process_time()
    try:
        if name == "debian":
            rows = list(read_package(source, Package("x", "1", "x.deb", "sha256", ""), path))
        else:
            rows = list(read(source, folder, folder / "cache"))
    except SourceError:
        return
    if not rows:
        raise AssertionError("the file has no row")
    for row in rows:
        _check(row)
    if time.process_time() - start > 10:
        raise AssertionError("took more than ten seconds")


def _check(row: Received) -> None:
    texts = [
        row.native_id,
        row.text,
        row.title,
        row.url,
        row.author,
        row.detail,
        row.language,
        row.published,
        row.operation,
    ]
    texts += [part for one in row.declared for part in (one.text, one.where)]
    texts += [*(row.page or ()), *(row.headers or ()), *row.parents]
    for text in texts:
        (text or "").encode()
    if (row.text is None) != (row.problem is not None) or (row.problem and not row.detail) or len(row.id) != 64:
        raise AssertionError(f"a row with text and problem, or neither: {row.problem!r} {row.native_id!r}")


def main() -> None:
    """Run for the time that is asked for, in turns over the readers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--reader", choices=sorted(kinds()), action="append")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-readers")
    asked = parser.parse_args()
    chosen = {name: kind for name, kind in kinds().items() if not asked.reader or name in asked.reader}
    runs, failures = _run(chosen, asked.minutes * 60, asked.seed, asked.keep)
    print(f"\nPython {platform.python_version()}, {platform.machine()}, seed {asked.seed}, {asked.minutes:g} minutes\n")
    print("| reader | executions | failures |\n|---|---:|---:|")
    for name in chosen:
        print(f"| {name} | {runs[name]} | {failures[name]} |")
    print(f"| all | {runs.total()} | {failures.total()} |")
    sys.exit(1 if failures else 0)


def _run(chosen: dict[str, Kind], seconds: float, seed: int, keep: Path) -> tuple[Counter[str], Counter[str]]:
    chance = random.Random(seed)
    runs: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    known: set[str] = set()
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as place:
        while time.monotonic() < end:
            for name, kind in chosen.items():
                folder = Path(place) / name
                folder.mkdir(exist_ok=True)
                data = kind.packed(mutated(chance.choice(kind.seeds), chance), chance)
                runs[name] += 1
                try:
                    executed(name, kind, data, folder)
                except Exception:
                    failures[name] += 1
                    _kept(name, kind, data, traceback.format_exc(), keep, known)
                shutil.rmtree(folder / "cache", ignore_errors=True)
    return runs, failures


def _kept(name: str, kind: Kind, data: bytes, trace: str, keep: Path, known: set[str]) -> None:
    """Keep the first input of each place of failure."""
    lines = [line for line in trace.splitlines() if line.lstrip().startswith("File ")]
    place = hashlib.sha256((name + lines[-1]).encode()).hexdigest()[:12]
    if place in known:
        return
    known.add(place)
    keep.mkdir(parents=True, exist_ok=True)
    (keep / f"{name}-{place}-{kind.file}").write_bytes(data)
    (keep / f"{name}-{place}.txt").write_text(trace, encoding="utf-8")
    print(f"{name}: {trace.splitlines()[-1][:200]} ({keep / f'{name}-{place}.txt'})", flush=True)


if __name__ == "__main__":
    main()
