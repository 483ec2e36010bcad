"""What a partner's documents meant in training, computed from the plan; streaming over the ledger."""

from __future__ import annotations

from evaluation.statement import Usage
from pipeline.trace import Tracer


def usage_of(tracer: Tracer, partner: str) -> Usage | None:
    """Count documents, tokens and steps of one partner over all steps trained; None where nothing was trained."""
    if not tracer.steps_done:
        return None
    per_document: dict[str, tuple[int, float]] = {}
    read = scored = 0
    first, last = tracer.steps_done, -1
    for row in tracer.rows():
        if row["partner"] != partner or row["use"] != "train":
            continue
        seen = tracer.exposure(row)
        per_document[row["id"]] = (seen.tokens_read, seen.times)
        read, scored = read + seen.tokens_read, scored + seen.tokens_scored
        if seen.first_step is not None and seen.last_step is not None:
            first, last = min(first, seen.first_step), max(last, seen.last_step)
    trained = [times for _, times in per_document.values() if times]
    total = tracer.tokens_read
    return Usage(
        documents=len(trained),
        tokens_read=read,
        tokens_scored=scored,
        share=read / total if total else 0.0,
        first_step=first if trained else None,
        last_step=last if trained else None,
        epochs=sum(trained) / len(trained) if trained else 0.0,
        per_document=per_document,
    )
