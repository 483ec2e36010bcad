"""Read news: NewsML-G2 items, one or many in a file, and NITF stories, as streams whose size does not matter.

An item that is withheld or cancelled takes back every version of the same id up to its own, wherever in the source it
stands: the files are looked through for such items before the first document is yielded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from data_curation.readers.base import Pattern, SourceBase, hashed, refused, too_large
from data_curation.readers.folder import Found, files_of_folder
from data_curation.readers.languages import primary
from data_curation.readers.news_items import Broken, Item, items
from data_curation.received import Received

_MAY_TAKE_BACK = re.compile(rb"(?i)cancel|withh|kill|retract|management-status|embargo|\0")
_CHUNK = 1 << 20
_OVERLAP = 32
_EVERY_VERSION = 1 << 62


class NewsSource(SourceBase):
    """Keys: ``path`` (a folder), ``include`` and ``exclude`` (patterns in it).

    ``largest_document`` bounds one item; a file with one that is larger by 256 KiB or more is read up to it.
    """

    reader: Literal["news"]
    path: str
    include: tuple[Pattern, ...] = ("**/*.{xml,newsml,nitf}",)
    exclude: tuple[Pattern, ...] = ()


def read_news(source: NewsSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document an item: files sorted by name, items in their order.

    The partner's id is ``guid`` or ``doc-id``. The bytes of a file that is one item are those of the file; those of an
    item in a message are its canonical XML.

    Problems: ``no-id``, ``empty``, and for a file as a whole ``not-xml`` (what came before a break is kept),
    ``entities-refused``, ``too-large``, ``outside-folder``.

    Raises:
        SourceError: the folder is missing, or nothing matches.
    """
    files = news_files(source, root)
    taken_back = _taken_back(source, files)
    for file in files:
        if file.problem:
            yield refused(source, file.name, b"", file.problem, file.detail or file.name)
        else:
            yield from _documents(source, file, taken_back)


def news_files(source: NewsSource, root: Path) -> list[Found]:
    """The files that are read, sorted by name."""
    return files_of_folder(source, root, source.path, source.include, source.exclude)


def _documents(source: NewsSource, file: Found, taken_back: dict[str, int]) -> Iterator[Received]:
    count = 0
    try:
        for item in items(file.path, source.largest_document):
            count += 1
            yield _document(source, file, item, count, taken_back)
    except Broken as fault:
        read = f"; the {count} items before it were read" if count else ""
        with file.path.open("rb") as stream:
            yield hashed(source, file.name, stream, fault.problem, f"{file.name}: {fault}{read}.")


def _document(source: NewsSource, file: Found, item: Item, number: int, taken_back: dict[str, int]) -> Received:
    found, place = item.found, f"{file.name}#{number}"
    known: dict[str, Any] = {
        "language": primary(found.language),
        "title": found.title,
        "author": found.author,
        "published": found.published,
        "declared": item.declared(file.name),
        "withdrawn": found.withdrawn or taken_back.get(found.native_id or "", 0) >= _order(item),
    }
    if not found.native_id:
        return refused(source, place, item.data, "no-id", f"{place}: neither guid nor doc-id.", **known)
    if len(item.data) > source.largest_document:
        return refused(source, found.native_id, item.data, *too_large(source, place), **known)
    if found.problem:
        detail = f"{place}: {item.why_empty}" if found.problem == "empty" else f"{place}: {found.detail}"
        return refused(source, found.native_id, item.data, found.problem, detail, **known)
    return Received.of(source.name, found.native_id, item.data, found.text, **known)


def _taken_back(source: NewsSource, files: list[Found]) -> dict[str, int]:
    """The latest version of each id that takes it back; files without any of the words are not parsed for it."""
    latest: dict[str, int] = {}
    for file in files:
        if file.problem is None and _may_take_back(file.path):
            for item in _until_broken(file.path, source.largest_document):
                if name := item.taken_back:
                    latest[name] = max(latest.get(name, 0), _order(item))
    return latest


def _until_broken(path: Path, largest: int) -> Iterator[Item]:
    try:
        yield from items(path, largest)
    except Broken:
        return


def _order(item: Item) -> int:
    """The number of a version; one that is none counts as the last."""
    version = (item.version or "1").strip()
    return int(version) if version.isascii() and version.isdigit() and len(version) < 18 else _EVERY_VERSION


def _may_take_back(path: Path) -> bool:
    with path.open("rb") as stream:
        before = b""
        while piece := stream.read(_CHUNK):
            if _MAY_TAKE_BACK.search(before + piece):
                return True
            before = piece[-_OVERLAP:]
    return False
