"""Patterns for paths, as shells know them: ``*``, ``?``, ``[abc]``, ``{a,b}`` and ``**`` for any number of folders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^]/]+\]|[{},]|[^*?\[{},]+|\[")


class Chosen:
    """Says which paths are meant: those that match one of ``include`` and none of ``exclude``."""

    def __init__(self, include: Iterable[str], exclude: Iterable[str] = ()) -> None:
        self._include = [compiled(pattern) for pattern in include]
        self._exclude = [compiled(pattern) for pattern in exclude]

    def __contains__(self, path: str) -> bool:
        included = any(pattern.fullmatch(path) for pattern in self._include)
        return included and not any(pattern.fullmatch(path) for pattern in self._exclude)


def fixed_part(pattern: str) -> tuple[str, str]:
    """Cut a pattern into the folders before its first wildcard and the rest: ``a/b/*.txt`` gives ``a/b``, ``*.txt``."""
    parts = pattern.split("/")
    fixed = next((n for n, part in enumerate(parts) if set(part) & set("*?[{")), len(parts) - 1)
    return "/".join(parts[:fixed]) or ("/" if pattern.startswith("/") else "."), "/".join(parts[fixed:])


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """Turn a pattern into a regular expression for a whole path with forward slashes.

    Raises:
        ValueError: a brace is opened and not closed, or the reverse, or a range runs backwards.
    """
    parts: list[str] = []
    depth = 0
    for token in _TOKEN.findall(pattern.removeprefix("/")):
        depth += {"{": 1, "}": -1}.get(token, 0)
        if depth < 0:
            break
        parts.append(_translated(token, depth))
    if depth:
        raise ValueError(f"the pattern '{pattern}' has braces that do not match; close each {{ with a }}")
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as fault:
        raise ValueError(f"the pattern '{pattern}' cannot be read ({fault}); correct its [ ]") from fault


def _translated(part: str, depth: int) -> str:
    plain = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}
    if part in plain:
        return plain[part]
    if part == "," and depth:
        return "|"
    if part.startswith("[") and len(part) > 1:
        return _set(part[1:-1])
    return re.escape(part)


def _set(inside: str) -> str:
    """Keep ranges; take everything else that a regular expression gives a meaning literally."""
    negated = inside.startswith("!")
    escaped = re.sub(r"([\\^\]\[&|~])", r"\\\1", inside.removeprefix("!"))
    return f"[{'^/' if negated else ''}{escaped}]"
