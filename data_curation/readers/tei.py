"""Read TEI editions (ELTeC novels, DraCor plays): the text of the body, one document a file or a chapter.

Rights are what the header's ``<availability>`` says. That of ``publicationStmt`` speaks of the edition; one elsewhere
(``sourceDesc``) speaks of what the edition was made from and counts only where the edition's own says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal

from data_curation.plain_text import Unreadable, readable
from data_curation.readers.base import Pattern, SourceBase, refused
from data_curation.readers.folder import Found, files_of_folder, unread
from data_curation.readers.languages import primary
from data_curation.received import Received
from licensing.resolvers.values import restricts_beyond
from licensing.rights import Declared

_GROUPS = frozenset(("group", "part", "volume"))
_PROSE_CHARACTERS = 300
_NAMES = {"t": "http://www.tei-c.org/ns/1.0", "xml": "http://www.w3.org/XML/1998/namespace"}


class TeiSource(SourceBase):
    """Keys: ``path`` (a folder), ``include`` and ``exclude`` (patterns in it), ``split`` (``file`` or ``div``)."""

    reader: Literal["tei"]
    path: str
    include: tuple[Pattern, ...] = ("**/*.xml",)
    exclude: tuple[Pattern, ...] = ()
    split: Literal["file", "div"] = "file"


def read_tei(source: TeiSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document a file (its bytes as received), or with ``split: div`` one a chapter (its canonical XML).

    The partner's id is the ``xml:id`` of the root, else the file's name; chapters add ``#1``, ``#2``, …

    Problems: ``not-xml``, ``entities-refused``, ``not-utf-8``, ``empty``, ``too-large``, ``outside-folder``.

    Raises:
        SourceError: the folder is missing, or nothing matches.
    """
    for file in tei_files(source, root):
        document = unread(source, file)
        if document is None:
            yield from _documents(source, file, file.path.read_bytes())
        else:
            yield document


def tei_files(source: TeiSource, root: Path) -> list[Found]:
    """The files that are read, sorted by name."""
    return files_of_folder(source, root, source.path, source.include, source.exclude)


def _documents(source: TeiSource, file: Found, data: bytes) -> Iterator[Received]:
    from data_curation.xml_text import parse_xml

    try:
        tei = parse_xml(data)
        if tei.tag.rpartition("}")[2] != "TEI" or not _find(tei, "t:text//t:body"):
            raise Unreadable("not-xml", "no <TEI> with a <body> in the TEI namespace")
    except Unreadable as fault:
        yield refused(source, file.name, data, fault.problem, f"{file.name}: {fault}.")
        return
    native_id = tei.get(f"{{{_NAMES['xml']}}}id") or file.name
    known = _header(tei, file.name)
    if source.split == "file":
        yield _document(source, native_id, data, _find(tei, "t:text//t:body"), known, file.name)
        return
    for number, parts in enumerate(_chapters(_find(tei, "t:text//t:body")), start=1):
        yield _document(source, f"{native_id}#{number}", _bytes_of(parts), parts, known, f"{file.name}#{number}")


def _document(
    source: TeiSource, native_id: str, data: bytes, parts: list[Any], known: dict[str, Any], place: str
) -> Received:
    from data_curation.xml_text import tei_text

    try:
        text = readable("\n\n".join(found for found in map(tei_text, parts) if found))
        return Received.of(source.name, native_id, data, text, **known)
    except Unreadable as fault:
        return refused(source, native_id, data, fault.problem, f"{place}: {fault}.", **known)


def _chapters(bodies: list[Any]) -> Iterator[list[Any]]:
    """Each ``div`` is a chapter (those that group chapters are opened); what stands between them is one of its own."""
    for parent in bodies:
        loose: list[Any] = []
        for child in parent:
            if not isinstance(child.tag, str) or child.tag.rpartition("}")[2] != "div":
                loose.append(child)
                continue
            if loose:
                yield loose
                loose = []
            yield from _chapters([child]) if child.get("type") in _GROUPS else [[child]]
        if loose:
            yield loose


def _bytes_of(parts: list[Any]) -> bytes:
    from lxml import etree

    try:
        return b"".join(etree.tostring(part, method="c14n", with_tail=False) for part in parts)
    except etree.C14NError:  # Canonical XML knows no names that are relative addresses.
        return b"".join(etree.tostring(part, encoding="utf-8", with_tail=False) for part in parts)


def _header(tei: Any, file: str) -> dict[str, Any]:
    return {
        "language": _language(tei),
        "declared": _declared(tei, file),
        "title": _first(_find(tei, "t:teiHeader/t:fileDesc/t:titleStmt/t:title")),
        "author": "; ".join(map(_name, _find(tei, "t:teiHeader/t:fileDesc/t:titleStmt/t:author"))) or None,
        "published": _published(tei),
    }


def _language(tei: Any) -> str | None:
    """The nearest ``xml:lang`` to the text, else the only language of ``langUsage``."""
    marked = _find(tei, "t:text//t:body/@xml:lang") or _find(tei, "t:text/@xml:lang") or _find(tei, "@xml:lang")
    if marked:
        return primary(str(marked[0]))
    used = _find(tei, "t:teiHeader//t:langUsage/t:language/@ident")
    return primary(str(used[0])) if len(used) == 1 else None


def _declared(tei: Any, file: str) -> tuple[Declared, ...]:
    own = _find(tei, "t:teiHeader/t:fileDesc/t:publicationStmt//t:availability")
    every = _find(tei, "t:teiHeader//t:availability")
    for availabilities in (own, every):
        targets = [found for one in availabilities for found in _targets(one, file)]
        if targets:
            addresses = [target.text for target in targets]
            beside = [found for one in availabilities for found in _prose(one, file)]
            return (*targets, *(found for found in beside if restricts_beyond(found.text, addresses)))
        prose = [found for one in availabilities for found in _prose(one, file)]
        if prose:
            return tuple(prose)
    return ()


def _targets(availability: Any, file: str) -> Iterator[Declared]:
    """Addresses of licences: of ``<licence>`` itself, or of a reference in it (as in DraCor)."""
    for element in _find(
        availability, ".//t:licence[@target] | .//t:licence//t:ref[@target] | .//t:licence//t:ptr[@target]"
    ):
        where = f"{file}:{element.sourceline} <availability>/<licence>"
        yield from (Declared(target, where, "url") for target in element.get("target").split())


def _prose(availability: Any, file: str) -> Iterator[Declared]:
    text = " ".join("".join(availability.itertext()).split())[:_PROSE_CHARACTERS]
    # An empty one stands for terms that nobody filled in; a person must look for them.
    text = text or availability.get("status") or "(empty <availability>)"
    yield Declared(text, f"{file}:{availability.sourceline} <availability>", "prose")


def _published(tei: Any) -> str | None:
    """The date of the edition, where it is a whole day; a year alone says nothing about an agreement's period."""
    for when in _find(tei, "t:teiHeader/t:fileDesc/t:publicationStmt/t:date/@when"):
        try:
            return date.fromisoformat(str(when)).isoformat()
        except ValueError:
            continue
    return None


def _name(author: Any) -> str:
    """A person's name as it stands; identifiers beside it are left out."""
    named = _find(author, "t:persName | t:name") or [author]
    return _plain(named[0])


def _first(elements: list[Any]) -> str | None:
    return _plain(elements[0]) or None if elements else None


def _plain(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _find(element: Any, path: str) -> list[Any]:
    found: list[Any] = element.xpath(path, namespaces=_NAMES)
    return found
