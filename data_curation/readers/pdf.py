"""Read PDF files by their text layer, each file one document; pages stand apart by a blank line.

PDFium does the work, in a process of its own that is started anew when a file ends it. The partner's id is the file's
path in the folder. Rights are those that the file's metadata (XMP) and the nearest licence files declare.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from pydantic import Field

from data_curation.plain_text import Unreadable, readable, tidy
from data_curation.readers import pdf_worker
from data_curation.readers.base import Pattern, SourceBase, SourceError, refused, resolved
from data_curation.readers.folder import Found, files_of_folder, unread
from data_curation.readers.languages import primary
from data_curation.readers.xmp import metadata_of
from data_curation.received import Received
from licensing.resolvers.folder import FolderLicences

_LENGTH = struct.Struct(">Q")


class PdfSource(SourceBase):
    """Keys: ``path`` (a folder), ``include`` and ``exclude`` (patterns in it), and the limits of one file.

    ``most_pages`` and ``most_characters`` bound what is taken, ``seconds`` the processor time and ``memory`` the bytes
    that reading one file may use. ``licence_files`` is as for text.
    """

    reader: Literal["pdf"]
    path: str
    include: tuple[Pattern, ...] = ("**/*.pdf",)
    exclude: tuple[Pattern, ...] = ()
    licence_files: Literal["nearest", "none"] = "nearest"
    largest_document: int = Field(default=128 << 20, ge=1)
    most_pages: int = Field(default=20_000, ge=1)
    most_characters: int = Field(default=64 << 20, ge=1)
    seconds: int = Field(default=120, ge=1)
    memory: int = Field(default=2 << 30, ge=256 << 20)


def read_pdf(source: PdfSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document a file, sorted by name.

    Problems: ``not-pdf``, ``encrypted`` (also where copying is not allowed), ``no-text-layer`` (pictures of pages
    only), ``damaged-page``, ``too-large``, ``pdf-failed`` (the file ended the reading process, or took more time or
    memory than it may), ``control-characters``.

    Raises:
        SourceError: the folder is missing, nothing matches, or pypdfium2 is not installed.
    """
    licences = _licences(source, root)
    with _Worker(source) as worker:
        for file in pdf_files(source, root):
            document = unread(source, file) or _document(source, file, worker)
            nearest = licences.declared(file.name) if licences else ()
            document.declared = tuple(dict.fromkeys((*document.declared, *nearest)))
            yield document


def pdf_files(source: PdfSource, root: Path) -> list[Found]:
    """The files that are read, sorted by name."""
    return files_of_folder(source, root, source.path, source.include, source.exclude)


def pdf_licences(source: PdfSource, root: Path) -> list[Path]:
    """The licence files that their rights rest on, sorted."""
    licences = _licences(source, root)
    return sorted({path for file in pdf_files(source, root) for path in licences.paths(file.name)} if licences else ())


def _licences(source: PdfSource, root: Path) -> FolderLicences | None:
    return FolderLicences(resolved(root, source.path)) if source.licence_files == "nearest" else None


def _document(source: PdfSource, file: Found, worker: _Worker) -> Received:
    data = file.path.read_bytes()
    metadata = metadata_of(data, file.name)
    known: dict[str, Any] = {"declared": metadata.declared, "title": metadata.title, "author": metadata.author}
    try:
        answer = worker.ask(data)
        known["title"] = known["title"] or _clean(answer["info"].get("Title"))
        known["author"] = known["author"] or _clean(answer["info"].get("Author"))
        known["language"] = primary(answer["language"]) or primary(metadata.language)
        text = readable(_joined(answer["pages"]))
    except Unreadable as fault:
        known = {name: value for name, value in known.items() if value is not None}
        return refused(source, file.name, data, fault.problem, f"{file.name}: {fault}.", **known)
    return Received.of(source.name, file.name, data, text, **known)


def _joined(pages: list[str]) -> str:
    text = tidy("\n\n".join(page.strip() for page in pages if page.strip()))
    if not text:
        raise Unreadable("no-text-layer", f"its {len(pages)} pages hold no text, only pictures or nothing")
    # PDFium gives half a surrogate pair where a font maps a sign to one; UTF-8 cannot hold it.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _clean(text: Any) -> str | None:
    return " ".join(str(text or "").encode("utf-8", "replace").decode().replace("\0", " ").split()) or None


class _Worker:
    """The process that reads PDF files; one that ends is started anew for the next file."""

    def __init__(self, source: PdfSource) -> None:
        self._source = source
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Worker:
        if find_spec("pypdfium2") is None:
            raise SourceError(
                f"source {self._source.name}: the package pypdfium2 is not installed; PDF files cannot be read. "
                "Install it (pip install pypdfium2)."
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._end()

    def ask(self, data: bytes) -> dict[str, Any]:
        """The worker's answer for a file.

        Raises:
            Unreadable: as the worker says, or ``pdf-failed`` where it gives no answer.
        """
        answer: dict[str, Any] = self._answer(data)
        if "problem" in answer:
            raise Unreadable(answer["problem"], answer["what"])
        return answer

    def _answer(self, data: bytes) -> dict[str, Any]:
        process = self._started()
        try:
            if process.stdin is None or process.stdout is None:
                raise EOFError
            process.stdin.write(_LENGTH.pack(len(data)) + data)
            process.stdin.flush()
            head = process.stdout.read(_LENGTH.size)
            answer: dict[str, Any] = json.loads(process.stdout.read(_LENGTH.unpack(head)[0]))
            return answer
        except (BrokenPipeError, struct.error, EOFError, ValueError) as fault:
            self._end()
            limits = f"{self._source.seconds} seconds and {self._source.memory} bytes of memory"
            told = f"ended the process that reads it, or took more than {limits}"
            raise Unreadable("pdf-failed", told) from fault

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            one = self._source
            limits = [str(n) for n in (one.memory, one.seconds, one.most_pages, one.most_characters)]
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(Path(pdf_worker.__file__)), *limits],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        return self._process

    def _end(self) -> None:
        if self._process is None:
            return
        for stream in (self._process.stdin, self._process.stdout):
            try:
                if stream:
                    stream.close()
            except BrokenPipeError:
                pass
        self._process.wait()
        self._process = None
