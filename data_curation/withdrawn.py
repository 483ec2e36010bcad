"""Know withdrawn text again: by its digests, and by its MinHash signature where it comes back changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from data_curation.settings import DuplicatesSettings
from data_curation.withdrawn_copies import Copy, Signatures, copies_of, joined, read_signatures
from licensing.errors import HerkomstError
from licensing.withdrawal import Filed, WithdrawalError

WITHDRAWN: Final = ("withdrawn", "withdrawn-copy", "parent-withdrawn")
"""The reasons in the ledger of what withdrawals keep out."""


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


def _signatures(filed: Filed, settings: DuplicatesSettings) -> Iterator[Signatures]:
    try:
        yield from read_signatures(filed.signatures, settings)
    except HerkomstError as fault:
        raise WithdrawalError(
            f"{filed.signatures}: cannot be compared with the signatures of this run ({fault}); near copies of "
            "withdrawn text could not be told, and nothing was committed. Set curation.duplicates to the "
            "permutations and shingle_words of the run that made the withdrawal; where the form is another, use the "
            "version of Herkomst that made it."
        ) from fault


def withdrawn_for(filed: Sequence[Filed], signature_folders: Sequence[Path], settings: DuplicatesSettings) -> Withdrawn:
    """Prepare the answers for one corpus, looking through its signatures for near copies.

    Raises:
        HerkomstError: signatures of a withdrawal or of the corpus were made with other settings and cannot be compared.
    """
    withdrawn = joined((piece for one in filed for piece in _signatures(one, settings)), settings)
    corpus = (piece for folder in signature_folders for piece in read_signatures(folder, settings))
    return Withdrawn(filed, copies_of(withdrawn, corpus, settings) if len(withdrawn.keys) else {})
