"""The report's section on the vocabulary: what it was learnt from and what it costs each language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def vocabulary_values(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the section shows of the figures of the tokenizer stage; what was not stated is None.

    ``before`` is the cost on parallel text before the amounts were evened out, None where they were not.
    """
    parallel, parity = figures.get("parallel") or {}, figures.get("parity")
    before = parity["before"]["parallel"] if parity and parity["lowered"] else None
    return {
        "size": figures.get("vocabulary"),
        "sample": _sample(figures.get("sample")),
        "withdrawn": figures.get("withdrawn_from_sample", 0),
        "not_measured": parallel.get("not_measured"),
        "parallel": parallel if "languages" in parallel else None,
        "parity": parity,
        "before": before,
        "rows": _rows(parallel, before),
    }


def _sample(sample: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if sample is None:
        return None
    drawn = sample["by_language"]
    return {
        "documents": sample["documents"],
        "root": sample["root"],
        "bytes": sum(one["bytes"] for one in drawn.values()),
        "languages": [
            {"code": code, **one, "times": one["bytes"] / one["available"] if one["available"] else 0.0}
            for code, one in sorted(drawn.items(), key=lambda item: (-item[1]["bytes"], item[0]))
        ],
    }


def _rows(parallel: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """One line a language, the corpus's own first, most expensive first."""
    rows = [
        {"code": code, "before": before["languages"][code]["premium"] if before else None, **one}
        for code, one in parallel.get("languages", {}).items()
        if one["places"]
    ]
    return sorted(rows, key=lambda row: (not row["in_corpus"], -row["premium"], row["code"]))
