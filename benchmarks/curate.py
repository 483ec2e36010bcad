"""The whole of curation against stock datatrove, on the same real text, one core each.

Ours is ``herkomst run --until commit``: reading JSON lines, rights, language, quality, personal data, duplicates,
repeats, ledger, Merkle trees and signatures. Stock is datatrove's own blocks at the same thresholds without language,
personal data, rows or digests: its reader, GopherRepetition, GopherQuality, C4Quality (lorem ipsum), then MinHash in
its four stages, and its writer.

    python benchmarks/curate.py [--megabytes 60] [--folder DIR] [--without-stock]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from loguru import logger
from measure import REPOSITORY, herkomst, machine
from real_text import lines, written

from data_curation.quality import read_quality
from data_curation.settings import OFFICIAL_LANGUAGES


def inputs(real: Path, target: Path, most: int) -> tuple[int, int]:
    """Write the documents of official languages to one file of JSON lines; returns documents and bytes of text.

    Every n-th document is taken, so that all languages and kinds of text are among them.
    """
    wanted = [one for one in lines(real) if one["language"] in OFFICIAL_LANGUAGES]
    total = sum(len(one["text"].encode()) for one in wanted)
    step = max(1, total // most)
    target.parent.mkdir(parents=True, exist_ok=True)
    count = size = 0
    with target.open("w", encoding="utf-8") as out:
        for one in wanted[::step]:
            count, size = count + 1, size + len(one["text"].encode())
            out.write(json.dumps({**one, "licence": "CC0-1.0"}, ensure_ascii=False) + "\n")
    return count, size


def ours(folder: Path) -> dict[str, Any]:
    """Run our stages up to commit with one worker; seconds by stage from the signed record."""
    sys.path.insert(0, str(REPOSITORY))
    from pipeline.run_directory import RunDirectory
    from pipeline.runner import newest_entries
    from tests.pipeline.conftest import small_config

    columns = {"id": "id", "text": "text", "language": "language", "licence": "licence"}
    source = {"name": "real", "partner": "Real", "reader": "jsonl", "path": "in/text.jsonl", "columns": columns}
    config = small_config(
        name="ours", sources=[source], curation={}, policy={"as_of": "2026-11-01", "share_alike": "admit"}
    )
    (folder / "ours.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    before = _children()
    measured = herkomst("run", "ours.yaml", "--workers", 1, "--until", "commit", cwd=folder)
    entries = newest_entries(RunDirectory(folder / "runs" / "ours"))
    return {
        "wall": measured.seconds,
        "processor": _children() - before,
        "memory": measured.largest_mib,
        "seconds": {name: entry.predicate["seconds"] for name, entry in entries.items()},
        "figures": entries["curate"].predicate["figures"],
    }


def _children() -> float:
    """Processor seconds of the processes that this one has waited for; other users of the machine change them less."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def stock(folder: Path) -> dict[str, float]:
    """Run datatrove's blocks, each stage in this process."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    logger.remove()
    place, config = str(folder / "stock"), MinhashConfig()
    stages: dict[str, tuple[list[Any], int]] = {
        "filters": (
            [JsonlReader(str(folder / "in")), *_filters(), JsonlWriter(f"{place}/kept", compression=None)],
            1,
        ),
        "signatures": ([JsonlReader(f"{place}/kept"), MinhashDedupSignature(f"{place}/signatures", config)], 1),
        "buckets": (
            [MinhashDedupBuckets(f"{place}/signatures", f"{place}/buckets", config=config)],
            config.num_buckets,
        ),
        "cluster": ([MinhashDedupCluster(f"{place}/buckets", f"{place}/remove", config=config)], 1),
        "filter": (
            [
                JsonlReader(f"{place}/kept"),
                MinhashDedupFilter(f"{place}/remove"),
                JsonlWriter(f"{place}/out", compression=None),
            ],
            1,
        ),
    }
    seconds = {}
    for name, (pipeline, tasks) in stages.items():
        began = time.perf_counter()
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=f"{place}/logs/{name}").run()
        seconds[name] = time.perf_counter() - began
    return seconds


def _filters() -> list[Any]:
    """datatrove's filters at our thresholds; the stop words of all languages, since it takes one list only."""
    from datatrove.pipeline.filters import C4QualityFilter, GopherQualityFilter, GopherRepetitionFilter

    rules = read_quality()
    gopher, repetition = rules.thresholds.gopher, rules.thresholds.repetition
    if gopher is None or repetition is None:
        raise SystemExit("configs/quality.yaml switches Gopher or repetition off; there is nothing to compare")
    stop_words = sorted({word for language in rules.languages.values() for word in language.stop_words})
    return [
        GopherRepetitionFilter(
            dup_line_frac=repetition.duplicate_lines,
            dup_line_char_frac=repetition.duplicate_line_characters,
            dup_para_frac=repetition.duplicate_paragraphs,
            dup_para_char_frac=repetition.duplicate_paragraph_characters,
            top_n_grams=tuple(sorted(repetition.top_grams.items())),
            dup_n_grams=tuple(sorted(repetition.duplicate_grams.items())),
        ),
        GopherQualityFilter(
            min_doc_words=gopher.min_words,
            max_doc_words=gopher.max_words,
            min_avg_word_length=gopher.min_average_word,
            max_avg_word_length=gopher.max_average_word,
            max_symbol_word_ratio=gopher.max_symbol_ratio,
            max_bullet_lines_ratio=gopher.max_bullet_lines,
            max_ellipsis_lines_ratio=gopher.max_ellipsis_lines,
            max_non_alpha_words_ratio=gopher.min_alphabetic,
            min_stop_words=gopher.min_stop_words,
            stop_words=stop_words,
        ),
        C4QualityFilter(
            remove_citations=False,
            filter_no_terminal_punct=False,
            min_num_sentences=-1,
            min_words_per_line=-1,
            max_word_length=-1,
            filter_javascript=False,
            filter_curly_bracket=False,
            filter_policy=False,
        ),
    ]


def main() -> None:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=60)
    parser.add_argument("--folder", type=Path, help="where the real text lies or is to be written")
    parser.add_argument("--without-stock", action="store_true")
    given = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core for everything that follows, processes included
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        real = written(given.folder or folder / "real")
        documents, size = inputs(real, folder / "in" / "text.jsonl", given.megabytes * 10**6)
        mine = ours(folder)
        began = time.process_time()
        theirs = {} if given.without_stock else stock(folder)
        processor = time.process_time() - began
    report(documents, size, mine, theirs)
    told = f"; stock {processor:.1f}, {processor / mine['processor']:.1f} times" if theirs else ""
    print(f"\nProcessor seconds: ours, ingest to commit as a command, {mine['processor']:.1f}{told}.")


def report(documents: int, size: int, mine: dict[str, Any], theirs: dict[str, float]) -> None:
    """Print the table."""
    print(f"{machine()}, datatrove {importlib.metadata.version('datatrove')}")
    print(f"{documents:,} documents, {size / 1e6:.1f} MB of text, one core each\n")
    print("| what | seconds | MB/s | times stock |")
    print("|---|---|---|---|")
    total = sum(theirs.values())
    rows = {f"stock: {name}": seconds for name, seconds in theirs.items()}
    rows |= {"**stock: all**": total} if theirs else {}
    rows |= {f"ours: {name}": seconds for name, seconds in mine["seconds"].items()}
    rows |= {"**ours: curate**": mine["seconds"]["curate"]}
    rows |= {"**ours: ingest to commit, as a command**": mine["wall"]}
    for name, seconds in rows.items():
        ratio = f"{total / seconds:.1f}" if theirs and name.startswith("**ours") else ""
        print(f"| {name} | {seconds:.1f} | {size / 1e6 / max(seconds, 1e-9):.2f} | {ratio} |")
    print(f"\nLargest process of ours: {mine['memory']:.0f} MiB.")
    figures = mine["figures"]
    print(f"Of ours, {figures['kept']:,} documents kept; removed: {figures['removed']}")


if __name__ == "__main__":
    main()
