"""ai.txt, of which two kinds are about.

Spawning's ``/ai.txt`` has the grammar of robots.txt with kinds of files for paths (``Disallow: *.txt``); a page without
an ending counts as HTML and as plain text. The newer kind (draft-car-ai-txt-wellknown-00) says ``Training: deny``. A
file that is neither is unknown.
"""

from __future__ import annotations

from licensing.reservations.agents import AgentTable
from licensing.reservations.robots import Line, Robots, deciding_rule, unread_signals
from licensing.reservations.signal import Evidence, Signal, Value

PROTOCOL = "ai.txt"
_TRAINING: dict[str, Value] = {"allow": "allowed", "deny": "disallowed"}


def ai_txt_signals(evidence: Evidence, rules: Robots, target: str, agents: AgentTable) -> list[Signal]:
    """What the file says, read by ``parse_robots(…, any_path=True)``."""
    said = [line for line in rules.others if line.field == "training"]
    signals = [_training(evidence, line) for line in said]
    if not rules.rules and not said:
        return [*signals, evidence.signal(PROTOCOL, "unknown", "no ai.txt of a known kind")]
    # In the newer kind lines for other matters take many forms; only its Training line is judged.
    signals += [] if said and not rules.rules else unread_signals(evidence, rules, PROTOCOL)
    for name, group in rules.groups(agents):
        found = [deciding_rule(group, one) for one in _spellings(target)]
        against = [rule for rule in found if rule is not None and rule.field == "disallow"]
        if against:
            place = f"line {against[0].number} ({name})"
            signals.append(evidence.signal(PROTOCOL, "disallowed", against[0].text, place))
    return signals


def _training(evidence: Evidence, line: Line) -> Signal:
    value = _TRAINING.get(line.value.lower(), "unknown")
    return evidence.signal(PROTOCOL, value, line.text, f"line {line.number}")


def _spellings(target: str) -> list[str]:
    path = target.partition("?")[0]
    last = path.rpartition("/")[2]
    if "." in last:
        return [path]
    stem = path if last else f"{path}index"
    return [path, f"{stem}.html", f"{stem}.txt"]
