"""What a Merkle leaf commits to: one ledger row, one token span or one partner's tree, as canonical JSON.

The bytes follow RFC 8785 (JSON Canonicalization Scheme): keys sorted, no white space, UTF-8, shortest escapes. Field
names are ASCII and values are text, whole numbers or null, for which Python's encoder gives exactly those bytes. No
time of day enters a leaf, so two runs on the same input have the same root.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from licensing.canonical import canonical
from licensing.errors import HerkomstError

LEDGER_VERSION: Final = "herkomst-leaf-v1"
SPAN_VERSION: Final = "herkomst-span-v1"
PARTNER_VERSION: Final = "herkomst-partner-v1"

# RFC 8785 numbers are IEEE doubles: beyond this two different whole numbers would read the same elsewhere.
_LARGEST_INTEGER: Final = 2**53 - 1
_USES: Final = frozenset({"train", "held-out", "none"})
_HEX: Final = frozenset("0123456789abcdef")


class LeafError(HerkomstError, ValueError):
    """A row cannot be committed to; the message names the document, the field and what it must be."""


def ledger_leaf(row: Mapping[str, Any]) -> bytes:
    """Return the bytes that commit to one ledger row; columns that are not part of the leaf are left out.

    Fields: ``id``, ``received_sha256``, ``final_sha256`` (null where nothing was kept), ``licence``, ``branch``,
    ``decision``, ``reason``, ``partner``, ``source``, ``use`` (train, held-out, none), ``stream`` (or null) and
    ``text_bytes``. Raises LeafError for a missing field or a value of another type.
    """
    return _encode(row, LEDGER_VERSION, _LEDGER_FIELDS)


def span_leaf(row: Mapping[str, Any]) -> bytes:
    """Return the bytes that commit to one document's tokens in its stream.

    Fields: ``id``, ``stream``, ``first_token`` (position in the stream), ``tokens`` (how many) and ``tokens_sha256``.
    Raises LeafError for a missing field or a value of another type.
    """
    return _encode(row, SPAN_VERSION, _SPAN_FIELDS)


def partner_leaf(row: Mapping[str, Any]) -> bytes:
    """Return the bytes that commit to one partner's tree: ``partner``, ``root`` (hexadecimal) and ``size`` in leaves.

    Raises LeafError for a missing field or a value of another type.
    """
    return _encode(row, PARTNER_VERSION, _PARTNER_FIELDS)


def leaf_key(leaf: bytes) -> str:
    """Return the key by which a leaf is sorted: the document id, or the partner. Raises LeafError for other bytes."""
    try:
        fields = json.loads(leaf)
        key = fields[_KEYS[fields["version"]]]
    except (ValueError, KeyError, TypeError) as error:
        raise LeafError(f"these bytes are no leaf of a ledger ({error!r}), so they prove nothing") from error
    if type(key) is not str or canonical(fields) != leaf:
        raise LeafError("these bytes are no leaf of a ledger (not in canonical form), so they prove nothing")
    return key


def _is_digest(value: Any) -> bool:
    return type(value) is str and len(value) == 64 and _HEX.issuperset(value)


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST_INTEGER


def _is_use(value: Any) -> bool:
    return type(value) is str and value in _USES


def _or_null(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or check(value)


_Fields = dict[str, tuple[Callable[[Any], bool], str]]

_DIGEST: Final = (_is_digest, "64 lower-case hexadecimal digits")
_TEXT: Final = (_is_text, "text")
_COUNT: Final = (_is_count, "a whole number from 0 to 2^53 - 1")

_LEDGER_FIELDS: Final[_Fields] = {
    "id": _DIGEST,
    "received_sha256": _DIGEST,
    "final_sha256": (_or_null(_is_digest), "64 lower-case hexadecimal digits or null"),
    "licence": _TEXT,
    "branch": _TEXT,
    "decision": _TEXT,
    "reason": _TEXT,
    "partner": _TEXT,
    "source": _TEXT,
    "use": (_is_use, "train, held-out or none"),
    "stream": (_or_null(_is_text), "text or null"),
    "text_bytes": _COUNT,
}
_SPAN_FIELDS: Final[_Fields] = {
    "id": _DIGEST,
    "stream": _TEXT,
    "first_token": _COUNT,
    "tokens": _COUNT,
    "tokens_sha256": _DIGEST,
}
_PARTNER_FIELDS: Final[_Fields] = {"partner": _TEXT, "root": _DIGEST, "size": _COUNT}
_KEYS: Final = {LEDGER_VERSION: "id", SPAN_VERSION: "id", PARTNER_VERSION: "partner"}


def _encode(row: Mapping[str, Any], version: str, fields: _Fields) -> bytes:
    leaf: dict[str, Any] = {"version": version}
    for name, (accepts, must_be) in fields.items():
        value = row.get(name, _MISSING)
        if not accepts(value):
            raise LeafError(_complaint(row, name, value, must_be))
        leaf[name] = value
    try:
        return canonical(leaf)
    except UnicodeEncodeError as error:
        raise LeafError(_complaint(row, "(one of its texts)", error.object[error.start], "valid Unicode")) from error


_MISSING: Final = object()


def _complaint(row: Mapping[str, Any], name: str, value: Any, must_be: str) -> str:
    found = "is missing" if value is _MISSING else f"is {value!r}"
    return (
        f"{row.get('id') or row.get('partner') or 'a row without id'}: field {name} {found} and must be {must_be}; "
        "the row cannot be committed to, so the corpus has no root. Correct the stage that writes this field"
    )
