"""Runs a suite by name and keeps what it found: one JSON file a suite, with the score of every item."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

from evaluation import bits_per_byte, continuation, memorisation
from evaluation.inputs import EvaluationError, EvaluationInputs, Progress, SuiteResult
from evaluation.settings import Suite
from licensing.canonical import canonical
from licensing.files import file_digest, write_atomically
from training.checkpoint import CheckpointError, weights_digest

__all__ = ["SUITES", "EvaluationError", "EvaluationInputs", "run_suite"]

SUITES: tuple[str, ...] = get_args(Suite)
FORMAT = "herkomst-evaluation-v1"
_HEADING = ("format", "suite", "inputs", "items")


def run_suite(name: str, inputs: EvaluationInputs, folder: Path, progress: Progress) -> dict[str, Any]:
    """Run a suite and write ``folder/NAME.json``; a file that was made from the very same inputs is not made again.

    Args:
        name: one of ``SUITES``.
        inputs: what to evaluate, and on what.
        folder: where results go; made if it is missing.
        progress: called with items done and items in all.

    Returns:
        The figures; the file holds them beside ``format``, ``suite``, ``inputs`` and ``items``.

    Raises:
        EvaluationError: there is no such suite, or it cannot be run on these inputs.
    """
    if name not in SUITES:
        raise EvaluationError(f"evaluation.suites: there is no suite '{name}'. Choose from {', '.join(SUITES)}.")
    path, origin = folder / f"{name}.json", _origin(inputs)
    known = _finished(path, origin)
    if known is not None:
        return known
    result = _run(name, inputs, folder, progress)
    values = {**result.figures, "format": FORMAT, "suite": name, "inputs": origin, "items": result.items}
    write_atomically(path, canonical(values) + b"\n")
    return result.figures


def _run(name: str, inputs: EvaluationInputs, folder: Path, progress: Progress) -> SuiteResult:
    if name == "bits-per-byte":
        return bits_per_byte.run(inputs, progress)
    if name == "continuation":
        return continuation.run(inputs, folder, progress)
    return memorisation.run(inputs, progress)


def _origin(inputs: EvaluationInputs) -> dict[str, Any]:
    """Digests of all that the figures follow from, without a path or a time.

    The token index carries the root over every document's tokens and through them stands for the corpus.
    """
    files = {
        "model_config_sha256": inputs.checkpoint / "config.json",
        "tokens_sha256": inputs.tokens / "streams.json",
        "tokenizer_sha256": inputs.tokenizer / "tokenizer.json",
        "plan_sha256": inputs.plan,
    }
    settings = inputs.settings.model_dump(mode="json", exclude={"suites"})
    numbers = {"sequence_length": inputs.sequence_length, "seed": inputs.seed, "threads": inputs.threads}
    named = {"settings": settings, "agreements": sorted(inputs.agreements)}
    weights = _weights_digest(inputs.checkpoint)
    return {"weights_sha256": weights, **{name: _digest(path) for name, path in files.items()}, **numbers, **named}


def _weights_digest(checkpoint: Path) -> str:
    try:
        return weights_digest(checkpoint)
    except (OSError, CheckpointError) as fault:
        raise EvaluationError(f"{fault} Nothing was evaluated. Run the stages before 'evaluate' first.") from fault


def _digest(path: Path) -> str:
    try:
        return file_digest(path)[0]
    except OSError as fault:
        raise EvaluationError(
            f"{path}: not readable ({fault.strerror}); nothing was evaluated. Run the stages before 'evaluate' first."
        ) from fault


def _finished(path: Path, origin: dict[str, Any]) -> dict[str, Any] | None:
    """The figures of an earlier run on the same inputs, or None."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    same = isinstance(values, dict) and values.get("format") == FORMAT and values.get("inputs") == origin
    return {name: value for name, value in values.items() if name not in _HEADING} if same else None
