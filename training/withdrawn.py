"""Take withdrawn documents out of packed tokens without moving anything else.

Packing anew would shift every sequence behind the first gap, and a training that goes on from an old checkpoint would
read other text twice and some never. So positions stay: the tokens are overwritten with padding, which is neither
learnt nor counted, and the plan, the inverse and all other documents' positions remain what they were.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from data_curation.shards import read_shard
from data_curation.streams import StreamInfo, read_streams
from licensing.canonical import canonical
from licensing.merkle import HASH_BYTES, write_levels
from training.pack import PackedCorpus, PackedStream, read_packed
from training.token_stream import TokenStream, blank, link

_LEAVES = "leaves.bin"


@dataclass(frozen=True, slots=True)
class Gap:
    """One stream of packed tokens, and the places in it of documents that are no longer in the corpus."""

    stream: PackedStream
    places: tuple[int, ...]


def gaps(packed: PackedCorpus, corpus: Path, withdrawn: Collection[str]) -> list[Gap] | None:
    """Find what is to be taken out of ``packed`` so that it holds just the documents of ``corpus``.

    ``withdrawn`` are the ids of documents that may be missing. Returns one gap a stream, in their order, or None where
    the corpus differs in any other way: then tokens must be packed anew.
    """
    streams = {f"{info.name}/{info.use}": info for info in read_streams(corpus)}
    known = {f"{stream.name}/{stream.use}" for stream in packed.streams}
    if not streams.keys() <= known:
        return None
    found = []
    for stream in packed.streams:
        info = streams.get(f"{stream.name}/{stream.use}")
        places = _missing(packed.open(stream, 1), _ids(corpus, info), withdrawn)
        if places is None:
            return None
        found.append(Gap(stream, tuple(places)))
    return found


def _ids(corpus: Path, info: StreamInfo | None) -> Iterator[str]:
    return (row["id"] for row in read_shard(corpus / info.file, ["id"])) if info else iter(())


def _missing(tokens: TokenStream, ids: Iterator[str], withdrawn: Collection[str]) -> list[int] | None:
    """Walk both in order of ids; None unless all that is missing was withdrawn and nothing was added."""
    missing = []
    wanted = next(ids, None)
    for place in range(tokens.documents):
        if tokens.is_withdrawn(place):
            continue
        own = tokens.id_of(place)
        if own == wanted:
            wanted = next(ids, None)
        elif own in withdrawn:
            missing.append(place)
        else:
            return None
    return missing if wanted is None else None


def take_out(packed: PackedCorpus, corpus: Path, found: list[Gap], out: Path) -> PackedCorpus:
    """Write ``packed`` with its gaps blank to the empty folder ``out``; leaves of withdrawn documents go, others stay.

    Returns:
        What was written; ``root`` is over the documents that are left.
    """
    infos = {f"{info.name}/{info.use}": info for info in read_streams(corpus)}
    taken_from = (*packed.taken_from, packed.root)
    streams = [
        _written(packed, gap, infos.get(f"{gap.stream.name}/{gap.stream.use}"), len(taken_from), out) for gap in found
    ]
    (out / "merkle").mkdir()
    root = write_levels(out / "merkle", _leaves(packed, found)).hex()
    index = {
        "root": root,
        "vocabulary_size": packed.vocabulary_size,
        "end_of_document": packed.end_of_document,
        "padding": packed.padding,
        "streams": [asdict(stream) for stream in streams],
        "taken_from": taken_from,
    }
    (out / "streams.json").write_bytes(canonical(index))
    return read_packed(out)


def _written(packed: PackedCorpus, gap: Gap, info: StreamInfo | None, time: int, out: Path) -> PackedStream:
    tokens = packed.open(gap.stream, 1)
    if not gap.places:
        link(tokens.folder, out / gap.stream.folder)
        return gap.stream
    blanked = blank(tokens, gap.places, time, out / gap.stream.folder)
    documents, size = (info.documents, info.bytes) if info else (0, 0)
    return replace(
        gap.stream,
        documents=documents,
        bytes=size,
        tokens=gap.stream.tokens - blanked,
        blank=gap.stream.blank + blanked,
    )


def _leaves(packed: PackedCorpus, found: list[Gap]) -> Iterator[bytes]:
    """The span leaves of all documents that are left, in the order of the tree: no token has to be hashed again."""
    with (packed.folder / "merkle" / _LEAVES).open("rb") as leaves:
        for gap in found:
            tokens, gone = packed.open(gap.stream, 1), set(gap.places)
            for place in range(tokens.documents):
                if tokens.is_withdrawn(place):
                    continue
                hashed = leaves.read(HASH_BYTES)
                if place not in gone:
                    yield hashed
