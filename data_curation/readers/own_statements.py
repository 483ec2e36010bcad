"""What a file of a folder or package says of its own rights, unpacked first where it is compressed."""

from __future__ import annotations

from data_curation.extract import unpacked
from data_curation.plain_text import Unreadable
from licensing.resolvers.document import declared
from licensing.rights import Declared


def own_statements(name: str, data: bytes, largest: int) -> tuple[Declared, ...]:
    """Return the statements in a file; ``largest`` bounds what a ``.gz`` may unpack to, in bytes.

    One that cannot be unpacked declares nothing, for it has no text either; the document says so.
    """
    if not name.lower().endswith(".gz"):
        return declared(name, data)
    try:
        return declared(name[: -len(".gz")], unpacked(data, largest))
    except Unreadable:
        return ()
