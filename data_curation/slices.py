"""Cut a source into slices: pieces of its input that are read independently of one another, whoever reads them.

How a source is cut depends on its input alone and never on how many processes read it, so that a stopped run continues
with the slices that are missing, and another machine would cut it the same way. A file or a package is never cut; a
source with a ``limit`` is one slice, because the limit counts over all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data_curation.readers import Source, files
from data_curation.readers.debian import DebianSource
from data_curation.readers.folder import Found


def slices(source: Source, root: Path, most_bytes: int) -> list[Source]:
    """The source cut into copies that each read a part: files of at least ``most_bytes`` together, or one package.

    Raises:
        SourceError: the files are not there.
    """
    if source.limit is not None or source.cut_between() == "nothing":
        return [source]
    if isinstance(source, DebianSource):
        return [source.model_copy(update={"packages": (package,)}) for package in source.packages]
    parts = list(_parts(files(source, root), most_bytes, source.cut_between() == "folders"))
    return [source.only(part) for part in parts] if len(parts) > 1 else [source]


def _parts(found: list[Found], most_bytes: int, whole_folders: bool) -> Iterator[list[str]]:
    """Names in their order, closed as soon as they are large enough; folders are kept whole where asked."""
    part: list[str] = []
    size = 0
    for file in found:
        folder = file.name.rpartition("/")[0]
        if size >= most_bytes and not (whole_folders and part[-1].rpartition("/")[0] == folder):
            yield part
            part, size = [], 0
        part.append(file.name)
        size += 0 if file.problem else file.path.stat().st_size
    if part:
        yield part
