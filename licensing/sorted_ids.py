"""Document ids on disk, 32 bytes each and ascending: found by binary search in a memory map, without reading them all.

numpy compares such bytes in C. Its byte strings drop zeros at the end when one is taken out alone, so single ids leave
here as hexadecimal text or not at all; between ids of equal length the comparison itself is exact.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ID_BYTES: Final = 32
_TYPE: Final = np.dtype(f"S{ID_BYTES}")
_ID: Final = re.compile("[0-9a-f]{64}")
_DIGITS: Final = b"0123456789abcdef"

Ids = NDArray[np.bytes_]
Places = NDArray[np.int64]


class SortedIds:
    """The ids of one file in ascending order; ``array`` is a read-only map of shape [documents]."""

    def __init__(self, path: Path) -> None:
        size = path.stat().st_size
        if size % ID_BYTES:
            raise ValueError(f"{path}: {size} bytes are no whole number of {ID_BYTES}-byte ids: the list is cut off")
        # An empty file cannot be mapped.
        self.array: Ids = np.memmap(path, dtype=_TYPE, mode="r") if size else np.zeros(0, dtype=_TYPE)

    def __len__(self) -> int:
        return len(self.array)

    def hex(self, place: int) -> str:
        """The id at a place."""
        return self.array[place : place + 1].tobytes().hex()

    def place_of(self, document_id: str) -> int | None:
        """The place of one id (hexadecimal), or None where it is not there or is no id."""
        if not _ID.fullmatch(document_id):
            return None
        place = int(self.places_of(packed([document_id]))[0])
        return place if place >= 0 else None

    def places_of(self, wanted: Ids) -> Places:
        """The place of every id of ``wanted`` (any order), -1 where it is not there."""
        places = np.searchsorted(self.array, wanted)
        inside = places < len(self.array)
        inside[inside] = self.array[places[inside]] == wanted[inside]
        return np.where(inside, places, -1).astype(np.int64)


def packed(ids: Sequence[str]) -> Ids:
    """Ids from hexadecimal; raises ValueError where one is not 64 lower-case hexadecimal digits."""
    text = "".join(ids)
    if any(len(one) != 2 * ID_BYTES for one in ids) or text.encode().translate(None, _DIGITS):
        raise ValueError("a document id is 64 lower-case hexadecimal digits; something else was given for one")
    return np.frombuffer(bytes.fromhex(text), dtype=_TYPE)


def packed_column(column: Any) -> Ids:
    """Ids from an arrow column of hexadecimal text; raises ValueError for a null or anything else than an id."""
    if column.null_count:
        raise ValueError("a row has no document id, so nobody could find it again")
    return packed(column.to_pylist())
