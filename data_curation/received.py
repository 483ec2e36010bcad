"""What a reader hands over: one document as received, with its identity and what is declared about its rights."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from licensing.rights import Declared

_DOMAIN = b"herkomst-document-v1\0"


def identity(source: str, native_id: str) -> hashlib._Hash:
    """Start the digest that becomes a document's id; feed the received bytes to it, then take ``hexdigest()``.

    The id is SHA-256 over the source name, the partner's own id and the received bytes; the first two are preceded by
    their length in bytes (8, big-endian), so that no two different pairs can run into each other.
    """
    digest = hashlib.sha256(_DOMAIN)
    for part in (source.encode(), native_id.encode("utf-8", "surrogateescape")):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest


@dataclass(slots=True)
class Received:
    """One document as it came in; ``text`` is None where ``problem`` says why it could not be read.

    ``page`` holds the elements of an HTML file that may reserve rights, each as ``LINE TAG``; None where it is none.
    ``headers`` are those headers of the HTTP answer it came in that may reserve rights, and its ``content-type``, each
    as ``NAME: VALUE``; empty where the answer had none of them, None where the document came in no answer.
    ``problem`` is a stable code for the ledger (``empty``, ``not-utf-8``, ``truncated``, ``too-large``, ``not-json``,
    ``missing-column``, ``no-id``, …) and ``detail`` a sentence that names file and line. ``parents`` are the native ids
    of the documents of the same source that it was made from, and ``operation`` is how, in the partner's word. ``data``
    are the received bytes, held only until ingest has taken its digests of them.
    """

    id: str
    native_id: str
    received_sha256: str
    received_bytes: int
    text: str | None
    language: str | None = None
    declared: tuple[Declared, ...] = ()
    title: str | None = None
    url: str | None = None
    published: str | None = None
    author: str | None = None
    page: tuple[str, ...] | None = None
    headers: tuple[str, ...] | None = None
    withdrawn: bool = False
    parents: tuple[str, ...] = ()
    operation: str | None = None
    problem: str | None = None
    detail: str | None = None
    iscc: str | None = None
    data: bytes | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, source: str, native_id: str, data: bytes, text: str | None, **known: object) -> Received:
        """Make one from its received bytes; ``known`` are the remaining fields by name."""
        digest = identity(source, native_id)
        digest.update(data)
        return cls(
            id=digest.hexdigest(),
            native_id=native_id,
            received_sha256=hashlib.sha256(data).hexdigest(),
            received_bytes=len(data),
            text=text,
            data=data,
            **known,  # type: ignore[arg-type]
        )
