"""Mallard 1.0 help pages (GNOME)."""

from __future__ import annotations

from typing import Any

from data_curation.kinds.markup import Markup, names, plain, text_of
from data_curation.kinds.xml_safe import XML, local_name
from data_curation.plain_text import Extracted

_MARKUP = Markup(
    blocks=names("page section title subtitle p item td th tr desc"),
    dropped=names("info credit include comment"),
    listings=names("screen"),
)


def from_mallard(root: Any) -> Extracted:
    """Read a page; its id is the ``id`` of the root, its authors those whom ``<credit type="author">`` names."""
    title = next((plain(child) for child in root if local_name(child) == "title"), None)
    return Extracted(
        text_of(root, _MARKUP), root.get(f"{XML}lang"), title or None, author=_author(root), native_id=root.get("id")
    )


def _author(root: Any) -> str | None:
    credits = (one for info in root if local_name(info) == "info" for one in info if local_name(one) == "credit")
    found = [
        plain(child)
        for credit in credits
        if "author" in (credit.get("type") or "").split()
        for child in credit
        if local_name(child) == "name"
    ]
    return "; ".join(name for name in found if name) or None
