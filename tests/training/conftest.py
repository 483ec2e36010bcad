"""A tiny packed corpus and plan, made from text written here."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_curation.streams import TEXT, StreamInfo
from licensing.canonical import canonical
from training.job import TrainingJob
from training.mixture import SegmentWanted, make_plan
from training.pack import pack, read_packed
from training.plan import StreamRef
from training.settings import SegmentSettings, Shape, TokenizerSettings, TrainingSettings
from training.tokenizer import train_tokenizer

WORDS = {
    "nl": [
        "de",
        "haven",
        "ligt",
        "stil",
        "en",
        "het",
        "water",
        "stijgt",
        "langzaam",
        "boven",
        "de",
        "oude",
        "kade",
        "van",
        "de",
        "stad",
        "terwijl",
        "schepen",
        "wachten",
    ],
    "en": [
        "the",
        "court",
        "ruled",
        "that",
        "each",
        "publisher",
        "may",
        "inspect",
        "how",
        "its",
        "articles",
        "were",
        "used",
        "by",
        "the",
        "model",
        "in",
        "training",
    ],
}


def texts(language: str, count: int) -> list[str]:
    """Different short texts, the same every time."""
    words = WORDS[language]
    made = []
    for number in range(count):
        drawn = hashlib.sha256(f"{language}{number}".encode()).digest() * 2
        made.append(" ".join(words[byte % len(words)] for byte in drawn[: 12 + number % 40]) + ".\n")
    return made


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(texts("nl", 60) + texts("en", 60), TokenizerSettings(vocabulary_size=400), folder)
    return folder


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("corpus"))


def make_corpus(folder: Path) -> Path:
    """Two languages, some documents held out, in an empty folder."""
    (folder / "text").mkdir()
    infos = []
    for language in WORDS:
        for use, made in (("train", texts(language, 50)), ("held-out", texts(language, 60)[50:])):
            rows = [
                {"id": hashlib.sha256(text.encode()).hexdigest(), "text": text, "text_bytes": len(text.encode())}
                for text in made
            ]
            rows.sort(key=lambda row: str(row["id"]))
            name = f"group~CC0-1.0~{language}"
            path = f"text/{name}.{use}.parquet"
            pq.write_table(pa.Table.from_pylist(rows, schema=TEXT), folder / path)
            size = sum(int(str(row["text_bytes"])) for row in rows)
            infos.append(StreamInfo(name, use, "group", "CC0-1.0", language, len(rows), size, None, path))
    (folder / "streams.json").write_bytes(canonical({"streams": [asdict(info) for info in infos]}))
    return folder


@pytest.fixture(scope="session")
def packed_folder(corpus: Path, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokens")
    list(pack(corpus, tokenizer_folder, folder, 1))
    return folder


def make_job(packed_folder: Path, out: Path, steps: int = 6, **settings: object) -> TrainingJob:
    """A training job over the tiny corpus, in its own folder."""
    packed = read_packed(packed_folder)
    refs = [StreamRef(s.name, -(-s.tokens // 32), s.documents, s.tokens, s.most_epochs) for s in packed.trained()]
    plan = make_plan(refs, [SegmentWanted("main", steps, 8, 1.0)], 32, 3, "0" * 64, packed.root)
    out.mkdir(parents=True, exist_ok=True)
    (out / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    chosen: dict[str, object] = {"batch": 8, "micro_batch": 2, "checkpoint_every": 2, "threads": 1} | settings
    return TrainingJob(
        tokens=str(packed_folder),
        plan=str(out / "plan.json"),
        plan_digest=plan.digest(),
        corpus_root="0" * 64,
        tokens_root=packed.root,
        checkpoints=str(out / "checkpoints"),
        log=str(out / "log.jsonl"),
        shape=Shape(1, 32, 2, 2, 64, 32, packed.vocabulary_size),
        settings=TrainingSettings.model_validate({"segments": [SegmentSettings(name="main", steps=steps)], **chosen}),
        learning_rate=1e-2,
        seed=5,
    )
