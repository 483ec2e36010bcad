"""Documents as the suites read them: by language, in the order of their ids, as tokens or as text.

Ids are digests, so the first documents in their order are a random draw that was fixed before training.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_curation.shards import read_shard
from data_curation.streams import read_streams
from evaluation.inputs import EvaluationError
from training.pack import PackedCorpus, PackedStream
from training.token_stream import TokenStream

# A budget filled to this share is full: what is left would only let very short documents in.
_FULL = 0.98


@dataclass(frozen=True)
class Document:
    """One packed document; ``place`` is its place in ``tokens``, ``bytes`` the UTF-8 length of its text."""

    id: str
    stream: PackedStream
    tokens: TokenStream
    place: int
    bytes: int

    def ids(self) -> NDArray[np.int64]:
        """Its token ids, without the end-of-document token; shape [tokens]."""
        first, end = self.tokens.span(self.place)
        return np.asarray(self.tokens.tokens[first:end], dtype=np.int64)

    @property
    def length(self) -> int:
        """Tokens, without the end-of-document token."""
        first, end = self.tokens.span(self.place)
        return end - first


def by_language(streams: Iterable[PackedStream]) -> dict[str, list[PackedStream]]:
    """Group streams by language, in the order of the languages' codes."""
    grouped: dict[str, list[PackedStream]] = {}
    for stream in streams:
        grouped.setdefault(stream.language, []).append(stream)
    return dict(sorted(grouped.items()))


def documents(packed: PackedCorpus, streams: Iterable[PackedStream], length: int) -> Iterator[Document]:
    """All documents of some streams in the order of their ids, without reading a token."""
    return heapq.merge(*(_in_stream(packed, stream, length) for stream in streams), key=lambda one: one.id)


def _in_stream(packed: PackedCorpus, stream: PackedStream, length: int) -> Iterator[Document]:
    tokens = packed.open(stream, length)
    return (_document(stream, tokens, place) for place in range(tokens.documents))


def document_at(packed: PackedCorpus, stream: PackedStream, length: int, place: int) -> Document:
    """The document at a place in a stream."""
    return _document(stream, packed.open(stream, length), place)


def _document(stream: PackedStream, tokens: TokenStream, place: int) -> Document:
    return Document(tokens.id_of(place), stream, tokens, place, int(tokens.text_bytes[place]))


def first_documents(candidates: Iterable[Document], budget: int) -> tuple[list[Document], int]:
    """Take whole documents in order while they fit into ``budget`` bytes; return them and how many were passed over.

    A document too long for what is left is passed over, so that one book does not use up the time of all languages.
    Where none fits, the shortest is taken.
    """
    taken: list[Document] = []
    shortest: Document | None = None
    used = passed = 0
    for one in candidates:
        if one.bytes == 0:
            continue
        if used + one.bytes <= budget:
            taken.append(one)
            used += one.bytes
        else:
            passed += 1
            shortest = one if shortest is None or one.bytes < shortest.bytes else shortest
        if used >= _FULL * budget:
            break
    if not taken and shortest is not None:
        return [shortest], passed - 1
    return taken, passed


def texts(corpus: Path, language: str) -> Iterator[tuple[str, str]]:
    """The (id, text) of all held-out documents of a language, in the order of their ids."""
    files = [
        corpus / info.file for info in read_streams(corpus) if info.use == "held-out" and info.language == language
    ]
    rows: Iterator[dict[str, Any]] = heapq.merge(
        *(read_shard(file, ["id", "text"]) for file in files), key=lambda row: row["id"]
    )
    return ((row["id"], row["text"]) for row in rows)


def texts_of(corpus: Path, language: str, wanted: list[Document]) -> Iterator[str]:
    """The texts of chosen held-out documents of a language, in the order of their ids.

    Raises:
        EvaluationError: the corpus lacks one of them, so tokens and text are not of one run.
    """
    missing = {one.id for one in wanted}
    for name, text in texts(corpus, language) if missing else ():
        if name in missing:
            missing.discard(name)
            yield text
        if not missing:
            return
    if missing:
        raise EvaluationError(
            f"{corpus}: held-out document {min(missing)} is among the tokens but not in the text; nothing was scored. "
            "Tokens and corpus are of different runs: run again from the stage 'pack'."
        )
