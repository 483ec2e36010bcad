"""The two systems that `duplicates.py` compares, each run in a process of its own, with one thread.

    python benchmarks/duplicate_systems.py herkomst|datatrove CORPUS.jsonl.zst WORK

prints one line of JSON: seconds (by the clock, and of the processor), and for each removed document, by its place in
the corpus, the place of the one that was kept. The documents are read into memory before the clock starts.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from real_text import lines

Kept = dict[int, int]
"""Place of a removed document -> place of the one kept in its group."""


class Clock:
    """Seconds since the last question, by the clock and of the processor."""

    def __init__(self) -> None:
        self.steps: dict[str, tuple[float, float]] = {}
        self._last = (time.perf_counter(), time.process_time())

    def step(self, name: str) -> None:
        """Write down what was spent since the last step."""
        now = (time.perf_counter(), time.process_time())
        self.steps[name] = (now[0] - self._last[0], now[1] - self._last[1])
        self._last = now


def herkomst(documents: list[dict[str, str]], work: Path) -> tuple[Clock, Kept]:
    """Split, sign, write and search, as curation does."""
    from data_curation.duplicates import find_duplicates
    from data_curation.minhash import signature
    from data_curation.settings import DuplicatesSettings
    from data_curation.signatures import SignatureWriter
    from data_curation.words import Words

    settings = DuplicatesSettings()
    identities = [_digest(one["id"]) for one in documents]
    finals = [_digest(one["text"]) for one in documents]
    clock = Clock()
    with SignatureWriter(work / "signatures", settings) as writer:
        for one, identity, final in zip(documents, identities, finals, strict=True):
            minima = signature(Words.of(one["text"]).hashes, settings)
            writer.add(identity, final, one["language"], 0, minima)
    clock.step("signatures")
    find_duplicates([work / "signatures"], work / "duplicates.parquet", settings, work)
    clock.step("search")
    places = {identity: place for place, identity in enumerate(identities)}
    rows = pq.read_table(work / "duplicates.parquet", columns=["id", "survivor"]).to_pylist()
    return clock, {places[row["id"]]: places[row["survivor"]] for row in rows}


def datatrove(documents: list[dict[str, str]], work: Path) -> tuple[Clock, Kept]:
    """The four blocks of stock datatrove with their defaults (spaCy's English splitter), without its executor."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter
    from datatrove.pipeline.dedup.minhash import MinhashDedupSignature

    given = [Document(text=one["text"], id=one["id"]) for one in documents]
    names = [str(work / name) for name in ("signatures", "buckets", "clusters")]
    first = MinhashDedupSignature(names[0])
    first.word_tokenizer.word_tokenize("loaded before the clock starts")
    clock = Clock()
    first.run(iter(given), 0, 1)
    clock.step("signatures")
    for bucket in range(14):
        MinhashDedupBuckets(names[0], names[1]).run(None, bucket, 14)
    clock.step("buckets")
    MinhashDedupCluster(names[1], names[2], save_cluster_id=True).run(None, 0, 1)
    clock.step("cluster")
    left = sum(1 for _ in MinhashDedupFilter(names[2]).run(iter(given), 0, 1))
    clock.step("filter")
    kept = _clusters(work / "clusters")
    if len(given) - len(kept) != left:
        raise SystemExit(f"datatrove kept {left} documents, its clusters say {len(given) - len(kept)}")
    return clock, kept


def _clusters(folder: Path) -> Kept:
    """Each cluster's removed documents, and the one that it keeps: the member that is not on the list of removals."""
    removed = {place for (place,) in struct.iter_unpack("<I", (folder / "000000.remove").read_bytes())}
    cluster = dict(struct.iter_unpack("<2I", (folder / "000000.clusters").read_bytes()))
    keeper = {number: place for place, number in cluster.items() if place not in removed}
    return {place: keeper[cluster[place]] for place in sorted(removed)}


def limit(documents: list[dict[str, str]], work: Path) -> tuple[Clock, Kept]:
    """What no search by words can do without: split and hash; decoding is timed in `main`."""
    from data_curation.words import Words

    clock = Clock()
    found = [Words.of(one["text"]) for one in documents]
    clock.step("split")
    for words in found:
        _ = words.hashes
    clock.step("hash")
    return clock, {}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


SYSTEMS: dict[str, Callable[[list[dict[str, str]], Path], tuple[Clock, Kept]]] = {
    "herkomst": herkomst,
    "datatrove": datatrove,
    "limit": limit,
}


def main() -> None:
    """Run one system and print what it took and found."""
    begun = (time.perf_counter(), time.process_time())
    documents = list(lines(Path(sys.argv[2])))
    decode = (time.perf_counter() - begun[0], time.process_time() - begun[1])
    clock, kept = SYSTEMS[sys.argv[1]](documents, Path(sys.argv[3]))
    found: dict[str, Any] = {"steps": clock.steps, "decode": decode, "kept": list(kept.items())}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
