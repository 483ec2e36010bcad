"""Readers: each turns one source into documents as received, with their rights and the partner's own ids."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

from pydantic import Field

from data_curation.readers.archive import ENDINGS as ARCHIVE
from data_curation.readers.archive import ArchiveSource, read_archive
from data_curation.readers.base import SourceBase, SourceError, completed, snapshot_files
from data_curation.readers.csv_ import ENDINGS as CSV
from data_curation.readers.csv_ import CsvSource, read_csv
from data_curation.readers.debian import DebianSource, read_debian
from data_curation.readers.epub import EpubSource, epub_files, read_epub
from data_curation.readers.folder import Found, files_of
from data_curation.readers.hub import HubSource, hub_files, read_hub
from data_curation.readers.jsonl import ENDINGS as JSONL
from data_curation.readers.jsonl import JsonlSource, read_jsonl
from data_curation.readers.mediawiki import ENDINGS as MEDIAWIKI
from data_curation.readers.mediawiki import MediawikiSource, read_mediawiki
from data_curation.readers.parquet import ENDINGS as PARQUET
from data_curation.readers.parquet import ParquetSource, read_parquet
from data_curation.readers.pdf import PdfSource, pdf_files, read_pdf
from data_curation.readers.tei import TeiSource, read_tei, tei_files
from data_curation.readers.text import TextSource, licence_paths, read_text, text_files
from data_curation.readers.warc import ENDINGS as WARC
from data_curation.readers.warc import WarcSource, read_warc
from data_curation.received import Received

__all__ = ["Source", "SourceBase", "SourceError", "inputs", "read", "snapshot_files"]

Source = Annotated[
    ArchiveSource
    | CsvSource
    | DebianSource
    | EpubSource
    | HubSource
    | JsonlSource
    | MediawikiSource
    | ParquetSource
    | PdfSource
    | TeiSource
    | TextSource
    | WarcSource,
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
        case ArchiveSource():
            return read_archive(source, root, cache)
        case CsvSource():
            return read_csv(source, root, cache)
        case MediawikiSource():
            return read_mediawiki(source, root, cache)
        case WarcSource():
            return read_warc(source, root, cache)
        case EpubSource():
            return read_epub(source, root, cache)
        case PdfSource():
            return read_pdf(source, root, cache)
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


def _inputs(source: Source, root: Path) -> list[Path]:
    match source:
        case ArchiveSource():
            return _paths(files_of(source, root, source.path, ARCHIVE))
        case CsvSource():
            return _paths(files_of(source, root, source.path, CSV))
        case MediawikiSource():
            return _paths(files_of(source, root, source.path, MEDIAWIKI))
        case WarcSource():
            return _paths(files_of(source, root, source.path, WARC))
        case EpubSource():
            return _paths(epub_files(source, root))
        case PdfSource():
            return _paths(pdf_files(source, root))
        case DebianSource():
            return []
        case HubSource():
            return hub_files(source, root)
        case JsonlSource():
            return _paths(files_of(source, root, source.path, JSONL))
        case ParquetSource():
            return _paths(files_of(source, root, source.path, PARQUET))
        case TeiSource():
            return _paths(tei_files(source, root))
        case TextSource():
            return list({*_paths(text_files(source, root)), *licence_paths(source, root)})


def _paths(files: list[Found]) -> list[Path]:
    """Links that lead outside are never read, so nothing depends on what is behind them."""
    return [file.path for file in files if file.problem is None]
