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
    steps: list[int] = []
    for row in tracer.rows():
        if row["partner"] != partner or row["use"] != "train":
            continue
        seen = tracer.exposure(row)
        per_document[row["id"]] = (seen.tokens_read, seen.times)
        read, scored = read + seen.tokens_read, scored + seen.tokens_scored
        steps = [min([*steps, *seen.steps]), max([*steps, *seen.steps])] if seen.steps else steps
    trained = [times for _, times in per_document.values() if times]
    total = tracer.tokens_read
    return Usage(
        documents=len(trained),
        tokens_read=read,
        tokens_scored=scored,
        share=read / total if total else 0.0,
        first_step=steps[0] if steps else None,
        last_step=steps[1] if steps else None,
        epochs=sum(trained) / len(trained) if trained else 0.0,
        per_document=per_document,
    )
