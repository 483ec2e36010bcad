"""Copies that came in under terms that were not admitted: they never survive, and no copy of theirs is used silently.

The same text may come twice: from a partner whose agreement does not permit this use, and from somebody who put a copy
on the web under an open licence. The first is refused, the second admitted, and on rights alone nobody would notice.
So documents that were refused or sent to review on their rights go through the search for duplicates too, *barred*:
they join no group and remove nobody. What is looked for is which admitted documents are copies of them:

* *exact*: the received texts are equal once white space, case and Unicode compatibility forms are folded, whatever
  their languages are said to be. The received text is compared and not the final one, because that depends on the
  language for which personal data was looked for;
* *near*: as among admitted documents, by language, shingles and estimate (``data_curation.minhash``).

A group of duplicates stands or falls together: if any member is a copy of a barred document, its survivor is marked.
What follows is the operator's choice (``policy.copies_not_admitted``). A document that could not be read, or whose id
stands for several contents, bars nothing: that says nothing of its terms.

Memory: 16 bytes a document beside the search for duplicates.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from data_curation.buckets import meetings
from data_curation.minhash import estimate
from data_curation.settings import DuplicatesSettings
from data_curation.shards import Row
from licensing.reasons import REASONS
from licensing.rights import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

COPIES = pa.schema(
    [
        ("id", pa.string()),
        ("copy", pa.string()),
        ("kind", pa.string()),
        ("similarity", pa.float64()),
        ("reason", pa.string()),
    ]
)
"""``copy`` is the barred document that is most like ``id`` or one of its duplicates, ``reason`` why it is barred."""

REASON = "copy-not-admitted"
_EXACT = 2.0  # above every estimate, so that an exact copy is named before a near one
_CHUNK = 1 << 14


def folded_sha256(text: str) -> str:
    """Digest of a text by which exact copies are found: NFKC, case folded, runs of white space as one blank."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.sha256(folded.encode()).hexdigest()


def barred_by(outcome: str, reason: str) -> str | None:
    """The reason why a document bars its copies, or None where it was admitted or its terms are not the reason."""
    if outcome == "admit" or reason.startswith("unreadable-") or reason == "native-id-repeated":
        return None
    return reason


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the search for duplicates has in hand; places are documents' order by (rank, id), barred ones first.

    ``rows`` leads from place to row of ``keys`` and ``signatures``, ``places`` back.
    """

    keys: NDArray[Any]
    signatures: NDArray[np.uint32]
    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    roots: Callable[[NDArray[np.int64]], NDArray[np.int64]]
    settings: DuplicatesSettings


class CopySearch:
    """For each group of duplicates the barred document that is most like it."""

    def __init__(self, gathered: Gathered) -> None:
        self._all = gathered
        self._barred = gathered.keys["barred"] != b""
        self._best = np.full(len(gathered.rows), -1, np.int64)
        self._score = np.zeros(len(gathered.rows))
        self.undecided = 0

    def exact(self, keys: Path) -> None:
        """Find copies by the file of keys of the folded text."""
        self._meet(keys, np.ones(len(self._barred), np.bool_), self._same_text)

    def near(self, keys: Path, with_words: NDArray[np.bool_]) -> None:
        """Find copies by the file of one band's keys."""
        self._meet(keys, with_words, self._alike)

    def tables(self) -> Iterator[pa.Table]:
        """The marked documents with the copy of each, sorted by id."""
        found = np.flatnonzero(self._best >= 0)
        ids = self._all.keys["id"][self._all.rows[found]]
        found = found[np.lexsort([ids[:, part].astype("<u8") for part in (3, 2, 1, 0)])]
        for at in range(0, len(found), _CHUNK):
            yield self._table(found[at : at + _CHUNK])

    def _table(self, places: NDArray[np.int64]) -> pa.Table:
        marked = self._all.keys[self._all.rows[places]]
        copies = self._all.keys[self._all.rows[self._best[places]]]
        exact = self._score[places] == _EXACT
        kinds = ["exact" if one else "near" for one in exact]
        similarity = np.where(exact, 1.0, self._score[places])
        reasons = [name.decode() for name in copies["barred"]]
        return pa.table([_hex(marked["id"]), _hex(copies["id"]), kinds, similarity, reasons], schema=COPIES)

    def _meet(self, keys: Path, eligible: NDArray[np.bool_], score: Score) -> None:
        if not self._barred.any():
            return
        for shared, rows in meetings(keys, eligible, self._all.settings.keys_in_memory):
            for barred, admitted in self._pairs(shared, rows):
                for at in range(0, len(barred), _CHUNK):
                    left, right = barred[at : at + _CHUNK], admitted[at : at + _CHUNK]
                    self._keep(left, right, score(self._all.rows[left], self._all.rows[right]))

    def _pairs(
        self, keys: NDArray[np.uint64], rows: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Places of (barred, admitted) that share a key; of one key's barred ones only so many, as among duplicates."""
        places = self._all.places[rows]
        order = np.lexsort((places, keys))
        keys, places, barred = keys[order], places[order], self._barred[rows[order]]
        first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        bucket = np.cumsum(np.r_[True, keys[1:] != keys[:-1]]) - 1
        leaders = np.add.reduceat(barred, first, dtype=np.int64)[bucket]
        most = self._all.settings.leaders_per_bucket
        self.undecided += int((np.maximum(leaders - most, 0) * ~barred).sum())
        for turn in range(min(most, int(leaders.max(initial=0)))):
            compared = ~barred & (leaders > turn)
            yield places[first[bucket[compared]] + turn], places[compared]

    def _keep(self, barred: NDArray[np.int64], admitted: NDArray[np.int64], scores: NDArray[np.float64]) -> None:
        """Keep for each group the highest score, and of equals the first place, whatever order they come in."""
        found = np.flatnonzero(scores > 0)
        barred, roots, scores = barred[found], self._all.roots(admitted[found]), scores[found]
        order = np.lexsort((barred, -scores, roots))
        barred, roots, scores = barred[order], roots[order], scores[order]
        head = np.flatnonzero(np.r_[True, roots[1:] != roots[:-1]]) if len(roots) else np.empty(0, np.int64)
        barred, roots, scores = barred[head], roots[head], scores[head]
        known, before = self._score[roots], self._best[roots]
        better = (scores > known) | ((scores == known) & (barred < before))
        self._best[roots[better]], self._score[roots[better]] = barred[better], scores[better]

    def _same_text(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        same: NDArray[np.bool_] = (self._all.keys["received"][left] == self._all.keys["received"][right]).all(axis=1)
        return np.where(same, _EXACT, 0.0)

    def _alike(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        shares = estimate(self._all.signatures[left], self._all.signatures[right])
        same = self._all.keys["language"][left] == self._all.keys["language"][right]
        return np.where(same & (shares >= self._all.settings.least_estimate), shares, 0.0)


Score = Callable[["NDArray[np.int64]", "NDArray[np.int64]"], "NDArray[np.float64]"]


def _hex(ids: NDArray[np.uint64]) -> list[str]:
    return [row.tobytes().hex() for row in ids]


def with_copy(row: Row, text: str | None, copy: Row, outcome: Outcome) -> tuple[Row, str | None]:
    """The ledger row and text of a kept document of which ``copy`` (a row of `COPIES`) was not admitted.

    The other document is named by its id alone: whose it is, and why it was not admitted, is between us and its own
    partner.
    """
    how = "the same text" if copy["kind"] == "exact" else f"nearly the same text (similarity {copy['similarity']:.2f})"
    told = f"Document {copy['copy']} holds {how} and was not admitted on its rights."
    row["conflict"] = "; ".join(part for part in (row["conflict"], told) if part)
    if outcome == "admit":
        event = {"stage": "curate", "outcome": "recorded", "reason": REASON, "detail": told}
        row["events"].insert(len(row["events"]) - 1, event)
        return row, text
    return set_aside(row, outcome, REASON, "policy.copies_not_admitted", told), None


def from_copy(row: Row, text: str | None, behind: str, outcome: Outcome) -> tuple[Row, str | None]:
    """The ledger row and text of a kept document made from ``behind``, of which a copy was not admitted."""
    told = f"It was made from document {behind}. {REASONS[REASON].en}"
    row["conflict"] = "; ".join(part for part in (row["conflict"], told) if part)
    if outcome == "admit":
        event = {"stage": "curate", "outcome": "recorded", "reason": REASON, "detail": told}
        row["events"].insert(len(row["events"]) - 1, event)
        return row, text
    reason = "parent-refused" if outcome == "refuse" else "parent-review"
    return set_aside(row, outcome, reason, "policy.copies_not_admitted", told), None


def set_aside(row: Row, outcome: Outcome, reason: str, clause: str, told: str) -> Row:
    """The ledger row of a kept document that its copies keep from being used."""
    event = {"stage": "curate", "outcome": outcome, "reason": reason, "detail": told}
    row["events"] = [one for one in row["events"] if one["stage"] != "commit"] + [event]
    return row | {
        "decision": outcome,
        "decision_reason": reason,
        "decision_clause": clause,
        "decision_explanation": told,
        "reason": reason,
        "duties": [],
        "final_sha256": None,
        "text_bytes": 0,
        "use": "none",
        "stream": None,
    }
