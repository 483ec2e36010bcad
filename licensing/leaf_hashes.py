"""Leaf hashes of many ledger rows at once: the bytes of `licensing.leaf.ledger_leaf`, put together column by column.

Only what is plainly in order is done here. A batch in which anything is not (a value absent, of another type or not
hexadecimal) goes row by row through `ledger_leaf`, which alone says what is accepted and raises for what is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from licensing.canonical import canonical
from licensing.leaf import LEDGER_VERSION, ledger_leaf
from licensing.ledger import Ledger
from licensing.merkle import leaf_hash

LEAF_COLUMNS: Final = (
    "id", "received_sha256", "final_sha256", "licence", "branch", "decision", "reason", "partner", "source", "use",
    "stream", "text_bytes",
)  # fmt: skip
"""The columns that a leaf commits to."""

_DIGESTS: Final = frozenset({"id", "received_sha256", "final_sha256"})
_COUNTS: Final = frozenset({"text_bytes"})
_MAY_BE_NULL: Final = frozenset({"final_sha256", "stream"})
_USES: Final = pa.array(["train", "held-out", "none"])
_LARGEST: Final = 2**53 - 1


def leaf_hashes(ledger: Ledger, partner: str) -> Iterator[bytes]:
    """Yield the hash of every leaf of a partner's tree in order.

    Raises:
        LeafError: a row cannot be committed to.
    """
    for batch in ledger.batches(partner, LEAF_COLUMNS):
        yield from hashes_of(batch)


def hashes_of(batch: pa.RecordBatch) -> list[bytes]:
    """Return the leaf hash of every row of a batch with `LEAF_COLUMNS`; raises LeafError as `ledger_leaf` does."""
    joined = _joined(batch)
    if joined is None:
        return [leaf_hash(ledger_leaf(row)) for row in batch.to_pylist()]
    sha256 = hashlib.sha256
    offsets = np.frombuffer(joined.buffers()[1], dtype=np.int32)[joined.offset : joined.offset + len(joined) + 1]
    data = memoryview(joined.buffers()[2] or b"")
    return [sha256(data[begin:end]).digest() for begin, end in pairwise(offsets.tolist())]


def _joined(batch: pa.RecordBatch) -> pa.Array | None:
    """The bytes hashed for every row, with the prefix of a leaf (RFC 9162); None if anything is unusual."""
    pieces: list[Any] = []
    # The prefix stands where the object opens; keys follow in the order of RFC 8785.
    opening = "\x00{"
    for name in sorted((*LEAF_COLUMNS, "version")):
        key = f'{opening}"{name}":'
        values = [f'{key}"{LEDGER_VERSION}"'] if name == "version" else _as_json(batch, name, key)
        if values is None:
            return None
        pieces += values
        opening = ","
    return pc.binary_join_element_wise(*pieces, "}", "")


def _as_json(batch: pa.RecordBatch, name: str, key: str) -> list[Any] | None:
    """A key with its values, as texts and columns that are joined to one text a row."""
    if batch.schema.get_field_index(name) < 0:
        return None
    column = batch.column(name)
    if column.null_count and name not in _MAY_BE_NULL:
        return None
    if name in _COUNTS:
        return _counts(column, key)
    if not pa.types.is_string(column.type):
        return None
    return _digests(column, key) if name in _DIGESTS else _texts(column, name, key)


def _counts(column: pa.Array, key: str) -> list[Any] | None:
    if not pa.types.is_int64(column.type):
        return None
    bounds = pc.min_max(column).as_py()
    plain = len(column) == 0 or (bounds["min"] >= 0 and bounds["max"] <= _LARGEST)
    return [key, column.cast(pa.string())] if plain else None


def _digests(column: pa.Array, key: str) -> list[Any] | None:
    there = column.drop_null() if column.null_count else column
    begin, end = (_offset(there, at) for at in (0, len(there)))
    text = bytes(memoryview(there.buffers()[2] or b"")[begin:end])
    if text.translate(None, b"0123456789abcdef") or pc.any(pc.not_equal(pc.binary_length(there), 64)).as_py():
        return None
    if not column.null_count:
        return [f'{key}"', column, '"']
    return [key, pc.binary_join_element_wise('"', column, '"', "").fill_null("null")]


def _offset(column: pa.Array, place: int) -> int:
    offsets = column.buffers()[1]
    return int(np.frombuffer(offsets, dtype=np.int32)[column.offset + place]) if len(column) else 0


def _texts(column: pa.Array, name: str, key: str) -> list[Any] | None:
    """Encode every different value once, together with its key."""
    coded = column.dictionary_encode()
    if name == "use" and not pc.all(pc.is_in(coded.dictionary, _USES), min_count=0).as_py():
        return None
    encoded = pa.array([key + canonical(value).decode() for value in coded.dictionary.to_pylist()], pa.string())
    return [encoded.take(coded.indices).fill_null(f"{key}null")]
