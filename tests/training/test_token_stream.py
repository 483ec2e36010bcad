from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.token_stream import StreamWriter, TokenStream

DTYPE = np.dtype("<u2")


def stream(folder: Path, lengths: list[int], length: int) -> TokenStream:
    folder.mkdir(exist_ok=True)
    with StreamWriter(folder, DTYPE, end_of_document=1) as writer:
        for number, size in enumerate(lengths):
            writer.add(f"{number + 1:064x}", list(range(10, 10 + size)), size)
    return TokenStream(folder, DTYPE, length, padding=2)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.integers(2, 17))
def test_both_directions_agree(tmp_path_factory: pytest.TempPathFactory, lengths: list[int], length: int) -> None:
    tokens = stream(tmp_path_factory.mktemp("s"), lengths, length)
    for number in range(tokens.sequences):
        inside = {place for place in range(tokens.documents) if number in range(*tokens.sequences_of(place))}
        told = {p for p in tokens.documents_in(number) if tokens.span(p)[0] < tokens.span(p)[1]}
        assert told == inside


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.integers(2, 17))
def test_sequences_hold_every_token_once(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], length: int
) -> None:
    tokens = stream(tmp_path_factory.mktemp("s"), lengths, length)
    read = np.concatenate([tokens.sequence(number) for number in range(tokens.sequences)])
    expected = [token for size in lengths for token in [*range(10, 10 + size), 1]]
    assert read[: len(expected)].tolist() == expected
    assert (read[len(expected) :] == 2).all() and len(read) - len(expected) < length


def test_a_document_is_found_by_its_id(tmp_path: Path) -> None:
    tokens = stream(tmp_path / "s", [3, 5, 2], 4)
    assert [tokens.place_of(f"{number:064x}") for number in (1, 2, 3, 4)] == [0, 1, 2, None]
    assert tokens.id_of(1) == f"{2:064x}" and tokens.span(1) == (4, 9)


def test_documents_out_of_order_are_refused(tmp_path: Path) -> None:
    with StreamWriter(tmp_path, DTYPE, end_of_document=1) as writer:
        writer.add("b" * 64, [5], 1)
        with pytest.raises(ValueError, match="out of order"):
            writer.add("a" * 64, [5], 1)
