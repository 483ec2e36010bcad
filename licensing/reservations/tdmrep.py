"""The TDM Reservation Protocol of the W3C Community Group (final report of 2024, draft of December 2025).

``/.well-known/tdmrep.json`` is an array of rules, of which the first that matches the path holds; the header
``tdm-reservation`` and the HTML element ``<meta name="tdm-reservation">`` hold for one document. ``1`` is the
reservation of Art. 4(3) of Directive (EU) 2019/790; a ``tdm-policy`` beside it is an offer and no permission. The
protocol lets the nearer statement replace the farther one; here the most restrictive stands, as between all protocols.
"""

from __future__ import annotations

import json
from typing import Any

from licensing.reservations.addresses import matches, normal_pattern
from licensing.reservations.signal import Evidence, Signal, Value, once

PROTOCOL = "tdmrep"
_VALUES: dict[str, Value] = {"0": "allowed", "1": "disallowed"}


def file_signals(evidence: Evidence, target: str) -> list[Signal]:
    """What the well-known file says about a path: its first matching rule, and one finding if a rule is malformed."""
    try:
        rules: Any = json.loads(evidence.data.decode("utf-8-sig"), object_pairs_hook=once)
    except (ValueError, RecursionError):
        return [evidence.signal(PROTOCOL, "unknown", "not JSON in UTF-8, or a key given twice")]
    if not isinstance(rules, list):
        return [evidence.signal(PROTOCOL, "unknown", "no array of rules")]
    signals: list[Signal] = []
    first: Signal | None = None
    for number, rule in enumerate(rules, start=1):
        if not _well_formed(rule):
            signals = signals or [evidence.signal(PROTOCOL, "unknown", _text(rule), f"rule {number}")]
        elif first is None and matches(normal_pattern(rule["location"]), target):
            first = evidence.signal(PROTOCOL, _VALUES[str(rule["tdm-reservation"])], _text(rule), f"rule {number}")
    return [*signals, first] if first else signals


def value_signals(evidence: Evidence, value: str | None, policy: str | None, place: str) -> list[Signal]:
    """What a header or an element says; any value but 0 and 1 is unknown."""
    if value is None:
        return []
    text = f"tdm-reservation: {value}" + (f", tdm-policy: {policy}" if policy else "")
    return [evidence.signal(PROTOCOL, _VALUES.get(value.strip(), "unknown"), text, place)]


def _well_formed(rule: Any) -> bool:
    if not isinstance(rule, dict):
        return False
    location, value = rule.get("location"), rule.get("tdm-reservation")
    return isinstance(location, str) and location[:1] in ("/", "*") and type(value) is int and value in (0, 1)


def _text(rule: Any) -> str:
    return json.dumps(rule, ensure_ascii=True, sort_keys=True)
