"""A value of a field that names a licence, where the field holds more than text: lists and objects of JSON or YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from licensing.resolvers.values import is_expression, prose, restricts_beyond, statement
from licensing.rights import Declared

_MOST_VALUES = 64
_DEEPEST = 4
_NAMING = frozenset(
    ("@id", "id", "url", "href", "link", "contenturl", "sameas", "target", "spdx", "identifier", "@value", "value")
)
_LABELS = frozenset(("name", "title", "text", "label", "description", "alternatename"))
_LICENCE = frozenset(("license", "licence"))


def declared_by(value: Any, where: str) -> tuple[Declared, ...]:
    """Return what a value declares: text, a list (each entry counts), or an object such as a ``CreativeWork``.

    An object is read by its address or id; its name is a label of that, which counts only where there is neither, or
    where it says something stricter. Anything else is prose, and so is a value with more parts than a person would
    write (YAML can fold billions into a few lines).
    """
    found: list[Declared] = []
    for number, text in enumerate(_texts(value)):
        if number == _MOST_VALUES or text is None:
            found.append(prose("(more than can be read)", where))
            break
        said = statement(text, where)
        if said:
            found.append(said)
    return tuple(dict.fromkeys(found))


def local_name(key: object) -> str:
    """The last part of a name: ``https://schema.org/license``, ``dct:license`` and ``license`` are ``license``."""
    return re.split(r"[/#:]", str(key)[-200:])[-1].strip()


def _texts(value: Any) -> Iterator[str | None]:
    """Every text in the order in which it stands; None where the nesting is too deep."""
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        current, depth = stack.pop()
        if depth > _DEEPEST or (isinstance(current, list | tuple | dict) and len(current) > _MOST_VALUES):
            yield None
        elif isinstance(current, list | tuple):
            stack += [(part, depth + 1) for part in reversed(current)]
        elif isinstance(current, dict):
            stack += [(part, depth + 1) for part in reversed(_parts(current))]
        elif current is not None:
            yield current if isinstance(current, str) else str(current)[:200]


def _parts(entry: dict[Any, Any]) -> list[Any]:
    lower = [(str(key)[:200].lower(), value) for key, value in entry.items()]
    naming = [value for key, value in lower if (key in _NAMING or local_name(key) in _LICENCE) and value]
    labels = [value for key, value in lower if local_name(key) in _LABELS and value]
    if naming:
        targets = [one for one in naming if isinstance(one, str)]
        return naming + [one for one in labels if isinstance(one, str) and _counts(one, targets)]
    # Without a key that is known, the object stands as it is, for a person to read.
    return labels or ["{" + ", ".join(f"{key}: {value!s:.60}" for key, value in lower[:6] if not _is_nest(value)) + "}"]


def _counts(label: str, targets: list[str]) -> bool:
    return restricts_beyond(label, targets) or is_expression(label)


def _is_nest(value: Any) -> bool:
    return isinstance(value, list | tuple | dict)
