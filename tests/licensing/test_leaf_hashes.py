"""Hashing rows by the batch gives what hashing them one by one gives, and refuses what that refuses."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.leaf import LeafError, ledger_leaf
from licensing.leaf_hashes import LEAF_COLUMNS, hashes_of
from licensing.merkle import leaf_hash

SCHEMA = pa.schema([(name, pa.int64() if name == "text_bytes" else pa.string()) for name in LEAF_COLUMNS])
HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
# No lone surrogates: arrow's text is UTF-8 and cannot hold them.
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
GOOD = {
    **dict.fromkeys(("id", "received_sha256"), HEX),
    **dict.fromkeys(("licence", "branch", "decision", "reason", "partner", "source"), TEXT),
    "final_sha256": st.none() | HEX,
    "use": st.sampled_from(["train", "held-out", "none"]),
    "stream": st.none() | TEXT,
    "text_bytes": st.integers(0, 2**53 - 1),
}
ROWS = st.lists(st.fixed_dictionaries(GOOD), max_size=8)
PLAIN = {
    "id": "a" * 64, "received_sha256": "b" * 64, "final_sha256": None, "licence": "CC0-1.0", "branch": "CC0-1.0",
    "decision": "admit", "reason": "r", "partner": "P", "source": "s", "use": "none", "stream": None, "text_bytes": 0,
}  # fmt: skip


def batch_of(rows: list[dict[str, Any]], schema: pa.Schema = SCHEMA) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=schema)


@given(ROWS)
def test_a_batch_gives_the_hashes_of_its_rows(rows: list[dict[str, Any]]) -> None:
    assert hashes_of(batch_of(rows)) == [leaf_hash(ledger_leaf(row)) for row in rows]


@given(ROWS.filter(lambda rows: len(rows) > 2))
def test_a_slice_of_a_batch_gives_its_own_hashes(rows: list[dict[str, Any]]) -> None:
    assert hashes_of(batch_of(rows).slice(1, 2)) == [leaf_hash(ledger_leaf(row)) for row in rows[1:3]]


@pytest.mark.parametrize("nasty", ['"', "\\", "\u2028", "\x00\x1f\x7f", "é😀", "null", ""])
def test_texts_that_need_escapes(nasty: str) -> None:
    row = PLAIN | {"licence": nasty, "partner": nasty, "stream": nasty}
    assert hashes_of(batch_of([row])) == [leaf_hash(ledger_leaf(row))]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "a" * 63), ("id", "A" * 64), ("id", "a" * 64 + "\n"), ("id", None), ("received_sha256", "g" * 64),
        ("final_sha256", ""), ("licence", None), ("use", "trained"), ("use", None), ("text_bytes", -1),
        ("text_bytes", 2**53), ("text_bytes", None),
    ],
)  # fmt: skip
def test_what_one_row_is_refused_for_the_batch_is_refused_for(field: str, value: object) -> None:
    rows = [PLAIN, PLAIN | {field: value}]
    with pytest.raises(LeafError) as one:
        ledger_leaf(rows[1])
    with pytest.raises(LeafError) as many:
        hashes_of(batch_of(rows))
    assert str(one.value) == str(many.value)


def test_a_column_of_another_type_or_none_is_refused() -> None:
    wrong = SCHEMA.set(SCHEMA.get_field_index("licence"), pa.field("licence", pa.int64()))
    with pytest.raises(LeafError, match="licence"):
        hashes_of(batch_of([PLAIN | {"licence": 1}], wrong))
    missing = SCHEMA.remove(SCHEMA.get_field_index("source"))
    with pytest.raises(LeafError, match="source"):
        hashes_of(batch_of([PLAIN], missing))
