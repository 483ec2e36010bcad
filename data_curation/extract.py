"""The text of one file, by its kind, and ``.gz`` around any of them; `KINDS` is the table of what is read."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from typing import Any

from data_curation.plain_text import Extracted, Unreadable, decoded, readable

LARGEST_TEXT = 64 << 20
"""Bytes that a compressed file may unpack to; a few kilobytes can claim to be gigabytes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: the pattern that the end of its name matches, and the function that reads it.

    ``function`` is ``MODULE:NAME``, loaded when the first such file comes; it takes the bytes, or with ``of_text`` the
    decoded text. ``begins`` are the bytes that such a file must begin with, one of them, after white space.
    """

    ending: re.Pattern[str]
    function: str
    of_text: bool = False
    begins: tuple[bytes, ...] = ()

    def holds(self, name: str, data: bytes) -> bool:
        """Whether a file of this name (in lower case) and content is of this kind."""
        return bool(self.ending.search(name)) and (not self.begins or data.lstrip()[:1] in self.begins)


def _ending(*endings: str) -> re.Pattern[str]:
    return re.compile(rf"\.(?:{'|'.join(endings)})$")


KINDS = (
    Kind(_ending("html?", "xhtml"), "data_curation.html_text:from_html"),
    Kind(_ending("page", "xml", "tei", "dbk", "docbook", "nitf", "newsml", "alto"), "data_curation.xml_text:from_xml"),
    Kind(_ending("asc", "adoc", "asciidoc"), "data_curation.kinds.asciidoc:from_asciidoc", of_text=True),
    Kind(_ending("md", "markdown", "qmd", "mdx"), "data_curation.kinds.markdown:from_markdown", of_text=True),
    # ``.1`` ends many names, so that a man page must look like one.
    Kind(re.compile(r"\.[1-9n][a-z]{0,8}$"), "data_curation.roff:from_man_page", begins=(b".", b"'")),
)
"""The first kind that holds is taken; what is of none is text as it stands."""


def extract(path: str, data: bytes, largest_text: int = LARGEST_TEXT, encoding: str | None = None) -> Extracted:
    """Read one file; ``path`` tells the kind by its ending and stands in the messages.

    ``encoding`` is what the configuration says of text that does not say it itself; UTF-8 where left out.

    Problems: ``truncated``, ``too-large``, ``not-utf-8``, ``control-characters``, ``not-xml``, ``entities-refused``,
    ``several-documents``, ``not-html``, ``empty``.
    """
    try:
        name = path.lower()
        if name.endswith(".gz"):
            data, name = unpacked(data, largest_text), name.removesuffix(".gz")
        return checked(path, _read(name, data, encoding))
    except Unreadable as fault:
        return Extracted(None, problem=fault.problem, detail=f"{path}: {fault}.")


def checked(place: str, found: Extracted) -> Extracted:
    """Bring line ends to LF; what is no text becomes a problem, and what else is known of it stays."""
    try:
        return replace(found, text=readable(found.text or ""))
    except Unreadable as fault:
        return replace(found, text=None, problem=fault.problem, detail=f"{place}: {fault}.")


def unpacked(data: bytes, largest: int) -> bytes:
    """Unpack gzip, of one or more members, never to more than ``largest`` bytes.

    Raises:
        Unreadable: it ends too early, is damaged, or unpacks to more.
    """
    parts: list[bytes] = []
    left = largest
    while data:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            parts.append(unpacker.decompress(data, left + 1))
        except zlib.error as fault:
            raise Unreadable("truncated", f"damaged gzip ({fault})") from fault
        left -= len(parts[-1])
        if left < 0:
            raise Unreadable("too-large", f"unpacks to more than {largest} bytes")
        if not unpacker.eof:
            raise Unreadable("truncated", "gzip ends before its end")
        data = unpacker.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _read(name: str, data: bytes, encoding: str | None) -> Extracted:
    kind = next((one for one in KINDS if one.holds(name, data)), None)
    if kind is None:
        return Extracted(decoded(data, encoding))
    found: Extracted = loaded(kind.function)(decoded(data, encoding) if kind.of_text else data)
    return found


@lru_cache(maxsize=64)
def loaded(function: str) -> Callable[[Any], Extracted]:
    """The function that ``MODULE:NAME`` names."""
    module, _, name = function.partition(":")
    made: Callable[[Any], Extracted] = getattr(import_module(module), name)
    return made
