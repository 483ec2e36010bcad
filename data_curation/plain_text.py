"""Text as such: strictly decoded, with plain line ends, or a reason why not; shared by all kinds of files.

Text stays as written (no Unicode normalisation). What cannot be read says why: nothing is guessed, no byte is replaced.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_BLANK_LINES = re.compile(r"\n{3,}")
_SINGLE_BYTE = re.compile(r"(iso-?8859-?\d+|windows-125\d|cp125\d|latin-?\d|us-ascii|koi8-[ru]|macintosh|mac-roman)")
_WIDE = frozenset(("utf-16-le", "utf-16-be"))


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


def decoded(data: bytes, charset: str | None = None, marked: bool = True) -> str:
    """Decode strictly, by the byte order mark, else by the charset that the document declares, else as UTF-8.

    A mark goes before what is declared, as in browsers (WHATWG Encoding Standard, section 6), and is taken off.
    ``marked`` is False for a piece from within a file, where no mark of UTF-16 can stand.

    Raises:
        Unreadable: a byte does not fit, or the charset is not one of those that are read.
    """
    codec = (marked_codec(data) if marked else None) or _codec(charset)
    try:
        return data.decode(codec)
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        what = f"byte {fault.start} (line {line}) is not {_shown(codec, charset)}"
        raise Unreadable("not-utf-8", what) from fault


def marked_codec(data: bytes) -> str | None:
    """The codec that a byte order mark stands for; None where there is no mark.

    Raises:
        Unreadable: the mark is that of UTF-32, which is not read.
    """
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise Unreadable("not-utf-8", "begins with the byte order mark of UTF-32, which is not read")
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None


def known_encoding(name: str) -> str:
    """Check the name of an encoding that a configuration gives for files that carry no mark.

    Raises:
        ValueError: it is none of those that are read.
    """
    try:
        _codec(name)
    except Unreadable as fault:
        raise ValueError(
            f"'{name}' is no encoding that is read; write utf-8, utf-16-le, utf-16-be, iso-8859-1 to -16, "
            "windows-1250 to -1258, koi8-r, koi8-u or macintosh"
        ) from fault
    return name


def tidy(text: str) -> str:
    """Take off white space at line ends and keep one blank line where there were more."""
    # Not by a regular expression, whose time would grow with the square of a run of blanks.
    lines = (line.rstrip(" \t\u00a0") for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def _codec(charset: str | None) -> str:
    """Only charsets that are one; Python's codecs also hold compression and escapes."""
    name = (charset or "utf-8").strip().lower().replace("_", "-")
    if name in ("utf-8", "utf8", "unicode-1-1-utf-8"):
        return "utf-8-sig"
    if name in ("iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii"):
        return "windows-1252"  # WHATWG Encoding Standard, section 4.2: these labels mean windows-1252.
    if name in _WIDE:
        return name
    if _SINGLE_BYTE.fullmatch(name) and _is_known(name):
        return "mac-roman" if name in ("macintosh", "mac-roman") else name
    raise Unreadable("not-utf-8", f"declares the charset '{charset}', which is not read")


def _is_known(name: str) -> bool:
    """A name of the right form need not be a codec: there is no iso-8859-12."""
    try:
        codecs.lookup("mac-roman" if name == "macintosh" else name)
    except LookupError:
        return False
    return True


def _shown(codec: str, charset: str | None) -> str:
    return "UTF-16" if codec == "utf-16" else charset or "UTF-8"
