"""Entries of a zip file, read one at a time within limits; nothing is unpacked to disk, so no name in one can do harm.

Names that lead elsewhere, links, encryption, names that stand twice and entries that unpack out of all proportion are
told as problems of the entry.
"""

from __future__ import annotations

import lzma
import re
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_curation.plain_text import Unreadable
from data_curation.readers.base import shown

_PLAIN_RATIO_BYTES = 1 << 20
_MOST_ENTRIES = 1_000_000
_PIECE = 1 << 20
_FAULTS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError, OSError,
    OverflowError, MemoryError,
)  # fmt: skip


def unsafe_name(name: str) -> str | None:
    """Why a name would lead elsewhere if it were unpacked; None where it would not."""
    if not name:
        return "it has no name"
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "its name is absolute"
    if ".." in re.split(r"[/\\]", name):
        return "its name leads out of the archive"
    if "\\" in name or any(ord(sign) < 32 for sign in name):
        return "its name holds backslashes or control characters"
    return None


class ZipEntries:
    """One open zip file; ``largest`` bounds an entry, ``largest_total`` all that is unpacked of it, in bytes."""

    def __init__(self, archive: zipfile.ZipFile, largest: int, largest_total: int, most_ratio: int) -> None:
        self._archive, self._largest, self._left, self._most_ratio = archive, largest, largest_total, most_ratio
        self._times = Counter(info.filename for info in archive.infolist())
        self._infos = {info.filename: info for info in archive.infolist()}

    def __iter__(self) -> Iterator[zipfile.ZipInfo]:
        """The entries that are no folders, in the order of the archive's directory."""
        # Not the library's own question, which raises where a name is empty.
        return (info for info in self._archive.infolist() if not info.filename.endswith("/"))

    def named(self, name: str) -> zipfile.ZipInfo | None:
        """The entry of a name; None where there is none."""
        return self._infos.get(name)

    def read(self, info: zipfile.ZipInfo) -> bytes:
        """The bytes of an entry, its checksum compared.

        Raises:
            Unreadable: ``unsafe-name``, ``link``, ``encrypted``, ``repeated-name``, ``bomb``, ``too-large`` or
                ``damaged-entry``.
        """
        self._check(info)
        if self.is_large(info):
            raise Unreadable("too-large", f"unpacks to {info.file_size} bytes, and {self._largest} are read")
        return b"".join(self.pieces(info))

    def is_large(self, info: zipfile.ZipInfo) -> bool:
        """Whether an entry is over the limit, so that it is only hashed."""
        return info.file_size > self._largest

    def pieces(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        """The bytes of an entry in pieces, its checksum compared at their end.

        Raises:
            Unreadable: as `read`, but for ``too-large``.
        """
        self._check(info)
        self._left -= info.file_size
        size = 0
        try:
            with self._archive.open(info) as stream:
                while piece := stream.read(_PIECE):
                    size += len(piece)
                    yield piece
        except _FAULTS as fault:
            told = str(fault)[:100] or type(fault).__name__
            raise Unreadable("damaged-entry", f"cannot be unpacked ({told})") from fault
        if size != info.file_size:
            raise Unreadable("damaged-entry", f"has {size} bytes and not the {info.file_size} that it claims")

    def _check(self, info: zipfile.ZipInfo) -> None:
        unsafe = unsafe_name(info.filename)
        if unsafe:
            raise Unreadable("unsafe-name", unsafe)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise Unreadable("link", "is a link, which is never followed")
        if info.flag_bits & 1:
            raise Unreadable("encrypted", "is encrypted")
        if self._times[info.filename] > 1:
            raise Unreadable("repeated-name", "its name stands twice, so that nobody can tell which is meant")
        much = info.file_size > _PLAIN_RATIO_BYTES
        if info.file_size > self._left or (much and info.file_size > self._most_ratio * max(info.compress_size, 1)):
            raise Unreadable(
                "bomb", f"unpacks to {info.file_size} bytes, out of proportion or beyond the archive's limit"
            )


@contextmanager
def opened(path: Path, largest: int, largest_total: int, most_ratio: int) -> Iterator[ZipEntries]:
    """Open a zip file.

    Raises:
        Unreadable: ``not-zip``: it is none, or its directory is damaged.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (*_FAULTS, KeyError, IndexError) as fault:
        raise Unreadable("not-zip", f"no zip file, or a damaged one ({str(fault)[:100]})") from fault
    with archive:
        if len(archive.infolist()) > _MOST_ENTRIES:
            raise Unreadable("bomb", f"has more than {_MOST_ENTRIES} entries")
        yield ZipEntries(archive, largest, largest_total, most_ratio)


def shown_name(info: zipfile.ZipInfo) -> str:
    """The name of an entry as a ledger can hold it."""
    return shown(info.filename).replace("\0", "\\x00")
