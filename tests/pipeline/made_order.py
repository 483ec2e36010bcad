"""A run directory with a ledger, token streams and a plan of its own making, and no model: for questions of order."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import numpy as np

from data_curation.ledger_table import LEDGER, LedgerWriter
from pipeline.run_directory import RunDirectory
from training.checkpoint import TrainerState, checkpoint_folder, save_state
from training.mixture import SegmentWanted, make_plan
from training.plan import GoldfishRule, Plan, StreamRef
from training.token_stream import StreamWriter

LENGTH = 16
SIZES = [0, 1, 5, LENGTH - 1, LENGTH, 40]
USES = ("train", "train", "train", "held-out", "none")


def make_order(
    folder: Path,
    seed: int,
    documents: int = 60,
    done: float = 1.0,
    goldfish: tuple[GoldfishRule, ...] = (),
    skipped: tuple[int, ...] = (),
) -> RunDirectory:
    """Make it; ``done`` is the share of the plan's steps that the newest checkpoint has behind it.

    ``goldfish`` are rules of the plan, ``skipped`` steps whose update was dropped, as the checkpoint says.
    """
    drawn = random.Random(seed)
    rows = sorted((_row(drawn, seed, number) for number in range(documents)), key=lambda row: str(row["id"]))
    run = RunDirectory(folder)
    writer = LedgerWriter(run.ledger)
    for row in rows:
        writer.add(row)
    writer.finish()
    (folder / "config.yaml").write_text("name: made\n")
    streams = _write_tokens(run.tokens, rows, drawn)
    trained = [
        StreamRef(one["name"], -(-one["tokens"] // LENGTH), one["documents"], one["tokens"])
        for one in streams
        if one["use"] == "train"
    ]
    wanted = [SegmentWanted("main", 9, 4), SegmentWanted("more", 5, 3, temperature=0.5)]
    plan = make_plan(trained, wanted, LENGTH, seed, "0" * 64, "0" * 64, goldfish=goldfish)
    run.training.mkdir()
    (run.training / "plan.json").write_text(plan.to_json())
    _write_checkpoint(run, plan, round(plan.steps * done), skipped)
    return run


def _row(drawn: random.Random, seed: int, number: int) -> dict[str, Any]:
    name = hashlib.sha256(f"{seed} {number}".encode()).hexdigest()
    use = drawn.choice(USES)
    return dict.fromkeys(LEDGER.names) | {
        "id": name,
        "partner": drawn.choice(["A", "B", "C"]),
        "native_id": str(number),
        "agreement": drawn.choice([None, "x", "y"]),
        # Some documents have one text.
        "final_sha256": None if use == "none" else hashlib.sha256(f"text {number % 7}".encode()).hexdigest(),
        "use": use,
        "stream": None if use == "none" else drawn.choice(["one", "two", "three"]),
    }


def _write_tokens(folder: Path, rows: list[dict[str, Any]], drawn: random.Random) -> list[dict[str, Any]]:
    infos = []
    for key in sorted({(row["stream"], row["use"]) for row in rows if row["stream"]}):
        path = folder / key[1] / key[0]
        path.mkdir(parents=True)
        with StreamWriter(path, np.dtype("<u2"), 0) as writer:
            for row in rows:
                if (row["stream"], row["use"]) == key:
                    ids = random.Random(row["id"]).choices(range(1, 100), k=drawn.choice(SIZES))
                    writer.add(row["id"], ids, 10)
        infos.append(
            {"name": key[0], "use": key[1], "group": key[0], "licence": "L", "language": "nl", "bytes": 1}
            | {"documents": writer.documents, "tokens": writer.tokens, "most_epochs": None}
            | {"folder": path.relative_to(folder).as_posix()}
        )
    index = {"root": "0" * 64, "vocabulary_size": 100, "end_of_document": 0, "padding": 0, "streams": infos}
    (folder / "streams.json").write_text(json.dumps(index))
    return infos


def _write_checkpoint(run: RunDirectory, plan: Plan, steps: int, skipped: tuple[int, ...]) -> None:
    folder = checkpoint_folder(run.checkpoints, steps)
    folder.mkdir(parents=True)
    digests = ("0" * 64, plan.digest(), "0" * 64, "0" * 64)
    state = TrainerState(steps, *digests, 10_000, 9_000, 0.0, "", "", 0.0, skipped_steps=skipped)
    save_state(folder, state)
