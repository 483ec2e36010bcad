"""The rows and token spans of one partner's bundle; the spans of a stream wait in a file of their own.

A zip takes one file after another, and a row and its span belong to two: so spans are kept beside until the rows are
written. A stream's spans then stand in the order of the tree, for both follow the ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from licensing.bundle import BundleError, BundleWriter
from licensing.canonical import canonical
from licensing.leaf import ledger_leaf, span_leaf
from licensing.merkle import open_levels
from pipeline.run_directory import RunDirectory
from training.pack import read_packed, span_row
from training.token_stream import TokenStream


@dataclass
class SpanFile:
    """One stream that holds documents of the partner: its spans, and where its first document stands in the tree."""

    key: str
    tokens: TokenStream
    place: int
    path: Path
    file: IO[bytes]
    documents: int = 0
    total: int = 0

    def write(self, row: Mapping[str, Any]) -> None:
        """Add the span of one document."""
        document = self.tokens.place_of(row["id"])
        if document is None:
            raise BundleError(
                f"document {row['id']} is kept and has no tokens in {self.key}; no bundle was written. "
                "Run `herkomst verify`."
            )
        first, end = self.tokens.span(document)
        cut = np.asarray(self.tokens.tokens[first:end])
        leaf = span_leaf(span_row(row["id"], self.key, first, cut, self.tokens.tokens.dtype, end - first))
        # A withdrawn document keeps its place in the stream, and has no leaf in the tree.
        leaf_place = self.place + document - int(np.searchsorted(self.tokens.withdrawn, document))
        self.file.write(b"%d\t%s\n" % (leaf_place, leaf))
        self.documents, self.total = self.documents + 1, self.total + end - first


@dataclass
class _Streams:
    """The streams of a run by name and use, in the order of the tree; files are made for those that are met."""

    run: RunDirectory
    folder: Path
    stack: ExitStack
    met: dict[str, SpanFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._packed = read_packed(self.run.tokens)

    def of(self, row: Mapping[str, Any]) -> SpanFile:
        """The stream that a kept row stands in."""
        key = f"{row['stream']}/{row['use']}"
        if key not in self.met:
            self.met[key] = self._opened(key)
        return self.met[key]

    def _opened(self, key: str) -> SpanFile:
        place = 0
        for stream in self._packed.streams:
            if f"{stream.name}/{stream.use}" == key:
                path = self.folder / f"{len(self.met):05d}.txt"
                file = self.stack.enter_context(path.open("wb"))
                return SpanFile(key, self._packed.open(stream, 1), place, path, file)
            place += stream.documents
        raise BundleError(f"{self.run.tokens}: there is no stream {key}; no bundle was written. Run `herkomst verify`.")


def write_rows(
    out: IO[bytes], rows: Iterator[dict[str, Any]], run: RunDirectory, folder: Path
) -> tuple[list[SpanFile], set[str]]:
    """Write each row's leaf on a line of its own; returns the spans of kept rows by stream, and all reason codes."""
    codes: set[str] = set()
    with ExitStack() as stack:
        spans = _Streams(run, folder, stack)
        for row in rows:
            out.write(ledger_leaf(row) + b"\n")
            codes.add(row["reason"])
            if row["use"] != "none":
                spans.of(row).write(row)
    return sorted(spans.met.values(), key=lambda one: one.place), codes


def add_spans(bundle: BundleWriter, spans: list[SpanFile], run: RunDirectory) -> None:
    """Add the spans of every stream, and the one proof that they all are in the run's tree."""
    names = {f"spans/{number:03d}.txt": one for number, one in enumerate(spans, 1)}
    for name, one in names.items():
        with bundle.open(name) as out, one.path.open("rb") as lines:
            for line in lines:
                out.write(line)
    listed = [{"file": name, "stream": one.key} for name, one in names.items()]
    bundle.add("proofs/spans.json", canonical({"streams": listed}))
    with bundle.open("proofs/spans.bin") as out:
        for hashed in open_levels(run.tokens / "merkle").complement(_places(spans)):
            out.write(hashed)


def _places(spans: list[SpanFile]) -> Iterator[int]:
    for one in spans:
        with one.path.open("rb") as lines:
            for line in lines:
                yield int(line.partition(b"\t")[0])
