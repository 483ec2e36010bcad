"""Any reader of datatrove, named in the YAML and run unchanged.

The received bytes of a document are the canonical JSON of its mapped columns (see `data_curation.readers.table`): its
``id``, its ``text`` and the keys of its metadata. What such a reader leaves out it only tells its log; here each of
them becomes a row: a record without text as ``empty``, a warning as ``reader-warning``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from data_curation.readers.base import SourceBase, SourceError, refused, resolved
from data_curation.readers.columns import Columns
from data_curation.readers.folder import Found
from data_curation.readers.table import row_document
from data_curation.received import Received
from licensing.canonical import canonical


class DatatroveSource(SourceBase):
    """Keys: ``block`` (dotted name of the reader), ``options`` (its arguments) and ``columns``.

    A relative ``data_folder`` starts at the folder of the configuration file. ``columns`` names ``id``, ``text`` and
    keys of the documents' metadata.
    """

    reader: Literal["datatrove"]
    block: str = Field(pattern=r"^[A-Za-z_][\w.]*\.[A-Za-z_]\w*$")
    options: dict[str, Any] = Field(default_factory=dict)
    columns: Columns = Columns(id="id", text="text")

    def cut_between(self) -> Literal["files", "folders", "nothing"]:
        """One slice: which part of it stands where is known to its reader alone."""
        return "nothing"


def read_datatrove(source: DatatroveSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document for each that the reader gives, in its order, and one for each that it left out.

    Raises:
        SourceError: the reader cannot be made, or finds nothing to read.
    """
    from data_curation.blocks import made

    options = source.options | {"data_folder": str(_folder(source, root))} if _folder(source, root) else source.options
    block = made(source.block, options, f"source {source.name}, key block")
    left_out = _LeftOut(source)
    left_out.watch(block)
    count = 0
    with _warnings(left_out):
        try:
            for document in block.run(None, 0, 1):
                yield from left_out.taken()
                row = document.metadata | {"id": document.id, "text": document.text}
                yield row_document(source, source.columns, row, document.id)
                count += 1
        except Exception as fault:
            if not count and not left_out.waiting:
                raise SourceError(
                    f"source {source.name}: {source.block} cannot read ({type(fault).__name__}: {fault}). Correct its "
                    "options."
                ) from fault
            left_out.add("reader-failed", f"{source.block}: stopped after {count} documents ({fault}).")
        yield from left_out.taken()


def datatrove_files(source: DatatroveSource, root: Path) -> list[Found]:
    """The local files below its ``data_folder``; none where it reads from elsewhere."""
    folder = _folder(source, root)
    paths = sorted(path for path in folder.rglob("*") if path.is_file()) if folder else []
    return [Found(path.relative_to(folder or root).as_posix(), path) for path in paths]


def _folder(source: DatatroveSource, root: Path) -> Path | None:
    named = source.options.get("data_folder")
    return resolved(root, named) if isinstance(named, str) and "://" not in named else None


class _LeftOut:
    """Rows for what the reader leaves out, until they are given on."""

    def __init__(self, source: DatatroveSource) -> None:
        self._source = source
        self._number = 0
        self.waiting: list[Received] = []

    def watch(self, block: Any) -> None:
        """See every record before the reader drops those without text."""
        adapt = getattr(block, "adapter", None)
        if adapt is None:
            return

        def seen(data: dict[str, Any], path: str, number: Any) -> Any:
            row = dict(data)
            found = adapt(data, path, number)
            if not found.get("text"):
                name = str(found.get("id") or f"{path}/{number}")
                known = canonical({key: repr(value) for key, value in row.items()})
                self.waiting.append(refused(self._source, name, known, "empty", f"{name}: no text in it."))
            return found

        block.adapter = seen

    def add(self, problem: str, detail: str) -> None:
        """A row for something that the reader told of."""
        self._number += 1
        name = f"{self._source.block}#{self._number}"
        self.waiting.append(refused(self._source, name, detail.encode(), problem, detail))

    def taken(self) -> Iterator[Received]:
        """Give on what waits."""
        waiting, self.waiting = self.waiting, []
        yield from waiting


@contextmanager
def _warnings(left_out: _LeftOut) -> Iterator[None]:
    """Turn what datatrove warns of into rows; its console log, of no use among ours, is taken off."""
    from loguru import logger

    with suppress(ValueError):
        logger.remove(0)
    logger.enable("datatrove")

    def told(message: Any) -> None:
        text = message.record["message"]
        # Records without text have a row of their own.
        if "without text" not in text:
            left_out.add("reader-warning", text)

    sink = logger.add(told, level="WARNING", filter="datatrove", format="{message}")
    try:
        yield
    finally:
        logger.remove(sink)
        logger.disable("datatrove")
