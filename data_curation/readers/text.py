"""Read a folder of files: text, markdown, HTML, Mallard, TEI and manual pages, each file one document.

The partner's id of a document is its path in the folder. Its rights are what the file itself says (front matter, page
metadata, SPDX tags), what the nearest licence file at or above it says, and what the configuration says; all count.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from data_curation.readers.base import Encoding, Pattern, SourceBase, SourceError, resolved
from data_curation.readers.folder import Found, files_of_folder, read_file
from data_curation.readers.languages import primary
from data_curation.received import Received
from licensing.resolvers import licence_text
from licensing.resolvers.folder import FolderLicences
from licensing.rights import Declared


class TextSource(SourceBase):
    """Keys: ``path`` (a folder), ``include`` and ``exclude`` (patterns on the path in it), and where licences stand.

    ``licence_files``: ``nearest`` (the licence files of the nearest folder at or above a file, within ``path``) or
    ``none``. ``licence_file`` names one more file in ``path``, such as a page on copyright, that holds for all and is
    no document itself. ``encoding`` is that of plain text files without a byte order mark (UTF-8 where left out).
    """

    reader: Literal["text"]
    path: str
    include: tuple[Pattern, ...] = ("**",)
    exclude: tuple[Pattern, ...] = ()
    licence_file: str | None = None
    licence_files: Literal["nearest", "none"] = "nearest"
    encoding: Encoding | None = None


def read_text(source: TextSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document a file, sorted by path.

    Raises:
        SourceError: the folder or the licence file is missing, or nothing matches.
    """
    named = _named(source, root)
    folder = _folder(source, root)
    for file in text_files(source, root):
        document = read_file(source, file, source.encoding)
        document.language = primary(document.language)
        nearest = folder.declared(file.name) if folder else ()
        document.declared = tuple(dict.fromkeys((*document.declared, *nearest, *named)))
        yield document


def text_files(source: TextSource, root: Path) -> list[Found]:
    """The files that become documents; the licence file is none."""
    files = files_of_folder(source, root, source.path, source.include, source.exclude)
    return [file for file in files if file.name != source.licence_file]


def licence_paths(source: TextSource, root: Path) -> list[Path]:
    """The licence files that the rights of the documents rest on, each once, sorted."""
    folder = _folder(source, root)
    found = {path for file in text_files(source, root) for path in folder.paths(file.name)} if folder else set()
    return sorted(found | {path for path in [_named_path(source, root)] if path})


def _folder(source: TextSource, root: Path) -> FolderLicences | None:
    return FolderLicences(resolved(root, source.path)) if source.licence_files == "nearest" else None


def _named_path(source: TextSource, root: Path) -> Path | None:
    return resolved(root, source.path) / source.licence_file if source.licence_file else None


def _named(source: TextSource, root: Path) -> tuple[Declared, ...]:
    path = _named_path(source, root)
    if path is None or source.licence_file is None:
        return ()
    try:
        return licence_text.declared(path.read_bytes(), source.licence_file)
    except OSError as fault:
        raise SourceError(
            f"source {source.name}: the licence file '{source.licence_file}' cannot be read in '{source.path}' "
            f"({type(fault).__name__}); nothing is read without it. Correct licence_file or leave it out."
        ) from fault
