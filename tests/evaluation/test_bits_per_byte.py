from __future__ import annotations

import lzma
from collections import Counter
from dataclasses import replace
from math import log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation import bits_per_byte, held_out
from evaluation.baselines import unigram, xz_bytes
from evaluation.inputs import EvaluationError, EvaluationInputs, allocate, load_model
from training.model import token_losses
from training.pack import read_packed


@given(st.integers(1, 2000), st.integers(2, 300))
def test_every_target_is_scored_once_and_with_context(targets: int, length: int) -> None:
    scored: list[int] = []
    for window in bits_per_byte.windows(0, targets, length):
        assert 0 <= window.begin < window.end <= targets and window.end - window.begin <= length
        mine = range(window.end - window.scored, window.end)
        assert window.begin == 0 or mine.start - window.begin >= length - length // 2
        scored += mine
    assert scored == list(range(targets))


def test_short_documents_score_as_in_training(inputs: EvaluationInputs) -> None:
    import torch

    model, rows = load_model(inputs), [np.array([1, 5, 9, 30, 31, 1]), np.array([1, 40, 1])]
    found = bits_per_byte.token_nats(model, rows, inputs.sequence_length, 8)
    for row, nats in zip(rows, found, strict=True):
        with torch.no_grad():
            tokens = torch.from_numpy(row)[None]
            losses, _ = token_losses(model, tokens, torch.ones(1, len(row) - 1, dtype=torch.bool), 1, mask=False)
        assert nats == pytest.approx(float(losses.sum()), rel=1e-5)


def test_long_documents_score_like_a_plain_loop(inputs: EvaluationInputs) -> None:
    import torch

    model, length = load_model(inputs), 16
    row = np.random.Generator(np.random.PCG64(5)).integers(3, 400, 61)
    expected = 0.0
    for window in bits_per_byte.windows(0, 60, length):
        with torch.no_grad():
            logits = model(input_ids=torch.from_numpy(row[window.begin : window.end])[None]).logits[0]
        chances = logits.log_softmax(-1)
        for place in range(window.end - window.scored, window.end):
            expected -= float(chances[place - window.begin, row[place + 1]])
    for batch in (1, 3, 8):
        assert bits_per_byte.token_nats(model, [row], length, batch)[0] == pytest.approx(expected, rel=1e-5)


def test_the_suite_counts_every_byte_and_token(inputs: EvaluationInputs) -> None:
    ticks: list[tuple[int, int]] = []
    result = bits_per_byte.run(inputs, lambda done, total: ticks.append((done, total)))
    assert [row["language"] for row in result.figures["languages"]] == ["de", "fr"]
    for row in result.figures["languages"]:
        own = [item for item in result.items if item["language"] == row["language"]]
        assert (row["documents"], row["bytes"]) == (len(own), sum(item["bytes"] for item in own))
        assert row["bytes"] <= inputs.settings.bytes_per_language
        assert row["model"] == pytest.approx(sum(item["nats"] for item in own) / log(2) / row["bytes"], abs=1e-4)
        assert row["low"] < row["model"] < row["high"]
        # An untrained model knows nothing, the table knows the frequencies: it must not be called better.
        assert row["unigram"] < row["model"] and row["better_than_unigram"] is False and row["lead_high"] < 0
    assert ticks[-1] == (len(result.items), len(result.items))


def test_the_unigram_table_is_add_one_over_training_tokens(inputs: EvaluationInputs) -> None:
    packed = read_packed(inputs.tokens)
    stream = packed.trained()[0]
    counts = Counter(packed.open(stream, 1).tokens.tolist())
    table = unigram(packed, [stream])
    assert np.exp(table).sum() == pytest.approx(1)
    for token in (packed.end_of_document, packed.padding, 300):
        expected = (counts[token] + 1) / (stream.tokens + packed.vocabulary_size)
        assert np.exp(table[token]) == pytest.approx(expected)


def test_xz_is_what_the_format_gives() -> None:
    texts = ["één tekst " * 50, "another one " * 50]
    assert xz_bytes(texts) == len(lzma.compress("".join(texts).encode(), preset=9 | lzma.PRESET_EXTREME))


def test_a_document_too_long_is_passed_over_and_counted(inputs: EvaluationInputs) -> None:
    packed = read_packed(inputs.tokens)
    every = list(held_out.documents(packed, packed.held_out(), 128))
    assert [one.id for one in every] == sorted(one.id for one in every)
    longest = max(every, key=lambda one: one.bytes)
    taken, passed = held_out.first_documents([replace(longest, bytes=10_000), *every], 9_999)
    assert passed >= 1 and all(one.bytes < 10_000 for one in taken) and taken
    assert held_out.first_documents([replace(longest, bytes=50)], 10) == ([replace(longest, bytes=50)], 0)


def test_text_of_another_run_is_refused(inputs: EvaluationInputs, tmp_path: Path) -> None:
    packed = read_packed(inputs.tokens)
    strange = replace(next(held_out.documents(packed, packed.held_out(), 128)), id="f" * 64)
    with pytest.raises(EvaluationError, match="not in the text"):
        list(held_out.texts_of(inputs.corpus, strange.stream.language, [strange]))


def test_items_are_shared_out_in_proportion() -> None:
    assert allocate(10, {"de": 300, "fr": 100, "mt": 1}, 5) == {"de": 7, "fr": 5, "mt": 1}
    assert allocate(7, {"a": 100, "b": 100}) == {"a": 4, "b": 3}
    assert allocate(5, {}) == {}
