"""Text as such: strictly decoded, with plain line ends, or a reason why not; shared by all kinds of files.

Text stays as written (no Unicode normalisation). What cannot be read says why: nothing is guessed, no byte is replaced.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BLANK_LINES = re.compile(r"\n{3,}")
_LINE_ENDS = re.compile(r"[ \t\u00a0]+$", re.MULTILINE)
_SINGLE_BYTE = re.compile(r"(iso-?8859-?\d+|windows-125\d|cp125\d|latin-?\d|us-ascii|koi8-[ru]|macintosh)")


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a file says: its text, or None and the problem; the rest as the document names it.

    ``native_id`` is the document's own id, ``published`` a day (ISO 8601), ``withdrawn`` whether its publisher has
    taken it back. ``confidence`` is how sure a text recognition was, from 0 to 1, on average over ``words`` words.
    """

    text: str | None
    language: str | None = None
    title: str | None = None
    problem: str | None = None
    detail: str | None = None
    author: str | None = None
    published: str | None = None
    native_id: str | None = None
    url: str | None = None
    withdrawn: bool = False
    confidence: float | None = None
    words: int = 0


class Unreadable(Exception):
    """A file that cannot be read; carries the stable problem code and what is wrong, without the file's name."""

    def __init__(self, problem: str, what: str) -> None:
        super().__init__(what)
        self.problem = problem


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
