"""Documents through both passes of the search for repeats, as curation calls them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_curation.repeats.cut import Cut, Cutter
from data_curation.repeats.search import RepeatStats, find_repeats
from data_curation.repeats.settings import ParagraphRepeats, RepeatsSettings, RunRepeats
from data_curation.repeats.store import RepeatWriter
from data_curation.words import Words

SMALL = RepeatsSettings(
    paragraphs=ParagraphRepeats(least_words=3), runs=RunRepeats(least_words=8, window=3), least_left_words=3
)
"""Fingerprints of six words; what has eight words and repeats is always found."""


def named(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def written(folder: Path, texts: dict[str, str], settings: RepeatsSettings, ranks: dict[str, int]) -> Path:
    with RepeatWriter(folder, settings) as writer:
        for name, text in texts.items():
            writer.add(named(name), ranks.get(name, 0), text, Words.of(text))
    return folder


def ids_file(path: Path, names: list[str]) -> Path:
    pq.write_table(pa.table({"id": pa.array([named(name) for name in names], pa.string())}), path)
    return path


def searched(
    tmp: Path,
    texts: dict[str, str],
    settings: RepeatsSettings = SMALL,
    *,
    tasks: int = 1,
    ranks: dict[str, int] | None = None,
    removed: list[str] | None = None,
    backwards: bool = False,
) -> tuple[RepeatStats, Path]:
    names = sorted(texts)
    folders = [
        written(tmp / f"{tasks}-{task}", {name: texts[name] for name in names[task::tasks]}, settings, ranks or {})
        for task in range(tasks)
    ]
    out = tmp / f"repeats-{tasks}-{backwards}.parquet"
    gone = [ids_file(tmp / "removed.parquet", removed)] if removed else []
    stats = find_repeats(folders[::-1] if backwards else folders, gone, out, settings, tmp / "work")
    return stats, out


def cut_all(texts: dict[str, str], table: Path, settings: RepeatsSettings = SMALL) -> dict[str, Cut]:
    rows = {row["id"]: row for row in pq.read_table(table).to_pylist()}
    cutter = Cutter(settings)
    documents = [(text, Words.of(text), rows.get(named(name))) for name, text in texts.items()]
    alone = [cutter.cut(*document) for document in documents]
    assert list(cutter.cut_all(documents)) == alone
    return dict(zip(texts, alone, strict=True))


def both(tmp: Path, texts: dict[str, str], settings: RepeatsSettings = SMALL, **how: object) -> dict[str, Cut]:
    return cut_all(texts, searched(tmp, texts, settings, **how)[1], settings)  # type: ignore[arg-type]
