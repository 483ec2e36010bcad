"""robots.txt (RFC 9309): its groups and rules with their lines, and what they say about training.

The rules are read here and not by a crawler's library, because each finding needs its line as evidence, because the
lines ``Content-Usage``, ``Content-Signal`` and ``License`` stand in the same file, and because such libraries pass over
what they cannot read. Two readings are stricter than a crawler's: a line that cannot be read makes the whole file
unknown, and where an ``Allow`` and a ``Disallow`` of one length contradict each other the ``Disallow`` stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from licensing.reservations.addresses import matches, normal_pattern
from licensing.reservations.agents import AgentTable
from licensing.reservations.signal import Evidence, Signal

PROTOCOL = "robots.txt"
LARGEST = 500 << 10
"""Bytes that are read of the file: the least that RFC 9309, section 2.5, asks of a parser."""

_BOM = b"\xef\xbb\xbf"
_NEWLINE = re.compile(rb"\r\n|\r|\n")
_NAME = re.compile(r"[a-z0-9_-]+")
_SPELLINGS = {
    "useragent": "user-agent",
    "user agent": "user-agent",
    "dissallow": "disallow",
    "dissalow": "disallow",
    "disalow": "disallow",
    "diasllow": "disallow",
    "disallaw": "disallow",
}
_RULES = frozenset(("allow", "disallow", "content-usage", "content-signal"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line that says something: its number (from 1), its field in lower case and its value.

    ``pattern`` is the path of an ``Allow`` or ``Disallow`` in comparable form, empty for other fields.
    """

    number: int
    field: str
    value: str
    text: str
    pattern: str = ""


@dataclass
class Robots:
    """A file as read: for each agent (groups of one name are one) its paths and its preferences on use, apart; then
    the licences, other lines, and what could not be read."""

    rules: dict[str, list[Line]] = field(default_factory=dict)
    preferences: dict[str, list[Line]] = field(default_factory=dict)
    licences: list[Line] = field(default_factory=list)
    others: list[Line] = field(default_factory=list)
    unread: list[tuple[int, str]] = field(default_factory=list)

    def groups(self, agents: AgentTable) -> Iterator[tuple[str, list[Line]]]:
        """The groups whose rules count as the publisher's word on training, each with its agent; ``*`` last."""
        for name in sorted(self.rules):
            if name != "*" and agents.counts(name):
                yield name, self.rules[name]
        if agents.rule.everyone and "*" in self.rules:
            yield "*", self.rules["*"]


def parse_robots(data: bytes, any_path: bool = False) -> Robots:
    """Read a file; nothing is raised, and what cannot be read is listed with its line.

    ``any_path`` takes patterns that do not start with ``/`` or ``*``, as ai.txt files have them.
    """
    found = Robots()
    current: list[str] = []
    naming = False
    for line in _lines(data, found):
        if line.field == "user-agent":
            current = [*(current if naming else []), *_names(line, found)]
            naming = True
            for name in current:
                found.rules.setdefault(name, [])
        elif line.field in _RULES:
            naming = False
            _add_rule(line, current, found, any_path)
        elif line.field == "license":
            found.licences.append(line)
        else:
            found.others.append(line)
    if len(data) > LARGEST:
        found.unread.append((0, f"larger than {LARGEST} bytes; the rest was not read"))
    return found


def robots_signals(evidence: Evidence, robots: Robots, target: str, agents: AgentTable) -> list[Signal]:
    """What ``Allow`` and ``Disallow`` say: one finding where training is disallowed, one for lines not read."""
    against: dict[Line, list[str]] = {}
    for name, rules in robots.groups(agents):
        rule = deciding_rule(rules, target)
        if rule is not None and rule.field == "disallow":
            against.setdefault(rule, []).append(name)
    signals = unread_signals(evidence, robots, PROTOCOL)
    if against:
        rule = min(against, key=lambda one: one.number)
        named = list(dict.fromkeys(name for names in against.values() for name in names))
        place = f"line {rule.number} ({_listed(named)})"
        signals.append(evidence.signal(PROTOCOL, "disallowed", rule.text, place))
    return signals


def unread_signals(evidence: Evidence, robots: Robots, protocol: str) -> list[Signal]:
    """One finding, unknown, for the first line that could not be read."""
    return [
        evidence.signal(protocol, "unknown", told, f"line {number}" if number else "")
        for number, told in robots.unread[:1]
    ]


def deciding_rule(rules: list[Line], target: str) -> Line | None:
    """The ``Allow`` or ``Disallow`` with the longest matching path; of equals a ``Disallow``."""
    fitting = [
        (len(rule.pattern), rule.field == "disallow", -rule.number, rule)
        for rule in rules
        if rule.value and matches(rule.pattern, target)
    ]
    return max(fitting, key=lambda one: one[:3])[3] if fitting else None


def _lines(data: bytes, found: Robots) -> Iterator[Line]:
    whole = data[:LARGEST]
    for number, raw in enumerate(_NEWLINE.split(whole.removeprefix(_BOM)), start=1):
        said = raw.partition(b"#")[0].strip()
        if not said:
            continue
        try:
            text = said.decode("utf-8")
        except UnicodeDecodeError:
            found.unread.append((number, f"not UTF-8: {said[:80]!r}"))
            continue
        name, colon, value = text.partition(":")
        name = name.strip().lower()
        if not colon or not name or "\0" in text:
            found.unread.append((number, f"neither a rule nor a comment: {text}"))
            continue
        name, value = _SPELLINGS.get(name, name), value.strip()
        yield Line(number, name, value, text, normal_pattern(value) if name in ("allow", "disallow") else "")


def _names(line: Line, found: Robots) -> list[str]:
    """The product tokens of a ``User-agent`` line; a whole header names each of its words."""
    everyone = ["*"] if "*" in re.split(r"[\s,]+", line.value) else []
    names = everyone + _NAME.findall(line.value.lower())
    if not names:
        found.unread.append((line.number, f"names no agent: {line.text}"))
    return names


def _add_rule(line: Line, current: list[str], found: Robots, any_path: bool) -> None:
    path_rule = line.field in ("allow", "disallow")
    if not current:
        found.unread.append((line.number, f"a rule before any User-agent: {line.text}"))
    elif path_rule and line.value and not any_path and line.value[0] not in "/*":
        found.unread.append((line.number, f"no path: {line.text}"))
    else:
        for name in dict.fromkeys(current):
            if path_rule:
                found.rules[name].append(line)
            else:
                found.preferences.setdefault(name, []).append(line)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
