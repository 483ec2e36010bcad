"""From a row (a JSON line, a table row) to a document, by the names that a partner gave its columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from data_curation.plain_text import Unreadable, readable
from data_curation.readers.base import SourceBase, refused
from data_curation.readers.languages import primary
from data_curation.received import Received
from licensing.resolvers.structured import declared_by
from licensing.rights import Declared
from licensing.settings import Section

_NOT_WITHDRAWN = frozenset((None, False, "", "false", "no", "0"))


class Columns(Section):
    """Which of the partner's columns holds what; those left out are not read. Dates are ISO 8601.

    ``parents`` holds the ids of the rows of this source that a row was made from (a list, one id, or nothing), and
    ``operation`` how: merged, translated, synthesised, chunked or deduplicated (``licensing.lineage``).
    """

    id: str
    text: str
    language: str | None = None
    date: str | None = None
    title: str | None = None
    url: str | None = None
    author: str | None = None
    licence: str | None = None
    withdrawn: str | None = None
    parents: str | None = None
    operation: str | None = None

    def names(self) -> list[str]:
        """The columns that are read, in the order of the keys above."""
        return [name for name in self.model_dump().values() if name is not None]


class RowProblem(Exception):
    """A row that cannot become a document; ``problem`` is the stable code."""

    def __init__(self, problem: str, what: str) -> None:
        super().__init__(what)
        self.problem = problem


def document_of(source: SourceBase, columns: Columns, row: Mapping[str, Any], place: str, data: bytes) -> Received:
    """Make a document of a row; ``place`` (``FILE:LINE``) is its id where it has none, ``data`` its received bytes.

    Problems: ``no-id``, ``missing-column``, ``empty``, ``control-characters``, ``not-utf-8``, ``bad-date``,
    ``bad-parents``. A document with a problem keeps its id and whether it was withdrawn, so that the ledger knows it.
    """
    native_id = place
    try:
        native_id = _native_id(row, columns.id)
        return Received.of(source.name, native_id, data, _text(row, columns.text), **_known(columns, row, place))
    except (RowProblem, Unreadable) as fault:
        withdrawn = columns.withdrawn is not None and _is_withdrawn(row.get(columns.withdrawn))
        return refused(source, native_id, data, fault.problem, f"{place}: {fault}.", withdrawn=withdrawn)


def _native_id(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise RowProblem("no-id", f"column {column} holds no id (text or a whole number)")
    _valid(str(value), column)
    return str(value)


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if not isinstance(value, str):
        has = "is missing" if column not in row else f"holds {type(value).__name__} and no text"
        raise RowProblem("missing-column", f"column {column} {has}")
    _valid(value, column)
    return readable(value)


def _known(columns: Columns, row: Mapping[str, Any], place: str) -> dict[str, Any]:
    if columns.withdrawn is not None and columns.withdrawn not in row:
        raise RowProblem("missing-column", f"column {columns.withdrawn}, which says what was withdrawn, is missing")
    return {
        "language": primary(_string(row, columns.language)),
        "declared": _declared(row, columns.licence, place),
        "title": _string(row, columns.title),
        "url": _string(row, columns.url),
        "author": _string(row, columns.author),
        "published": _published(row, columns.date),
        "withdrawn": columns.withdrawn is not None and _is_withdrawn(row[columns.withdrawn]),
        "parents": _parents(row, columns.parents),
        "operation": _string(row, columns.operation),
    }


def _parents(row: Mapping[str, Any], column: str | None) -> tuple[str, ...]:
    """Ids as they stand; a row whose origin cannot be read is no original, so it is left out."""
    if column is None:
        return ()
    if column not in row:
        raise RowProblem("missing-column", f"column {column}, which says what a row was made from, is missing")
    value = row[column]
    if value is None or value == "":
        return ()
    ids = value if isinstance(value, list) else [value]
    if any(isinstance(one, bool) or not isinstance(one, str | int) or one == "" for one in ids):
        raise RowProblem("bad-parents", f"column {column} holds no ids of other rows: '{str(value)[:40]}'")
    for one in ids:
        _valid(str(one), column)
    return tuple(sorted({str(one) for one in ids}))


def _string(row: Mapping[str, Any], column: str | None) -> str | None:
    value = row.get(column) if column else None
    if value is None or value == "":
        return None
    if isinstance(value, list):
        value = "; ".join(str(part) for part in value)
    _valid(str(value), column or "")
    return str(value)


def _declared(row: Mapping[str, Any], column: str | None, place: str) -> tuple[Declared, ...]:
    """A list counts as several statements, all of which apply; an object is read by its address or id."""
    value = row.get(column) if column else None
    return declared_by(value, f"column {column} ({place})")


def _published(row: Mapping[str, Any], column: str | None) -> str | None:
    """The date as it stands, without its time; a time zone does not move it to another day."""
    value = row.get(column) if column else None
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    try:
        text = str(value).strip()
        return (date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text).date()).isoformat()
    except ValueError as fault:
        raise RowProblem("bad-date", f"column {column} holds '{str(value)[:40]}', which is no ISO date") from fault


def _is_withdrawn(value: Any) -> bool:
    """Anything that does not plainly say no counts as withdrawn."""
    plain = value.strip().lower() if isinstance(value, str) else value
    return not (isinstance(plain, str | int | None) and plain in _NOT_WITHDRAWN)


def _valid(text: str, column: str) -> None:
    """JSON can carry half of a surrogate pair; UTF-8, and every digest that rests on it, cannot."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as fault:
            what = f"column {column} holds half a surrogate pair at character {fault.start}"
            raise RowProblem("not-utf-8", what) from fault
