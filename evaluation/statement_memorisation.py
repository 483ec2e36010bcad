"""What the model repeats of a partner's text, as plain values: by agreement where that was probed, else of all text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.run_files import RunFiles

_FIGURES = (
    "documents", "exact", "probes", "share", "low", "high", "longest_characters", "long", "long_possible",
)  # fmt: skip
_DIFFERENCE = ("share", "low", "high", "visible_from")


def memorisation_values(run: RunFiles, agreements: Sequence[str]) -> dict[str, Any]:
    """Return groups ``trained`` and ``held-out`` over all text, and under ``own`` the same of each agreement probed.

    None is "not measured"; ``difference`` is trained less held out.
    """
    suite = run.suite("memorisation") or {}
    probed: Mapping[str, Any] = suite.get("agreements") or {}
    own = [{"agreement": name, **_groups(probed[name])} for name in agreements if name in probed]
    asked = {name: suite.get(name) for name in ("prefix", "suffix", "long_span")}
    return {**asked, **_groups(suite), "own": own}


def _groups(found: Mapping[str, Any]) -> dict[str, Any]:
    groups = {group["group"]: {name: group.get(name) for name in _FIGURES} for group in found.get("groups", ())}
    difference = found.get("difference")
    return {
        "trained": groups.get("trained"),
        "held-out": groups.get("held-out"),
        "difference": {name: difference.get(name) for name in _DIFFERENCE} if difference else None,
    }
