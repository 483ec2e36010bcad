"""Readers: each turns one source into documents as received, with their rights and the partner's own ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from data_curation.readers.archive import ENDINGS as ARCHIVE
from data_curation.readers.archive import ArchiveSource, read_archive
from data_curation.readers.base import SourceBase, SourceError, completed, snapshot_files
from data_curation.readers.csv_ import ENDINGS as CSV
from data_curation.readers.csv_ import CsvSource, read_csv
from data_curation.readers.datatrove_ import DatatroveSource, datatrove_files, read_datatrove
from data_curation.readers.debian import DebianSource, read_debian
from data_curation.readers.epub import EpubSource, epub_files, read_epub
from data_curation.readers.folder import Found, files_of
from data_curation.readers.hub import HubSource, hub_files, read_hub
from data_curation.readers.jsonl import ENDINGS as JSONL
from data_curation.readers.jsonl import JsonlSource, read_jsonl
from data_curation.readers.mediawiki import ENDINGS as MEDIAWIKI
from data_curation.readers.mediawiki import MediawikiSource, read_mediawiki
from data_curation.readers.news import NewsSource, news_files, read_news
from data_curation.readers.ocr import OcrSource, ocr_files, ocr_licences, read_ocr
from data_curation.readers.parquet import ENDINGS as PARQUET
from data_curation.readers.parquet import ParquetSource, read_parquet
from data_curation.readers.pdf import PdfSource, pdf_files, pdf_licences, read_pdf
from data_curation.readers.rechtspraak import RechtspraakSource, read_rechtspraak, rechtspraak_files
from data_curation.readers.tei import TeiSource, read_tei, tei_files
from data_curation.readers.text import TextSource, licence_paths, read_text, text_files
from data_curation.readers.warc import ENDINGS as WARC
from data_curation.readers.warc import WarcSource, read_warc
from data_curation.received import Received

__all__ = ["READERS", "Reader", "Source", "SourceBase", "SourceError", "files", "inputs", "read", "snapshot_files"]

Source = Annotated[
    ArchiveSource
    | CsvSource
    | DatatroveSource
    | DebianSource
    | EpubSource
    | HubSource
    | JsonlSource
    | MediawikiSource
    | NewsSource
    | OcrSource
    | ParquetSource
    | PdfSource
    | RechtspraakSource
    | TeiSource
    | TextSource
    | WarcSource,
    Field(discriminator="reader"),
]


@dataclass(frozen=True, slots=True)
class Reader:
    """How one kind of source is read: its documents in a fixed order, and the local files that they come from.

    ``beside`` are files that become no documents and decide on them all the same, such as licence texts.
    """

    read: Callable[[Any, Path, Path], Iterator[Received]]
    files: Callable[[Any, Path], list[Found]]
    beside: Callable[[Any, Path], list[Path]] = lambda source, root: []


def read(source: Source, root: Path, cache: Path) -> Iterator[Received]:
    """Yield the documents of a source, at most ``limit``, in an order that the input and the configuration alone fix.

    Args:
        source: a source of the configuration.
        root: the folder of the configuration file, at which relative paths start.
        cache: a folder for downloads.

    Raises:
        SourceError: the source as a whole cannot be read. What is wrong with one document is in its ``problem``.
    """
    for document in islice(READERS[type(source)].read(source, root, cache), source.limit):
        yield completed(source, document)


def files(source: Source, root: Path) -> list[Found]:
    """The files that the documents of a source come from, in the reader's order; none for packages and for the hub.

    Raises:
        SourceError: the files are not there.
    """
    return READERS[type(source)].files(source, root)


def inputs(source: Source, root: Path) -> list[Path]:
    """The local files whose bytes the result depends on, sorted; none for Debian packages and the hub.

    Links that lead outside are never read, so nothing depends on what is behind them.

    Raises:
        SourceError: the files are not there.
    """
    read = [file.path for file in files(source, root) if file.problem is None]
    beside = READERS[type(source)].beside(source, root)
    return sorted(path for path in {*read, *beside} if path.is_file())


READERS: dict[type[SourceBase], Reader] = {
    ArchiveSource: Reader(read_archive, lambda source, root: files_of(source, root, source.path, ARCHIVE)),
    CsvSource: Reader(read_csv, lambda source, root: files_of(source, root, source.path, CSV)),
    DatatroveSource: Reader(read_datatrove, datatrove_files),
    DebianSource: Reader(read_debian, lambda source, root: []),
    EpubSource: Reader(read_epub, epub_files),
    HubSource: Reader(read_hub, hub_files),
    JsonlSource: Reader(read_jsonl, lambda source, root: files_of(source, root, source.path, JSONL)),
    MediawikiSource: Reader(read_mediawiki, lambda source, root: files_of(source, root, source.path, MEDIAWIKI)),
    NewsSource: Reader(read_news, news_files),
    OcrSource: Reader(read_ocr, ocr_files, ocr_licences),
    ParquetSource: Reader(read_parquet, lambda source, root: files_of(source, root, source.path, PARQUET)),
    PdfSource: Reader(read_pdf, pdf_files, pdf_licences),
    RechtspraakSource: Reader(read_rechtspraak, rechtspraak_files),
    TeiSource: Reader(read_tei, tei_files),
    TextSource: Reader(read_text, text_files, licence_paths),
    WarcSource: Reader(read_warc, lambda source, root: files_of(source, root, source.path, WARC)),
}
"""The reader of each class of `Source`; a new one needs an entry here and in that union."""
