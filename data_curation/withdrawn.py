"""Know withdrawn text again: by its digests, and by its MinHash signature where it comes back changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from data_curation.minhash import NO_WORDS, band_keys, estimate
from data_curation.settings import DuplicatesSettings
from data_curation.signatures import KEY, SignatureFolder
from licensing.withdrawal import Filed

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PIECE = 1 << 14

WITHDRAWN: Final = ("withdrawn", "withdrawn-copy", "parent-withdrawn")
"""The reasons in the ledger of what withdrawals keep out."""


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

    def take(self, ids: Iterable[str]) -> Signatures:
        """Those of the given documents."""
        wanted = {bytes.fromhex(one) for one in ids}
        heads = np.array([int.from_bytes(one[:8], "big") for one in wanted], dtype="<u8")
        near = np.flatnonzero(np.isin(self.keys["id"][:, 0].astype("<u8"), heads)).tolist()
        chosen = [place for place in near if self.keys["id"][place].tobytes() in wanted]
        return Signatures(self.keys[chosen], self.values[chosen])


def read_signatures(folder: Path, settings: DuplicatesSettings) -> Iterator[Signatures]:
    """Read a folder in pieces; raises HerkomstError where it was made with other settings."""
    opened = SignatureFolder.open(folder, settings)
    with (opened.path / "keys").open("rb") as keys, (opened.path / "signatures").open("rb") as values:
        while len(piece := np.fromfile(keys, KEY, _PIECE)):
            flat = np.fromfile(values, "<u4", len(piece) * settings.permutations)
            yield Signatures(piece, flat.reshape(len(piece), settings.permutations))


def joined(pieces: Iterable[Signatures], settings: DuplicatesSettings) -> Signatures:
    """Put pieces together in memory: for the few that were withdrawn, never for a corpus."""
    found = list(pieces)
    empty = Signatures(np.zeros(0, KEY), np.zeros((0, settings.permutations), np.uint32))
    return Signatures(
        # Left to itself, numpy would turn the ids' big-endian numbers round, and no digest would be found again.
        np.concatenate([empty.keys, *(piece.keys for piece in found)], dtype=KEY),
        np.concatenate([empty.values, *(piece.values for piece in found)]),
    )


def copies_of(withdrawn: Signatures, corpus: Iterable[Signatures], settings: DuplicatesSettings) -> dict[str, Copy]:
    """Find the documents of ``corpus`` that are exact or near copies of withdrawn ones, themselves left out.

    Two documents are compared if a band of their signatures agrees, as in the search for duplicates, and the same
    estimate counts. Memory: about 200 bytes a withdrawn document and band.
    """
    index = _Bands(withdrawn, settings)
    own = {one.tobytes().hex() for one in withdrawn.keys["id"]}
    found: dict[str, Copy] = {}
    for piece in corpus:
        for place, copy in index.matches(piece):
            name = piece.keys["id"][place].tobytes().hex()
            if name not in own:
                found[name] = copy
    return found


class _Bands:
    """The withdrawn documents by band key and by the digests of their texts; a band is part of its keys."""

    def __init__(self, withdrawn: Signatures, settings: DuplicatesSettings) -> None:
        self._withdrawn, self._settings = withdrawn, settings
        self._texts: dict[bytes, int] = {}
        self._received: dict[bytes, int] = {}
        self._rows: dict[int, list[int]] = {}
        bands = self._bands(withdrawn)
        for row, keys in enumerate(bands.tolist()):
            self._texts.setdefault(withdrawn.keys["text"][row].tobytes(), row)
            self._received.setdefault(withdrawn.keys["received"][row].tobytes(), row)
            for key in keys:
                self._rows.setdefault(key, []).append(row)
        self._keys = np.unique(bands)
        self._heads = {name: np.unique(withdrawn.keys[name][:, 0].astype("<u8")) for name in ("text", "received")}

    def _bands(self, piece: Signatures) -> NDArray[np.uint64]:
        languages = np.ascontiguousarray(piece.keys["language"]).view("<u8")
        return band_keys(piece.values, languages, self._settings)

    def matches(self, piece: Signatures) -> Iterator[tuple[int, Copy]]:
        """(place in the piece, the withdrawn document it is most like) for every copy."""
        if not len(self._withdrawn.keys):
            return
        bands = self._bands(piece)
        met = np.isin(bands, self._keys).any(axis=1)
        for name, heads in self._heads.items():
            met |= np.isin(piece.keys[name][:, 0].astype("<u8"), heads)
        for place in np.flatnonzero(met).tolist():
            same = self._same(piece.keys[place])
            rows = sorted({row for key in bands[place].tolist() for row in self._rows.get(key, ())})
            if same is not None:
                yield place, Copy(self._id(same), 1.0)
            elif rows and (piece.values[place] != NO_WORDS).any():
                yield from self._alike(piece, place, rows)

    def _same(self, key: Any) -> int | None:
        """The withdrawn document of the same text; under another language its final text may differ."""
        final = self._texts.get(key["text"].tobytes())
        return final if final is not None else self._received.get(key["received"].tobytes())

    def _alike(self, piece: Signatures, place: int, met: list[int]) -> Iterator[tuple[int, Copy]]:
        alike = estimate(
            np.broadcast_to(piece.values[place], (len(met), piece.values.shape[1])), self._withdrawn.values[met]
        )
        best = int(np.argmax(alike))
        same_language = self._withdrawn.keys["language"][met[best]] == piece.keys["language"][place]
        if alike[best] >= self._settings.least_estimate and same_language:
            yield place, Copy(self._id(met[best]), float(alike[best]))

    def _id(self, row: int) -> str:
        return str(self._withdrawn.keys["id"][row].tobytes().hex())


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a document is refused: the reason code, and a sentence that names the withdrawal."""

    reason: str
    detail: str


class Withdrawn:
    """Answers for every document whether a withdrawal refuses it; about 400 bytes a withdrawn document."""

    def __init__(self, filed: Sequence[Filed], copies: Mapping[str, Copy]) -> None:
        self._copies = copies
        self._by_digest: dict[bytes, tuple[str, Filed]] = {}
        for one in filed:
            for row in one.rows(["id", "why", "received_sha256", "final_sha256"]):
                # What was made from a withdrawn text is known by its id alone: the same bytes may have other parents.
                texts = () if row["why"] == "made-from" else (row["received_sha256"], row["final_sha256"])
                for digest in (row["id"], *texts):
                    if digest:
                        self._by_digest.setdefault(bytes.fromhex(digest), (row["why"], one))

    def __bool__(self) -> bool:
        return bool(self._by_digest)

    def refusal(self, row: Mapping[str, Any], final_sha256: str | None) -> Refusal | None:
        """Why a document is refused, or None.

        A document counts as withdrawn by its id; another with the same bytes or the same final text as its copy.
        """
        known = self._by_digest.get(bytes.fromhex(row["id"]))
        if known:
            if known[0] == "asked":
                return Refusal("withdrawn", _told(known[1]))
            if known[0] == "made-from":
                return Refusal("parent-withdrawn", f"made from a withdrawn document; {_told(known[1])}")
            return Refusal("withdrawn-copy", f"a copy of a withdrawn document; {_told(known[1])}")
        for digest in filter(None, (row["received_sha256"], final_sha256)):
            same = self._by_digest.get(bytes.fromhex(digest))
            if same:
                return Refusal("withdrawn-copy", f"the same content as a withdrawn document; {_told(same[1])}")
        near = self._copies.get(row["id"])
        if near:
            return Refusal("withdrawn-copy", f"similarity {near.similarity:.2f} to a withdrawn document")
        return None


def _told(filed: Filed) -> str:
    """Name a withdrawal without its reason, which is for the partner alone: a row is quoted in reports to everyone."""
    one = filed.withdrawal
    return f"withdrawal {one.number} of run {one.run}, in effect from {one.effective}"


def withdrawn_for(filed: Sequence[Filed], signature_folders: Sequence[Path], settings: DuplicatesSettings) -> Withdrawn:
    """Prepare the answers for one corpus, looking through its signatures for near copies.

    Raises:
        HerkomstError: signatures of a withdrawal or of the corpus were made with other settings and cannot be compared.
    """
    withdrawn = joined((piece for one in filed for piece in read_signatures(one.signatures, settings)), settings)
    corpus = (piece for folder in signature_folders for piece in read_signatures(folder, settings))
    return Withdrawn(filed, copies_of(withdrawn, corpus, settings) if len(withdrawn.keys) else {})
