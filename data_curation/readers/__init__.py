"""Readers: each turns one source into documents as received, with their rights and the partner's own ids."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

from pydantic import Field

from data_curation.readers.base import SourceBase, SourceError, completed, snapshot_files
from data_curation.readers.datatrove_ import DatatroveSource, datatrove_files, read_datatrove
from data_curation.readers.debian import DebianSource, read_debian
from data_curation.readers.folder import Found, files_of
from data_curation.readers.hub import HubSource, hub_files, read_hub
from data_curation.readers.jsonl import ENDINGS as JSONL
from data_curation.readers.jsonl import JsonlSource, read_jsonl
from data_curation.readers.parquet import ENDINGS as PARQUET
from data_curation.readers.parquet import ParquetSource, read_parquet
from data_curation.readers.tei import TeiSource, read_tei, tei_files
from data_curation.readers.text import TextSource, licence_paths, read_text, text_files
from data_curation.received import Received

__all__ = ["Source", "SourceBase", "SourceError", "files", "inputs", "read", "snapshot_files"]

Source = Annotated[
    DebianSource | JsonlSource | ParquetSource | TextSource | TeiSource | HubSource | DatatroveSource,
    Field(discriminator="reader"),
]


def read(source: Source, root: Path, cache: Path) -> Iterator[Received]:
    """Yield the documents of a source, at most ``limit``, in an order that the input and the configuration alone fix.

    Args:
        source: a source of the configuration.
        root: the folder of the configuration file, at which relative paths start.
        cache: a folder for downloads.

    Raises:
        SourceError: the source as a whole cannot be read. What is wrong with one document is in its ``problem``.
    """
    for document in islice(_documents(source, root, cache), source.limit):
        yield completed(source, document)


def inputs(source: Source, root: Path) -> list[Path]:
    """The local files whose bytes the result depends on, sorted; none for Debian packages and the hub.

    Raises:
        SourceError: the files are not there.
    """
    return sorted(path for path in _inputs(source, root) if path.is_file())


def _documents(source: Source, root: Path, cache: Path) -> Iterator[Received]:
    match source:
        case DebianSource():
            return read_debian(source, root, cache)
        case JsonlSource():
            return read_jsonl(source, root, cache)
        case ParquetSource():
            return read_parquet(source, root, cache)
        case TextSource():
            return read_text(source, root, cache)
        case TeiSource():
            return read_tei(source, root, cache)
        case HubSource():
            return read_hub(source, root, cache)
        case DatatroveSource():
            return read_datatrove(source, root, cache)


def _inputs(source: Source, root: Path) -> list[Path]:
    beside = licence_paths(source, root) if isinstance(source, TextSource) else []
    return list({*_paths(files(source, root)), *beside})


def files(source: Source, root: Path) -> list[Found]:
    """The files that the documents of a source come from, in the reader's order; none for packages and for the hub.

    Raises:
        SourceError: the files are not there.
    """
    match source:
        case DebianSource():
            return []
        case HubSource():
            return [Found(str(path), path) for path in hub_files(source, root)]
        case DatatroveSource():
            return datatrove_files(source, root)
        case JsonlSource():
            return files_of(source, root, source.path, JSONL)
        case ParquetSource():
            return files_of(source, root, source.path, PARQUET)
        case TeiSource():
            return tei_files(source, root)
        case TextSource():
            return text_files(source, root)


def _paths(files: list[Found]) -> list[Path]:
    """Links that lead outside are never read, so nothing depends on what is behind them."""
    return [file.path for file in files if file.problem is None]
