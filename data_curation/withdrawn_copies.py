"""Find copies of withdrawn text among any number of documents: by digest, and by MinHash signature where it changed.

The few withdrawn documents are held in memory, the corpus streams past them. Nearly every document that streams past is
like none of them, so each is first held against sieves (`data_curation.sieves`); only what they let pass is searched
for and compared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import numpy as np

from data_curation.minhash import NO_WORDS, estimate, mixed
from data_curation.settings import DuplicatesSettings
from data_curation.sieves import Digests, Sieve, as_bytes
from data_curation.signatures import KEY, SignatureFolder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.int64]

T = TypeVar("T")

_PIECE: Final = 1 << 14
_THREADS: Final = 2
_PAIRS: Final = 1 << 20  # of a document and a withdrawn one, looked at together: 16 bytes each
_COMPARED: Final = 1 << 13  # of them, whose signatures are compared together: 2 kB each


@dataclass(frozen=True, slots=True)
class Copy:
    """A document that is a copy of a withdrawn one; ``similarity`` is 1.0 for the same text."""

    of: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Signatures:
    """Keys (`signatures.KEY`) and signatures, shape (documents, permutations), of one folder or piece."""

    keys: NDArray[Any]
    values: NDArray[np.uint32]

    @property
    def ids(self) -> NDArray[np.bytes_]:
        """The ids as 32 bytes each, shape (documents,)."""
        return as_bytes(self.keys["id"])


def read_signatures(folder: Path, settings: DuplicatesSettings) -> Iterator[Signatures]:
    """Read a folder in pieces; raises HerkomstError where it was made with other settings."""
    opened = SignatureFolder.open(folder, settings)
    with (opened.path / "keys").open("rb") as keys, (opened.path / "signatures").open("rb") as values:
        while len(piece := np.fromfile(keys, KEY, _PIECE)):
            flat = np.fromfile(values, "<u4", len(piece) * settings.permutations)
            yield Signatures(piece, flat.reshape(len(piece), settings.permutations))


def signatures_of(wanted: Digests, folders: Iterable[Path], settings: DuplicatesSettings) -> Signatures:
    """The signatures of the documents with these ids, reading the keys of all and the signatures of these alone.

    Raises:
        HerkomstError: a folder is incomplete or was made with other settings.
    """
    return joined((_chosen(wanted, SignatureFolder.open(one, settings), settings) for one in folders), settings)


def _chosen(wanted: Digests, folder: SignatureFolder, settings: DuplicatesSettings) -> Signatures:
    keys = folder.keys()
    places = np.flatnonzero(wanted.places_of(keys["id"]) >= 0)
    if not len(places):
        return joined((), settings)
    shape = (folder.documents, settings.permutations)
    values = np.memmap(folder.path / "signatures", "<u4", "r", shape=shape)
    return Signatures(keys[places], values[places])


def joined(pieces: Iterable[Signatures], settings: DuplicatesSettings) -> Signatures:
    """Put pieces together in memory: for the few that were withdrawn, never for a corpus."""
    found = list(pieces)
    empty = Signatures(np.zeros(0, KEY), np.zeros((0, settings.permutations), np.uint32))
    return Signatures(
        # Without the type given, digests would come out in the machine's byte order: other bytes, so other documents.
        np.concatenate([empty.keys, *(piece.keys for piece in found)], dtype=KEY),
        np.concatenate([empty.values, *(piece.values for piece in found)]),
    )


def copies_of(withdrawn: Signatures, corpus: Iterable[Signatures], settings: DuplicatesSettings) -> dict[str, Copy]:
    """Find the documents of ``corpus`` that are exact or near copies of withdrawn ones, themselves left out.

    Two documents are compared if a band of their signatures agrees, as in the search for duplicates, and the same
    estimate counts. Memory: about 5.5 kB a withdrawn document (0.7 kB of it its signature), and pieces of the rest.
    """
    if not len(withdrawn.keys):
        return {}
    own, bands, names = Digests(withdrawn.ids), _Bands(withdrawn, settings), withdrawn.ids
    texts, received = (Digests(withdrawn.keys[name]) for name in ("text", "received"))

    def copies_in(piece: Signatures) -> list[tuple[str, Copy]]:
        others = own.places_of(piece.keys["id"]) < 0
        same = texts.places_of(piece.keys["text"])
        # Under another language other personal data was looked for, and the final text may differ.
        same = np.where(same < 0, received.places_of(piece.keys["received"]), same)
        places, rows, alike = bands.matches(piece, others & (same < 0))
        exact = np.flatnonzero(others & (same >= 0))
        ids = _hex(as_bytes(piece.keys["id"][np.concatenate([exact, places])]))
        of = _hex(names[np.concatenate([same[exact], rows])])
        similarity = [1.0] * len(exact) + alike.tolist()
        return [(name, Copy(*copy)) for name, *copy in zip(ids, of, similarity, strict=True)]

    return dict(copy for found in _done(copies_in, corpus) for copy in found)


def _done(work: Callable[[Signatures], T], pieces: Iterable[Signatures]) -> Iterator[T]:
    """The results of piece after piece, in order; some are worked on, and the next is read, at the same time."""
    with ThreadPoolExecutor(_THREADS) as pool:
        waiting: deque[Future[T]] = deque()
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) > _THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _hex(digests: NDArray[np.bytes_]) -> list[str]:
    text = digests.tobytes().hex()
    return [text[at : at + 64] for at in range(0, len(text), 64)]


class _Band:
    """One band of the withdrawn documents: their numbers there, sorted, and which row each is of."""

    def __init__(self, numbers: NDArray[np.uint64]) -> None:
        self.order: Places = np.argsort(numbers, kind="stable")
        self._sorted = numbers[self.order]
        self._sieve = Sieve(numbers)

    def meets(self, numbers: NDArray[np.uint64], asked: NDArray[np.bool_]) -> tuple[Places, Places, Places]:
        """(places asked about that meet a withdrawn document, first and last + 1 of those met in ``order``)."""
        passed = self._sieve.passes(numbers)
        passed = passed[asked[passed]]
        first = np.searchsorted(self._sorted, numbers[passed], "left")
        inside = np.flatnonzero(first < len(self._sorted))
        met = inside[self._sorted[first[inside]] == numbers[passed[inside]]]
        return passed[met], first[met], np.searchsorted(self._sorted, numbers[passed[met]], "right")


@dataclass(frozen=True, slots=True)
class _Meetings:
    """Documents that meet withdrawn ones in a band, each array of one entry a meeting, in the order of places."""

    place: Places
    band: Places
    first: Places
    end: Places

    @classmethod
    def gathered(cls, found: Sequence[tuple[Places, Places, Places]]) -> Self:
        place, first, end = (np.concatenate(part) for part in zip(*found, strict=True))
        band = np.repeat(np.arange(len(found)), [len(one[0]) for one in found])
        order = np.argsort(place, kind="stable")
        return cls(place[order], band[order], first[order], end[order])

    def parts(self, most: int) -> Iterator[Self]:
        """Cut between documents so that a part has at most so many pairs, or one document."""
        if not len(self.place):
            return
        edges = np.flatnonzero(np.diff(self.place, prepend=-1, append=-1))
        pairs = np.concatenate([[0], np.cumsum(self.end - self.first)])[edges]
        cuts = [0]
        while cuts[-1] < len(edges) - 1:
            fits = int(np.searchsorted(pairs, pairs[cuts[-1]] + most, "right")) - 1
            cuts.append(max(cuts[-1] + 1, fits))
        for begin, end in pairwise(edges[cuts].tolist()):
            cut = slice(begin, end)
            yield type(self)(self.place[cut], self.band[cut], self.first[cut], self.end[cut])


class _Bands:
    """The withdrawn documents that have words, by the bands of their signatures.

    A band is known by one number, the sum of its 64-bit words each times an odd number of its own: cheaper than
    `minhash.band_keys`, equal where the band is equal, and evenly spread in its leading bits (multiply-shift,
    Dietzfelbinger 1996).
    """

    def __init__(self, withdrawn: Signatures, settings: DuplicatesSettings) -> None:
        self._withdrawn, self._settings = withdrawn, settings
        self._rows = np.flatnonzero((withdrawn.values != NO_WORDS).any(axis=1))
        wide = settings.permutations // settings.bands
        words = wide // 2 if wide % 2 == 0 else wide
        count = np.arange(1, settings.bands * words + 1, dtype=np.uint64)
        self._odd = (mixed(count) | np.uint64(1)).reshape(settings.bands, words)
        self._bands = [_Band(numbers) for numbers in self._numbers(withdrawn.values[self._rows])]

    def _numbers(self, values: NDArray[np.uint32]) -> NDArray[np.uint64]:
        """One number a band and document, shape (bands, documents)."""
        bands, words = self._odd.shape
        even = self._settings.permutations == 2 * bands * words
        wide = np.ascontiguousarray(values).view(np.uint64) if even else values.astype(np.uint64)
        numbers = np.empty((bands, len(values)), dtype=np.uint64)
        np.einsum("nbw,bw->bn", wide.reshape(len(values), bands, words), self._odd, out=numbers)
        return numbers

    def matches(self, piece: Signatures, asked: NDArray[np.bool_]) -> tuple[Places, Places, NDArray[np.float64]]:
        """Those of the documents asked about that are near copies: place, most alike withdrawn row, how alike."""
        numbers = self._numbers(piece.values)
        found = [band.meets(own, asked) for band, own in zip(self._bands, numbers, strict=True)]
        best = [self._best(piece, part) for part in _Meetings.gathered(found).parts(_PAIRS)]
        if not best:
            none = np.zeros(0, dtype=np.int64)
            return none, none, np.zeros(0)
        place, row, alike = (np.concatenate(part) for part in zip(*best, strict=True))
        return place, row, alike

    def _best(self, piece: Signatures, met: _Meetings) -> tuple[Places, Places, NDArray[np.float64]]:
        places, rows = self._pairs(met)
        same_language = piece.keys["language"][places] == self._withdrawn.keys["language"][rows]
        comparable = same_language & (piece.values[places] != NO_WORDS).any(axis=1)
        places, rows = places[comparable], rows[comparable]
        alike = np.zeros(len(places))
        for begin in range(0, len(places), _COMPARED):
            cut = slice(begin, begin + _COMPARED)
            alike[cut] = estimate(piece.values[places[cut]], self._withdrawn.values[rows[cut]])
        # The most alike of each place; of several, the first row.
        order = np.lexsort((rows, -alike, places))
        first = order[np.flatnonzero(np.diff(places[order], prepend=-1))]
        copies = first[alike[first] >= self._settings.least_estimate]
        return places[copies], rows[copies], alike[copies]

    def _pairs(self, met: _Meetings) -> tuple[Places, Places]:
        """(place, withdrawn row), each pair once."""
        count = met.end - met.first
        inside = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        at, band = np.repeat(met.first, count) + inside, np.repeat(met.band, count)
        row = np.empty(len(at), dtype=np.int64)
        for number in np.unique(band).tolist():
            mine = band == number
            row[mine] = self._rows[self._bands[number].order[at[mine]]]
        pair = np.unique(np.repeat(met.place, count) * len(self._withdrawn.keys) + row)
        places, rows = np.divmod(pair, len(self._withdrawn.keys))
        return places, rows
