"""Files of a folder or of a pattern, in sorted order, under names that do not depend on where the folder stands."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from data_curation.extract import extract
from data_curation.page_elements import page_elements
from data_curation.readers.base import SourceBase, SourceError, hashed, refused, resolved, shown, too_large
from data_curation.readers.own_statements import own_statements
from data_curation.readers.patterns import Chosen, fixed_part
from data_curation.received import Received

_OUTSIDE = "outside-folder"


@dataclass(frozen=True, slots=True)
class Found:
    """One file: its ``name`` within the source (forward slashes), its place, and why it may not be read, if so."""

    name: str
    path: Path
    problem: str | None = None
    detail: str | None = None


def files_of_folder(
    source: SourceBase, root: Path, path: str, include: Iterable[str], exclude: Iterable[str] = ()
) -> list[Found]:
    """List the chosen files below a folder, sorted by name; links that lead outside it carry a problem.

    Raises:
        SourceError: the folder is missing, or nothing in it is chosen.
    """
    folder = resolved(root, path)
    if not folder.is_dir():
        raise SourceError(
            f"source {source.name}: the folder '{path}' is not there; the source cannot be read. Correct its key path."
        )
    chosen = Chosen(include, exclude)
    # A linked folder that leads outside is shown whatever include says: the files behind it were meant to be there.
    kept = (one for one in _walk(folder) if one.name in chosen or (one.problem == _OUTSIDE and one.path.is_dir()))
    found = sorted(kept, key=lambda one: one.name)
    if not found:
        raise SourceError(
            f"source {source.name}: no file in '{path}' matches include ({', '.join(include)}); the source would be "
            "empty. Correct include or path."
        )
    return [one for one in found if source.reads(one.name)]


def files_of(source: SourceBase, root: Path, path: str, endings: tuple[str, ...]) -> list[Found]:
    """List the files that ``path`` means: one file, a folder (its files with these endings), or a pattern.

    Raises:
        SourceError: there is none.
    """
    place = resolved(root, path)
    if place.is_dir():
        return files_of_folder(source, root, path, [f"**/*{ending}" for ending in endings])
    if place.is_file():
        return [Found(shown(place.name), place)]
    folder, pattern = fixed_part(path)
    if set(pattern) & set("*?[{"):
        return files_of_folder(source, root, folder, [pattern])
    raise SourceError(
        f"source {source.name}: '{path}' is neither a file, nor a folder, nor a pattern; the source cannot be read. "
        "Correct its key path."
    )


def unread(source: SourceBase, file: Found) -> Received | None:
    """The document that stands for a file that cannot be taken whole: outside the folder, no file, or too large."""
    if file.problem:
        return refused(source, file.name, b"", file.problem, file.detail or file.name)
    if file.path.stat().st_size > source.largest_document:
        with file.path.open("rb") as stream:
            return hashed(source, file.name, stream, *too_large(source, file.name))
    return None


def read_file(source: SourceBase, file: Found, encoding: str | None = None) -> Received:
    """Read one whole file as one document, its text and what it says of its rights by the kind of the file."""
    document = unread(source, file)
    if document is not None:
        return document
    data = file.path.read_bytes()
    found = extract(file.name, data, encoding=encoding)
    return Received.of(
        source.name,
        file.name,
        data,
        found.text,
        language=found.language,
        title=found.title,
        author=found.author,
        published=found.published,
        withdrawn=found.withdrawn,
        declared=own_statements(file.name, data, source.largest_document),
        problem=found.problem,
        detail=found.detail,
        page=page_elements(file.name, data, source.largest_document),
    )


def _walk(folder: Path) -> Iterator[Found]:
    """Every entry that is no real folder; a linked folder is one entry and is never entered."""
    inside = Path(os.path.realpath(folder))
    for place, folders, names in os.walk(folder):
        here = Path(place)
        for name in [*names, *(name for name in folders if (here / name).is_symlink())]:
            path = here / name
            yield _found(shown(path.relative_to(folder).as_posix()), path, inside)


def _found(name: str, path: Path, inside: Path) -> Found:
    if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside):
        return Found(name, path, _OUTSIDE, f"{name}: a link that leads outside the folder; it is not followed.")
    if not path.is_file():
        return Found(
            name, path, "not-a-file", f"{name}: a link to a folder, a broken link or a device; put files here."
        )
    return Found(name, path)
