"""Which one of a group of duplicates stays: one number for each document, the smaller the better.

*Rights* first, and that means the surest ground, not the freest. The same text may come from a partner under an
agreement and, under an open licence, from somebody who put a copy on the web. Did the freest copy stay, we would use
the text on the word of that somebody. So the order is that of how well a ground holds if it is doubted:

1. ``agreement``: a contract with a known partner, who answers for it;
2. ``own``: our own work, with its evidence;
3. ``consent``: the holder's word, with its evidence; it can be taken back, which a contract rules;
4. ``official-work``: the law itself, and what kind of work it is shows on its face;
5. ``licence``: the word of whoever published the copy;
6. ``public-domain``: the same, for the largest claim: that nobody has a right any more, in any country;
7. ``dsm-art-3``: an exception, which no reservation ends;
8. ``dsm-art-4``: an exception, which a reservation ends.

Of equal grounds the copy with more duties stays, as the stricter reading. The survivor takes on the duties of all
copies whatever this order is (`data_curation.shared_terms`); the order settles on what ground the text is used.

*Quality* then parts copies of equal rights, and the id (a digest) those equal in both; the order of the two and of the
grounds is the operator's (``duplicates.survivor``, ``duplicates.rights_order``).
"""

from __future__ import annotations

from typing import Final

from data_curation.settings import GROUNDS, DuplicatesSettings
from licensing.errors import HerkomstError

MOST_QUALITY: Final = 1000
"""The best quality; the worst is 0."""

_DUTIES: Final = 1000  # duties told apart: 0 to 999, far more than any decision has
_SIZES: Final = {"rights": (len(GROUNDS) + 1) * _DUTIES, "quality": MOST_QUALITY + 1, "digest": 1}


def rank(basis: str, duties: int, quality: int, settings: DuplicatesSettings) -> int:
    """Return the rank of a document among its duplicates, 0 to 10^7; of two, the one with the smaller rank stays.

    It never grows with ``duties`` nor with ``quality`` (0 to `MOST_QUALITY`, higher is better), and documents of equal
    rank are parted by their ids, which come after it wherever ranks are compared. ``basis`` is the decision's
    (``licensing.rights.Basis``); ``none`` comes after all grounds.

    Raises:
        HerkomstError: an unknown basis, or duties or quality out of bounds.
    """
    if duties < 0 or not 0 <= quality <= MOST_QUALITY:
        raise HerkomstError(
            f"{duties} duties and a quality of {quality} are out of bounds (0 and more, 0 to {MOST_QUALITY}), so it is "
            "not known which copy of a text should stay; this is a fault in the step that counted them"
        )
    places = {"rights": _rights(basis, duties, settings), "quality": MOST_QUALITY - quality, "digest": 0}
    found = 0
    for criterion in settings.survivor:
        found = found * _SIZES[criterion] + places[criterion]
    return found


def _rights(basis: str, duties: int, settings: DuplicatesSettings) -> int:
    order = (*settings.rights_order, "none")
    if basis not in order:
        raise HerkomstError(
            f"basis {basis!r} is in no order of rights ({', '.join(order)}), so it is not known which copy of a text "
            "should stay; add it to data_curation.settings.GROUNDS"
        )
    return order.index(basis) * _DUTIES + _DUTIES - 1 - min(duties, _DUTIES - 1)
