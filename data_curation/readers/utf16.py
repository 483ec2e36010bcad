"""A stream in UTF-16, with its byte order mark, as UTF-8: for readers that look for line ends as bytes."""

from __future__ import annotations

import codecs
import io
from typing import Any, BinaryIO

from data_curation.readers.lines import CHUNK, Damaged, breaks


class AsUtf8(io.RawIOBase):
    """Reading raises `Damaged` where the bytes are no UTF-16, or the file underneath breaks off."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-16")()
        self._out = b""
        self._ended = False

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what is decoded."""
        while not self._out and not self._ended:
            self._advance()
        size = min(len(buffer), len(self._out))
        buffer[:size] = self._out[:size]
        self._out = self._out[size:]
        return size

    def _advance(self) -> None:
        with breaks():
            piece = self._stream.read(CHUNK >> 4)
        self._ended = not piece
        try:
            self._out = self._decoder.decode(piece, final=self._ended).encode()
        except UnicodeError as fault:
            raise Damaged(f"its bytes are not UTF-16 ({fault})") from fault
