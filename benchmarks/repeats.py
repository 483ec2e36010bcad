"""Repeats across documents and evaluation sets in real text: speed, memory, what is found, and recall of planted items.

``python benchmarks/repeats.py FOLDER [MB]`` reads ``FOLDER/text.jsonl.zst`` (`benchmarks.real_text`), at most MB
megabytes of it (60), evenly over all sources; three minutes. The peer is datatrove's sentence deduplication with our
splitter in place of spaCy. Its other block, exact substrings, needs a suffix array from a Rust program that does not
come with it, and was not run.

``python benchmarks/repeats.py --documents 1000000`` tells time and memory of finding repeats among so many documents of
20 keys each, a tenth of which repeat (one minute, 600 MB of disk).
"""

from __future__ import annotations

import hashlib
import json
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from random import Random

import numpy as np
import pyarrow.parquet as pq
from measure import REPOSITORY, machine

sys.path.insert(0, str(REPOSITORY))

from benchmarks.real_text import CORPORA, lines, written
from data_curation.contamination.items import Item, read_items
from data_curation.contamination.match import EvaluationSets
from data_curation.contamination.settings import ContaminationSettings, EvaluationSet
from data_curation.minhash import mixed
from data_curation.repeats.cut import Cut, Cutter
from data_curation.repeats.layout import Layout
from data_curation.repeats.search import find_repeats
from data_curation.repeats.settings import RepeatsSettings
from data_curation.repeats.store import DOCUMENT, RepeatWriter
from data_curation.words import RegexWords, Words

SETTINGS = RepeatsSettings()
EVALUATION = CORPORA.parent / "evaluation"
EDITS = (0.0, 0.05, 0.1, 0.2)
Texts = dict[str, str]


def main() -> None:
    """Print the tables asked for."""
    if sys.argv[1] == "--documents":
        scale(int(sys.argv[2]))
    else:
        real(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 60.0)


def real(folder: Path, limit: float) -> None:
    """Repeats and evaluation sets in up to ``limit`` megabytes of real text."""
    texts = sample(written(folder), limit * 1e6)
    megabytes = sum(len(text.encode()) for text in texts.values()) / 1e6
    versions = ", ".join(f"{name} {version(name)}" for name in ("datatrove", "numpy", "pyarrow"))
    print(f"{machine()}; {versions}; {len(texts):,} documents, {megabytes:.1f} MB\n")
    Layout.of("the table of letters is made at the first call")
    began = time.perf_counter()
    words = {name: Words.of(text) for name, text in texts.items()}
    for each in words.values():
        each.hashes  # noqa: B018 - made when first asked for
    split = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as work:
        repeats(texts, words, Path(work), megabytes, split)
    if EVALUATION.is_dir():
        contamination(texts, words, megabytes)


def sample(file: Path, most: float) -> Texts:
    """Documents drawn by their names until ``most`` bytes are together on average."""
    whole = sum(len(line["text"].encode()) for line in lines(file))
    drawn = (line for line in lines(file) if Random(line["id"]).random() < most / whole)
    return {line["id"]: line["text"] for line in drawn}


def sha(name: str) -> str:
    """The id of a document."""
    return hashlib.sha256(name.encode()).hexdigest()


def repeats(texts: Texts, words: dict[str, Words], folder: Path, megabytes: float, split: float) -> None:
    """Our three steps and the peer's, then what each source repeats."""
    seconds: dict[str, float] = {"words and hashes (shared by all steps)": split}
    with timed(seconds, "keys of every document"), RepeatWriter(folder / "keys", SETTINGS) as writer:
        for name, text in texts.items():
            writer.add(sha(name), 0, text, words[name])
    before = peak()
    with timed(seconds, "find repeats"):
        stats = find_repeats([folder / "keys"], [], folder / "repeats.parquet", SETTINGS, folder / "work")
    grown = peak() - before
    with timed(seconds, "cut"):
        rows = {row["id"]: row for row in pq.read_table(folder / "repeats.parquet").to_pylist()}
        marked = ((text, words[name], rows.get(sha(name))) for name, text in texts.items())
        cuts = dict(zip(texts, Cutter(SETTINGS).cut_all(marked), strict=True))
    ours = sum(seconds.values())
    peer(texts, folder / "peer", seconds)
    theirs = sum(seconds.values()) - ours
    print("| step | s | MB/s |\n|---|---|---|")
    for name, took in [*seconds.items(), ("all of ours", ours), ("all of the peer's", theirs)]:
        print(f"| {name} | {took:.1f} | {megabytes / took:.1f} |")
    count = sum(map(len, words.values()))
    size = sum(path.stat().st_size for path in (folder / "keys").iterdir())
    print(f"\nratio {theirs / ours:.1f}; disk {size / count:.2f} bytes a word; finding took {grown:.0f} MiB more;")
    print(f"{stats.paragraphs:,} paragraphs and {stats.fingerprints:,} fingerprints repeat in {stats.repeating:,}\n")
    by_source(cuts)


def peer(texts: Texts, folder: Path, seconds: dict[str, float]) -> None:
    """datatrove's sentence deduplication (spans of three sentences), in one process without its executor."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup import SentenceDedupFilter, SentenceDedupSignature, SentenceFindDedups
    from datatrove.pipeline.dedup.sentence_dedup import SentDedupConfig

    def documents() -> Iterator[Document]:
        return (Document(text=text, id=name) for name, text in texts.items())

    config, splitter = SentDedupConfig(min_doc_words=8, min_num_sentences=1), RegexWords()
    with timed(seconds, "datatrove: signatures"):
        SentenceDedupSignature(str(folder / "one"), config=config, language=splitter).run(documents())
    with timed(seconds, "datatrove: find"):
        SentenceFindDedups(str(folder / "one"), str(folder / "two"), config=config).run()
    with timed(seconds, "datatrove: filter"):
        for _ in SentenceDedupFilter(str(folder / "two"), config=config, language=splitter).run(documents()):
            pass


def scale(documents: int) -> None:
    """Find repeats among made-up keys, written in pieces so that making them takes no memory that counts."""
    random, each, piece = np.random.default_rng(1), 20, 1 << 14
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with RepeatWriter(folder / "keys", SETTINGS):
            pass
        with (folder / "keys" / "documents").open("wb") as rows, (folder / "keys" / "runs").open("wb") as runs:
            for at in range(0, documents, piece):
                row = np.zeros(min(piece, documents - at), DOCUMENT)
                row["id"], row["runs"] = random.integers(0, 2**63, (len(row), 4), np.uint64), each
                keys = random.integers(0, 2**63, len(row) * each, np.uint64) * 2
                again = random.random(len(keys)) < 0.1
                keys[again] = mixed(random.integers(0, documents, int(again.sum()), np.uint64))
                row.tofile(rows)
                keys.tofile(runs)
        form = json.loads((folder / "keys" / "form.json").read_text())
        form["counts"] |= {"documents": documents, "runs": documents * each}
        (folder / "keys" / "form.json").write_text(json.dumps(form))
        before, seconds = peak(), dict[str, float]()
        with timed(seconds, "find"):
            stats = find_repeats([folder / "keys"], [], folder / "repeats.parquet", SETTINGS, folder / "work")
    print(f"{machine()}\n{documents:,} documents of {each} keys: {seconds['find']:.1f} s, {peak() - before:.0f} MiB")
    print(f"beside {before:.0f} MiB before; {stats.repeating:,} documents repeat")


def peak() -> float:
    """Peak resident memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def by_source(cuts: dict[str, Cut]) -> None:
    """Words in repeats by source."""
    count: dict[str, Counter[str]] = {}
    for name, cut in cuts.items():
        own = count.setdefault(name.split("/")[0], Counter())
        own.update(
            documents=1, words=cut.words, lost=int(cut.reason is not None), gone=int("left" in (cut.reason or ""))
        )
        for part in cut.parts:
            own[part.kind] += part.words
    print("| source | documents | words | in repeated paragraphs | in other repeated runs | that lose text | removed |")
    print("|---|---|---|---|---|---|---|")
    for source, own in sorted(count.items()):
        shares = [f"{100 * own[kind] / max(1, own['words']):.1f} %" for kind in ("paragraph", "run")]
        told = [f"{own['documents']:,}", f"{own['words']:,}", *shares, f"{own['lost']:,}", f"{own['gone']:,}"]
        print(f"| {source} | {' | '.join(told)} |")


def evaluation_sets() -> tuple[EvaluationSet, ...]:
    """The real sets, with the columns that make up their items."""

    def of(name: str, path: str, *fields: str, **keys: str) -> EvaluationSet:
        return EvaluationSet(name=name, path=path, fields=fields, **keys)  # type: ignore[arg-type]

    return (
        of("bbq", "bbq", "context", "question"),
        of("mbbq", "mbbq", "context", "question"),
        of("hatecheck", "multilingual-hatecheck", "test_case", id="mhc_case_id"),
        of("honest", "honest", "template_masked", format="tsv"),
        of("crows-pairs", "crows-pairs/*.csv", "sent_more", "sent_less"),
        of("winobias", "winobias", format="txt", without=r"^\d+ "),
        of("gest", "gest/*.csv", "sentence"),
        of("ailuminate", "ailuminate/*.csv", "prompt_text", id="release_prompt_id"),
        of("blimp", "blimp", "sentence_good", "sentence_bad"),
    )


def contamination(texts: Texts, words: dict[str, Words], megabytes: float) -> None:
    """Speed and false hits on text without items, then recall of planted ones."""
    settings, seconds = ContaminationSettings(sets=evaluation_sets()), dict[str, float]()
    with timed(seconds, "load"):
        sets = EvaluationSets.load(settings, EVALUATION)
    with timed(seconds, "match"):
        found = {name: hits for name, each in words.items() if (hits := sets.hits(each))}
    count, speed = sum(one["items"] for one in sets.counts.values()), megabytes / seconds["match"]
    print(f"\nread {count:,} items in {seconds['load']:.1f} s; matched {speed:.1f} MB/s beyond the split;")
    print(f"{len(found)} documents with hits")
    for name, hits in sorted(found.items())[:20]:
        print(f"- {name}: {hits[:2]}")
    print("\n| set | items | not testable | " + " | ".join(f"{share:.0%} edited" for share in EDITS) + " | others |")
    print("|---|---|---|" + "---|" * (len(EDITS) + 1))
    places = [text for text in texts.values() if 1000 < len(text) < 8000]
    for one in settings.sets:
        random = Random(one.name)
        able = [item for item in read_items(one, EVALUATION) if any(len(Words.of(text)) >= 8 for text in item.texts)]
        planted = random.sample(able, min(200, len(able)))
        recalls = [recall(sets, planted, share, places, random) for share in EDITS]
        told = [f"{sets.counts[one.name]['items']:,}", f"{sets.counts[one.name]['not_testable']:,}"]
        told += [f"{share:.3f}" for share, _ in recalls]
        print(f"| {one.name} | {' | '.join(told)} | {recalls[0][1]:.0f} |")


def recall(
    sets: EvaluationSets, planted: list[Item], share: float, places: list[str], random: Random
) -> tuple[float, float]:
    """Share of items found again in documents that they were put into, and the median of other items told there."""
    found, others = 0, []
    for item in planted:
        text = random.choice(places)
        at = text.find(" ", random.randrange(len(text) // 2))
        own = "\n".join(edited(part, share, random) for part in item.texts)
        hits = sets.hits(Words.of(f"{text[:at]}\n\n{own}\n\n{text[at:]}"))
        mine = any((hit.set, hit.item) == (item.set, item.id) for hit in hits)
        found += mine
        others.append(len(hits) - mine)
    return found / len(planted), statistics.median(others)


def edited(text: str, share: float, random: Random) -> str:
    """Text of which each word is, with probability ``share``, replaced (3 in 5), left out or preceded by another."""
    changes: list[Callable[[str], str]] = [lambda _: "zqx"] * 3 + [lambda _: "", lambda word: f"zqx {word}"]
    return " ".join(random.choice(changes)(word) if random.random() < share else word for word in text.split(" "))


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Add the time of a block under ``name``."""
    began = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - began


if __name__ == "__main__":
    main()
