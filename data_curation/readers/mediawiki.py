"""Read the page dumps of a MediaWiki site (export XML 0.10 and later), plain or compressed: one page one document.

The partner's id is ``PAGE@REVISION``, the received bytes are those of the ``<page>`` element in canonical XML. A dump
names no licence of its texts: the key ``licence`` says on what they may be used, and without it nothing is admitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from data_curation.plain_text import Unreadable, readable
from data_curation.readers.base import SourceBase, hashed, refused, too_large
from data_curation.readers.folder import Found, files_of
from data_curation.readers.languages import primary
from data_curation.readers.lines import Damaged, breaks, open_lines
from data_curation.readers.wikitext import plain_wikitext
from data_curation.received import Received

ENDINGS = tuple(f".xml{packing}" for packing in ("", ".bz2", ".gz", ".xz", ".zst"))
_ALWAYS_LEFT_OUT = frozenset(("file", "image", "category", "media"))
_LEFT_OUT_KEYS = frozenset(("6", "14", "-2"))
_MODELS = frozenset(("wikitext", ""))


class MediawikiSource(SourceBase):
    """Keys: ``path`` (a file, a folder or a pattern) and ``namespaces`` (numbers; 0 are the articles)."""

    reader: Literal["mediawiki"]
    path: str
    namespaces: tuple[int, ...] = (0,)


@dataclass
class _Site:
    """What a dump says of its site, and how many pages were passed over in it."""

    language: str | None = None
    base: str = ""
    left_out: frozenset[str] = _ALWAYS_LEFT_OUT
    redirects: int = 0
    elsewhere: int = 0
    pages: int = field(default=0)


def read_mediawiki(source: MediawikiSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document a page of the chosen namespaces; of several revisions in a dump the last stands for the page.

    Redirects and pages of other namespaces are no documents: one row a file, ``passed-over``, says how many there were.
    Problems, besides those of `readable`: ``too-large``, ``no-id``, ``deleted`` (the text was hidden by the site),
    ``other-media-type`` (the page is no wikitext), and for a file as a whole ``not-xml``, ``entities-refused``,
    ``truncated`` and ``empty-file`` (whatever came before a break is kept).

    Raises:
        SourceError: ``path`` names nothing, or zstandard is not installed.
    """
    for file in files_of(source, root, source.path, ENDINGS):
        if file.problem:
            yield refused(source, file.name, b"", file.problem, file.detail or file.name)
        else:
            yield from _documents(source, file)


def _documents(source: MediawikiSource, file: Found) -> Iterator[Received]:
    site = _Site()
    try:
        for page in _pages(file, site):
            site.pages += 1
            document = _document(source, file, site, page)
            if document is not None:
                yield document
    except Damaged as fault:
        yield _whole(source, file, "truncated", f"{file.name}: breaks off after {site.pages} pages ({fault}).")
        return
    except Unreadable as fault:
        yield _whole(source, file, fault.problem, f"{file.name}: after {site.pages} pages: {fault}.")
        return
    if not site.pages:
        yield _whole(source, file, "empty-file", f"{file.name}: there are no pages in it.")
    elif site.redirects or site.elsewhere:
        told = f"{site.redirects} redirects and {site.elsewhere} pages of other namespaces are no documents"
        yield refused(source, file.name, b"", "passed-over", f"{file.name}: {told}.")


def _pages(file: Found, site: _Site) -> Iterator[Any]:
    """Each ``<page>`` as it ends; pages before it are let go, so that memory depends on the largest page."""
    from lxml import etree

    with open_lines(file.path) as stream:
        events = etree.iterparse(
            _Stream(stream), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
            huge_tree=False, remove_comments=True, remove_pis=True,
        )  # fmt: skip
        try:
            _, top = next(events)
            _begin(top, site)
            for event, element in events:
                if event == "end" and element.getparent() is top:
                    name = _local(element)
                    if name == "siteinfo":
                        _read_site(element, site)
                    elif name == "page":
                        yield element
                    element.clear()
                    while element.getprevious() is not None:
                        del top[0]
        except (etree.XMLSyntaxError, StopIteration) as fault:
            raise Unreadable("not-xml", f"not well-formed XML ({str(fault)[:200]})") from fault


class _Stream:
    """Reading for the parser, with damage told as such and not as wrong XML."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        with breaks():
            data: bytes = self._stream.read(size)
        return data


def _begin(top: Any, site: _Site) -> None:
    if top.getroottree().docinfo.doctype:
        raise Unreadable("entities-refused", "has a DOCTYPE, which a dump has not and which is never read")
    if _local(top) != "mediawiki":
        raise Unreadable("not-xml", f"its root element is <{_local(top)[:40]}> and not <mediawiki>")
    site.language = primary(top.get("{http://www.w3.org/XML/1998/namespace}lang"))


def _read_site(siteinfo: Any, site: _Site) -> None:
    site.base = _text(siteinfo, "base").rpartition("/")[0]
    spaces = [one for one in siteinfo.iter("{*}namespace") if one.get("key") in _LEFT_OUT_KEYS and one.text]
    site.left_out = _ALWAYS_LEFT_OUT | {str(one.text).lower() for one in spaces}


def _document(source: MediawikiSource, file: Found, site: _Site, page: Any) -> Received | None:
    if not _is_wanted(source, page):
        site.elsewhere += 1
        return None
    if _child(page, "redirect") is not None:
        site.redirects += 1
        return None
    revisions = [one for one in page if _local(one) == "revision"]
    data = _bytes_of(page)
    revision = revisions[-1] if revisions else page
    number, version = _text(page, "id"), _text(revision, "id") if revisions else ""
    place = f"{file.name}:page {site.pages}"
    if not number or not version:
        return refused(source, place, data, "no-id", f"{place}: has no id, or no revision with an id.")
    return _made(source, f"{number}@{version}", data, place, site, page, revision)


def _made(
    source: MediawikiSource, native_id: str, data: bytes, place: str, site: _Site, page: Any, last: Any
) -> Received:
    known = _known(site, page, last)
    if len(data) > source.largest_document:
        return refused(source, native_id, data, *too_large(source, place), **known)
    try:
        content = _child(last, "text")
        if content is None or content.get("deleted") is not None:
            raise Unreadable("deleted", "its text was hidden by the site, or is not in this dump")
        if _text(last, "model") not in _MODELS:
            raise Unreadable("other-media-type", f"is no wikitext but {_text(last, 'model')[:40]}")
        return Received.of(
            source.name, native_id, data, readable(plain_wikitext(content.text or "", site.left_out)), **known
        )
    except Unreadable as fault:
        return refused(source, native_id, data, fault.problem, f"{place}: {fault}.", **known)


def _is_wanted(source: MediawikiSource, page: Any) -> bool:
    space = _text(page, "ns") or "0"
    return space.lstrip("-").isdecimal() and len(space) < 9 and int(space) in source.namespaces


def _known(site: _Site, page: Any, revision: Any) -> dict[str, Any]:
    title = " ".join(_text(page, "title").split())
    contributor = _child(revision, "contributor")
    return {
        "title": title or None,
        "language": site.language,
        "url": f"{site.base}/{quote(title.replace(' ', '_'))}" if site.base and title else None,
        "published": _day(_text(revision, "timestamp")),
        # One who is known by an address of the network alone stays unnamed: the address is personal data.
        "author": _text(contributor, "username") or None if contributor is not None else None,
    }


def _day(timestamp: str) -> str | None:
    from datetime import date

    try:
        return date.fromisoformat(timestamp[:10]).isoformat()
    except ValueError:
        return None


def _bytes_of(page: Any) -> bytes:
    from lxml import etree

    try:
        data: bytes = etree.tostring(page, method="c14n", with_tail=False)
    except etree.C14NError:  # Canonical XML knows no names that are relative addresses.
        data = etree.tostring(page, encoding="utf-8", with_tail=False)
    return data


def _whole(source: MediawikiSource, file: Found, problem: str, detail: str) -> Received:
    with file.path.open("rb") as stream:
        return hashed(source, file.name, stream, problem, detail)


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _child(element: Any, name: str) -> Any:
    return next((one for one in element if _local(one) == name), None)


def _text(element: Any, name: str) -> str:
    found = _child(element, name)
    return (found.text or "").strip() if found is not None else ""
