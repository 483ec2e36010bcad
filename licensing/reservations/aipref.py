"""Usage preferences of the IETF (draft-ietf-aipref-vocab-07, draft-ietf-aipref-attach-05): ``Content-Usage``.

In robots.txt a rule of a group, ``Content-Usage: /path train-ai=n``; in HTTP a header that holds for the document it
comes with. Only ``train-ai`` speaks of training. The drafts say to pass over categories that one does not know; here
an ``n`` for such a category is unknown, for it may be a wider one. Categories of earlier drafts that took training in
count as ``train-ai`` where they say ``n``. A path may be missing, as in earlier drafts and in RSL's guide; it is then
``/``.
"""

from __future__ import annotations

from licensing.reservations.addresses import matches, normal_pattern
from licensing.reservations.robots import Line, Robots
from licensing.reservations.signal import Evidence, Signal, Value, combined
from licensing.reservations.structured import NotADictionary, parse_dictionary

PROTOCOL = "aipref"
_WIDER = frozenset(("bots", "tdm", "ai", "genai", "train-genai"))
_OTHER = frozenset(("search", "ai-use"))


def preference(text: str) -> Value | None:
    """What a preference expression says about training; None where it says nothing, unknown where it is malformed."""
    try:
        said = parse_dictionary(text)
    except NotADictionary:
        return "unknown"
    values: list[Value] = []
    if "train-ai" in said:
        values.append(_value(said["train-ai"]))
    for category in said.keys() - {"train-ai"} - _OTHER:
        if said[category] == "n":
            values.append("disallowed" if category in _WIDER else "unknown")
    return combined(values) if values else None


def header_signals(evidence: Evidence, value: str | None) -> list[Signal]:
    """What the header ``Content-Usage`` says; several fields of that name are joined by commas before."""
    said = preference(value) if value is not None else None
    return [evidence.signal(PROTOCOL, said, value or "", "header Content-Usage")] if said else []


def robots_usage_signals(evidence: Evidence, robots: Robots, target: str) -> list[Signal]:
    """What the ``Content-Usage`` rules say: those with the longest matching path in each group.

    A rule speaks of training by itself, so that one addressed to any agent counts, a search engine's too.
    """
    signals: list[Signal] = []
    for rules in robots.preferences.values():
        usage = [(*_parts(rule.value), rule) for rule in rules if rule.field == "content-usage"]
        fitting = [(len(path), said, rule) for path, said, rule in usage if matches(path, target)]
        longest = max((length for length, _, _ in fitting), default=0)
        signals += [
            found
            for length, said, rule in fitting
            if length == longest
            for found in _signal(evidence, preference(said), rule)
        ]
    return signals


def _signal(evidence: Evidence, said: Value | None, rule: Line) -> list[Signal]:
    return [evidence.signal(PROTOCOL, said, rule.text, f"line {rule.number}")] if said else []


def _parts(value: str) -> tuple[str, str]:
    """Path and expression of a rule."""
    if not value.startswith("/"):
        return "/", value
    path, _, said = value.replace("\t", " ").partition(" ")
    # A path without an expression is no rule; an empty dictionary would say nothing, so it is made malformed.
    return normal_pattern(path), said.strip() or "?"


def _value(token: str | None) -> Value:
    if token == "y":  # noqa: S105
        return "allowed"
    return "disallowed" if token == "n" else "unknown"  # noqa: S105
