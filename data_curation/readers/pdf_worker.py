"""Take the text out of PDF files, in a process of its own: PDFium is C++, and a broken file may end it.

Run as a program: for each request (8 bytes of length, then the file) on standard input one answer (8 bytes of length,
then JSON) goes to standard output. Memory is bounded once, processor time anew for each file; both by the kernel.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import resource
import struct
import sys
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">Q")
_COPYING_ALLOWED = 0x10
_MAY_COPY = 0xFFFFFFFF
_HYPHENS = ("\u0002", "\ufffe")


def text_of(data: bytes, most_pages: int, most_characters: int) -> dict[str, Any]:
    """The answer for one file: ``pages`` (texts), ``info`` and ``language``, or ``problem`` and ``what``.

    PDFium marks the hyphen at which a word was broken over two lines and puts the word together; the mark goes, so
    that the word is whole. A hyphen that belongs to the word and stands at a line's end cannot be told from it.
    """
    pdfium: Any = importlib.import_module("pypdfium2")

    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as fault:
        locked = "password" in str(fault).lower() or "security" in str(fault).lower()
        return _problem("encrypted" if locked else "not-pdf", str(fault))
    allowed = int(pdfium.raw.FPDF_GetDocPermissions(document.raw)) & _MAY_COPY
    if not allowed & _COPYING_ALLOWED:
        return _problem("encrypted", "its author does not allow to copy text out of it")
    if len(document) > most_pages:
        return _problem("too-large", f"has {len(document)} pages, and {most_pages} are read")
    pages: list[str] = []
    left = most_characters
    for number in range(len(document)):
        try:
            pages.append(_page(document, number, left))
        except pdfium.PdfiumError as fault:
            return _problem("damaged-page", f"page {number + 1} cannot be read ({fault})")
        left -= len(pages[-1])
        if left < 0:
            return _problem("too-large", f"holds more than {most_characters} characters")
    return {"pages": pages, "info": document.get_metadata_dict(skip_empty=True), "language": _language(document)}


def _page(document: Any, number: int, most: int) -> str:
    page = document[number]
    layer = page.get_textpage()
    try:
        if layer.count_chars() > most:
            return "x" * (most + 1)
        text = str(layer.get_text_bounded(errors="ignore"))
    finally:
        layer.close()
        page.close()
    for mark in _HYPHENS:
        text = text.replace(mark, "")
    return text.replace("\r\n", "\n")


def _language(document: Any) -> str | None:
    raw: Any = importlib.import_module("pypdfium2.raw")

    buffer = ctypes.create_string_buffer(128)
    length = raw.FPDFCatalog_GetLanguage(document.raw, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), 128)
    return buffer.raw[: max(0, min(length, 128) - 2)].decode("utf-16-le", "replace") or None


def _problem(problem: str, what: str) -> dict[str, Any]:
    return {"problem": problem, "what": what[:200]}


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def main(memory: int, seconds: int, most_pages: int, most_characters: int) -> None:
    """Serve requests until standard input ends; limits in bytes, seconds of processor time, pages and characters."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        head = sys.stdin.buffer.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return
        data = _exactly(sys.stdin.buffer, _LENGTH.unpack(head)[0])
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        answer = json.dumps(text_of(data, most_pages, most_characters)).encode("ascii")
        sys.stdout.buffer.write(_LENGTH.pack(len(answer)) + answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:5]))
