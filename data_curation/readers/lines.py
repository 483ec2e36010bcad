"""Lines of a file that may be compressed, damaged or without end: each is bounded, nothing is held as a whole."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from data_curation.readers.base import SourceError

CHUNK = 1 << 20
_ZSTD_PIECE = 1 << 10
_BREAKS = (EOFError, zlib.error, lzma.LZMAError)


class Damaged(Exception):
    """A compressed file that ends too early or whose bytes do not fit; the lines before it are good."""


def open_lines(path: Path) -> BinaryIO:
    """Open a file, plain or packed (``.gz``, ``.bz2``, ``.xz``, ``.zst``); raises `Damaged` where it breaks off.

    Raises:
        SourceError: the file is ``.zst`` and the package zstandard is not installed.
    """
    if path.name.endswith((".gz", ".tgz")):
        return cast(BinaryIO, gzip.open(path, "rb"))
    if path.name.endswith(".bz2"):
        return cast(BinaryIO, bz2.open(path, "rb"))
    if path.name.endswith(".xz"):
        return cast(BinaryIO, lzma.open(path, "rb"))
    if path.name.endswith(".zst"):
        return cast(BinaryIO, io.BufferedReader(_Zstandard(path), CHUNK))
    return path.open("rb")


def bounded_lines(stream: BinaryIO, largest: int) -> Iterator[tuple[int, bytes, bool]]:
    """Yield (line number from 1, bytes, whether the line goes on): a line over ``largest`` bytes comes in pieces.

    The newline is taken off; the last piece of a line has False. Raises `Damaged` where a compressed file breaks off.
    """
    number = 1
    while True:
        piece = _readline(stream, largest + 1)
        if not piece:
            return
        while not piece.endswith(b"\n") and len(piece) > largest:
            yield number, piece, True
            piece = _readline(stream, largest + 1)
        yield number, piece.removesuffix(b"\n"), False
        number += 1


def _readline(stream: BinaryIO, most: int) -> bytes:
    try:  # Not `breaks`: this runs once a line, and entering a context costs as much as reading one.
        return stream.readline(most)
    except (*_BREAKS, OSError) as fault:
        raise _damage(fault) from fault


@contextmanager
def breaks() -> Iterator[None]:
    """Tell damage in a compressed file, whatever compressed it, as `Damaged`."""
    try:
        yield
    except (*_BREAKS, OSError) as fault:
        raise _damage(fault) from fault


def _damage(fault: Exception) -> Exception:
    """bz2 has no error of its own for bytes that do not fit; a true error of the disk, which stays, has a number."""
    return fault if isinstance(fault, OSError) and fault.errno is not None else Damaged(str(fault))


class _Zstandard(io.RawIOBase):
    """A zstd file as a raw stream; the library's own stream reader takes a cut frame for the end of the file."""

    def __init__(self, path: Path) -> None:
        try:
            self._library: Any = importlib.import_module("zstandard")
        except ImportError as fault:
            raise SourceError(
                f"{path.name} is compressed with zstd and the package zstandard is not installed; the source cannot be "
                "read. Install it (pip install zstandard) or deliver .jsonl.gz."
            ) from fault
        self._file = path.open("rb")
        self._frame: Any = None
        self._waiting = b""
        self._out = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._out:
            if not self._advance():
                return 0
        size = min(len(buffer), len(self._out))
        buffer[:size] = self._out[:size]
        self._out = self._out[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()

    def _advance(self) -> bool:
        """Decompress the next piece: small, for a kilobyte of zstd can stand for many megabytes."""
        piece = self._waiting or self._file.read(_ZSTD_PIECE)
        if not piece:
            if self._frame is not None:
                raise EOFError("the zstd file ends before its end")
            return False
        self._frame = self._frame or self._library.ZstdDecompressor().decompressobj()
        try:
            self._out = self._frame.decompress(piece)
        except self._library.ZstdError as fault:
            raise EOFError(f"damaged zstd ({fault})") from fault
        self._waiting = b""
        if self._frame.eof:
            self._waiting, self._frame = self._frame.unused_data, None
        return True
