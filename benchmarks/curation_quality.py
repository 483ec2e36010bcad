"""How fast are the quality rules, next to an unchanged datatrove with the same rules on the same documents?

Four contestants take turns on the same pieces of about a megabyte, in one process, timed in the processor seconds of
all its threads, so that other work on the machine weighs little and a second core would not be for free: datatrove's
filters with its own word splitter (spaCy), the same filters with our splitter, our rules, and the physical limit of any
rules on words: decode, split and hash alone. Thresholds and stop words are the shipped ones.

    python benchmarks/curation_quality.py REAL_TEXT [--megabytes 20] [--stock-every 1]

REAL_TEXT is the file that ``benchmarks/real_text.py`` writes. spaCy does not come with Herkomst: ``pip install spacy``.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

from measure import machine
from real_text import lines
from stock_quality import Filters, comparable, filters, verdict, with_stock_splitter

from data_curation.quality import Quality, read_quality
from data_curation.settings import QualitySettings
from data_curation.words import RegexWords, Words

Piece = list[tuple[bytes, str]]
Found = list[str | None]
Judge = Callable[[Piece], Found]
STOCK, REGEX, OURS, LIMIT = "datatrove, its own splitter", "datatrove, our splitter", "Herkomst", "limit"


def pieces(file: Path, megabytes: float | None, languages: set[str]) -> Iterator[Piece]:
    """Yield (UTF-8 text, language) of the documents in ``languages``, about a megabyte at a time."""
    piece: Piece = []
    size = total = 0
    for document in lines(file):
        if document["language"] not in languages:
            continue
        piece.append((document["text"].encode(), document["language"]))
        size += len(piece[-1][0])
        if size > 1e6:
            yield piece
            total += size
            piece, size = [], 0
            if megabytes and total >= megabytes * 1e6:
                return
    yield piece


def spread(file: Path, megabytes: float | None, languages: set[str]) -> Iterator[Piece]:
    """As `pieces`, and for a part of the text pieces from all over the file, so that all languages are in it."""
    if megabytes is None:
        yield from pieces(file, None, languages)
        return
    everything = list(pieces(file, None, languages))
    step = max(1, round(len(everything) / max(megabytes, 1)))
    yield from everything[::step]


def contestants(settings: QualitySettings) -> dict[str, Judge]:
    """All that take part; the limit in a thread of its own, where it learns words for itself."""
    ours, splitter, apart = Quality(settings), RegexWords(), ThreadPoolExecutor(1)

    @cache
    def chain(language: str, own: bool) -> Filters:
        return filters(settings, language, language if own else splitter)

    def stock(own: bool, piece: Piece) -> Found:
        return [verdict(raw.decode(), chain(language, own)) for raw, language in piece]

    def limit(piece: Piece) -> Found:
        return [str(len(Words.of(raw.decode()).hashes)) for raw, _ in piece]

    def herkomst(piece: Piece) -> Found:
        return [ours.judge(Words.of(raw.decode()), language).reason for raw, language in piece]

    return {
        STOCK: partial(stock, True),
        REGEX: partial(stock, False),
        OURS: herkomst,
        LIMIT: lambda piece: apart.submit(limit, piece).result(),
    }


class Tally:
    """Seconds, bytes, documents and verdicts of each contestant, over all pieces and over those that all took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.shared: dict[str, float] = defaultdict(float)
        self.sizes: dict[str, int] = defaultdict(int)
        self.documents: dict[str, int] = defaultdict(int)
        self.differ: dict[str, int] = defaultdict(int)

    def add(self, name: str, seconds: float, piece: Piece, everyone: bool) -> None:
        """Count one piece."""
        self.seconds[name] += seconds
        self.shared[name] += seconds if everyone else 0
        self.sizes[name] += sum(len(raw) for raw, _ in piece)
        self.documents[name] += len(piece)

    def table(self) -> Iterator[str]:
        """The rows of a markdown table."""
        yield "| one core | MB | documents | MB/s | documents/s | times datatrove's speed | other verdicts than ours |"
        yield "|---|---|---|---|---|---|---|"
        base = self.shared[STOCK]
        for name in (STOCK, REGEX, OURS, LIMIT):
            took, size, count = self.seconds[name], self.sizes[name] / 1e6, self.documents[name]
            if took:
                ratio = f"{base / self.shared[name]:.1f}" if base else ""
                other = f"{self.differ[name]:,}" if name in (STOCK, REGEX) else ""
                speed = f"{size / took:.2f} | {count / took:,.0f}"
                yield f"| {name} | {size:.1f} | {count:,} | {speed} | {ratio} | {other} |"


def race(judges: dict[str, Judge], parts: Iterator[Piece], stock_every: int) -> Tally:
    """Let the contestants take turns, another one first each time."""
    tally = Tally()
    for at, piece in enumerate(parts):
        everyone = at % stock_every == 0
        names = [name for name in judges if everyone or name != STOCK]
        found = {}
        for name in names[at % len(names) :] + names[: at % len(names)]:
            judge, began = judges[name], time.process_time()
            found[name] = judge(piece)
            tally.add(name, time.process_time() - began, piece, everyone)
        for name in (STOCK, REGEX):
            tally.differ[name] += sum(a != b for a, b in zip(found.get(name, found[OURS]), found[OURS], strict=True))
    return tally


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", type=Path)
    parser.add_argument("--megabytes", type=float, help="about how much text; left out, all of it")
    parser.add_argument("--stock-every", type=int, default=1, help="pieces of which the slowest takes one")
    chosen = parser.parse_args()
    settings = comparable(read_quality())
    languages = with_stock_splitter(settings)
    judges = contestants(settings)
    for language in languages:  # load the splitters before the clock runs
        judges[STOCK]([(b"een twee", language)])
    tally = race(judges, spread(chosen.text, chosen.megabytes, set(languages)), chosen.stock_every)
    print(f"{machine()}, ", end="")
    print(", ".join(f"{name} {version(name)}" for name in ("datatrove", "spacy", "numpy", "xxhash")))
    print(f"{len(languages)} languages: {' '.join(languages)}\n")
    print("\n".join(tally.table()))
    ours, regex, limit = (tally.seconds[name] for name in (OURS, REGEX, LIMIT))
    faster, over = regex / ours, ours / limit
    print(f"\nHerkomst: {faster:.1f} x as fast as datatrove with our splitter, {over:.1f} x the time of the limit")


if __name__ == "__main__":
    main()
