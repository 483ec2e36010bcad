"""What a text file says of itself at its top: YAML or TOML front matter, document attributes, SPDX tags.

Fields are ``license``, ``rights``, ``copyright`` and their usual names in other languages. AsciiDoc attributes and
reStructuredText fields are written alike (``:license: …``).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import yaml

from licensing.resolvers.spdx_tags import tags_at_top
from licensing.resolvers.structured import declared_by
from licensing.resolvers.values import distinct, plain, prose, statement
from licensing.rights import Declared

LARGEST = 64 << 10
"""Characters of front matter that are parsed; more than that is prose if it mentions a licence."""

_TOP = 8 << 10
_MOST_BRACKETS = 1000
_NAMES = (
    "licen[cs]es?|licen[cs]e[ _-]?(?:url|link|name|id|uri)|licenties?|lizenz(?:en)?|licenza|licencia|licença|licens|"
    "licencja|licence[ _-]?type|rights|rights[ _-]?(?:uri|url)|copyright|(?:dc|dcterms)[.:](?:rights|license)|"
    "spdx-license-identifier"
)
_FIELD = re.compile(_NAMES, re.IGNORECASE)
_MENTIONED = re.compile(r"licen[cstzç]|lizenz|rights|copyright", re.IGNORECASE)
_FIELD_LINE = re.compile(r"[ \t]|#|-[ \t]|\[|[\]}]|[^\s:=][^:=]{0,99}[:=]|$")
_ATTRIBUTE = re.compile(rf"^:({_NAMES}):[ \t]+(\S.*)$", re.IGNORECASE | re.MULTILINE)


def declared(text: str, where: str) -> tuple[Declared, ...]:
    """Return what a text file declares of itself, each with its line; ``where`` is the file's name."""
    text = text.removeprefix("\ufeff")
    body, lines = _front_matter(text)
    found = [one for _, one in _fields(text[:3], body, where, _FIELD)] if _MENTIONED.search(body) else []
    if not lines:
        found += _attributes(text[:_TOP], where)
    return distinct((*found, *tags_at_top(text, where, lines)))


def fields(text: str, where: str, names: re.Pattern[str]) -> list[tuple[str, Declared]]:
    """Return the fields of the front matter whose key is one of ``names``, with what each declares.

    Front matter that cannot be read gives one entry, under the key ``license``.
    """
    text = text.removeprefix("\ufeff")
    body, _ = _front_matter(text)
    return list(_fields(text[:3], body, where, names))


def split(text: str) -> tuple[str, str]:
    """Return the front matter without its fences, and what comes after it; ("", text) where there is none.

    Two rules with a paragraph between them are no front matter: its lines are fields, or go on with one.
    """
    text = text.removeprefix("\ufeff")
    body, lines = _front_matter(text)
    if not lines or not all(_FIELD_LINE.match(line) for line in body.splitlines()):
        return "", text
    rest = text.split("\n", lines)
    return body, rest[lines] if len(rest) > lines else ""


def description(body: str, fence: str) -> dict[str, str]:
    """Return the fields of front matter that hold text, or a list of texts (joined by ``; ``), by lower-case name.

    Front matter that cannot be read, or is larger than `LARGEST`, describes nothing.
    """
    found: dict[str, str] = {}
    try:
        if len(body) <= LARGEST:
            for key, _, value in _toml(body) if fence == "+++" else _yaml(body):
                if text := _text_of(value()):
                    found.setdefault(key.lower(), text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return found


def _text_of(value: Any) -> str:
    """A list of texts as one; nothing for what is neither."""
    parts = value if isinstance(value, list) else [value]
    return "; ".join(plain(str(part)) for part in parts) if not any(isinstance(p, dict | list) for p in parts) else ""


def _front_matter(text: str) -> tuple[str, int]:
    """What stands between the fences, and the number of lines with both; nothing where the first is never closed."""
    fence = text[:3]
    opened = re.match(r"(?:---|\+\+\+)[ \t]*\r?\n", text)
    if opened is None:
        return "", 0
    ends = r"^(?:---|\.\.\.)[ \t]*\r?$" if fence == "---" else r"^\+\+\+[ \t]*\r?$"
    closed = re.compile(ends, re.MULTILINE).search(text, opened.end())
    if closed is None:
        return "", 0
    body = text[opened.end() : closed.start()]
    return body, body.count("\n") + 2


def _fields(fence: str, body: str, where: str, names: re.Pattern[str]) -> Iterator[tuple[str, Declared]]:
    try:
        if len(body) > LARGEST:
            raise ValueError(f"more than {LARGEST} characters")
        for key, line, value in _toml(body) if fence == "+++" else _yaml(body):
            if names.fullmatch(key):
                yield from ((key.lower(), one) for one in declared_by(value(), f"{where}:{line} {plain(key)}"))
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        told = plain(str(fault))[:80] or type(fault).__name__
        yield "license", prose(f"(front matter cannot be read, so that its licence is not known: {told})", f"{where}:1")


def _yaml(body: str) -> Iterator[tuple[str, int, Callable[[], Any]]]:
    """Key, line in the file, and value of each field; a key that stands twice is given twice."""
    if body.count("[") + body.count("{") > _MOST_BRACKETS:
        raise ValueError("more brackets than a person would write")
    node = yaml.compose(body, Loader=yaml.SafeLoader)
    for key, value in node.value if isinstance(node, yaml.MappingNode) else []:
        if isinstance(key, yaml.ScalarNode):
            yield key.value.strip(), key.start_mark.line + 2, partial(_plain, value, [0])


def _toml(body: str) -> Iterator[tuple[str, int, Callable[[], Any]]]:
    for key, value in tomllib.loads(body.replace("\r\n", "\n")).items():
        found = re.search(rf"^[ \t\"'\[]*{re.escape(key)}\b", body, re.MULTILINE)
        yield key.strip(), body.count("\n", 0, found.start()) + 2 if found else 1, partial(_itself, value)


def _plain(node: yaml.Node, count: list[int]) -> Any:
    """A node as text, lists and objects; an alias is followed, and more than a thousand nodes in all are an error."""
    count[0] += 1
    if count[0] > 1000:
        raise ValueError("more values than can be read")
    if isinstance(node, yaml.ScalarNode):
        return None if node.tag == "tag:yaml.org,2002:null" else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(part, count) for part in node.value]
    return {str(key.value): _plain(value, count) for key, value in node.value}


def _itself(value: Any) -> Any:
    return value


def _attributes(top: str, where: str) -> Iterator[Declared]:
    for found in _ATTRIBUTE.finditer(top):
        line = top.count("\n", 0, found.start()) + 1
        one = statement(found[2].removesuffix("\r"), f"{where}:{line} :{found[1]}:")
        if one:
            yield one
