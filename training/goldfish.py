"""Targets left out of the loss, chosen by a hash of the tokens before them, so that no passage is learnt whole.

The goldfish loss of Hans et al. 2024, "Be like a Goldfish, Don't Memorize! Mitigating Memorization in Generative LLMs",
arXiv 2406.10209. A model that is made to recite a passage has to guess at the tokens it was never trained to predict.

Whether a target is left out follows from its own document alone: from the ``window`` ids before it, wherever sequences
were cut. So a passage that stands in two documents lacks the same tokens in both, and what one copy leaves out the
other does not teach; how many targets a document lost can be counted without the training. The price is to read up to
``window - 1`` tokens before a sequence. No seed enters: a later training over the same text leaves out the same
targets. The first ``window`` tokens of a document are always scored.

The exact specification, with test vectors, is ``docs/training-order.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training.permutation import Numbers, mix
from training.plan import Plan
from training.plan_parts import GoldfishRule, PlanError
from training.token_stream import TokenStream

if TYPE_CHECKING:
    from training.settings import GoldfishSettings

Flags = NDArray[np.bool_]

# The odd constant of SplitMix64: as an increment it keeps id 0 from being hashed to 0, as a factor it parts places.
_ODD = 0x9E3779B97F4A7C15
# Tokens worked on at a time: the handful of temporary arrays then stay in the processor's cache.
_CHUNK = 2**13


def goldfish_rules(streams: Sequence[str], wanted: Iterable[GoldfishSettings]) -> list[GoldfishRule]:
    """Resolve globs to the names of streams.

    Raises:
        PlanError: a glob fits no stream, or two rules fit one.
    """
    rules, ruled = [], dict[str, int]()
    for number, one in enumerate(wanted):
        for glob in one.streams:
            if not any(fnmatchcase(name, glob) for name in streams):
                raise PlanError(
                    f"training.goldfish[{number}]: {glob!r} fits no stream, so no text would be kept from being learnt "
                    f"by heart. No plan was made; correct it to fit one of: {', '.join(streams[:8])}."
                )
        names = sorted(name for name in streams if any(fnmatchcase(name, glob) for glob in one.streams))
        for name in names:
            if ruled.setdefault(name, number) != number:
                raise PlanError(
                    f"training.goldfish[{number}]: stream {name!r} falls under rule {ruled[name]} too, and only one "
                    "can say what is left out. No plan was made; let one of them not fit it."
                )
        rules.append(GoldfishRule(one.every, one.window, tuple(names)))
    return rules


def left_out(ids: NDArray[Any], offsets: NDArray[np.int64], rule: GoldfishRule) -> Flags:
    """Say of every token of some documents whether it is left out as a target; shape [tokens].

    ``ids`` [tokens] are documents one behind the other, each whole from its first token; ``offsets`` [tokens] counts
    each token from the beginning of its document.
    """
    out: Flags = np.zeros(len(ids), dtype=np.bool_)
    if len(ids) > rule.window:
        out[rule.window :] = chosen(ids[:-1], rule) & (offsets[rule.window :] >= rule.window)
    return out


def chosen(ids: NDArray[Any], rule: GoldfishRule) -> Flags:
    """Say of every run of ``window`` ids whether it picks the target behind it.

    ``ids`` has shape [..., n], the result [..., n - window + 1]. One run in ``every`` does, and those chosen under a
    larger multiple are chosen under a smaller divisor too.
    """
    words: Numbers = mix(ids.astype(np.uint64) + np.uint64(_ODD))
    hashed = mix(_joined(words, rule.window))
    hashed >>= np.uint64(32)
    hashed *= np.uint64(rule.every)
    hit: Flags = hashed < np.uint64(2**32)
    return hit


def _joined(words: Numbers, length: int) -> Numbers:
    """The polynomial of every run of ``length`` words, modulo 2**64, from those of runs half as long."""
    if length == 1:
        return words.copy()
    half = length // 2
    halves = _joined(words, half)
    joined: Numbers = halves[..., :-half] * np.uint64(pow(_ODD, half, 2**64))
    joined += halves[..., half:]
    if length % 2:
        joined = joined[..., :-1] * np.uint64(_ODD) + words[..., length - 1 :]
    return joined


class GoldfishMask:
    """Which targets of a batch are scored, for the training loop; ``streams`` are those of the plan, opened."""

    def __init__(self, plan: Plan, streams: Sequence[TokenStream], end_of_document: int, padding: int) -> None:
        self._streams, self._ends = streams, (end_of_document, padding)
        self._rules = [
            (rule, np.array([ref.name in rule.streams for ref in plan.streams], dtype=np.bool_))
            for rule in plan.goldfish
        ]

    def kept(self, streams: NDArray[np.int64], sequences: NDArray[np.int64], tokens: NDArray[np.int64]) -> Flags:
        """Return False where a target is left out, shape [rows, L - 1].

        ``streams`` and ``sequences`` [rows] say which sequence each row of ``tokens`` [rows, L] is. Padding is not
        looked at here: a target that is padding is not scored anyway.
        """
        kept: Flags = np.ones((len(tokens), tokens.shape[1] - 1), dtype=np.bool_)
        for rule, ruled in self._rules:
            at_once = max(1, _CHUNK // tokens.shape[1])
            ruled_rows = np.flatnonzero(ruled[streams])
            for begin in range(0, len(ruled_rows), at_once):
                rows = ruled_rows[begin : begin + at_once]
                before = [self._before(int(streams[row]), int(sequences[row]), rule.window - 1) for row in rows]
                ids = np.concatenate([np.stack(before), tokens[rows]], axis=1)
                kept[rows] = goldfish_kept(ids, rule, *self._ends)
        return kept

    def _before(self, stream: int, sequence: int, count: int) -> NDArray[np.int64]:
        """The ``count`` tokens in front of a sequence; before the first document stands an end-of-document token."""
        opened = self._streams[stream]
        begin = sequence * opened.length
        before: NDArray[np.int64] = np.full(count, self._ends[0], dtype=np.int64)
        there = min(begin, count)
        if there:
            before[-there:] = opened.tokens[begin - there : begin]
        return before


def goldfish_kept(tokens: NDArray[np.int64], rule: GoldfishRule, end_of_document: int, padding: int) -> Flags:
    """Return False where a target is left out.

    ``tokens`` has shape [rows, window - 1 + L]: each sequence behind the ``window - 1`` tokens that stand before it in
    its stream. The result, [rows, L - 1], is for the targets of the sequence, which are all its tokens but the first.
    A window that holds an end of a document, or padding, does not lie within the target's document.
    """
    before = tokens[:, :-1]
    broken = (before == end_of_document) | (before == padding)
    kept = ~chosen(before, rule)
    if broken.any():
        ends = np.zeros((len(tokens), tokens.shape[1]), dtype=np.int32)
        np.cumsum(broken, axis=1, out=ends[:, 1:])
        kept |= ends[:, rule.window :] != ends[:, : -rule.window]
    return kept
