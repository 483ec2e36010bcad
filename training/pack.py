"""Turn streams of text into streams of tokens, and commit to the span of every document in them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_curation.parallel import run_tasks
from data_curation.shards import Row, read_shard
from data_curation.streams import StreamInfo, read_streams
from licensing.canonical import canonical
from licensing.leaf import span_leaf
from licensing.merkle import leaf_hash, write_levels
from training.base_tokenizer import checked_encoder
from training.special_tokens import special_tokens, vocabulary_size
from training.token_stream import StreamWriter, TokenStream, token_dtype
from training.tokenizer import load_fast

_BATCH_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True)
class PackTask:
    """One stream to be packed: its text, the tokenizer, and where tokens and leaf hashes go."""

    name: str
    text: Path
    tokenizer: Path
    out: Path


@dataclass(frozen=True, slots=True)
class PackedStream:
    """A stream of tokens as listed in ``streams.json``; ``bytes`` are of text.

    ``blank`` positions once held tokens of documents that were withdrawn; ``tokens`` are those that are left.
    """

    name: str
    use: str
    group: str
    licence: str
    language: str
    documents: int
    tokens: int
    bytes: int
    most_epochs: int | None
    folder: str
    blank: int = 0

    def sequences(self, length: int) -> int:
        """How many sequences of ``length`` tokens; blank positions keep their places."""
        return -(-(self.tokens + self.blank) // length)


@dataclass(frozen=True)
class PackedCorpus:
    """All packed streams of a run with the figures needed to read them.

    ``taken_from`` are the roots that the tokens had before each time that withdrawn documents were taken out.
    """

    folder: Path
    root: str
    vocabulary_size: int
    end_of_document: int
    padding: int
    streams: tuple[PackedStream, ...]
    taken_from: tuple[str, ...] = ()

    def trained(self) -> list[PackedStream]:
        """The streams that a plan may draw from, in the order of their names."""
        return [stream for stream in self.streams if stream.use == "train"]

    def held_out(self) -> list[PackedStream]:
        """The streams that are never trained on."""
        return [stream for stream in self.streams if stream.use == "held-out"]

    def scored(self, tokens: NDArray[np.int64]) -> int:
        """How many tokens of rows [rows, L] are scored as targets: all but each row's first, and no padding."""
        return int((tokens[:, 1:] != self.padding).sum())

    def open(self, stream: PackedStream, length: int) -> TokenStream:
        """Open a stream cut into sequences of ``length``."""
        return TokenStream(self.folder / stream.folder, token_dtype(self.vocabulary_size), length, self.padding)


def read_packed(folder: Path) -> PackedCorpus:
    """Open the ``tokens`` folder of a run."""
    values = json.loads((folder / "streams.json").read_bytes())
    streams = tuple(PackedStream(**stream) for stream in values.pop("streams"))
    taken_from = tuple(values.pop("taken_from", ()))
    return PackedCorpus(folder=folder, streams=streams, taken_from=taken_from, **values)


def pack(corpus: Path, tokenizer: Path, out: Path, workers: int) -> Iterator[PackedStream]:
    """Pack every stream of a corpus into ``out``, yielding each as it is done; ``streams.json`` is written last."""
    streams = {info.name + "/" + info.use: info for info in read_streams(corpus)}
    tasks = [
        PackTask(key, corpus / info.file, tokenizer, out / info.use / info.name)
        for key, info in sorted(streams.items())
    ]
    packed: dict[str, PackedStream] = {}
    for task, (documents, tokens) in run_tasks(pack_stream, tasks, workers):
        packed[task.name] = _packed(streams[task.name], documents, tokens, task.out.relative_to(out).as_posix())
        yield packed[task.name]
    (out / "merkle").mkdir(parents=True)
    root = write_levels(out / "merkle", _span_hashes(tasks))
    for task in tasks:
        (task.out / "spans.bin").unlink()
    fast = load_fast(tokenizer)
    special = special_tokens(tokenizer, fast)
    index = {
        "root": root.hex(),
        "vocabulary_size": vocabulary_size(fast),
        "end_of_document": special.end_of_document_id,
        "padding": special.padding_id,
        "streams": [_as_values(packed[task.name]) for task in tasks],
    }
    (out / "streams.json").write_bytes(canonical(index))


def pack_stream(task: PackTask) -> tuple[int, int]:
    """Encode one stream, checked on every document, and write its tokens; returns how many documents and tokens."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    encoder = checked_encoder(task.tokenizer)
    dtype = token_dtype(encoder.vocabulary_size)
    task.out.mkdir(parents=True)
    with (
        StreamWriter(task.out, dtype, encoder.special.end_of_document_id) as writer,
        (task.out / "spans.bin").open("wb") as leaves,
    ):
        for batch in _batches(read_shard(task.text, ["id", "text", "text_bytes"])):
            encoded = encoder.encode([(row["id"], row["text"]) for row in batch])
            for row, ids in zip(batch, encoded, strict=True):
                first, count = writer.add(row["id"], ids, row["text_bytes"])
                leaves.write(leaf_hash(span_leaf(span_row(row["id"], task.name, first, ids, dtype, count))))
        return writer.documents, writer.tokens


def span_row(document: str, stream: str, first: int, ids: Any, dtype: np.dtype[Any], count: int) -> dict[str, Any]:
    """What the span tree commits to for one document; ``tokens_sha256`` is over its tokens as stored."""
    import hashlib

    digest = hashlib.sha256(np.asarray(ids, dtype=dtype).tobytes()).hexdigest()
    return {"id": document, "stream": stream, "first_token": first, "tokens": count, "tokens_sha256": digest}


def _span_hashes(tasks: list[PackTask]) -> Iterator[bytes]:
    for task in tasks:
        with (task.out / "spans.bin").open("rb") as leaves:
            while leaf := leaves.read(32):
                yield leaf


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row["text"])
        if size >= _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _packed(info: StreamInfo, documents: int, tokens: int, folder: str) -> PackedStream:
    return PackedStream(
        name=info.name,
        use=info.use,
        group=info.group,
        licence=info.licence,
        language=info.language,
        documents=documents,
        tokens=tokens,
        bytes=info.bytes,
        most_epochs=info.most_epochs,
        folder=folder,
    )


def _as_values(stream: PackedStream) -> dict[str, Any]:
    return {name: getattr(stream, name) for name in PackedStream.__slots__}
