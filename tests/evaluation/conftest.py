"""A tiny corpus in two languages, its tokenizer, plan and two models: one untrained, one that learnt texts by heart."""

from __future__ import annotations

import hashlib
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_curation.streams import TEXT, StreamInfo
from evaluation.inputs import EvaluationInputs
from evaluation.settings import EvaluationSettings
from licensing.canonical import canonical
from training.checkpoint import save_weights
from training.mixture import SegmentWanted, make_plan
from training.model import build_model
from training.pack import pack, read_packed
from training.plan import StreamRef
from training.settings import Shape, TokenizerSettings
from training.tokenizer import train_tokenizer

LENGTH = 128
TRAINED, HELD_OUT = 14, 10
PREFIX = SUFFIX = 12
SYLLABLES = {"de": "sch ung ver lich kei tag wur ße ün aus", "fr": "eau que ment ois ai pré ché tou vou re"}


def write_text(language: str, number: int) -> str:
    """Three paragraphs of invented words, different for every number; the same at every call."""
    draw = random.Random(f"{language} {number}")
    parts = SYLLABLES[language].split()

    def word() -> str:
        return "".join(draw.choices(parts, k=draw.randint(1, 3)))

    return "\n\n".join(" ".join(word() for _ in range(60)) for _ in range(3))


def _rows(language: str, numbers: range) -> list[dict[str, Any]]:
    texts = [write_text(language, number) for number in numbers]
    rows = [{"id": hashlib.sha256(t.encode()).hexdigest(), "text": t, "text_bytes": len(t.encode())} for t in texts]
    return sorted(rows, key=lambda row: row["id"])


def write_corpus(folder: Path, held_out: int = HELD_OUT, licence: str = "CC0-1.0") -> list[str]:
    """Write a committed corpus as text; returns the texts to train on."""
    (folder / "text").mkdir(parents=True)
    infos, trained = [], []
    for language in SYLLABLES:
        for use, numbers in (("train", range(TRAINED)), ("held-out", range(100, 100 + held_out))):
            rows = _rows(language, numbers)
            name, file = f"house~{licence}~{language}", f"text/{language}.{use}.parquet"
            pq.write_table(pa.Table.from_pylist(rows, schema=TEXT), folder / file, row_group_size=4)
            size = sum(row["text_bytes"] for row in rows)
            infos.append(StreamInfo(name, use, "house", licence, language, len(rows), size, None, file))
            trained += [row["text"] for row in rows] if use == "train" else []
    (folder / "streams.json").write_bytes(canonical({"streams": [asdict(i) for i in infos if i.documents]}))
    return trained


def make_inputs(folder: Path, held_out: int = HELD_OUT, licence: str = "CC0-1.0", **settings: Any) -> EvaluationInputs:
    """Make a run as far as the evaluation needs it, with an untrained model."""
    trained = write_corpus(folder / "corpus", held_out, licence)
    (folder / "tokenizer").mkdir()
    train_tokenizer(trained, TokenizerSettings(vocabulary_size=400), folder / "tokenizer")
    list(pack(folder / "corpus", folder / "tokenizer", folder / "tokens", 1))
    packed = read_packed(folder / "tokens")
    refs = [StreamRef(s.name, -(-s.tokens // LENGTH), s.documents, s.tokens) for s in packed.trained()]
    sequences = sum(ref.sequences for ref in refs)
    plan = make_plan(refs, [SegmentWanted("main", sequences, 2)], LENGTH, 1, "0" * 64, packed.root)
    (folder / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    shape = Shape(1, 32, 2, 2, 64, LENGTH, packed.vocabulary_size)
    save_checkpoint(folder / "checkpoint", build_model(shape, packed.end_of_document, packed.padding, 1))
    values = {"items": 10, "bytes_per_language": 5_000, "prefix": PREFIX, "suffix": SUFFIX, "offsets": [0], "batch": 8}
    return EvaluationInputs(
        tokens=folder / "tokens",
        corpus=folder / "corpus",
        tokenizer=folder / "tokenizer",
        checkpoint=folder / "checkpoint",
        plan=folder / "plan.json",
        settings=EvaluationSettings(**{**values, **settings}),
        sequence_length=LENGTH,
        seed=3,
        threads=1,
    )


def save_checkpoint(folder: Path, model: Any) -> None:
    folder.mkdir()
    save_weights(folder, model, model.state_dict())


def learn_by_heart(inputs: EvaluationInputs, folder: Path) -> None:
    """Train a model on the beginnings of the trained documents until it knows them word for word."""
    import torch

    packed = read_packed(inputs.tokens)
    rows = []
    for stream in packed.trained():
        tokens = packed.open(stream, LENGTH)
        for place in range(tokens.documents):
            first, _ = tokens.span(place)
            begin = tokens.tokens[first : first + PREFIX + SUFFIX].astype(np.int64)
            rows.append(np.concatenate([[packed.end_of_document], begin]))
    ids = torch.from_numpy(np.stack(rows))
    model = build_model(
        Shape(1, 96, 4, 4, 192, LENGTH, packed.vocabulary_size), packed.end_of_document, packed.padding, 1
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(120):
        optimizer.zero_grad()
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
    save_checkpoint(folder, model)


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> EvaluationInputs:
    return make_inputs(tmp_path_factory.mktemp("evaluation") / "run")
