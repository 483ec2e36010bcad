"""Read the files in zip and tar archives, each one document, as a stream: nothing is unpacked to disk.

The partner's id is ``ARCHIVE/path``. Rights are what the file says of itself and what the licence files of the nearest
folder at or above it in the archive say. Archives within archives are not opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import Field

from data_curation.extract import extract
from data_curation.page_elements import page_elements
from data_curation.plain_text import Unreadable
from data_curation.readers.base import Encoding, Hashing, Pattern, SourceBase, hashed, refused, shown, too_large
from data_curation.readers.folder import Found, files_of
from data_curation.readers.languages import from_path, primary
from data_curation.readers.lines import Damaged, open_lines
from data_curation.readers.own_statements import own_statements
from data_curation.readers.patterns import Chosen
from data_curation.readers.tar_entries import tar_breaks, tar_entries
from data_curation.readers.zip_entries import opened, shown_name, unsafe_name
from data_curation.received import Received
from licensing.resolvers import licence_text
from licensing.resolvers.folder import is_licence_file
from licensing.rights import Declared

_TARS = tuple(f".tar{packing}" for packing in ("", ".gz", ".bz2", ".xz", ".zst"))
ENDINGS = (".zip", *_TARS, ".tgz")
_NESTED = (*ENDINGS, ".tbz2", ".txz", ".7z", ".rar", ".jar", ".war", ".deb", ".iso", ".cab")
_PIECE = 1 << 20


class ArchiveSource(SourceBase):
    """Keys: ``path`` (a file, a folder or a pattern), ``include`` and ``exclude`` (patterns on the path in an archive).

    ``largest_document`` bounds a file, ``largest_unpacked`` all that is unpacked of an archive, in bytes;
    ``most_ratio`` is how many times larger than packed a file over 1 MiB may be. ``encoding`` is that of plain text
    without a byte order mark.
    """

    reader: Literal["archive"]
    path: str
    include: tuple[Pattern, ...] = ("**",)
    exclude: tuple[Pattern, ...] = ()
    encoding: Encoding | None = None
    largest_unpacked: int = Field(default=64 << 30, ge=1)
    most_ratio: int = Field(default=200, ge=1)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry: ``content`` gives its bytes or raises `Unreadable`; one too large to hold comes in ``pieces``."""

    path: str
    content: Callable[[], bytes]
    pieces: Iterator[bytes] | None = None


def read_archive(source: ArchiveSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document a file; archives sorted by name, files in the order in which they stand there.

    Problems, besides those of `extract`: ``unsafe-name``, ``link``, ``not-a-file``, ``encrypted``, ``repeated-name``,
    ``nested-archive``, ``bomb``, ``too-large``, ``damaged-entry``, and for an archive as a whole ``not-zip``,
    ``truncated`` and ``empty-file`` (whatever came before a break is kept).

    Raises:
        SourceError: ``path`` names nothing, or zstandard is not installed.
    """
    for file in files_of(source, root, source.path, ENDINGS):
        if file.problem:
            yield refused(source, file.name, b"", file.problem, file.detail or file.name)
        else:
            yield from _documents(source, file)


def _documents(source: ArchiveSource, file: Found) -> Iterator[Received]:
    chosen = Chosen(source.include, source.exclude)
    count = 0
    try:
        licences = _Licences(source, file)
        for entry in _entries(source, file):
            if entry.path in chosen or unsafe_name(entry.path):
                count += 1
                yield _document(source, file, entry, licences)
        if not count:
            yield _whole(source, file, "empty-file", f"{file.name}: no file in it matches include.")
    except Damaged as fault:
        yield _whole(source, file, "truncated", f"{file.name}: breaks off after {count} documents ({fault}).")
    except Unreadable as fault:
        yield _whole(source, file, fault.problem, f"{file.name}: after {count} documents: {fault}.")


def _document(source: ArchiveSource, file: Found, entry: _Entry, licences: _Licences) -> Received:
    native_id = f"{file.name}/{entry.path}"
    if entry.pieces is not None:
        return _large(source, native_id, entry.pieces)
    try:
        data = entry.content()
        if entry.path.lower().endswith(_NESTED):
            raise Unreadable("nested-archive", "is an archive within an archive, which is not opened")
    except Unreadable as fault:
        return refused(source, native_id, b"", fault.problem, f"{native_id}: {fault}.")
    found = extract(native_id, data, source.largest_document, encoding=source.encoding)
    own = own_statements(native_id, data, source.largest_document)
    return Received.of(
        source.name,
        native_id,
        data,
        found.text,
        language=primary(found.language) or from_path(entry.path),
        title=found.title,
        author=found.author,
        published=found.published,
        withdrawn=found.withdrawn,
        declared=tuple(dict.fromkeys((*own, *licences.declared(entry.path)))),
        problem=found.problem,
        detail=found.detail,
        page=page_elements(native_id, data, source.largest_document),
    )


def _large(source: ArchiveSource, native_id: str, pieces: Iterator[bytes]) -> Received:
    document = Hashing(source, native_id)
    try:
        for piece in pieces:
            document.feed(piece)
    except Unreadable as fault:
        return document.received(fault.problem, f"{native_id}: {fault}.")
    return document.received(*too_large(source, native_id))


def _entries(source: ArchiveSource, file: Found) -> Iterator[_Entry]:
    return _of_zip(source, file) if file.path.name.lower().endswith(".zip") else _of_tar(source, file)


def _of_zip(source: ArchiveSource, file: Found) -> Iterator[_Entry]:
    with opened(file.path, source.largest_document, source.largest_unpacked, source.most_ratio) as entries:
        for info in entries:
            pieces = entries.pieces(info) if entries.is_large(info) else None
            yield _Entry(shown_name(info), lambda info=info: entries.read(info), pieces)  # type: ignore[misc]


def _of_tar(source: ArchiveSource, file: Found) -> Iterator[_Entry]:
    left = min(source.largest_unpacked, source.most_ratio * max(file.path.stat().st_size, _PIECE))
    with open_lines(file.path) as packed:
        for member, content in tar_entries(packed):
            path = shown(member.name.removeprefix("./"))
            if member.isdir():
                continue
            left -= member.size
            if left < 0:
                raise Unreadable("bomb", "unpacks out of proportion, or to more than largest_unpacked")
            if content is None or unsafe_name(path):
                yield _Entry(path, _refusing(path, member.issym() or member.islnk()))
            elif member.size > source.largest_document:
                yield _Entry(path, lambda: b"", _in_pieces(content))
            else:
                yield _Entry(path, lambda content=content: _read(content))  # type: ignore[misc]


def _in_pieces(content: BinaryIO) -> Iterator[bytes]:
    with tar_breaks():
        while piece := content.read(_PIECE):
            yield piece


def _read(content: BinaryIO) -> bytes:
    with tar_breaks():
        return content.read()


def _refusing(path: str, is_link: bool) -> Callable[[], bytes]:
    def refuse() -> bytes:
        unsafe = unsafe_name(path)
        if unsafe:
            raise Unreadable("unsafe-name", unsafe)
        raise Unreadable("link" if is_link else "not-a-file", "is a link or a device, which is never followed")

    return refuse


class _Licences:
    """The licence files of an archive, found in a pass of its own: they may stand behind what they hold for."""

    def __init__(self, source: ArchiveSource, file: Found) -> None:
        self._by_folder: dict[str, tuple[Declared, ...]] = {}
        try:
            for entry in _entries(source, file):
                folder, _, name = entry.path.rpartition("/")
                if is_licence_file(name):
                    found = licence_text.declared(_start(entry), f"{file.name}/{entry.path}")
                    self._by_folder[folder] = (*self._by_folder.get(folder, ()), *found)
        except (Damaged, Unreadable):
            # The same break is met, and told, when the documents are read.
            pass

    def declared(self, path: str) -> tuple[Declared, ...]:
        """What the licence files of the nearest folder that has any say."""
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in self._by_folder:
                return self._by_folder[folder]
        return ()


def _start(entry: _Entry) -> bytes:
    """What is compared of a licence file; one that cannot be read says so, as prose."""
    try:
        return b"".join(islice(entry.pieces, 2)) if entry.pieces else entry.content()
    except Unreadable:
        return b"(a licence file that cannot be read)"


def _whole(source: ArchiveSource, file: Found, problem: str, detail: str) -> Received:
    with file.path.open("rb") as stream:
        return hashed(source, file.name, stream, problem, detail)
