"""Near duplicates: how fast, and how many of them, next to stock datatrove on the same text.

    python benchmarks/duplicates.py [--megabytes 200] [--real FOLDER]     both systems, one thread each
    python benchmarks/duplicates.py --documents 1000000                   the search alone, on made signatures

Time is from text in memory to the list of removed documents: split, hash, sign, write, search. Processor seconds count,
for they do not change where the machine has other work; the clock's are printed beside them.

*Recall*: of the pairs of `duplicate_truth.py` in a band of true similarity, the share that ends in one group, so that
one of the two is removed. *Precision*: of the removed documents, each with the one that is kept in its place, the share
of pairs whose true similarity is at least 0.7; and, since groups are chains, the share of removed documents that are as
similar to at least one other document of their group.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import zstandard
from duplicate_scale import scale
from duplicate_truth import Document, guides, jaccard, planted, shingles
from measure import REPOSITORY, machine
from real_text import lines, written

BANDS = ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.01))
ALIKE = 0.7
_BOTH = ("herkomst", "datatrove")
_EACH = 300  # planted pairs for each share of edited words
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "ARROW_NUM_THREADS")


@dataclass(frozen=True)
class Run:
    """What a system took (clock and processor seconds by step, and for decoding) and removed."""

    steps: dict[str, tuple[float, float]]
    decode: tuple[float, float]
    kept: dict[int, int]

    @property
    def clock(self) -> float:
        """Seconds by the clock."""
        return sum(clock for clock, _ in self.steps.values())

    @property
    def processor(self) -> float:
        """Seconds of the processor."""
        return sum(processor for _, processor in self.steps.values())


def main() -> None:
    """Measure one of the two things."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=200)
    parser.add_argument("--documents", type=int)
    parser.add_argument("--real", type=Path, help="folder of real_text.py's file; written there if it is not")
    given = parser.parse_args()
    print(f"{machine()}, numpy {version('numpy')}, datatrove {version('datatrove')}, spaCy {version('spacy')}\n")
    if given.documents:
        scale(given.documents)
        return
    with tempfile.TemporaryDirectory() as name:
        compare(Path(name), given.real or Path(name), given.megabytes)


def compare(work: Path, real: Path, megabytes: float) -> None:
    """Run both systems over the same corpus and print the tables."""
    documents = gathered(written(real), megabytes)
    corpus = work / "corpus.jsonl.zst"
    with zstandard.open(corpus, "wb") as out:
        for one in documents:
            out.write(json.dumps(one, ensure_ascii=False).encode() + b"\n")
    size = sum(len(one["text"].encode()) for one in documents) / 1e6
    languages = len({one["language"] for one in documents})
    print(f"{len(documents):,} documents, {size:.1f} MB of text, {languages} languages\n")
    runs = {name: run(name, corpus, work / name) for name in ("limit", "herkomst", "datatrove")}
    print_speed(runs, size)
    print_recall(documents, runs)
    print_precision(documents, runs)


def gathered(real: Path, megabytes: float) -> list[Document]:
    """Real documents up to a size, and after them the pairs whose similarity is known."""
    documents, size = list[Document](), 0
    for one in lines(real):
        if not one["id"].startswith("installation-guide/"):
            documents.append(one)
            size += len(one["text"].encode())
            if size >= megabytes * 1e6:
                break
    return documents + list(guides()) + list(planted(documents, _EACH))


def run(name: str, corpus: Path, work: Path) -> Run:
    """Run one system in a process of its own, with one thread."""
    work.mkdir()
    environment = os.environ | dict.fromkeys(_THREADS, "1") | {"PYTHONPATH": str(REPOSITORY), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, str(REPOSITORY / "benchmarks" / "duplicate_systems.py"), name, str(corpus), str(work)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name} ended with {done.returncode}: {done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return Run(found["steps"], found["decode"], dict(found["kept"]))


def print_speed(runs: dict[str, Run], size: float) -> None:
    """Seconds, speed, and the ratio to the peer; then the limit."""
    print(
        "| from text to removed documents | processor s | clock s | MB/s | steps, processor s |\n|---|---|---|---|---|"
    )
    for name in _BOTH:
        one = runs[name]
        steps = ", ".join(f"{step} {processor:.2f}" for step, (_, processor) in one.steps.items())
        print(f"| {name} | {one.processor:.1f} | {one.clock:.1f} | {size / one.processor:.2f} | {steps} |")
    ratio = runs["datatrove"].processor / runs["herkomst"].processor
    by_clock = runs["datatrove"].clock / runs["herkomst"].clock
    print(f"\nHerkomst is {ratio:.1f} times as fast (by the clock {by_clock:.1f} times).\n")
    bare, decode = runs["limit"].processor, runs["limit"].decode[1]
    parts = ", ".join(f"{step} {processor:.2f} s" for step, (_, processor) in runs["limit"].steps.items())
    whole = runs["herkomst"].processor + decode
    print(
        f"Limit of a search by words: {parts}, decoding the file {decode:.2f} s, together {size / (bare + decode):.1f} "
        f"MB/s; with decoding, Herkomst takes {whole / (bare + decode):.2f} times that.\n"
    )


def print_recall(documents: list[Document], runs: dict[str, Run]) -> None:
    """The share of true pairs put together, by band of true similarity."""
    pairs = defaultdict[str, list[int]](list)
    for place, one in enumerate(documents):
        if "pair" in one:
            pairs[one["pair"]].append(place)
    counted = {kind: _by_band(documents, pairs, kind) for kind in ("guide", "planted")}
    print("| true similarity | pairs, real + planted | herkomst | datatrove |\n|---|---|---|---|")
    for low, high in BANDS:
        real, made = (counted[kind][low] for kind in ("guide", "planted"))
        shares = [_share([_together(left, right, runs[name].kept) for left, right in real + made]) for name in _BOTH]
        print(f"| {low:.1f} to {min(high, 1):.1f} | {len(real)} + {len(made)} | {shares[0]} | {shares[1]} |")
    print()


def _by_band(documents: list[Document], pairs: dict[str, list[int]], kind: str) -> dict[float, list[tuple[int, int]]]:
    found = defaultdict[float, list[tuple[int, int]]](list)
    for name, places in pairs.items():
        if name.startswith(kind) and len(places) == 2:
            similarity = jaccard(*(shingles(documents[place]["text"]) for place in places))
            for low, high in BANDS:
                if low <= similarity < high:
                    found[low].append((places[0], places[1]))
    return found


def _together(left: int, right: int, kept: dict[int, int]) -> bool:
    return kept.get(left, left) == kept.get(right, right)


def print_precision(documents: list[Document], runs: dict[str, Run]) -> None:
    """The share of removals that are alike enough."""
    print(f"| | removed | {ALIKE} or more like the one kept | like one of their group | in another language |")
    print("|---|---|---|---|---|")
    for name in _BOTH:
        kept = runs[name].kept
        groups = defaultdict[int, list[int]](list)
        for place, keeper in kept.items():
            groups[keeper].append(place)
        to_kept, to_any = list[bool](), list[bool]()
        for keeper, members in groups.items():
            sets = {place: shingles(documents[place]["text"]) for place in (keeper, *members)}
            for place in members:
                alike = jaccard(sets[place], sets[keeper]) >= ALIKE
                to_kept.append(alike)
                others = (one for one in sets if one != place)
                to_any.append(alike or any(jaccard(sets[place], sets[one]) >= ALIKE for one in others))
        abroad = sum(documents[place]["language"] != documents[keeper]["language"] for place, keeper in kept.items())
        print(f"| {name} | {len(kept)} | {_share(to_kept)} | {_share(to_any)} | {abroad} |")


def _share(found: list[bool]) -> str:
    return f"{sum(found) / len(found):.3f}" if found else "none"


if __name__ == "__main__":
    main()
