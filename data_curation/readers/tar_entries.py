"""Entries of a tar archive as a stream, within limits that the standard library does not set.

The library takes a damaged header after the first for the end of the archive, and reads extended headers of any size
into memory; here the one is damage, and the other is bounded.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from data_curation.readers.lines import Damaged, breaks

_LARGEST_HEADER = 1 << 20


class BoundedInfo(tarfile.TarInfo):
    """A header that raises `Damaged` where it cannot be read, or its extension is larger than 1 MiB."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> BoundedInfo:
        """As in the library, but that what cannot be read is never taken for the end."""
        try:
            return super().frombuf(buf, encoding, errors)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as fault:  # type: ignore[attr-defined]
            raise Damaged(str(fault)) from fault

    def _proc_pax(self, archive: Any) -> Any:
        return self._bounded("_proc_pax", archive)

    def _proc_gnulong(self, archive: Any) -> Any:
        return self._bounded("_proc_gnulong", archive)

    def _bounded(self, name: str, archive: Any) -> Any:
        if self.size > _LARGEST_HEADER:
            raise Damaged(f"an extended header of {self.size} bytes")
        return getattr(super(), name)(archive)


@contextmanager
def tar_breaks() -> Iterator[None]:
    """Tell as `Damaged` what the library, or what it is packed in, says of an archive that cannot be read on."""
    try:
        with breaks():
            yield
    except (tarfile.TarError, ValueError, OverflowError, IndexError) as fault:
        raise Damaged(str(fault)) from fault


def tar_entries(stream: BinaryIO) -> Iterator[tuple[tarfile.TarInfo, BinaryIO | None]]:
    """Yield each entry and, of a file, its content, to be read within `tar_breaks` before the next is taken.

    Raises:
        Damaged: the archive, or what it is packed in, breaks off or is damaged.
    """
    with tar_breaks(), tarfile.open(fileobj=stream, mode="r|", bufsize=1 << 20, tarinfo=BoundedInfo) as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined]  # It would keep every member that it has passed.
            yield member, cast(BinaryIO, archive.extractfile(member)) if member.isreg() else None
