"""What all readers share: the keys every source has, how a file becomes a document, and what stops a whole source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, StringConstraints, field_validator, model_validator

from data_curation.plain_text import known_encoding
from data_curation.readers.languages import primary
from data_curation.readers.patterns import compiled
from data_curation.received import Received, identity
from licensing.errors import HerkomstError
from licensing.rights import Declared
from licensing.settings import Section

SourceBasis = Literal[
    "licence", "agreement", "public-domain", "official-work", "dsm-art-3", "dsm-art-4", "own", "consent"
]

_CHUNK = 1 << 20
LARGEST_DOCUMENT = 16 << 20


class SourceError(HerkomstError):
    """A whole source cannot be read; the message names the source, the consequence and the remedy."""


def _valid_pattern(pattern: str) -> str:
    compiled(pattern)
    return pattern


Pattern = Annotated[str, Field(min_length=1), AfterValidator(_valid_pattern)]
Encoding = Annotated[str, AfterValidator(known_encoding)]
"""The encoding of files that carry no byte order mark; what is not named is UTF-8, and nothing is guessed."""


class SourceBase(Section):
    """The keys of every source.

    ``basis`` is what the use of the source rests on, where that is not what its documents declare: with ``dsm-art-3``
    and ``dsm-art-4`` the user says that there is lawful access. ``basis_evidence`` is a sentence or the name of a
    document that shows it; without it own work, consent and art. 3 wait for a person. ``reservations`` is a folder of
    stored answers of the publishers' sites (see ``licensing.reservations.snapshot``).

    ``group`` names the stream group (the source's own name where it is left out). ``language`` is used for documents
    that name none; ``licence`` is an SPDX expression that the user vouches for, kept beside whatever the documents
    declare. ``largest_document`` is in bytes; ``limit`` takes that many documents at most, in the reader's order.
    ``iscc`` asks for the International Standard Content Code of every document, at about 0.5 MB of text a second.
    """

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    group: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$")
    partner: str = Field(min_length=1)
    agreement: str | None = None
    language: str | None = None
    licence: str | None = Field(default=None, min_length=1)
    basis: SourceBasis | None = None
    basis_evidence: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] | None = None
    reservations: str | None = Field(default=None, min_length=1)
    largest_document: int = Field(default=LARGEST_DOCUMENT, ge=1)
    limit: int | None = Field(default=None, ge=1)
    iscc: bool = False

    _names: frozenset[str] | None = PrivateAttr(default=None)

    def cut_between(self) -> Literal["files", "folders", "nothing"]:
        """Where the source may be cut into slices: ``folders`` where the files of one make up documents together."""
        return "files"

    def only(self, names: Iterable[str]) -> Self:
        """A copy of the source that reads no other files than these; see ``data_curation.slices``."""
        copy = self.model_copy()
        copy._names = frozenset(names)
        return copy

    def reads(self, name: str) -> bool:
        """Whether a file of the source is read here."""
        return self._names is None or name in self._names

    @field_validator("language")
    @classmethod
    def _is_a_tag(cls, tag: str | None) -> str | None:
        if tag is not None and primary(tag) is None:
            raise ValueError(f"'{tag}' is no language tag; write a BCP 47 tag such as nl or pt-BR")
        return primary(tag)

    @model_validator(mode="after")
    def _one_basis(self) -> SourceBase:
        if self.basis == "agreement" and self.agreement is None:
            raise ValueError("basis is 'agreement' and no agreement is named; add the key agreement")
        if self.agreement is not None and self.basis not in (None, "agreement"):
            raise ValueError(
                f"basis is '{self.basis}' and agreement is '{self.agreement}'; a source rests on one of them, keep one"
            )
        return self


def snapshot_files(source: SourceBase, root: Path) -> list[Path]:
    """The stored answers that a source's reservations are judged by, sorted; none where it names no folder.

    Raises:
        SourceError: the folder that it names is missing.
    """
    if source.reservations is None:
        return []
    folder = resolved(root, source.reservations)
    if not folder.is_dir():
        raise SourceError(
            f"source {source.name}: the folder '{source.reservations}' is not there, so that no reservation could be "
            "judged; nothing is decided. Correct its key reservations, or leave it out: all is then unknown."
        )
    return sorted(path for path in folder.rglob("*") if path.is_file())


def completed(source: SourceBase, document: Received) -> Received:
    """Add what the configuration says of the whole source: its licence, and its language where none is named."""
    if source.licence:
        mine = Declared(source.licence, f"config: source {source.name}, key licence", "spdx")
        document.declared = (mine, *document.declared)
    document.language = document.language or source.language
    return document


def refused(source: SourceBase, native_id: str, data: bytes, problem: str, detail: str, **known: Any) -> Received:
    """A document that came in and could not be read: its bytes are counted and hashed, its text is left out."""
    return Received.of(source.name, native_id, data, None, problem=problem, detail=writable(detail), **known)


def hashed(source: SourceBase, native_id: str, stream: BinaryIO, problem: str, detail: str, **known: Any) -> Received:
    """As `refused`, from a stream that is hashed in pieces of 1 MiB and never held as a whole."""
    document = Hashing(source, native_id)
    while piece := stream.read(_CHUNK):
        document.feed(piece)
    return document.received(problem, detail, **known)


def too_large(source: SourceBase, place: str) -> tuple[str, str]:
    """The problem and the sentence for a document over the limit."""
    return "too-large", (
        f"{place}: larger than {source.largest_document} bytes, left out; raise largest_document of source "
        f"{source.name} to take it."
    )


class Hashing:
    """A document that arrives in pieces and is only counted and hashed."""

    def __init__(self, source: SourceBase, native_id: str) -> None:
        self._native_id = native_id
        self._identity = identity(source.name, native_id)
        self._sha256 = hashlib.sha256()
        self._bytes = 0

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._identity.update(piece)
        self._sha256.update(piece)
        self._bytes += len(piece)

    def received(self, problem: str, detail: str, **known: Any) -> Received:
        """Close the document; ``known`` are the remaining fields of `Received` by name."""
        return Received(
            id=self._identity.hexdigest(),
            native_id=self._native_id,
            received_sha256=self._sha256.hexdigest(),
            received_bytes=self._bytes,
            text=None,
            problem=problem,
            detail=writable(detail),
            **known,
        )


def writable(text: str) -> str:
    """A sentence as a ledger can hold it: half a surrogate pair, quoted from bad input, is written as an escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def resolved(root: Path, path: str) -> Path:
    """A path of the configuration; a relative one starts at the folder of the configuration file."""
    return root / Path(path).expanduser()


def shown(name: str) -> str:
    r"""A file name as valid text: bytes that are not UTF-8 are written as ``\xNN``, so that a ledger can hold it."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
