"""Evaluation items as their authors' files give them; what cannot be read is an error, never left unchecked."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from data_curation.contamination.settings import EvaluationSet, Format
from licensing.errors import HerkomstError

_FORMATS: tuple[str, ...] = get_args(Format)
_REMEDY = "so its items could not be looked for in the corpus; mend the file or the settings of the set"
_LONGEST_FIELD = 1 << 24


@dataclass(frozen=True, slots=True)
class Item:
    """One item: the name of its set, its own name within the set, and its texts."""

    set: str
    id: str
    texts: tuple[str, ...]


def read_items(settings: EvaluationSet, root: Path) -> Iterator[Item]:
    """Yield a set's items, files in the order of their names; relative paths start at ``root``.

    Raises:
        HerkomstError: no file is there, one cannot be read, a column is missing, an id occurs twice, or no item is in
            it; the message names file and line.
    """
    files = _files(settings, root)
    seen: set[str] = set()
    for path, name in files:
        for line, number, texts in _rows(settings, path):
            item = f"{name}:{number}"
            if item in seen:
                raise _error(path, line, f"item '{number}' occurs twice")
            seen.add(item)
            yield Item(settings.name, item, tuple(_cleaned(text, settings.without) for text in texts))
    if not seen:
        raise HerkomstError(f"evaluation set '{settings.name}' ({settings.path}) has no items, {_REMEDY}")


def set_files(settings: EvaluationSet, root: Path) -> list[Path]:
    """The files that a set is read from, sorted; raises HerkomstError where there is none."""
    return [path for path, _ in _files(settings, root)]


def _files(settings: EvaluationSet, root: Path) -> list[tuple[Path, str]]:
    """The files, each with the name that goes before its items: its path in the set without the ending."""
    path = root / settings.path
    endings = {f".{settings.format}"} if settings.format else {f".{name}" for name in _FORMATS}
    if path.is_file():
        return [(path, path.stem)]
    base = path if path.is_dir() else _base(path)
    found = path.rglob("*") if path.is_dir() else base.glob(path.relative_to(base).as_posix())
    files = sorted(file for file in found if file.is_file() and (not path.is_dir() or file.suffix in endings))
    if not files:
        raise HerkomstError(
            f"evaluation set '{settings.name}': there is no file {path}, so it would go unchecked whether the corpus "
            "holds its items; give the path relative to the configuration file, or take the set out"
        )
    return [(file, file.relative_to(base).with_suffix("").as_posix()) for file in files]


def _base(pattern: Path) -> Path:
    """The part of a pattern before its first wildcard."""
    parts = pattern.parts
    plain = next((at for at, part in enumerate(parts) if re.search(r"[*?\[]", part)), len(parts) - 1)
    return Path(*parts[:plain])


def _rows(settings: EvaluationSet, path: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Line, name and texts of each item of one file."""
    kind = settings.format or path.suffix.removeprefix(".")
    if kind not in _FORMATS:
        raise HerkomstError(f"{path}: its ending tells none of {', '.join(_FORMATS)}, {_REMEDY}: set format")
    if kind == "txt":
        if settings.fields or settings.id:
            raise HerkomstError(f"{path}: a text file has no columns, {_REMEDY}: leave out fields and id")
        yield from ((line, str(line), [text]) for line, text in enumerate(_lines(path), 1) if text.strip())
        return
    if not settings.fields:
        raise HerkomstError(f"{path}: no fields are set, {_REMEDY}: name the columns that make up an item's text")
    for line, row in _objects(path) if kind == "jsonl" else _table(path, kind):
        texts = [text for field in settings.fields for text in _texts(row, field, path, line)]
        number = _texts(row, settings.id, path, line) if settings.id else [str(line)]
        if len(number) != 1:
            raise _error(path, line, f"column '{settings.id}' names no item")
        yield line, number[0], texts


def _lines(path: Path) -> Iterator[str]:
    """Lines of a text file in UTF-8; errors name the line."""
    line = 0
    try:
        with path.open("rb") as file:
            for line, raw in enumerate(file, 1):
                yield raw.decode("utf-8-sig" if line == 1 else "utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise _error(path, line, str(fault)) from fault


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, text in enumerate(_lines(path), 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as fault:
            raise _error(path, line, f"is no JSON ({fault})") from fault
        if not isinstance(row, dict):
            raise _error(path, line, "is no JSON object")
        yield line, row


def _table(path: Path, kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(_LONGEST_FIELD)
    quoting: dict[str, Any] = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if kind == "tsv" else {"strict": True}
    rows = csv.reader(_lines(path), **quoting)
    try:
        heads = next(rows, [])
        for cells in rows:
            if len(cells) != len(heads) and cells:
                raise _error(path, rows.line_num, f"has {len(cells)} cells where the first line has {len(heads)}")
            if cells:
                yield rows.line_num, dict(zip(heads, cells, strict=True))
    except csv.Error as fault:
        raise _error(path, rows.line_num, str(fault)) from fault


def _texts(row: dict[str, Any], field: str, path: Path, line: int) -> list[str]:
    """The texts in a column; an empty one has none."""
    value: Any = row
    for name in [field] if field in row else field.split("."):
        if not isinstance(value, dict) or name not in value:
            raise _error(path, line, f"has no column '{field}' (but {', '.join(map(str, row))})")
        value = value[name]
    values = value if isinstance(value, list) else [value]
    if any(isinstance(one, dict | list | bool) for one in values):
        raise _error(path, line, f"column '{field}' holds no text")
    return [str(one) for one in values if one is not None and str(one).strip()]


def _cleaned(text: str, without: str | None) -> str:
    return re.sub(without, " ", text) if without else text


def _error(path: Path, line: int, what: str) -> HerkomstError:
    return HerkomstError(f"{path}, line {line}: {what}, {_REMEDY}")
