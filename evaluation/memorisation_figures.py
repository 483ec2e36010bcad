"""From the probes of the memorisation suite to its figures, with documents as the unit throughout."""

from __future__ import annotations

from typing import Any

from evaluation.settings import EvaluationSettings
from evaluation.statistics import (
    Estimate,
    clopper_pearson,
    difference,
    difference_of_shares,
    exact_difference_of_shares,
    ratio,
)

# Characters from which a copied passage is discussed as a reproduction in EU copyright law (Mueller et al. 2024).
LONG = 160
_HOW = {
    "share": "95 %; exact binomial (Clopper-Pearson) over documents",
    "mean_leading": "95 %; ratio estimator with documents as units, Student's t",
    "difference": "95 %; two independent samples with equal numbers of documents by language; shares by Newcombe's "
    "hybrid score interval, means by Welch",
    "agreements": "95 %; difference from two exact intervals (Clopper-Pearson) that hold together",
}

Items = list[dict[str, Any]]


def figures(items: Items, settings: EvaluationSettings) -> dict[str, Any]:
    """Both groups, their difference (None without held-out documents), and finer groups."""
    both = {use: [item for item in items if item["use"] == use] for use in ("trained", "held-out")}
    trained, held = both["trained"], both["held-out"]
    return {
        "prefix": settings.prefix,
        "suffix": settings.suffix,
        "offsets": sorted(set(settings.offsets)),
        "intervals": _HOW,
        "long_span": LONG,
        "groups": [{"group": use, **group_figures(own)} for use, own in both.items() if own],
        "difference": _difference(trained, held) if held else None,
        "by_stream_group": _by(items, "group"),
        "by_language": _by(items, "language"),
        "by_exposures": _by(trained, "exposures"),
    }


def agreement_figures(items: Items) -> dict[str, Any]:
    """What was reproduced of one agreement's documents, trained against held out; no ``difference`` without the latter.

    ``visible_from`` is the fewest exact documents of the trained group from which the interval of the difference would
    lie wholly above zero, None where no number would do: how little a comparison with so few documents can show.
    """
    trained, held = ([item for item in items if item["use"] == use] for use in ("trained", "held-out"))
    named = (("trained", trained), ("held-out", held))
    return {
        "groups": [{"group": use, **group_figures(own)} for use, own in named if own],
        "difference": _exact_difference(len(trained), sum(map(_exact, trained)), held) if held else None,
    }


def _exact_difference(documents: int, exact: int, held: Items) -> dict[str, Any]:
    other = sum(map(_exact, held))
    visible = (
        hits
        for hits in range(documents + 1)
        if (exact_difference_of_shares(hits, documents, other, len(held)).low or 0) > 0
    )
    found = exact_difference_of_shares(exact, documents, other, len(held))
    return {**_values("share", found), "visible_from": next(visible, None)}


def group_figures(items: Items) -> dict[str, Any]:
    """What was reproduced of some documents.

    ``exact`` counts documents with at least one exact probe, ``share`` is of documents; ``exact_probes`` counts probes.
    Of spans of at least 160 characters: ``long_possible`` documents have a probe whose true text is that long, ``long``
    gave such a span back; ``share_160`` is None where none was possible, which is no evidence of absence.
    """
    exact = sum(_exact(item) for item in items)
    possible = [item for item in items if any(probe["characters"] >= LONG for probe in item["probes"])]
    long = sum(any(probe["verbatim_characters"] >= LONG for probe in item["probes"]) for item in possible)
    leading = _leading(items)
    return {
        "documents": len(items),
        "probes": sum(len(item["probes"]) for item in items),
        "probes_across_cut": sum(probe["across_cut"] for item in items for probe in item["probes"]),
        "exact": exact,
        "exact_probes": sum(probe["exact"] for item in items for probe in item["probes"]),
        **_values("share", clopper_pearson(exact, len(items))),
        **_values("mean_leading", leading, "mean_leading_"),
        "longest_characters": max(probe["verbatim_characters"] for item in items for probe in item["probes"]),
        "long_possible": len(possible),
        "long": long,
        **_values("share_160", clopper_pearson(long, len(possible)) if possible else None, "share_160_"),
    }


def _difference(trained: Items, held: Items) -> dict[str, Any]:
    """Trained less held-out; an interval above zero says that training left a trace."""
    exact = difference_of_shares(sum(map(_exact, trained)), len(trained), sum(map(_exact, held)), len(held))
    leading = difference(_leading(trained), _leading(held))
    return {**_values("share", exact), **_values("mean_leading", leading, "mean_leading_")}


def _by(items: Items, name: str) -> list[dict[str, Any]]:
    """The share of exact documents for every value of a column, trained and held-out apart."""
    rows = []
    for value, use in sorted({(item[name], item["use"]) for item in items}):
        own = [item for item in items if (item[name], item["use"]) == (value, use)]
        exact = sum(map(_exact, own))
        heading = {name: value, "use": use, "documents": len(own), "exact": exact}
        rows.append({**heading, **_values("share", clopper_pearson(exact, len(own)))})
    return rows


def _exact(item: dict[str, Any]) -> bool:
    return any(probe["exact"] for probe in item["probes"])


def _leading(items: Items) -> Estimate:
    """Tokens right before the first wrong one, a probe."""
    sums = [sum(probe["leading_tokens"] for probe in item["probes"]) for item in items]
    return ratio(sums, [len(item["probes"]) for item in items])


def _values(name: str, estimate: Estimate | None, prefix: str = "") -> dict[str, float | None]:
    value, low, high = (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None)
    return {name: _rounded(value), f"{prefix}low": _rounded(low), f"{prefix}high": _rounded(high)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
