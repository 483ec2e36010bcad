"""Read sources into shards, a slice at a time: every document that came in becomes a row, readable or not."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from data_curation.iscc import iscc_code
from data_curation.readers import Source, read
from data_curation.received import Received
from data_curation.shards import RECEIVED, write_shard
from data_curation.slices import slices
from licensing.canonical import canonical
from licensing.files import atomic_folder

_SHARD_BYTES = 8 << 20
_KEYS = "keys"
_PAIRS_IN_MEMORY = 1 << 22

Pairs = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class SliceTask:
    """One slice of a source to be read into ``folder``, which appears only when it has been read to its end."""

    source: Source
    root: Path
    cache: Path
    folder: Path
    shard_documents: int

    @property
    def done(self) -> bool:
        """Whether the slice was read before."""
        return (self.folder / "counts.json").exists()


def read_slice(task: SliceTask) -> dict[str, Any]:
    """Read one slice into shards, each of ``shard_documents`` documents or 8 MiB of text at most.

    Memory does not depend on the source: 16 bytes a document are kept beside the shard in hand.

    Returns:
        Counts: documents, bytes received, bytes of text, and problems by code.
    """
    source = task.source
    counts: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    with atomic_folder(task.folder) as partial, (partial / _KEYS).open("wb") as keys:
        documents = read(source, task.root, task.cache)
        for number, batch in enumerate(_batches(source, documents, task.shard_documents)):
            write_shard(partial / f"{number:05d}.parquet", (_row(source, document) for document in batch), RECEIVED)
            _identity_keys(batch).tofile(keys)
            for document in batch:
                counts["documents"] += 1
                counts["received_bytes"] += document.received_bytes
                counts["text_bytes"] += len((document.text or "").encode())
                if document.problem:
                    problems[document.problem] += 1
        result = {"source": source.name, **counts, "problems": dict(sorted(problems.items()))}
        (partial / "counts.json").write_bytes(canonical(result))
    return result


def ingest_source(
    source: Source, root: Path, cache: Path, folder: Path, shard_documents: int, slice_bytes: int = 64 << 20
) -> dict[str, Any]:
    """Read a whole source into ``folder`` in this process: its slices one after another, then joined."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".slices-", dir=folder.parent) as place:
        tasks = [
            SliceTask(one, root, cache, Path(place) / f"{number:05d}", shard_documents)
            for number, one in enumerate(slices(source, root, slice_bytes))
        ]
        for task in tasks:
            read_slice(task)
        return join_slices([task.folder for task in tasks], folder)


def join_slices(parts: Sequence[Path], folder: Path) -> dict[str, Any]:
    """Put the shards of a source's slices into one folder, and find what came in under the same id.

    ``clashing-native-ids.npy`` holds the hashes of native ids that stand for more than one content,
    ``repeated-documents.npy`` the first 8 bytes of the ids of documents that came more than once.

    Returns:
        The counts of `read_slice`, added up.
    """
    with atomic_folder(folder) as partial:
        for number, one in enumerate(parts):
            for path in sorted(one.glob("*.parquet")):
                os.link(path, partial / f"{number:05d}-{path.name}")
        clashing, repeated = _repeated([one / _KEYS for one in parts])
        np.save(partial / "clashing-native-ids.npy", clashing)
        np.save(partial / "repeated-documents.npy", repeated)
        result = _added([json.loads((one / "counts.json").read_bytes()) for one in parts])
        (partial / "counts.json").write_bytes(canonical(result))
    return result


def _added(counts: list[dict[str, Any]]) -> dict[str, Any]:
    total: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    for one in counts:
        problems.update(one["problems"])
        total.update({name: value for name, value in one.items() if name not in ("source", "problems")})
    return {"source": counts[0]["source"], **total, "problems": dict(sorted(problems.items()))}


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


def _identity_keys(batch: list[Received]) -> Pairs:
    """Pairs (hash of native id, first 8 bytes of id), one row a document: 16 bytes each."""
    return np.array([(native_key(d.native_id), int(d.id[:16], 16)) for d in batch], dtype=np.uint64).reshape(-1, 2)


def _repeated(files: list[Path]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Look at the pairs of all slices, one range of native ids after another, so that memory stays bounded."""
    total = sum(path.stat().st_size for path in files) // 16
    bits = max(0, (total - 1) // _PAIRS_IN_MEMORY).bit_length()
    clashing, repeated = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
    for part in range(1 << bits):
        everything = np.concatenate([_in_range(path, part, bits) for path in files])
        pairs, times = np.unique(everything, axis=0, return_counts=True)
        natives, contents = np.unique(pairs[:, 0], return_counts=True)
        clashing.append(natives[contents > 1])
        repeated.append(pairs[times > 1, 1])
    return np.concatenate(clashing), np.concatenate(repeated)


def _in_range(path: Path, part: int, bits: int) -> Pairs:
    if not path.stat().st_size:
        return np.empty((0, 2), np.uint64)
    pairs = np.memmap(path, np.uint64, "r").reshape(-1, 2)
    if not bits:
        return np.asarray(pairs)
    chosen: Pairs = pairs[(pairs[:, 0] >> np.uint64(64 - bits)) == part]
    return chosen
