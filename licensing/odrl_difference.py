"""Reading policies closely: JSON without surprises, and the first place at which two of them differ.

`licensing.odrl` reads an agreement from a policy, writes it again and compares the two here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from licensing.reading import UnreadableFile

RULES: Final = ("permission", "prohibition", "obligation")
_UNORDERED: Final = frozenset({*RULES, "constraint", "refinement", "herkomst:clauses"})

Policy = dict[str, Any]


class OdrlError(UnreadableFile):
    """A policy that cannot be read as an agreement; the message names the place in it."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(
            f"{path}: {problem}; no agreement is made of this policy, for a term that is not read could limit what is "
            "permitted. Express it by the terms that licensing/odrl.py lists, or write the contract as YAML."
        )
        self.path = path


def parsed(data: bytes) -> Any:
    """Parse JSON; raises OdrlError for a key that stands twice (the last would be read alone) and for no number."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise OdrlError("$", f"cannot be read as JSON ({error})") from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> Policy:
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"key '{twice}' stands twice, and the last would be read alone")
    return dict(pairs)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def normal(value: Any, path: str) -> Any:
    """A single rule or constraint is a list of one, and no rules of a kind are an empty list."""
    if isinstance(value, Mapping):
        known = {key: normal(part, f"{path}.{key}") for key, part in value.items()}
        for key in _UNORDERED & set(known):
            known[key] = known[key] if isinstance(known[key], list) else [known[key]]
        return known | {key: [] for key in RULES if path == "$" and key not in known}
    if isinstance(value, list | tuple):
        return [normal(part, f"{path}[{number}]") for number, part in enumerate(value)]
    return value


Difference = tuple[str, str]


def difference(found: Any, expected: Any, path: str) -> Difference | None:
    """The first place at which a policy says other than the agreement that was read from it, and what."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return _different_keys(found, expected, path)
    if isinstance(found, list) and isinstance(expected, list):
        name = re.sub(r"\[\d+\]$", "", path).rpartition(".")[2]
        if name in _UNORDERED:
            return _different_items(found, expected, path)
        if len(found) == len(expected):
            pairs = enumerate(zip(found, expected, strict=True))
            return next((d for n, (one, two) in pairs if (d := difference(one, two, f"{path}[{n}]"))), None)
    elif type(found) is type(expected) and found == expected:
        return None
    return path, f"{_short(found)} is not read; {_short(expected)} would be"


def _different_keys(found: Policy, expected: Policy, path: str) -> Difference | None:
    for key, value in found.items():
        if key not in expected:
            return f"{path}.{key}", f"{_short(value)} is not among the terms that are read here"
        different = difference(value, expected[key], f"{path}.{key}")
        if different is not None:
            return different
    missing = next((key for key in expected if key not in found), None)
    return (f"{path}.{missing}", "is missing") if missing is not None else None


def _different_items(found: list[Any], expected: list[Any], path: str) -> Difference | None:
    left = list(expected)
    unmatched: list[tuple[int, Any]] = []
    for number, item in enumerate(found):
        same = next((one for one in left if difference(item, one, path) is None), None)
        if same is None:
            unmatched.append((number, item))
        else:
            left.remove(same)
    for number, item in unmatched:
        near = next((one for one in left if _name(one) == _name(item)), None)
        if near is None:
            return f"{path}[{number}]", f"{_short(_name(item))} is not among the terms that are read here"
        return difference(item, near, f"{path}[{number}]")
    return (path, f"{_short(_name(left[0]))} is missing") if left else None


def _name(item: Any) -> Any:
    """What a rule or constraint is about."""
    if not isinstance(item, dict):
        return item
    return next((item[key] for key in ("action", "leftOperand", "herkomst:field") if key in item), item)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 80 else f"{text[:77]}..."
