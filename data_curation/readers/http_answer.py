"""An HTTP answer as a crawler stored it (RFC 9112): status, headers and the body without its codings."""

from __future__ import annotations

import importlib
import re
import zlib
from dataclasses import dataclass

from data_curation.plain_text import Unreadable

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})\b")
_END = re.compile(rb"\r?\n\r?\n")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LONGEST_HEAD = 256 << 10
_GZIP, _DEFLATE = 31, 15
_RESERVING = (
    "content-type",
    "content-usage",
    "content-signal",
    "tdm-reservation",
    "tdm-policy",
    "x-robots-tag",
    "link",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """``headers`` are (name in lower case, value) in their order; ``body`` is as sent, with its codings."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def first(self, name: str) -> str:
        """The first value of a header; empty where it is not there."""
        return next((value for known, value in self.headers if known == name), "")

    def reserving(self) -> tuple[str, ...]:
        """The headers that may reserve rights, each as ``NAME: VALUE``, and the content type."""
        return tuple(f"{name}: {value}" for name, value in self.headers if name in _RESERVING)


def answer_of(block: bytes) -> Answer:
    """Take an answer apart.

    Raises:
        Unreadable: it has no status line, or its head does not end.
    """
    status = _STATUS.match(block)
    end = _END.search(block, 0, _LONGEST_HEAD)
    if status is None or end is None:
        raise Unreadable("not-http", "no HTTP answer with a status line and headers that end")
    lines = block[: end.start()].decode("latin-1").replace("\r\n", "\n").split("\n")[1:]
    return Answer(int(status[1]), _headers(lines), block[end.end() :])


def _headers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t") and found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        elif colon and name.strip():
            found.append((name.strip().lower(), value.strip()))
    return tuple((name, value.replace("\0", " ")) for name, value in found)


def uncoded(answer: Answer, largest: int) -> bytes:
    """The body without transfer and content codings, never more than ``largest`` bytes.

    Crawlers often store a body that they have decoded, and leave the header: what does not look coded is kept.

    Raises:
        Unreadable: it breaks off, is damaged, has a coding that is not read, or unpacks to more.
    """
    body = answer.body
    if "chunked" in answer.first("transfer-encoding").lower() and _SIZE.match(body):
        body = _without_chunks(body)
    codings = [one.strip() for one in answer.first("content-encoding").lower().split(",") if one.strip()]
    for coding in reversed(codings):
        body = _unpacked(coding, body, largest)
    if len(body) > largest:
        raise Unreadable("too-large", f"its body is larger than {largest} bytes")
    return body


def _without_chunks(body: bytes) -> bytes:
    parts: list[bytes] = []
    place = 0
    while size := _SIZE.match(body, place):
        length = int(size[1], 16)
        if length == 0:
            return b"".join(parts)
        part = body[size.end() : size.end() + length]
        parts.append(part)
        place = size.end() + length
        place += 2 if body[place : place + 2] == b"\r\n" else 1 if body[place : place + 1] == b"\n" else 0
    raise Unreadable("truncated", "its chunks break off")


def _unpacked(coding: str, body: bytes, largest: int) -> bytes:
    if coding in ("gzip", "x-gzip"):
        return _inflated(body, _GZIP, largest) if body.startswith(b"\x1f\x8b") else body
    if coding == "deflate":
        wrapped = len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
        return _inflated(body, _DEFLATE if wrapped else -_DEFLATE, largest)
    if coding == "br":
        return _brotli(body, largest)
    if coding == "identity":
        return body
    raise Unreadable("unknown-coding", f"its content coding '{coding[:40]}' is not read")


def _inflated(body: bytes, wbits: int, largest: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=wbits)
    try:
        found = unpacker.decompress(body, largest + 1)
    except zlib.error as fault:
        raise Unreadable("truncated", f"its body is damaged ({fault})") from fault
    if len(found) > largest:
        raise Unreadable("too-large", f"its body unpacks to more than {largest} bytes")
    if not unpacker.eof:
        raise Unreadable("truncated", "its packed body ends before its end")
    return found


def _brotli(body: bytes, largest: int) -> bytes:
    """Brotli has no mark at its start, so that what cannot be unpacked is a problem, decoded or not."""
    library = importlib.import_module("brotli")
    unpacker = library.Decompressor()
    try:
        found: bytes = unpacker.process(body, output_buffer_limit=largest + 1)
    except library.error as fault:
        raise Unreadable("truncated", f"its body is damaged ({fault})") from fault
    if len(found) > largest:
        raise Unreadable("too-large", f"its body unpacks to more than {largest} bytes")
    if not unpacker.is_finished():
        raise Unreadable("truncated", "its packed body ends before its end")
    return found
