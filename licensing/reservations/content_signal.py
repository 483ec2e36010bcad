"""Cloudflare's Content Signals (contentsignals.org): ``Content-Signal: search=yes, ai-train=no``.

A rule of a group in robots.txt, or a header. The policy text that goes with it names Art. 4 of Directive (EU) 2019/790,
and a large share of European sites carry it, since the host adds it for them.
"""

from __future__ import annotations

import re

from licensing.reservations.addresses import matches, normal_pattern
from licensing.reservations.robots import Robots
from licensing.reservations.signal import Evidence, Signal, Value, combined

PROTOCOL = "content-signal"
_PAIR = re.compile(r"\s*([a-z0-9_-]+)\s*=\s*([a-z0-9_-]+)\s*")


def signal_value(text: str) -> Value | None:
    """What a list of pairs says about training; None where it does not speak of it, unknown where it is malformed."""
    values: list[Value] = []
    for part in text.lower().split(","):
        pair = _PAIR.fullmatch(part)
        if pair is None:
            values.append("unknown")
        elif pair[1] == "ai-train":
            values.append({"yes": "allowed", "no": "disallowed"}.get(pair[2], "unknown"))  # type: ignore[arg-type]
    return combined(values) if values else None


def header_signals(evidence: Evidence, value: str | None) -> list[Signal]:
    """What the header ``Content-Signal`` says."""
    said = signal_value(value) if value is not None else None
    return [evidence.signal(PROTOCOL, said, value or "", "header Content-Signal")] if said else []


def robots_content_signals(evidence: Evidence, robots: Robots, target: str) -> list[Signal]:
    """What the ``Content-Signal`` rules say, to whichever agent; one with a path holds for that path."""
    signals: list[Signal] = []
    for rules in robots.preferences.values():
        for rule in (one for one in rules if one.field == "content-signal"):
            path, text = _parts(rule.value)
            said = signal_value(text)
            if said and matches(path, target):
                signals.append(evidence.signal(PROTOCOL, said, rule.text, f"line {rule.number}"))
    return signals


def _parts(value: str) -> tuple[str, str]:
    if not value.startswith("/"):
        return "/", value
    path, _, said = value.replace("\t", " ").partition(" ")
    return normal_pattern(path), said
