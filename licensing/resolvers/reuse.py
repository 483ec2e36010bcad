"""``REUSE.toml`` (REUSE Specification 3.3): licences of files by pattern, for those that cannot carry a tag."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from licensing.resolvers.structured import declared_by
from licensing.resolvers.values import prose
from licensing.rights import Declared


@dataclass(frozen=True, slots=True)
class Annotations:
    """The tables of one ``REUSE.toml``: patterns and what each declares, and what the file as a whole declares."""

    tables: tuple[tuple[tuple[str, ...], tuple[Declared, ...]], ...]
    whole: tuple[Declared, ...] = ()

    def declared(self, path: str) -> tuple[Declared, ...]:
        """Return what is declared for a path relative to the file: by the last table that names it.

        ``precedence`` is not followed: the file's own statement counts beside this one, so that the stricter stands.
        """
        for patterns, declared in reversed(self.tables):
            if any(_compiled(pattern).fullmatch(path) for pattern in patterns):
                return (*self.whole, *declared)
        return self.whole


def read(data: bytes, where: str) -> Annotations:
    """Read a ``REUSE.toml``; one that cannot be read is prose for every file below it."""
    try:
        tables = tomllib.loads(data[: 1 << 20].decode().replace("\r\n", "\n")).get("annotations", [])
        if len(data) > 1 << 20 or not isinstance(tables, list):
            raise ValueError("no list of annotations")
        return Annotations(tuple(_table(table, f"{where} annotations[{n}]") for n, table in enumerate(tables)))
    except (ValueError, RecursionError, AttributeError) as fault:
        return Annotations((), (prose(f"(cannot be read: {str(fault)[:80]})", where),))


def _table(table: dict[str, Any], where: str) -> tuple[tuple[str, ...], tuple[Declared, ...]]:
    paths = table.get("path", [])
    patterns = tuple(str(path) for path in (paths if isinstance(paths, list) else [paths]))
    declared = declared_by(table.get("SPDX-License-Identifier"), f"{where} SPDX-License-Identifier")
    return patterns, declared


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    r"""``*`` stays within a folder, ``**`` does not, and a backslash takes the next character as it is."""
    parts = re.findall(r"\\.|\*\*|\*|[^*\\]+|\\", pattern, re.DOTALL)
    names = {"**": ".*", "*": "[^/]*"}
    return re.compile("".join(names.get(part) or re.escape(part.removeprefix("\\")) for part in parts), re.DOTALL)
