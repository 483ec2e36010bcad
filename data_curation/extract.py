"""The text of one file, by its kind: HTML, Mallard and TEI XML, man page, plain text; ``.gz`` around any of them.

Text stays as written (no Unicode normalisation); only line ends become LF. What cannot be read says why: nothing is
guessed, no byte is replaced.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

LARGEST_TEXT = 64 << 20
"""Bytes that a compressed file may unpack to; a few kilobytes can claim to be gigabytes."""

_BLANK_LINES = re.compile(r"\n{3,}")
_LINE_ENDS = re.compile(r"[ \t\u00a0]+$", re.MULTILINE)
_SINGLE_BYTE = re.compile(r"(iso-?8859-?\d+|windows-125\d|cp125\d|latin-?\d|us-ascii|koi8-[ru]|macintosh)")
_MANUAL_SECTION = re.compile(r"\.[1-9n][a-z]{0,8}$")


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a file says: its text, or None and the problem; ``language`` and ``title`` as the document names them."""

    text: str | None
    language: str | None = None
    title: str | None = None
    problem: str | None = None
    detail: str | None = None


class Unreadable(Exception):
    """A file that cannot be read; carries the stable problem code and what is wrong, without the file's name."""

    def __init__(self, problem: str, what: str) -> None:
        super().__init__(what)
        self.problem = problem


def extract(path: str, data: bytes, largest_text: int = LARGEST_TEXT) -> Extracted:
    """Read one file; ``path`` tells the kind by its ending and stands in the messages.

    Problems: ``truncated``, ``too-large``, ``not-utf-8``, ``control-characters``, ``not-xml``, ``entities-refused``,
    ``not-html``, ``empty``.
    """
    try:
        name = path.lower()
        if name.endswith(".gz"):
            data, name = unpacked(data, largest_text), name.removesuffix(".gz")
        found = _kind(name, data)(data)
        return Extracted(readable(found.text or ""), found.language, found.title)
    except Unreadable as fault:
        return Extracted(None, problem=fault.problem, detail=f"{path}: {fault}.")


def readable(text: str) -> str:
    """Bring line ends to LF and make sure that the text is text.

    Raises:
        Unreadable: it holds NUL characters, or nothing but white space.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Unreadable("control-characters", f"NUL character in line {line}; this is no text")
    if not text or text.isspace():
        raise Unreadable("empty", "no text in it")
    return text


def decoded(data: bytes, charset: str | None = None) -> str:
    """Decode strictly: UTF-8, or the charset that the document itself declares; a byte order mark is taken off.

    Raises:
        Unreadable: a byte does not fit, or the charset is not one of those that are read.
    """
    try:
        return data.decode(_codec(charset))
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        what = f"byte {fault.start} (line {line}) is not {charset or 'UTF-8'}"
        raise Unreadable("not-utf-8", what) from fault


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


def tidy(text: str) -> str:
    """Take off white space at line ends and keep one blank line where there were more."""
    return _BLANK_LINES.sub("\n\n", _LINE_ENDS.sub("", text)).strip("\n")


def _codec(charset: str | None) -> str:
    """Only charsets that are one; Python's codecs also hold compression and escapes."""
    name = (charset or "utf-8").strip().lower().replace("_", "-")
    if name in ("utf-8", "utf8", "unicode-1-1-utf-8"):
        return "utf-8-sig"
    if name in ("iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii"):
        return "windows-1252"  # WHATWG Encoding Standard, section 4.2: these labels mean windows-1252.
    if _SINGLE_BYTE.fullmatch(name):
        return "mac-roman" if name == "macintosh" else name
    raise Unreadable("not-utf-8", f"declares the charset '{charset}', which is not read")


def _kind(name: str, data: bytes) -> Callable[[bytes], Extracted]:
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
    return _from_plain


def _from_plain(data: bytes) -> Extracted:
    return Extracted(decoded(data))
