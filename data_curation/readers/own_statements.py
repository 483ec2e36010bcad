"""What a file of a folder or package says of its own rights, unpacked first where it is compressed."""

from __future__ import annotations

from data_curation.extract import unpacked
from data_curation.plain_text import Unreadable, decoded, marked_codec
from licensing.resolvers.document import declared
from licensing.rights import Declared

_SELF_DESCRIBING = (".xml", ".tei", ".page", ".html", ".htm", ".xhtml")


def own_statements(name: str, data: bytes, largest: int) -> tuple[Declared, ...]:
    """Return the statements in a file; ``largest`` bounds what a ``.gz`` may unpack to, in bytes.

    One that cannot be unpacked declares nothing, for it has no text either; the document says so.
    """
    try:
        if not name.lower().endswith(".gz"):
            return declared(name, _narrow(name, data))
        name = name[: -len(".gz")]
        return declared(name, _narrow(name, unpacked(data, largest)))
    except Unreadable:
        return ()


def _narrow(name: str, data: bytes) -> bytes:
    """UTF-16 as UTF-8, for front matter and tags are looked for as bytes; XML says itself what it is."""
    if name.lower().endswith(_SELF_DESCRIBING) or marked_codec(data) != "utf-16":
        return data
    return decoded(data).encode()
