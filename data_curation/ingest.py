"""Read sources into shards: every document that came in becomes a row, readable or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from data_curation.iscc import iscc_code
from data_curation.readers import Source, read
from data_curation.received import Received
from data_curation.shards import RECEIVED, write_shard
from licensing.canonical import canonical
from licensing.files import atomic_folder

_SHARD_BYTES = 8 << 20


def ingest_source(source: Source, root: Path, cache: Path, folder: Path, shard_documents: int) -> dict[str, Any]:
    """Read one source into ``folder`` (which appears only when the source has been read to its end).

    A shard closes after ``shard_documents`` documents or 8 MiB of text, whichever comes first, so that memory does not
    depend on the source. ``clashing-native-ids.npy`` holds the hashes of native ids that stand for more than one
    content, ``repeated-documents.npy`` the first 8 bytes of the ids of documents that came more than once.

    Returns:
        Counts: documents, bytes received, bytes of text, and problems by code.
    """
    counts: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    keys: list[NDArray[np.uint64]] = []
    with atomic_folder(folder) as partial:
        for number, batch in enumerate(_batches(source, read(source, root, cache), shard_documents)):
            write_shard(partial / f"{number:05d}.parquet", (_row(source, document) for document in batch), RECEIVED)
            keys.append(_identity_keys(batch))
            for document in batch:
                counts["documents"] += 1
                counts["received_bytes"] += document.received_bytes
                counts["text_bytes"] += len((document.text or "").encode())
                if document.problem:
                    problems[document.problem] += 1
        clashing, repeated = _repeated(keys)
        np.save(partial / "clashing-native-ids.npy", clashing)
        np.save(partial / "repeated-documents.npy", repeated)
        result = {"source": source.name, **counts, "problems": dict(sorted(problems.items()))}
        (partial / "counts.json").write_bytes(canonical(result))
    return result


def native_key(native_id: str) -> int:
    """A 64-bit hash of a native id; two ids that share one are both held back, which errs on the safe side."""
    return xxhash.xxh3_64_intdigest(native_id.encode("utf-8", "surrogateescape"))


def _batches(source: Source, documents: Iterator[Received], most: int) -> Iterator[list[Received]]:
    batch: list[Received] = []
    size = 0
    for document in documents:
        batch.append(_identified(source, _encodable(document)))
        size += len(document.text or "")
        if len(batch) >= most or size >= _SHARD_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _encodable(document: Received) -> Received:
    """Hold back text with lone surrogates: JSON can carry them, UTF-8 and every digest that rests on it cannot."""
    try:
        (document.text or "").encode()
    except UnicodeEncodeError as fault:
        document.text, document.problem = None, "not-utf-8"
        document.detail = f"{document.native_id}: lone surrogate at character {fault.start}; the text was left out."
    return document


def _identified(source: Source, document: Received) -> Received:
    if source.iscc and document.text and document.data is not None:
        document.iscc = iscc_code(document.text, document.data)
    document.data = None
    return document


def _row(source: Source, document: Received) -> dict[str, Any]:
    row = asdict(document)
    row["language_declared"] = row.pop("language")
    row["declared"], row["parents"] = list(row["declared"]), list(row["parents"]) or None
    return row | {
        "source": source.name,
        "group": source.group or source.name,
        "partner": source.partner,
        "agreement": source.agreement,
    }


def _identity_keys(batch: list[Received]) -> NDArray[np.uint64]:
    """Pairs (hash of native id, first 8 bytes of id), one row a document: 16 bytes each."""
    return np.array([(native_key(d.native_id), int(d.id[:16], 16)) for d in batch], dtype=np.uint64).reshape(-1, 2)


def _repeated(keys: list[NDArray[np.uint64]]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    everything = np.concatenate(keys) if keys else np.zeros((0, 2), dtype=np.uint64)
    pairs, times = np.unique(everything, axis=0, return_counts=True)
    natives, contents = np.unique(pairs[:, 0], return_counts=True)
    return natives[contents > 1], pairs[times > 1, 1]
