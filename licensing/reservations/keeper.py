"""Keeping the evidence that decisions rested on, so that a later reader can look at it."""

from __future__ import annotations

from pathlib import Path

from licensing.canonical import canonical
from licensing.reservations.signal import Evidence


class Keeper:
    """Writes evidence into a folder that is not yet in its place, or nowhere.

    A file stands once, under its SHA-256, in a folder named by the first two digits. The records of single pages, which
    are as many as documents, are lines of one file, ``pages.jsonl``: ``sha256``, ``where`` and ``record``, the very
    text that was digested. What is only an excerpt is kept elsewhere as a whole.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def file(self, evidence: Evidence) -> None:
        """Keep the bytes of a file of a site."""
        if self._folder is None or not evidence.data or evidence.excerpt_of:
            return
        path = self._folder / evidence.sha256[:2] / evidence.sha256
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(evidence.data)

    def page(self, evidence: Evidence) -> None:
        """Keep the record of an answer for one page."""
        if self._folder is None or not evidence.data:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        said = {"sha256": evidence.sha256, "where": evidence.where, "record": evidence.data.decode()}
        with (self._folder / "pages.jsonl").open("ab") as file:
            file.write(canonical(said) + b"\n")
