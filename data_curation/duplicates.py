"""Exact and near duplicates over all tasks: who is removed, in favour of whom, and how alike the two are.

Documents are numbered by *place*: their order by (rank, id), best first. Everything after that is a function of the set
of documents, so the result is the same for any number of tasks and any order of their folders.

1. *Exact*: same digest of the final text, same language. Only the best one goes on.
2. *Near*: documents that meet in a band (``data_curation.minhash``) are compared by their whole signatures.
3. The confirmed pairs form components; the best member of each survives, and all others name it. A chain (A like B,
   B like C) is one component, so a removed document may be less like its survivor than the threshold says: the
   similarity written down is the one measured against that survivor.

Barred documents, which were not admitted on their rights, take no part in this; afterwards `data_curation.copies` looks
for the groups that hold a copy of one.

Pages of different languages never meet, so a translation is never taken for a copy, nor an untranslated page that two
languages share.

Disk: the work folder takes a copy of the signatures and 8 bytes for each document and band. Memory: about 60 bytes a
document (``benchmarks/duplicates.py --documents 1000000``: 91 MB for 10^5 documents, 141 MB and 6.4 s of one core for
10^6), of which the part for keys stops growing at ``keys_in_memory``. The operating system may keep pages of the mapped
signatures beside that, and take them back. Time and memory stay linear on crowds: copies of one page cost one
comparison each, pages that share a band and nothing else at most ``leaders_per_bucket``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_curation.buckets import Forest, Same, alike, meetings
from data_curation.copies import COPIES, CopySearch, Gathered
from data_curation.minhash import NO_WORDS, band_keys, estimate, mixed, standard_error
from data_curation.settings import DuplicatesSettings
from data_curation.shards import ROW_GROUP
from data_curation.signatures import KEY, SignatureFolder
from licensing.errors import HerkomstError
from licensing.files import sync_entry

if TYPE_CHECKING:
    from numpy.typing import NDArray

REMOVED = pa.schema(
    [
        ("id", pa.string()),
        ("survivor", pa.string()),
        ("kind", pa.string()),
        ("similarity", pa.float64()),
        ("measure", pa.string()),
        ("standard_error", pa.float64()),
    ]
)
"""``similarity`` is to the survivor. ``measure`` says how it was found: for ``exact`` duplicates ``same-text`` (1.0, no
error), for ``near`` ones ``minhash-estimate``: the share of equal places of the two signatures, an estimate of the
Jaccard index of their shingles with the standard error that the binomial distribution gives for it. It is the error of
a place drawn at random, so it is 0 where all places agree although the texts differ in places."""

_MEASURES = {"exact": "same-text", "near": "minhash-estimate"}
_CHUNK = 1 << 14


@dataclass(frozen=True, slots=True)
class DuplicateStats:
    """How many documents were looked at and removed, pairs compared, and comparisons left out on crowded buckets.

    ``barred`` documents are those that were not admitted, ``copies`` the groups of which one of them is a copy.
    """

    documents: int
    exact: int
    near: int
    compared: int
    undecided: int
    barred: int = 0
    copies: int = 0


def find_duplicates(
    signature_folders: Sequence[Path], out: Path, settings: DuplicatesSettings, work: Path, copies: Path | None = None
) -> DuplicateStats:
    """Write the parquet file ``out`` with one row for each removed document, sorted by id.

    ``signature_folders`` come from SignatureWriter, in any order; ``work`` gets a folder that is deleted at the end.
    ``copies`` is the parquet file for survivors of which a copy was not admitted (``data_curation.copies.COPIES``).

    Raises:
        HerkomstError: a folder is incomplete or made with other settings, or two documents have the same id.
    """
    own = work / "duplicates"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(parents=True)
    try:
        search = _Search(signature_folders, settings, own)
        stats = search.write(out)
        return search.write_copies(copies, stats) if copies else stats
    finally:
        shutil.rmtree(own, ignore_errors=True)


class _Search:
    """One search; rows are documents in the order of the folders, places their order by (rank, id)."""

    def __init__(self, folders: Sequence[Path], settings: DuplicatesSettings, work: Path) -> None:
        self._settings = settings
        self._work = work
        self._compared = self._undecided = 0
        opened = [SignatureFolder.open(folder, settings) for folder in folders]
        self._documents = sum(folder.documents for folder in opened)
        self._with_words = np.empty(self._documents, np.bool_)
        self._gather(opened)
        self._keys = _mapped(work / "keys", KEY, (self._documents,))
        self._signatures = _mapped(work / "signatures", np.dtype("<u4"), (self._documents, settings.permutations))
        self._rows = _by_rank(self._keys)
        self._places = np.empty_like(self._rows)
        self._places[self._rows] = np.arange(self._documents)
        self._forest = Forest(self._documents)
        self._admitted: NDArray[np.bool_] = self._keys["barred"] == b""

    def _gather(self, folders: Sequence[SignatureFolder]) -> None:
        """Copy all folders into one file each for keys and signatures, and write every band's keys."""
        names = ["keys", "signatures", "exact", "received", *(_band(band) for band in range(self._settings.bands))]
        with ExitStack() as stack:
            files = {name: stack.enter_context((self._work / name).open("wb")) for name in names}
            at = 0
            for keys, signatures in (piece for folder in folders for piece in _pieces(folder, self._settings)):
                languages = np.ascontiguousarray(keys["language"]).view("<u8")
                bands = band_keys(signatures, languages, self._settings)
                keys.tofile(files["keys"])
                signatures.tofile(files["signatures"])
                mixed(keys["text"][:, 0].astype("<u8") ^ mixed(languages)).tofile(files["exact"])
                mixed(keys["received"][:, 0].astype("<u8")).tofile(files["received"])
                for band in range(self._settings.bands):
                    bands[:, band].astype("<u8").tofile(files[_band(band)])
                self._with_words[at : at + len(keys)] = (signatures != NO_WORDS).any(axis=1)
                at += len(keys)

    def write(self, out: Path) -> DuplicateStats:
        """Find the duplicates and write them; ``out`` appears whole or not at all."""
        self._group("exact", self._admitted, self._same_text)
        lower = self._forest.lower()
        eligible = self._with_words & self._admitted
        eligible[self._rows[lower]] = False
        for band in range(self._settings.bands):
            self._group(_band(band), eligible, self._like)
        with _published(out) as beside, pq.ParquetWriter(beside, REMOVED, compression="zstd") as writer:
            exact, near = self._write_removed(writer)
        admitted = int(self._admitted.sum())
        barred = self._documents - admitted
        return DuplicateStats(admitted, exact, near, self._compared, self._undecided, barred)

    def write_copies(self, out: Path, stats: DuplicateStats) -> DuplicateStats:
        """Find the survivors of which a copy is barred and write them, once duplicates are found."""
        gathered = Gathered(self._keys, self._signatures, self._rows, self._places, self._forest.roots, self._settings)
        search, copies = CopySearch(gathered), 0
        search.exact(self._work / "received")
        for band in range(self._settings.bands):
            search.near(self._work / _band(band), self._with_words)
        with _published(out) as beside, pq.ParquetWriter(beside, COPIES, compression="zstd") as writer:
            for table in search.tables():
                writer.write_table(table, row_group_size=ROW_GROUP)
                copies += table.num_rows
        return replace(stats, copies=copies, undecided=stats.undecided + search.undecided)

    def _group(self, name: str, eligible: NDArray[np.bool_], same: Same) -> None:
        """Join what meets by the keys in file ``name`` and is the same.

        Edges are added once the band is through, so that what ``same`` knows of earlier bands does not depend on how
        many pieces the band came in.
        """
        edges = []
        for keys, rows in meetings(self._work / name, eligible, self._settings.keys_in_memory):
            pairs = alike(keys, self._places[rows], same, self._settings.leaders_per_bucket)
            for leaders, followers, undecided in pairs:
                edges.append((leaders, followers))
                self._undecided += undecided
        for leaders, followers in edges:
            self._forest.join(leaders, followers)

    def _same_text(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
        same = np.empty(len(left), np.bool_)
        for at in range(0, len(left), _CHUNK):
            one, other = (self._keys[self._rows[side[at : at + _CHUNK]]] for side in (left, right))
            same[at : at + _CHUNK] = (one["text"] == other["text"]).all(axis=1) & (one["language"] == other["language"])
        return same

    def _like(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which pairs are known to be in one component, or are alike by their signatures."""
        same: NDArray[np.bool_] = self._forest.roots(left) == self._forest.roots(right)
        open_pairs = np.flatnonzero(~same)
        self._compared += len(open_pairs)
        for at in range(0, len(open_pairs), _CHUNK):
            pairs = open_pairs[at : at + _CHUNK]
            one, other = self._rows[left[pairs]], self._rows[right[pairs]]
            enough = estimate(self._signatures[one], self._signatures[other]) >= self._settings.least_estimate
            same[pairs] = enough & (self._keys["language"][one] == self._keys["language"][other])
        return same

    def _write_removed(self, writer: pq.ParquetWriter) -> tuple[int, int]:
        exact = near = 0
        for table in self._removed():
            writer.write_table(table, row_group_size=ROW_GROUP)
            kinds = table["kind"].to_pylist()
            exact += kinds.count("exact")
            near += kinds.count("near")
        return exact, near

    def _removed(self) -> Iterator[pa.Table]:
        lower = self._forest.lower()
        lower = lower[_by_id(self._keys["id"][self._rows[lower]])]
        for at in range(0, len(lower), _CHUNK):
            places = lower[at : at + _CHUNK]
            yield self._table(self._rows[places], self._rows[self._forest.roots(places)])

    def _table(self, rows: NDArray[np.int64], survivors: NDArray[np.int64]) -> pa.Table:
        removed, kept = self._keys[rows], self._keys[survivors]
        exact = (removed["text"] == kept["text"]).all(axis=1)
        similarity = np.where(exact, 1.0, estimate(self._signatures[rows], self._signatures[survivors]))
        error = standard_error(similarity, self._settings)
        kinds: list[Literal["exact", "near"]] = ["exact" if one else "near" for one in exact]
        measures = [_MEASURES[kind] for kind in kinds]
        return pa.table([_hex(removed["id"]), _hex(kept["id"]), kinds, similarity, measures, error], schema=REMOVED)


def _pieces(folder: SignatureFolder, settings: DuplicatesSettings) -> Iterator[tuple[NDArray[Any], NDArray[np.uint32]]]:
    with (folder.path / "keys").open("rb") as keys, (folder.path / "signatures").open("rb") as signatures:
        while len(piece := np.fromfile(keys, KEY, _CHUNK)):
            flat = np.fromfile(signatures, "<u4", len(piece) * settings.permutations)
            yield piece, flat.reshape(len(piece), settings.permutations)


def _by_rank(keys: NDArray[Any]) -> NDArray[np.int64]:
    """Return the rows in the order of (rank, id); raises HerkomstError if an id occurs twice."""
    order = _by_id(keys["id"])
    ids = keys["id"]
    for at in range(0, len(order) - 1, _CHUNK):
        run = ids[order[at : at + _CHUNK + 1]]
        twice = (run[1:] == run[:-1]).all(axis=1)
        if twice.any():
            name = _hex(run[1:][twice][:1])[0]
            raise HerkomstError(
                f"document {name} occurs twice among the signatures, so one copy could be removed in favour of itself; "
                "a task's folder is probably given twice"
            )
    return order[np.argsort(keys["rank"][order], kind="stable")]


def _by_id(ids: NDArray[np.uint64]) -> NDArray[np.int64]:
    return np.lexsort([ids[:, part].astype("<u8") for part in (3, 2, 1, 0)])


def _hex(ids: NDArray[np.uint64]) -> list[str]:
    return [row.tobytes().hex() for row in ids]


def _band(band: int) -> str:
    return f"band-{band:03d}"


def _mapped(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return np.memmap(path, dtype, "r", shape=shape) if shape[0] else np.empty(shape, dtype)


@contextmanager
def _published(out: Path) -> Iterator[Path]:
    """Yield a place beside ``out`` to write to; at the end it becomes ``out``, after an error it is gone."""
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.partial")
    try:
        yield beside
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(out)
        sync_entry(out.parent)
    finally:
        beside.unlink(missing_ok=True)
