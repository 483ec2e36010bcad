"""Read recognised text of scans, as ALTO or PAGE files: one document a page, or one for all pages of a folder.

Rights stand seldom in such files (METS has them, or the agreement); what they say is taken, and licence files of the
folders as the reader ``text`` takes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Literal

from pydantic import Field

from data_curation.extract import extract
from data_curation.kinds.page_text import most_common
from data_curation.plain_text import Extracted
from data_curation.readers.base import Pattern, SourceBase, refused, resolved, too_large
from data_curation.readers.folder import Found, files_of_folder, unread
from data_curation.readers.languages import primary
from data_curation.readers.own_statements import own_statements
from data_curation.received import Received
from licensing.resolvers.folder import FolderLicences
from licensing.rights import Declared

_DIGITS = re.compile(r"(\d+)")


class OcrSource(SourceBase):
    """Keys: ``path`` (a folder), ``include`` and ``exclude`` (patterns in it), ``group_by``, ``least_confidence``.

    ``group_by``: ``file`` (a page is a document) or ``folder`` (all pages in a folder are one, in the order of the
    numbers in their names: an issue of a newspaper, a book). ``least_confidence``: documents whose words are on average
    recognised with less than this (0 to 1) are left out, and those that tell no confidence stay; 0 asks for none.
    """

    reader: Literal["ocr"]
    path: str
    include: tuple[Pattern, ...] = ("**/*.{xml,alto}",)
    exclude: tuple[Pattern, ...] = ()
    group_by: Literal["file", "folder"] = "file"
    least_confidence: float = Field(default=0, ge=0, le=1)

    def cut_between(self) -> Literal["files", "folders", "nothing"]:
        """The pages of an issue are read by one task."""
        return "folders" if self.group_by == "folder" else "files"


def read_ocr(source: OcrSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document a page or a folder; the partner's id is its path.

    With ``group_by: folder``, the received bytes are those of its pages one after the other, and a page that cannot be
    read is a document of its own, with its problem, beside that of the other pages.

    Problems: ``ocr-confidence``, ``not-xml``, ``entities-refused``, ``not-utf-8``, ``empty``, ``too-large``,
    ``outside-folder``.

    Raises:
        SourceError: the folder is missing, or nothing matches.
    """
    licences = FolderLicences(resolved(root, source.path))
    files = ocr_files(source, root)
    if source.group_by == "file":
        groups = ([file] for file in files)
    else:
        groups = (sorted(group, key=_natural) for _, group in groupby(sorted(files, key=_place), key=_folder))
    for group in groups:
        yield from _documents(source, group, licences)


def ocr_files(source: OcrSource, root: Path) -> list[Found]:
    """The files that are read, sorted by name."""
    return files_of_folder(source, root, source.path, source.include, source.exclude)


def ocr_licences(source: OcrSource, root: Path) -> list[Path]:
    """The licence files that the rights of the documents rest on, each once, sorted."""
    licences = FolderLicences(resolved(root, source.path))
    return sorted({path for file in ocr_files(source, root) for path in licences.paths(file.name)})


def _documents(source: OcrSource, group: list[Found], licences: FolderLicences) -> Iterator[Received]:
    pages: list[tuple[bytes, Extracted]] = []
    declared: dict[Declared, None] = {}
    size = 0
    name = group[0].name if source.group_by == "file" else _folder(group[0]) or "."
    for file in group:
        document = unread(source, file)
        data = b"" if document else file.path.read_bytes()
        if document is None and (size := size + len(data)) > source.largest_document:
            document = refused(source, file.name, data, *too_large(source, f"{file.name}, with the pages before it"))
        found = Extracted(None) if document else extract(file.name, data)
        if document is None and found.problem and source.group_by == "folder":
            document = refused(source, file.name, data, found.problem, found.detail or file.name)
        if document:
            yield document
            continue
        own = own_statements(file.name, data, source.largest_document)
        declared |= dict.fromkeys((*own, *licences.declared(file.name)))
        pages.append((data, found))
    if pages:
        yield _document(source, name, pages, tuple(declared))


def _document(
    source: OcrSource, name: str, pages: list[tuple[bytes, Extracted]], declared: tuple[Declared, ...]
) -> Received:
    data = b"".join(data for data, _ in pages)
    found = [one for _, one in pages]
    language = primary(most_common((one.language, len(one.text or "")) for one in found if one.language))
    title = next((one.title for one in found if one.title), None)
    problem, detail = found[0].problem, found[0].detail
    words = sum(one.words for one in found)
    mean = sum((one.confidence or 0) * one.words for one in found) / words if words else None
    if problem is None and mean is not None and mean < source.least_confidence:
        problem, detail = (
            "ocr-confidence",
            f"{name}: recognised with a confidence of {mean:.3f} on average over {words} words, less than "
            f"least_confidence ({source.least_confidence}) of source {source.name}.",
        )
    if problem:
        return refused(source, name, data, problem, detail or name, language=language, title=title, declared=declared)
    text = "\n\n".join(one.text for one in found if one.text)
    told = f"Recognised with a confidence of {mean:.3f} on average over {words} words." if mean is not None else None
    return Received.of(source.name, name, data, text, language=language, title=title, declared=declared, detail=told)


def _folder(file: Found) -> str:
    return file.name.rpartition("/")[0]


def _place(file: Found) -> tuple[str, str]:
    return _folder(file), file.name


def _natural(file: Found) -> tuple[list[tuple[int, str]], str]:
    """``page2`` before ``page10``; names that differ in leading noughts alone are put in the order of the alphabet."""
    parts = _DIGITS.split(file.name)
    return [(int(part[:18]), "") if part.isdecimal() and part.isascii() else (-1, part) for part in parts], file.name
