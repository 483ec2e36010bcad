"""What every suite is given, and how the model is loaded so that two runs give the same figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.settings import EvaluationSettings
from licensing.errors import HerkomstError
from training.model import trim_vocabulary
from training.numerics import set_numerics

Progress = Callable[[int, int], None]


class EvaluationError(HerkomstError):
    """A suite that cannot be run on what it was given."""


@dataclass(frozen=True)
class EvaluationInputs:
    """Where everything lies that the suites read.

    ``tokens`` is the packed corpus, ``corpus`` the same documents as text, ``checkpoint`` a Hugging Face model folder,
    ``plan`` the training order as JSON, ``threads`` the CPU threads to compute with, ``agreements`` the ids of those
    whose documents are also looked at by themselves.
    """

    tokens: Path
    corpus: Path
    tokenizer: Path
    checkpoint: Path
    plan: Path
    settings: EvaluationSettings
    sequence_length: int
    seed: int
    threads: int
    agreements: tuple[str, ...] = ()


@dataclass(frozen=True)
class SuiteResult:
    """The figures of a suite, and the score of every item behind them."""

    figures: dict[str, Any]
    items: list[dict[str, Any]] = field(default_factory=list)


def load_model(inputs: EvaluationInputs) -> Any:
    """Load the checkpoint in float32, on a GPU if there is one, ready for deterministic inference.

    Raises:
        EvaluationError: the folder does not hold a model.
    """
    from transformers import AutoModelForCausalLM

    device = compute_device(inputs.threads)
    try:
        with _no_bar():
            model = AutoModelForCausalLM.from_pretrained(inputs.checkpoint, dtype="float32", local_files_only=True)
    except (OSError, ValueError) as fault:
        raise EvaluationError(
            f"{inputs.checkpoint}: no model could be loaded from it ({fault}); nothing was evaluated. "
            "Name a folder with config.json and model.safetensors."
        ) from fault
    trim_vocabulary(model)
    return model.to(device).eval()


@contextmanager
def _no_bar() -> Iterator[None]:
    """Keep `transformers` from drawing a bar into our own progress."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def compute_device(threads: int) -> str:
    """Make `torch` deterministic on ``threads`` CPU threads; return the device to compute on."""
    set_numerics(threads)
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def allocate(items: int, available: dict[str, int], least: int = 1) -> dict[str, int]:
    """Share ``items`` out in proportion to what is available, at least ``least`` each, never more than there is.

    Largest remainders get what rounding leaves; the sum is above ``items`` only where ``least`` demands it.
    """
    total = sum(available.values())
    exact = {name: items * count / total if total else 0.0 for name, count in available.items()}
    shares = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (shares[name] - exact[name], name))
    for name in by_remainder[: items - sum(shares.values())]:
        shares[name] += 1
    return {name: min(available[name], max(least, shares[name])) for name in sorted(available)}
