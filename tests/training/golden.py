"""Losses that a training gave when they were last looked at: a change that alters training shows as other losses.

``python -m tests.training.golden`` writes them anew: those of a made corpus, and those of ``runs/demo`` where it is.
Renew them only with a change that is meant to alter training, and say so in its message.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "golden"
MADE, DEMO = FOLDER / "made-losses.json", FOLDER / "demo-losses.json"
DEMO_RUN = Path(__file__).resolve().parents[2] / "runs" / "demo"


def made(folder: Path) -> dict[str, Any]:
    """Train on the made corpus in an empty folder."""
    from tests.training.conftest import make_corpus, make_job, texts
    from training.loop import train
    from training.pack import pack
    from training.settings import TokenizerSettings
    from training.tokenizer import train_tokenizer

    for name in ("corpus", "tokenizer", "tokens"):
        (folder / name).mkdir()
    make_corpus(folder / "corpus")
    train_tokenizer(texts("nl", 60) + texts("en", 60), TokenizerSettings(vocabulary_size=400), folder / "tokenizer")
    list(pack(folder / "corpus", folder / "tokenizer", folder / "tokens", 1))
    job = make_job(folder / "tokens", folder / "run", steps=40, checkpoint_every=40)
    train(job, lambda *_: None)
    return losses(job.tokens_root, job.plan_digest, folder / "run" / "log.jsonl")


def demo() -> dict[str, Any]:
    """What the demo in ``runs/demo`` logged."""
    from training.pack import read_packed
    from training.plan import Plan

    plan = Plan.from_json((DEMO_RUN / "training" / "plan.json").read_text(encoding="utf-8"))
    return losses(read_packed(DEMO_RUN / "tokens").root, plan.digest(), DEMO_RUN / "training" / "log.jsonl")


def losses(tokens_root: str, plan_digest: str, log: Path) -> dict[str, Any]:
    """The losses of every step, and what they were reached from."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return {"tokens_root": tokens_root, "plan_digest": plan_digest, "losses": [line["loss"] for line in lines]}


def main() -> None:
    """Write both files."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        found = {MADE: made(Path(folder))}
    if (DEMO_RUN / "training" / "plan.json").exists():
        found[DEMO] = demo()
    for path, values in found.items():
        path.write_text(json.dumps(values) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
