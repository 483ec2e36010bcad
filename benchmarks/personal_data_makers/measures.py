"""Counts over planted text: what was covered, what leaked, what was taken for something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .intervals import wilson
from .planting import BARE, Document, Planted


class Span(NamedTuple):
    """A place that was replaced, with the kind it was taken for."""

    kind: str
    start: int
    end: int


def covered(text: str, planted: Planted, spans: Iterable[Span]) -> str:
    """Say "whole" where every letter and digit of the value lies in a span, "part" where some do, "none" else."""
    places = {at for at in range(planted.start, planted.end) if text[at].isalnum()}
    left = places.difference(*(range(max(span.start, planted.start), span.end) for span in spans))
    return "none" if len(left) == len(places) else "part" if left else "whole"


@dataclass
class Counts:
    """Everything counted over documents of all languages."""

    outcome: Counter[tuple[str, str, str, str, str, str]] = field(default_factory=Counter)
    """By kind, language, country, key, writing and outcome (whole, part, none)."""
    typed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Values removed whole and as their own kind, by kind and language."""
    spans: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Spans by kind, language and what they hit: "own" kind, "other" kind or "nothing"."""

    held_out: Counter[tuple[str, bool, str]] = field(default_factory=Counter)
    """Labelled values by kind, whether their sentence or label is held out, and outcome."""
    mistaken: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Near misses of which something was replaced, by their sort and the kind they were taken for."""

    def add(self, document: Document, spans: Sequence[Span], *, near_misses: bool) -> None:
        """Count one document; what is replaced in one with near misses counts as mistaken and not for precision."""
        language = document.language
        for each in document.planted:
            near = [span for span in spans if span.start < each.end and each.start < span.end]
            result = covered(document.text, each, near)
            self.outcome[each.kind, language, each.place, each.key, each.writing, result] += 1
            if each.writing != BARE:
                self.held_out[each.kind, each.held_out, result] += 1
            if near_misses:
                self.mistaken.update({(each.kind, span.kind) for span in near})
            elif result == "whole" and any(span.kind == each.kind for span in near):
                self.typed[each.kind, language] += 1
        if not near_misses:
            self._precision(document, spans)

    def _precision(self, document: Document, spans: Sequence[Span]) -> None:
        for span in spans:
            kinds = {each.kind for each in document.planted if span.start < each.end and each.start < span.end}
            hit = "own" if span.kind in kinds else "other" if kinds else "nothing"
            self.spans[span.kind, document.language, hit] += 1


class Share(NamedTuple):
    """So many of so many."""

    hits: int
    of: int

    def __str__(self) -> str:
        if not self.of:
            return ""
        low, high = wilson(self.hits, self.of)
        return f"{100 * self.hits / self.of:.1f} % ({100 * low:.1f}-{100 * high:.1f})"

    def record(self) -> dict[str, float | int]:
        """For JSON: hits, of, and the interval."""
        low, high = wilson(self.hits, self.of)
        return {"hits": self.hits, "of": self.of, "low": round(low, 5), "high": round(high, 5)}


def outcomes(
    counts: Counts,
    result: str,
    *,
    kind: str | None = None,
    language: str | None = None,
    place: str | None = None,
    key: str | None = None,
    bare: bool | None = None,
    writing: str | None = None,
) -> Share:
    """The share of planted values with this outcome among those that match all that is given."""
    hits = of = 0
    for (its_kind, its_language, its_place, its_key, its_writing, its_result), count in counts.outcome.items():
        given = ((kind, its_kind), (language, its_language), (place, its_place), (key, its_key), (writing, its_writing))
        if any(want is not None and want != has for want, has in given):
            continue
        if bare is not None and bare != (its_writing == BARE):
            continue
        of += count
        hits += count * (its_result == result)
    return Share(hits, of)


def precision(counts: Counts, kind: str, language: str | None = None) -> tuple[Share, Share]:
    """Of the spans of a kind, the share on planted values of the same kind, and the share on planted values at all."""
    hits: Counter[str] = Counter()
    for (its_kind, its_language, hit), count in counts.spans.items():
        if its_kind == kind and language in (None, its_language):
            hits[hit] += count
    of = hits.total()
    return Share(hits["own"], of), Share(hits["own"] + hits["other"], of)
