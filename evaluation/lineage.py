"""What a report says of the model that training continued from; from the signed statement and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation.run_files import RunFiles


def base_model(run: RunFiles) -> Mapping[str, Any] | None:
    """The base model as the training stage signed it; None where training began from random weights."""
    found = run.figures("train").get("base_model")
    return found if isinstance(found, Mapping) else None


def lineage_rows(base: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(what, value) for a table."""
    return [
        ("Name", str(base["name"])),
        ("Revision", str(base["revision"] or "none: a local folder")),
        ("Licence", f"{base['licence']} ({base['licence_evidence']})"),
        ("Decision", f"{base['decision']}: {base['explanation']}"),
        ("Clause", str(base["clause"] or "none")),
        ("Declared by its card", "; ".join(base.get("card_declares", ())) or "no licence"),
        ("Declared otherwise", str(base["conflict"] or "nothing")),
        ("Summary of its training content", summary_words(base)),
        ("Weights and configuration (SHA-256)", str(base["weights_sha256"])),
    ]


def summary_words(base: Mapping[str, Any]) -> str:
    """Where the base's public summary of training content is, or that there is none."""
    summary = base["training_summary"]
    if summary["kind"] == "none":
        return "none: its provider published no summary, or none was found"
    digest = f", SHA-256 {summary['sha256']}" if summary.get("sha256") else ""
    return f"{summary['value']}{digest}"


def lineage_gaps(run: RunFiles) -> list[str]:
    """What nobody here can answer for."""
    base = base_model(run)
    if base is None:
        return []
    known = "" if base["training_summary"]["kind"] != "none" else " No public summary of it is known."
    return [f"What the base model {base['name']} was trained on is not known here. {base['accounted_for']}{known}"]
