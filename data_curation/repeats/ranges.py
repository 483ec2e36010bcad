"""Records brought into ranges on disk, so that a range at a time is in memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Piece = tuple[NDArray[np.int64], NDArray[Any]]

_OPEN_FILES = 256


def ranges(pieces: Callable[[], Iterator[Piece]], parts: int, dtype: np.dtype[Any], work: Path) -> Iterator[Any]:
    """Yield all records range by range, ranges in order; records of a range as they came.

    ``pieces()`` gives (number of the range, record) arrays and is read once for every 256 ranges; ``work`` gets a
    folder of up to 256 files, deleted at the end.
    """
    for first in range(0, parts, _OPEN_FILES):
        end = min(parts, first + _OPEN_FILES)
        folder = work / f"ranges-{first}"
        folder.mkdir()
        try:
            _spread(pieces(), first, end, folder)
            for part in range(first, end):
                records = np.fromfile(folder / str(part), dtype)
                (folder / str(part)).unlink()
                if len(records):
                    yield records
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _spread(pieces: Iterator[Piece], first: int, end: int, folder: Path) -> None:
    with ExitStack() as stack:
        files = [stack.enter_context((folder / str(part)).open("wb")) for part in range(first, end)]
        for parts, records in pieces:
            inside = (parts >= first) & (parts < end)
            parts, records = parts[inside] - first, records[inside]
            order = np.argsort(parts, kind="stable")
            records = records[order]
            bounds = np.searchsorted(parts[order], np.arange(end - first + 1))
            for part in np.flatnonzero(np.diff(bounds)).tolist():
                records[bounds[part] : bounds[part + 1]].tofile(files[part])
