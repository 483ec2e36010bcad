"""Reading a YAML file that a person edits, with errors that name the file, the line and the field.

Three things that ordinary YAML loading lets pass are settled here: a key given twice (the first would vanish silently),
``no`` and ``on`` read as booleans (``no`` is Norwegian), and a misspelt key.
"""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Hashable
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from licensing.errors import HerkomstError
from licensing.settings import Section

S = TypeVar("S", bound=Section)
Place = tuple[str | int, ...]


class UnreadableFile(HerkomstError):
    """A file that cannot be used; nothing is decided or run on half a file."""


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2 booleans only, so that ``no`` stays a word."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:bool"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def read_section(path: Path, model: type[S]) -> S:
    """Read one YAML file into a section; every problem is listed at once, each with its line.

    Raises ``UnreadableFile`` on a missing file, bad YAML, a key given twice (YAML keeps the last one silently, which
    could turn a refusal into an admission), an unknown or missing key, or a value of the wrong kind.
    """
    node = _compose(path)
    twice = _repeated_keys(node)
    if twice:
        raise UnreadableFile(_message(path, twice))
    try:
        return model.model_validate(_construct(path, node))
    except ValidationError as error:
        raise UnreadableFile(_message(path, [_problem(node, item, model) for item in error.errors()])) from error


def _compose(path: Path) -> yaml.Node:
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnreadableFile(_message(path, [str(error)])) from error
    if node is None:
        raise UnreadableFile(_message(path, ["the file is empty"]))
    return node


def _construct(path: Path, node: yaml.Node) -> Any:
    constructor = yaml.constructor.SafeConstructor()
    try:
        return constructor.construct_document(node)
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableFile(_message(path, [str(error)])) from error


def _repeated_keys(node: yaml.Node) -> list[str]:
    if isinstance(node, yaml.SequenceNode):
        return [problem for item in node.value for problem in _repeated_keys(item)]
    if not isinstance(node, yaml.MappingNode):
        return []
    problems: list[str] = []
    seen: dict[Hashable, int] = {}
    for key, value in node.value:
        first = seen.setdefault(key.value if isinstance(key.value, str) else id(key), _line(key))
        if first != _line(key):
            problems.append(f"line {_line(key)}: '{key.value}' stands here and on line {first}; keep one of them")
        problems += _repeated_keys(value)
    return problems


def _problem(node: yaml.Node, item: Any, model: type[Section]) -> str:
    place: Place = item["loc"]
    field = ".".join(str(part) for part in place) or "the file"
    told = item["msg"] + _nearest(item, model)
    return f"line {_line(_descend(node, place))}: {field}: {told}"


def _nearest(item: Any, model: type[Section]) -> str:
    if item["type"] != "extra_forbidden":
        return f" (found: {str(item['input'])[:60]!r})" if item["type"] != "missing" else ""
    names = _known_keys(model, item["loc"][:-1])
    close = difflib.get_close_matches(str(item["loc"][-1]), names, n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else f"; known keys here: {', '.join(names)}"


def _known_keys(model: type[BaseModel], place: Place) -> list[str]:
    """The keys that are valid at a place; the tag of a union of sections is a step of the place too."""
    models = [model]
    for part in place:
        fields = [m.model_fields[part].annotation for m in models if isinstance(part, str) and part in m.model_fields]
        if fields:
            models = [found for annotation in fields for found in _sections_in(annotation)]
        elif isinstance(part, str):
            tagged = [m for m in models if any(part in typing.get_args(f.annotation) for f in m.model_fields.values())]
            models = tagged or models
    return sorted({field.alias or name for found in models for name, field in found.model_fields.items()})


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) is not None or isinstance(annotation, UnionType):
        return [model for argument in typing.get_args(annotation) for model in _sections_in(argument)]
    return []


def _descend(node: yaml.Node, place: Place) -> yaml.Node:
    """Follow a field path as far as the file has it; what is missing is reported at its parent."""
    for part in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            node = next((v for k, v in node.value if k.value == str(part)), node)
    return node


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _message(path: Path, problems: list[str]) -> str:
    listed = "\n".join(f"  {problem}" for problem in problems)
    return f"{path} cannot be used, so nothing is run or decided on it. Correct:\n{listed}"
