"""What an HTML file says of reservations in its own elements, kept from its bytes before they become text."""

from __future__ import annotations

from data_curation.extract import unpacked
from data_curation.plain_text import Unreadable
from licensing.reservations.pages import reserving_elements

_ENDINGS = (".html", ".htm", ".xhtml")


def page_elements(name: str, data: bytes, largest: int) -> tuple[str, ...] | None:
    """The elements that may reserve something; None where the file is no HTML or cannot be read.

    ``largest`` bounds what a ``.gz`` may unpack to, in bytes.
    """
    plain = name.lower().removesuffix(".gz")
    if not plain.endswith(_ENDINGS):
        return None
    try:
        return reserving_elements(data if plain == name.lower() else unpacked(data, largest))
    except Unreadable:
        return None
