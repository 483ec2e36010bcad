"""JSON-LD as it stands in pages and dataset cards, read as plain JSON: no context is fetched and no name resolved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from licensing.resolvers.structured import local_name

LARGEST = 4 << 20
_LONGEST_PATH = 200
_CARRIERS = frozenset(("@graph", "mainEntity", "mainEntityOfPage"))
_LICENCE = frozenset(("license", "licence"))


@dataclass(frozen=True, slots=True)
class Node:
    """One object, its path from the root (``$.a[0]``), and whether it speaks of the whole or of a part."""

    fields: dict[str, Any]
    path: str
    is_whole: bool

    def types(self) -> frozenset[str]:
        """The local names of its ``@type``."""
        kinds = self.fields.get("@type", [])
        return frozenset(local_name(kind) for kind in (kinds if isinstance(kinds, list) else [kinds]))

    def values(self, names: frozenset[str] = _LICENCE) -> Iterator[tuple[str, Any]]:
        """Path and value of every key with one of these local names."""
        for key, value in self.fields.items():
            if local_name(key) in names:
                yield f"{self.path}.{key[:80]}", value


def load(text: str) -> Any:
    """Parse JSON of at most `LARGEST` characters.

    A key that stands twice holds the list of both values, for the last alone could hide the first.

    Raises:
        ValueError: it is no JSON, or larger or nested deeper than can be read.
    """
    if len(text) > LARGEST:
        raise ValueError(f"more than {LARGEST} characters")
    try:
        return json.loads(text, object_pairs_hook=_all_values)
    except RecursionError as fault:
        raise ValueError("nested too deeply") from fault


def nodes(data: Any) -> Iterator[Node]:
    """Every object, those that contain others first. What hangs below another property is a part of the whole."""
    stack: list[tuple[Any, str, bool]] = [(data, "$", True)]
    while stack:
        value, path, is_whole = stack.pop()
        if isinstance(value, list):
            stack += [
                (part, _below(path, f"[{number}]"), is_whole) for number, part in reversed(list(enumerate(value)))
            ]
        elif isinstance(value, dict):
            yield Node(value, path, is_whole)
            below = [(part, _below(path, f".{key[:80]}"), is_whole and key in _CARRIERS) for key, part in value.items()]
            stack += [entry for entry in reversed(below) if isinstance(entry[0], list | dict)]


def _below(path: str, step: str) -> str:
    """The path one step down; deep in a bomb it grows no longer."""
    return path + step if len(path) < _LONGEST_PATH else path


def _all_values(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in pairs:
        fields[key] = [fields[key], value] if key in fields else value
    return fields
