"""The text of one file, by its kind: HTML, Mallard and TEI XML, man page, plain text; ``.gz`` around any of them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from data_curation.plain_text import Extracted, Unreadable, decoded, readable

LARGEST_TEXT = 64 << 20
"""Bytes that a compressed file may unpack to; a few kilobytes can claim to be gigabytes."""

_MANUAL_SECTION = re.compile(r"\.[1-9n][a-z]{0,8}$")


def extract(path: str, data: bytes, largest_text: int = LARGEST_TEXT, encoding: str | None = None) -> Extracted:
    """Read one file; ``path`` tells the kind by its ending and stands in the messages.

    ``encoding`` is what the configuration says of plain text that carries no byte order mark; it is never guessed.

    Problems: ``truncated``, ``too-large``, ``not-utf-8``, ``control-characters``, ``not-xml``, ``entities-refused``,
    ``not-html``, ``empty``.
    """
    try:
        name = path.lower()
        if name.endswith(".gz"):
            data, name = unpacked(data, largest_text), name.removesuffix(".gz")
        found = _kind(name, data, encoding)(data)
        return Extracted(readable(found.text or ""), found.language, found.title)
    except Unreadable as fault:
        return Extracted(None, problem=fault.problem, detail=f"{path}: {fault}.")


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


def _kind(name: str, data: bytes, encoding: str | None) -> Callable[[bytes], Extracted]:
    """Choose by ending; a man page must also look like one, for ``.1`` ends many names.

    Each kind's module is loaded when the first such file comes.
    """
    if name.endswith((".html", ".htm", ".xhtml")):
        from data_curation.html_text import from_html

        return from_html
    if name.endswith((".page", ".xml", ".tei")):
        from data_curation.xml_text import from_xml

        return from_xml
    if _MANUAL_SECTION.search(name) and data.lstrip()[:1] in (b".", b"'"):
        from data_curation.roff import from_man_page

        return from_man_page
    return lambda plain: Extracted(decoded(plain, encoding))
