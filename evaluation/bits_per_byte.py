"""Held-out bits per byte by language, against two baselines on the same bytes.

A document of n tokens has n + 1 targets, its tokens and the end-of-document token, each scored exactly once; the input
begins with an end-of-document token, which in training opens a document. Documents longer than the window are read in
windows of L tokens that overlap by half: of each window after the first only the tokens not yet scored count, so that
every token has at least L/2 tokens of context, or all there are. Bits are divided by the UTF-8 bytes of the text,
which makes languages and tokenizers comparable.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluation import held_out
from evaluation.baselines import unigram, xz_bytes
from evaluation.held_out import Document
from evaluation.inputs import EvaluationError, EvaluationInputs, Progress, SuiteResult, load_model
from evaluation.statistics import Estimate, ratio
from training.pack import PackedCorpus, read_packed

_INTERVAL = "95 %; ratio estimator with documents as units (Cochran 1977, 2.11), Student's t; none for one document"
# Logits held at once, about 256 MiB in float32.
_MOST_LOGITS = 1 << 26


class Window(NamedTuple):
    """Inputs ``[begin, end)`` of a row, of which the last ``scored`` have a target that counts."""

    row: int
    begin: int
    end: int
    scored: int


def windows(row: int, targets: int, length: int) -> list[Window]:
    """Cut ``targets`` predictions into windows of at most ``length`` inputs that overlap by half of it."""
    stride = max(1, length // 2)
    end = min(length, targets)
    cut = [Window(row, 0, end, end)]
    while end < targets:
        step = min(stride, targets - end)
        end += step
        cut.append(Window(row, end - length, end, step))
    return cut


def token_nats(model: Any, rows: Sequence[NDArray[np.int64]], length: int, batch: int) -> NDArray[np.float64]:
    """Negative log likelihood in nats of each row, given its first token; shape [rows].

    Each row is ``[end of document, tokens …, end of document]``. Summed in float64.
    """
    cut = [window for number, row in enumerate(rows) for window in windows(number, len(row) - 1, length)]
    # First windows are scored whole and differ in length; later ones are all L long and scored in their last half.
    cut.sort(key=lambda one: (one.begin > 0, one.end - one.begin, one.row, one.begin))
    sums = np.zeros(len(rows))
    size = max(1, min(batch, _MOST_LOGITS // (length * model.config.vocab_size)))
    for whole in (True, False):
        same = [window for window in cut if (window.begin == 0) == whole]
        for first in range(0, len(same), size):
            part = same[first : first + size]
            np.add.at(sums, [window.row for window in part], _window_nats(model, rows, part))
    return sums


def _window_nats(model: Any, rows: Sequence[NDArray[np.int64]], part: list[Window]) -> list[float]:
    """Nats of the scored targets of each window; shorter ones are filled up on the right, which nothing can see."""
    import torch
    import torch.nn.functional as functional

    longest = max(window.end - window.begin for window in part)
    inputs, targets = np.zeros((2, len(part), longest), dtype=np.int64)
    for number, window in enumerate(part):
        size = window.end - window.begin
        inputs[number, :size] = rows[window.row][window.begin : window.end]
        targets[number, :size] = rows[window.row][window.begin + 1 : window.end + 1]
    kept = longest if part[0].begin == 0 else max(window.scored for window in part)
    with torch.inference_mode():
        logits = model(
            input_ids=torch.from_numpy(inputs).to(model.device), logits_to_keep=kept, use_cache=False
        ).logits.float()
        wanted = torch.from_numpy(targets[:, longest - kept :]).to(model.device)
        flat = functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), wanted.reshape(-1), reduction="none")
        losses = flat.view_as(wanted).double().cpu().numpy()
    ends = [window.end - window.begin - (longest - kept) for window in part]
    return [float(loss[end - window.scored : end].sum()) for window, end, loss in zip(part, ends, losses, strict=True)]


def run(inputs: EvaluationInputs, progress: Progress) -> SuiteResult:
    """Score held-out text of every language, up to ``bytes_per_language`` each.

    Raises:
        EvaluationError: nothing was held out.
    """
    packed = read_packed(inputs.tokens)
    chosen = _chosen(packed, inputs)
    model = load_model(inputs)
    total = sum(len(documents) for documents, _ in chosen.values())
    languages: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
    for language, (documents, passed_over) in chosen.items():
        rows = [_row(one, packed.end_of_document) for one in documents]
        nats = _nats_with_progress(model, rows, inputs, progress, len(items), total)
        trained = [stream for stream in packed.trained() if stream.language == language]
        table = unigram(packed, trained)
        plain = np.array([-float(table[row[1:]].sum()) for row in rows])
        bytes_ = np.array([one.bytes for one in documents])
        xz = 8 * xz_bytes(held_out.texts_of(inputs.corpus, language, documents)) / int(bytes_.sum())
        languages.append(
            {
                "language": language,
                "documents": len(documents),
                "passed_over": passed_over,
                "bytes": int(bytes_.sum()),
                "tokens": sum(len(row) - 1 for row in rows),
                **_compared(nats, plain, bytes_),
                "xz": round(xz, 6),
                "training_bytes": sum(stream.bytes for stream in trained),
            }
        )
        for one, row, value, other in zip(documents, rows, nats, plain, strict=True):
            scores = {"tokens": len(row) - 1, "nats": round(float(value), 4), "unigram_nats": round(float(other), 4)}
            items.append({"id": one.id, "language": language, "bytes": one.bytes, **scores})
    carried = inputs.sequence_length - max(1, inputs.sequence_length // 2)
    heading = {"window": inputs.sequence_length, "least_context": carried, "interval": _INTERVAL}
    return SuiteResult({**heading, "languages": languages}, items)


def _chosen(packed: PackedCorpus, inputs: EvaluationInputs) -> dict[str, tuple[list[Document], int]]:
    chosen = {}
    for language, streams in held_out.by_language(packed.held_out()).items():
        candidates = held_out.documents(packed, streams, inputs.sequence_length)
        documents, passed_over = held_out.first_documents(candidates, inputs.settings.bytes_per_language)
        if documents:
            chosen[language] = (documents, passed_over)
    if not chosen:
        raise EvaluationError(
            f"{inputs.tokens}: no document is held out, so there is nothing to score that was not trained on. "
            "Raise corpus.held_out_share and run again from the stage 'commit'."
        )
    return chosen


def _row(document: Document, end_of_document: int) -> NDArray[np.int64]:
    edge = np.array([end_of_document], dtype=np.int64)
    return np.concatenate([edge, document.ids(), edge])


def _nats_with_progress(
    model: Any, rows: list[NDArray[np.int64]], inputs: EvaluationInputs, progress: Progress, done: int, total: int
) -> NDArray[np.float64]:
    """Score in groups of documents, so that progress moves within a language too."""
    size = max(inputs.settings.batch, -(-len(rows) // 8))
    parts = []
    for first in range(0, len(rows), size):
        part = rows[first : first + size]
        parts.append(token_nats(model, part, inputs.sequence_length, inputs.settings.batch))
        progress(done + first + len(part), total)
    return np.concatenate(parts)


def _compared(nats: NDArray[Any], plain: NDArray[Any], bytes_: NDArray[Any]) -> dict[str, Any]:
    """Model and unigram table on the same documents; the lead has an interval of its own, from paired documents."""
    model, other, lead = (ratio(values / log(2), bytes_) for values in (nats, plain, plain - nats))
    return {
        "model": round(model.value, 6),
        "low": _rounded(model.low),
        "high": _rounded(model.high),
        "unigram": round(other.value, 6),
        "lead": round(lead.value, 6),
        "lead_low": _rounded(lead.low),
        "lead_high": _rounded(lead.high),
        "better_than_unigram": _above_zero(lead),
    }


def _above_zero(lead: Estimate) -> bool:
    """True only where the whole interval is above zero; with one document, which has none, where the figure is."""
    return (lead.value if lead.low is None else lead.low) > 0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
