"""Read web archives (WARC and WET files): each page of HTML or plain text one document, with the headers it came with.

The partner's id is the record's own (``WARC-Record-ID``), else its address and time. The received bytes are those of
the record's block: of an answer its headers and body as stored. Rights are what the page and its headers declare; what
the headers reserve travels in ``headers``, and what the site's own files reserve is found by
`data_curation.readers.warc_sites`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from data_curation.extract import extract
from data_curation.page_elements import page_elements
from data_curation.plain_text import Unreadable, decoded
from data_curation.readers.base import Hashing, SourceBase, hashed, refused, too_large
from data_curation.readers.folder import Found, files_of
from data_curation.readers.http_answer import Answer, answer_of, uncoded
from data_curation.readers.languages import primary
from data_curation.readers.own_statements import own_statements
from data_curation.readers.warc_records import Record, records
from data_curation.received import Received
from licensing.resolvers.values import address
from licensing.rights import Declared

ENDINGS = (".warc", ".warc.gz", ".wet", ".wet.gz", ".arc.warc.gz")
SITE_FILES = ("/robots.txt", "/.well-known/tdmrep.json", "/ai.txt")
_KINDS = {"text/html": "page.html", "application/xhtml+xml": "page.xhtml", "text/plain": "page.txt"}
_CHARSET = re.compile(r"""(?i)charset\s*=\s*["']?([a-z0-9_.:-]{1,40})""")
_LINK = re.compile(r"<([^>]{1,2000})>([^,<]*)")
_LICENCE_REL = re.compile(r"""(?i)\brel\s*=\s*(?:"[^"]*\blicen[cs]e\b[^"]*"|licen[cs]e\b)""")
_TARGET = re.compile(r"(?i)^https?://[^/?#]+([^?#]*)")


class WarcSource(SourceBase):
    """Keys: ``path`` (a file, a folder or a pattern)."""

    reader: Literal["warc"]
    path: str


def read_warc(source: WarcSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document a record that holds an answer, a resource or a conversion; files sorted by name.

    Requests, metadata and what sites say to crawlers (robots.txt and the like) are no documents. Problems, besides
    those of `extract`: ``not-warc``, ``wrong-length``, ``truncated``, ``too-large``, ``not-http``, ``http-status``,
    ``revisit`` (its text stands in another record), ``other-media-type``, ``unknown-coding``, and for a file as a whole
    ``empty-file``.

    Raises:
        SourceError: ``path`` names nothing.
    """
    for file in files_of(source, root, source.path, ENDINGS):
        if file.problem:
            yield refused(source, file.name, b"", file.problem, file.detail or file.name)
        else:
            yield from _documents(source, file)


def address_of(record: Record) -> str:
    """The address that a record was fetched from; empty where it names none."""
    return record.headers.get("warc-target-uri", "").strip().removeprefix("<").removesuffix(">")


def is_site_file(url: str) -> bool:
    """Whether an address is that of a file by which a site speaks to crawlers."""
    found = _TARGET.match(url)
    return found is not None and found[1] in SITE_FILES


def _documents(source: WarcSource, file: Found) -> Iterator[Received]:
    count = 0
    for number, record in enumerate(records(file.path, source.largest_document), start=1):
        document = _document(source, record, f"{file.name}:{number}")
        if document is not None:
            count += 1
            yield document
    if not count:
        with file.path.open("rb") as stream:
            yield hashed(source, file.name, stream, "empty-file", f"{file.name}: there are no documents in it.")


def _document(source: WarcSource, record: Record, place: str) -> Received | None:
    native_id, url = _native_id(record, place), address_of(record) or None
    if record.problem == "too-large":
        return _large(source, record, native_id, too_large(source, place), url)
    if record.problem:
        return _large(source, record, native_id, (record.problem, f"{place}: {record.what}."), url)
    kind = record.headers.get("warc-type", "").lower()
    if kind in ("warcinfo", "request", "metadata", "continuation") or is_site_file(address_of(record)):
        return None
    try:
        if kind not in ("response", "resource", "conversion"):
            raise Unreadable(*_untold(kind))
        return _page(source, record, native_id, place, url)
    except Unreadable as fault:
        return refused(source, native_id, record.block, fault.problem, f"{place}: {fault}.", url=url)


def _untold(kind: str) -> tuple[str, str]:
    if kind == "revisit":
        return "revisit", "says that nothing has changed; the text stands in the record that it refers to"
    return "not-warc", f"its WARC-Type is '{kind[:40]}'"


def _native_id(record: Record, place: str) -> str:
    named = record.headers.get("warc-record-id", "").strip().removeprefix("<").removesuffix(">")
    if named or not address_of(record):
        return named or place
    return f"{address_of(record)}@{record.headers.get('warc-date', '')}"


def _large(source: SourceBase, record: Record, native_id: str, fault: tuple[str, str], url: str | None) -> Received:
    document = Hashing(source, native_id)
    document.feed(record.block)
    for piece in record.rest or ():
        document.feed(piece)
    return document.received(*fault, url=url)


def _page(source: WarcSource, record: Record, native_id: str, place: str, url: str | None) -> Received:
    answer = _answer(record)
    if answer and not 200 <= answer.status <= 299:
        raise Unreadable("http-status", f"the server answered {answer.status}")
    if "warc-truncated" in record.headers:
        raise Unreadable("truncated", f"the crawler cut it ({record.headers['warc-truncated'][:40]})")
    said = (answer.first("content-type") if answer else record.headers.get("content-type", "")) or "none"
    kind = _KINDS.get(said.partition(";")[0].strip().lower())
    if kind is None:
        raise Unreadable("other-media-type", f"its media type is '{said[:60]}'; HTML and plain text are read")
    body = uncoded(answer, source.largest_document) if answer else record.block
    charset = _CHARSET.search(said)
    data = _with_mark(body, charset[1]) if charset else body
    found = extract(kind, data)
    return Received.of(
        source.name,
        native_id,
        record.block,
        found.text,
        language=primary(found.language) or _language(record, answer),
        title=found.title,
        author=found.author,
        published=found.published,
        declared=_declared(source, data, kind, answer, place),
        problem=found.problem,
        detail=found.detail and found.detail.replace(kind, place, 1),
        page=page_elements(kind, data, source.largest_document),
        headers=answer.reserving() if answer else None,
        url=url,
    )


def _answer(record: Record) -> Answer | None:
    """The HTTP answer in a record; what was fetched by other means, or made from a page, has none."""
    if record.headers.get("warc-type", "").lower() != "response":
        return None
    return answer_of(record.block)


def _with_mark(body: bytes, charset: str) -> bytes:
    """The charset of the HTTP header goes before what the page says of itself (HTML standard, section 13.2.3.2)."""
    return b"\xef\xbb\xbf" + decoded(body, charset).encode("utf-8", "surrogatepass")


def _declared(source: SourceBase, data: bytes, kind: str, answer: Answer | None, place: str) -> tuple[Declared, ...]:
    own = [
        Declared(one.text, one.where.replace(kind, place, 1), one.form)
        for one in own_statements(kind, data, source.largest_document)
    ]
    links = answer.headers if answer else ()
    linked = [
        address(target, f"{place} header Link")
        for name, value in links
        if name == "link"
        for target, parameters in _LINK.findall(value)
        if _LICENCE_REL.search(parameters) and "rsl+xml" not in parameters.lower()
    ]
    return tuple(dict.fromkeys((*own, *(one for one in linked if one))))


def _language(record: Record, answer: Answer | None) -> str | None:
    """What the answer, or whoever made the text, says of its language, where that is one language."""
    said: Any = answer.first("content-language") if answer else ""
    said = said or record.headers.get("warc-identified-content-language", "")
    return primary(said) if "," not in said else None
