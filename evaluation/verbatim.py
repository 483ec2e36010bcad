"""Asks a model to go on from the beginning of a text, always with its likeliest token, and compares with the text."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any

import numpy as np
from numpy.typing import NDArray


def continue_greedily(model: Any, prefixes: NDArray[np.int64], steps: int, batch: int) -> NDArray[np.int64]:
    """Take the likeliest token ``steps`` times.

    Args:
        model: a causal language model.
        prefixes: token ids, shape [rows, prefix]; all of one length, so nothing is padded.
        steps: how many tokens to add.
        batch: rows at a time.

    Returns:
        The added tokens, shape [rows, steps]. What follows an end-of-document token is kept: the caller cuts.
    """
    import torch

    parts = [np.zeros((0, steps), dtype=np.int64)]
    for first in range(0, len(prefixes), batch):
        rows = torch.from_numpy(prefixes[first : first + batch]).to(model.device)
        added = []
        with torch.inference_mode():
            known: Any = None
            for _ in range(steps):
                output = model(input_ids=rows, past_key_values=known, use_cache=True, logits_to_keep=1)
                known = output.past_key_values
                rows = output.logits[:, -1].argmax(dim=-1, keepdim=True)
                added.append(rows)
        parts.append(torch.cat(added, dim=1).cpu().numpy())
    return np.concatenate(parts)


def leading_equal(answer: NDArray[np.int64], truth: NDArray[np.int64]) -> int:
    """How many tokens are right before the first wrong one."""
    wrong = np.flatnonzero(answer != truth)
    return int(wrong[0]) if wrong.size else len(truth)


def until(answer: NDArray[np.int64], end_of_document: int) -> list[int]:
    """The tokens before the first end of document."""
    stop = np.flatnonzero(answer == end_of_document)
    return [int(token) for token in (answer[: stop[0]] if stop.size else answer)]


def longest_common(answer: str, truth: str) -> int:
    """Length in characters of the longest piece that stands word for word in both."""
    return SequenceMatcher(None, answer, truth, autojunk=False).find_longest_match().size
