"""Read books in EPUB 2 and 3: one document a book, or one a chapter, in the order of the spine.

The partner's id is the book's own identifier (``dc:identifier``), else the file's name; of a chapter
``BOOK#ITEM``. Rights are what the package and its pages declare: ``dc:rights``, licence links, page metadata.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field

from data_curation.extract import extract
from data_curation.plain_text import Unreadable, readable
from data_curation.readers.base import Pattern, SourceBase, refused
from data_curation.readers.folder import Found, files_of_folder, unread
from data_curation.readers.languages import primary
from data_curation.readers.own_statements import own_statements
from data_curation.readers.zip_entries import ZipEntries, opened
from data_curation.received import Received
from licensing.resolvers.values import address, distinct, statement
from licensing.rights import Declared

_FONT_DISGUISES = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_PAGES = ("application/xhtml+xml", "text/html", "application/xml", "text/x-oeb1-document")
_LICENCE_PROPERTIES = frozenset(("cc:license", "dcterms:license", "dcterms:rights", "schema:license", "license"))
_LOCKS = ("META-INF/rights.xml", "META-INF/sinf.xml", "META-INF/license.lcpl")


class EpubSource(SourceBase):
    """Keys: ``path`` (a folder), ``include`` and ``exclude`` (patterns in it), ``split`` (``file`` or ``chapter``).

    ``largest_document`` bounds a book's file and each of its pages, ``largest_unpacked`` all that is unpacked of a
    book, in bytes; ``most_ratio`` is how many times larger than packed a page over 1 MiB may be.
    """

    reader: Literal["epub"]
    path: str
    include: tuple[Pattern, ...] = ("**/*.epub",)
    exclude: tuple[Pattern, ...] = ()
    split: Literal["file", "chapter"] = "file"
    largest_document: int = Field(default=128 << 20, ge=1)
    largest_unpacked: int = Field(default=256 << 20, ge=1)
    most_ratio: int = Field(default=200, ge=1)


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of the spine: its name in the package, its place in the file, its bytes, text and statements."""

    item: str
    path: str
    data: bytes
    text: str
    declared: tuple[Declared, ...]


def read_epub(source: EpubSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield the documents of each book; files sorted by name, chapters in the order of the spine.

    A book with a page that cannot be read is left out as a whole: part of a book under the book's id would be another
    text. Problems: those of `zip_entries`, ``not-epub``, ``not-xml``, ``entities-refused``, ``encrypted``, ``empty``.

    Raises:
        SourceError: the folder is missing, or nothing matches.
    """
    for file in epub_files(source, root):
        document = unread(source, file)
        if document is not None:
            yield document
        else:
            yield from _documents(source, file)


def epub_files(source: EpubSource, root: Path) -> list[Found]:
    """The files that are read, sorted by name."""
    return files_of_folder(source, root, source.path, source.include, source.exclude)


def _documents(source: EpubSource, file: Found) -> Iterator[Received]:
    native_id, known = file.name, {}
    try:
        with opened(file.path, source.largest_document, source.largest_unpacked, source.most_ratio) as entries:
            _require_open(entries)
            place, package = _package(entries)
            native_id = _identifier(package) or file.name
            known = _known(package, f"{file.name}:{place}")
            pages = list(_pages(entries, place, package, source, file))
            if not any(page.text for page in pages):
                raise Unreadable("empty", "no text in its spine")
            own = tuple(dict.fromkeys(one for page in pages for one in page.declared))
            known["declared"] = distinct((*known["declared"], *own))
            if source.split == "chapter":
                yield from (_chapter(source, native_id, page, known) for page in pages)
                return
            text = readable("\n\n".join(page.text for page in pages if page.text))
    except Unreadable as fault:
        yield refused(source, native_id, file.path.read_bytes(), fault.problem, f"{file.name}: {fault}.", **known)
        return
    yield Received.of(source.name, native_id, file.path.read_bytes(), text, **known)


def _chapter(source: EpubSource, book: str, page: _Page, known: dict[str, Any]) -> Received:
    native_id = f"{book}#{page.item}"
    if not page.text:
        return refused(source, native_id, page.data, "empty", f"{page.path}: no text in it.", **known)
    return Received.of(source.name, native_id, page.data, page.text, **known)


def _require_open(entries: ZipEntries) -> None:
    """Stop at encryption, but for fonts whose start is only disguised (EPUB 3.3, section 4.2.6.3)."""
    for lock in _LOCKS:
        if entries.named(lock):
            raise Unreadable("encrypted", f"is locked to one reader ({lock})")
    if not entries.named("META-INF/encryption.xml"):
        return
    for method in _xml(entries, "META-INF/encryption.xml").iter("{*}EncryptionMethod"):
        if method.get("Algorithm") not in _FONT_DISGUISES:
            raise Unreadable("encrypted", f"is encrypted ({str(method.get('Algorithm'))[:80]})")


def _package(entries: ZipEntries) -> tuple[str, Any]:
    """The place of the package document and its root element."""
    for rootfile in _xml(entries, "META-INF/container.xml").iter("{*}rootfile"):
        place = rootfile.get("full-path") or ""
        return place, _xml(entries, place)
    raise Unreadable("not-epub", "META-INF/container.xml names no package")


def _pages(entries: ZipEntries, place: str, package: Any, source: EpubSource, file: Found) -> Iterator[_Page]:
    items = {item.get("id"): item for item in package.iter("{*}item")}
    seen: set[str] = set()
    for reference in package.iter("{*}itemref"):
        name = reference.get("idref") or ""
        item = items.get(name)
        if item is None:
            raise Unreadable("not-epub", f"its spine names '{name[:80]}', which is not in the package")
        path = posixpath.normpath(
            posixpath.join(posixpath.dirname(place), unquote(urlsplit(item.get("href") or "").path))
        )
        if item.get("media-type") not in _PAGES or "nav" in (item.get("properties") or "").split() or path in seen:
            continue
        seen.add(path)
        yield _page(name, path, _bytes(entries, path), source, file)


def _page(item: str, path: str, data: bytes, source: EpubSource, file: Found) -> _Page:
    found = extract(f"{path}.xhtml", data)
    if found.problem and found.problem != "empty":
        raise Unreadable(found.problem, found.detail or path)
    declared = own_statements(f"{file.name}:{path}.xhtml", data, source.largest_document)
    return _Page(item, path, data, found.text or "", declared)


def _xml(entries: ZipEntries, name: str) -> Any:
    from data_curation.xml_text import parse_xml

    return parse_xml(_bytes(entries, name))


def _bytes(entries: ZipEntries, name: str) -> bytes:
    info = entries.named(name)
    if info is None:
        raise Unreadable("not-epub", f"'{name[:200]}' is not in it")
    try:
        return entries.read(info)
    except Unreadable as fault:
        raise Unreadable(fault.problem, f"'{name[:200]}' {fault}") from fault


def _known(package: Any, place: str) -> dict[str, Any]:
    languages = _core(package, "language")
    return {
        "language": primary(languages[0]) if languages else None,
        "title": next(iter(_core(package, "title")), None),
        "author": "; ".join(_core(package, "creator")) or None,
        "published": next((day for day in map(_day, _core(package, "date")) if day), None),
        "declared": distinct(_declared(package, place)),
    }


def _declared(package: Any, place: str) -> Iterator[Declared]:
    for element in package.iter("{http://purl.org/dc/elements/1.1/}rights", "{*}meta", "{*}link"):
        name = element.tag.rpartition("}")[2]
        where = f"{place}:{element.sourceline} <{name}>"
        said: Declared | None = None
        if name == "rights":
            said = statement("".join(element.itertext()), where)
        elif name == "link" and _LICENCE_PROPERTIES & set((element.get("rel") or "").lower().split()):
            said = address(element.get("href") or "", where)
        elif name == "meta" and (element.get("property") or element.get("name") or "").lower() in _LICENCE_PROPERTIES:
            said = statement("".join(element.itertext()) or element.get("content") or "", where)
        if said:
            yield said


def _identifier(package: Any) -> str | None:
    """The identifier that the package says is its own, else the first."""
    wanted = package.get("unique-identifier")
    found = list(package.iter("{http://purl.org/dc/elements/1.1/}identifier"))
    own = [one for one in found if one.get("id") == wanted]
    return next((text for one in (own or found) if (text := " ".join("".join(one.itertext()).split()))), None)


def _core(package: Any, name: str) -> list[str]:
    texts = (
        " ".join("".join(one.itertext()).split()) for one in package.iter(f"{{http://purl.org/dc/elements/1.1/}}{name}")
    )
    return [text for text in texts if text]


def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None
