"""Text of news stories in XHTML or NITF blocks, and what both news formats say with the same words."""

from __future__ import annotations

import re
from typing import Any

from data_curation.kinds.markup import Markup, names, text_of

USABLE = "usable"
"""The one status under which an item may be used; any other (``withheld``, ``canceled``, …) takes it back."""

_MARKUP = Markup(
    blocks=names(
        """html body p block div section article h1 h2 h3 h4 h5 h6 hl1 hl2 hedline byline dateline abstract lead
        body.head body.content body.end tagline ul ol dl li dt dd table tr nitf-table bq block-quote blockquote note
        credit datasource summary caption media-caption hr"""
    ),
    dropped=names(
        """head script style title media media-producer docdata pubdata rights distributor series img object
        nitf-table-metadata key-list nav form button"""
    ),
    listings=names("pre"),
    cells=names("td th"),
    breaks=names("br"),
)


def story(element: Any) -> str:
    """Text of a story: paragraphs on lines of their own, without pictures and their captions."""
    return text_of(element, _MARKUP)


def is_withdrawn(status: str | None) -> bool:
    """Whether a status (``usable``, ``stat:canceled``, an address) takes an item back; none does not."""
    return bool(status) and re.split(r"[:/]", status or "")[-1].strip().lower() != USABLE
