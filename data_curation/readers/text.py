"""Read a folder of files: text, markdown, HTML, Mallard, TEI and manual pages, each file one document.

The partner's id of a document is its path in the folder. Rights come from the configuration and, with ``licence_file``,
from one file of the folder that holds for all: a single SPDX expression on one line, or prose for a person to read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from data_curation.plain_text import Unreadable, decoded
from data_curation.readers.base import Pattern, SourceBase, SourceError, resolved
from data_curation.readers.folder import Found, files_of_folder, read_file
from data_curation.readers.languages import primary
from data_curation.received import Received
from licensing.expression import canonical
from licensing.rights import Declared

_PROSE_CHARACTERS = 300


class TextSource(SourceBase):
    """Keys: ``path`` (a folder), ``include`` and ``exclude`` (patterns on the path in it), ``licence_file`` (in it)."""

    reader: Literal["text"]
    path: str
    include: tuple[Pattern, ...] = ("**",)
    exclude: tuple[Pattern, ...] = ()
    licence_file: str | None = None


def read_text(source: TextSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document a file, sorted by path.

    Raises:
        SourceError: the folder or the licence file is missing, or nothing matches.
    """
    declared = _declared(source, root)
    for file in text_files(source, root):
        document = read_file(source, file)
        document.language = primary(document.language)
        document.declared = declared
        yield document


def text_files(source: TextSource, root: Path) -> list[Found]:
    """The files that become documents; the licence file is none."""
    files = files_of_folder(source, root, source.path, source.include, source.exclude)
    return [file for file in files if file.name != source.licence_file]


def licence_path(source: TextSource, root: Path) -> Path | None:
    """Where the licence file stands, if one is named."""
    return resolved(root, source.path) / source.licence_file if source.licence_file else None


def _declared(source: TextSource, root: Path) -> tuple[Declared, ...]:
    path = licence_path(source, root)
    if path is None or source.licence_file is None:
        return ()
    try:
        text = decoded(path.read_bytes()).strip()
    except (OSError, Unreadable) as fault:
        raise SourceError(
            f"source {source.name}: the licence file '{source.licence_file}' cannot be read in '{source.path}' "
            f"({type(fault).__name__}); nothing is read without it. Correct licence_file or leave it out."
        ) from fault
    if "\n" not in text and canonical(text):
        return (Declared(text, f"{source.licence_file}:1", "spdx"),)
    return (Declared(" ".join(text.split())[:_PROSE_CHARACTERS], f"{source.licence_file}:1", "prose"),)
