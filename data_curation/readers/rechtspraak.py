"""Read the open data of the Dutch courts: one file, one decision, under its ECLI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from data_curation.extract import checked
from data_curation.plain_text import Extracted, Unreadable
from data_curation.readers.base import Pattern, SourceBase, refused
from data_curation.readers.folder import Found, files_of_folder, unread
from data_curation.readers.languages import primary
from data_curation.readers.own_statements import own_statements
from data_curation.received import Received


class RechtspraakSource(SourceBase):
    """Keys: ``path`` (a folder), ``include`` and ``exclude`` (patterns in it).

    Decisions carry no licence: they are outside copyright (Dutch copyright act, article 11), for which the source says
    ``basis: official-work``.
    """

    reader: Literal["rechtspraak"]
    path: str
    include: tuple[Pattern, ...] = ("**/*.xml",)
    exclude: tuple[Pattern, ...] = ()


def read_rechtspraak(source: RechtspraakSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document a file, sorted by name.

    Problems: ``no-id`` (no ECLI), ``empty`` (metadata without the text), ``not-xml``, ``entities-refused``,
    ``not-utf-8``, ``too-large``, ``outside-folder``.

    Raises:
        SourceError: the folder is missing, or nothing matches.
    """
    for file in rechtspraak_files(source, root):
        yield unread(source, file) or _document(source, file, file.path.read_bytes())


def rechtspraak_files(source: RechtspraakSource, root: Path) -> list[Found]:
    """The files that are read, sorted by name."""
    return files_of_folder(source, root, source.path, source.include, source.exclude)


def _document(source: RechtspraakSource, file: Found, data: bytes) -> Received:
    try:
        found = _decision(file.name, data)
    except Unreadable as fault:
        return refused(source, file.name, data, fault.problem, f"{file.name}: {fault}.")
    known = {
        "language": primary(found.language),
        "title": found.title,
        "author": found.author,
        "published": found.published,
        "url": found.url,
        "declared": own_statements(file.name, data, source.largest_document),
    }
    if found.native_id is None:
        return refused(source, file.name, data, "no-id", f"{file.name}: no dcterms:identifier with an ECLI.", **known)
    if found.problem:
        return refused(source, found.native_id, data, found.problem, found.detail or file.name, **known)
    return Received.of(source.name, found.native_id, data, found.text, **known)


def _decision(name: str, data: bytes) -> Extracted:
    from data_curation.kinds.rechtspraak import from_rechtspraak
    from data_curation.kinds.xml_safe import local_name, parse_xml

    root = parse_xml(data)
    if local_name(root) != "open-rechtspraak":
        raise Unreadable("not-xml", f"its root element is <{local_name(root)}>, not <open-rechtspraak>")
    return checked(name, from_rechtspraak(root))
