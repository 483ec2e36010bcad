from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.usage_table import _digests, _places, _scored, _Stream


class Tokens:
    """As much of a stream of tokens as counting needs."""

    def __init__(self, sizes: list[int], length: int) -> None:
        self.length = length
        self.ends = np.cumsum(np.array(sizes, dtype=np.uint64) + np.uint64(1)).astype(np.uint64)
        self.sequences = -(-int(self.ends[-1]) // length)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.integers(2, 9), st.data())
def test_tokens_are_counted_as_a_plain_loop_counts_them(sizes: list[int], length: int, data: st.DataObject) -> None:
    tokens = Tokens(sizes, length)
    times = np.array(data.draw(st.lists(st.integers(0, 3), min_size=tokens.sequences, max_size=tokens.sequences)))
    scored, read = _scored(tokens, times)  # type: ignore[arg-type]
    begin = 0
    for number, size in enumerate(sizes):
        places = range(begin, begin + size)
        assert scored[number] == sum(int(times[place // length]) for place in places if place % length)
        assert read[number] == any(times[place // length] for place in places)
        begin += size + 1


def test_a_document_is_found_by_its_whole_digest_or_not_at_all() -> None:
    known = sorted(hashlib.sha256(bytes([number])).digest()[:31] + bytes([number % 2]) for number in range(40))
    ids = np.frombuffer(b"".join(known), dtype="S32")
    stream = _Stream(ids, np.zeros(40, dtype=np.int64), np.zeros(40, dtype=np.bool_))
    column = pa.chunked_array([[known[7].hex(), known[0].hex(), known[39].hex()]])
    assert _places(stream, _digests(column)).tolist() == [7, 0, 39]  # type: ignore[union-attr]
    for other in (b"\xff" * 32, known[3][:31] + b"\x09", b"\0" * 31 + b"\x01"):
        assert _places(stream, _digests(pa.chunked_array([[other.hex()]]))) is None
    assert _digests(pa.chunked_array([pa.array([], pa.string())])).shape == (0, 1)
