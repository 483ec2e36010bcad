"""Signed statements: in-toto Statement v1 in a DSSE envelope, signed with Ed25519.

An envelope has exactly one valid spelling: anything that is not byte for byte what `sign` would have written is
refused, so that no change to a file goes unnoticed, not even one that leaves the signature good (white space, spare
base64 bits). Importing this module loads `cryptography` (about 0.1 s): import it inside the function that signs or
checks.

Sources: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md and
https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import FormatError, VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from licensing.canonical import canonical
from licensing.errors import HerkomstError
from licensing.files import create_atomically
from licensing.files import file_digest as file_digest

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_PREDICATE_PREFIX: Final = "https://herkomst.eu/attestation/"
_PREDICATE_SUFFIX: Final = "/v1"
_NO_KEY: Final = "nothing can be signed: restore the key, or move it away and start a new run with a new key"
_NOT_AN_ENVELOPE: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError, FormatError)


class EvidenceError(HerkomstError):
    """A piece of evidence does not hold: ``where`` it is, what the ``problem`` is, and the ``consequence``."""

    def __init__(self, where: str, problem: str, consequence: str) -> None:
        super().__init__(where, problem, consequence)
        self.where = where
        self.problem = problem
        self.consequence = consequence

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.consequence}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key pair; the private half never leaves this object except to its own file."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The raw public key, 32 bytes."""
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def id(self) -> str:
        """The key id."""
        return key_id(self.public)

    def __repr__(self) -> str:
        return f"SigningKey({self.id})"


def load_or_create_key(path: Path) -> SigningKey:
    """Read the private key at ``path`` (PEM, PKCS #8), or make one there that only its owner may read (mode 0600).

    Several processes at once end with the same key. Raises EvidenceError for a file that holds no Ed25519 key or that
    others may read, and OSError where nothing can be written.
    """
    if not path.exists():
        private = Ed25519PrivateKey.generate()
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        if create_atomically(path, pem, mode=0o600):
            return SigningKey(private)
    return _load_key(path)


def _load_key(path: Path) -> SigningKey:
    if path.stat().st_mode & 0o077:
        raise EvidenceError(
            str(path), "others than its owner may use this private key", f"nothing is signed with it: chmod 600 {path}"
        )
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise EvidenceError(str(path), f"no readable private key ({error})", _NO_KEY) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise EvidenceError(str(path), "a private key of another kind than Ed25519", _NO_KEY)
    return SigningKey(private)


def public_key_bytes(key: SigningKey) -> bytes:
    """Return the raw public key, 32 bytes: what a reader needs to check signatures."""
    return key.public


def key_id(public_key: bytes) -> str:
    """Return the id of a raw public key: its SHA-256, hexadecimal."""
    return hashlib.sha256(public_key).hexdigest()


def public_key_pem(public_key: bytes) -> bytes:
    """Return a raw public key as PEM (SubjectPublicKeyInfo), as other tools read it."""
    loaded = Ed25519PublicKey.from_public_bytes(public_key)
    return loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_public_key_pem(pem: bytes, where: str) -> bytes:
    """Return the raw public key in ``pem``. Raises EvidenceError unless it is exactly what `public_key_pem` writes."""
    consequence = "no signature can be checked with it: restore the file, or give the public key by hand"
    try:
        loaded = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise EvidenceError(where, f"no readable public key ({error})", consequence) from error
    if not isinstance(loaded, Ed25519PublicKey):
        raise EvidenceError(where, "a public key of another kind than Ed25519", consequence)
    raw = loaded.public_bytes(Encoding.Raw, PublicFormat.Raw)
    if public_key_pem(raw) != pem:
        raise EvidenceError(where, "the public key is not spelled as it was written", consequence)
    return raw


def predicate_type(stage: str) -> str:
    """Return the name of the kind of statement that a stage makes."""
    return f"{_PREDICATE_PREFIX}{stage}{_PREDICATE_SUFFIX}"


def stage_of(statement: Mapping[str, Any]) -> str:
    """Return the stage that made a statement. Raises ValueError for a predicate type that is not ours."""
    kind = str(statement.get("predicateType"))
    if not (kind.startswith(_PREDICATE_PREFIX) and kind.endswith(_PREDICATE_SUFFIX)):
        raise ValueError(f"predicate type {kind} is not one of Herkomst's")
    return kind[len(_PREDICATE_PREFIX) : -len(_PREDICATE_SUFFIX)]


def statement(stage: str, subjects: Mapping[str, str], predicate: Mapping[str, Any]) -> dict[str, Any]:
    """Return an in-toto statement: ``subjects`` are names with their SHA-256, ``predicate`` what is said of them."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subjects.items())],
        "predicateType": predicate_type(stage),
        "predicate": dict(predicate),
    }


def sign(statement: Mapping[str, Any], key: SigningKey) -> bytes:
    """Return the signed envelope: JSON with sorted keys and no white space, then a line end.

    The same statement and key give the same bytes (Ed25519 draws no random numbers). Raises ValueError or TypeError
    for a statement that is not JSON.
    """
    envelope = Envelope(canonical(dict(statement)), PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(key.private, _checker(key.public)))
    return canonical(envelope.to_dict()) + b"\n"


def open_envelope(data: bytes, where: str, public_key: bytes) -> dict[str, Any]:
    """Return the statement in an envelope after checking its form, its type and its signature with ``public_key``.

    ``where`` names the file in messages. Raises EvidenceError.
    """
    envelope = _parse(data, where)
    if envelope.payload_type != PAYLOAD_TYPE:
        raise _refused(where, f"the payload type is {envelope.payload_type!r}, not {PAYLOAD_TYPE}")
    signers = list(envelope.signatures)
    if signers != [key_id(public_key)]:
        named = ", ".join(signers) or "nobody"
        raise _refused(where, f"signed by {named}, not by key {key_id(public_key)} alone")
    try:
        envelope.verify([_checker(public_key)], threshold=1)
    except VerificationError as error:
        raise _refused(where, "the signature does not fit what is signed") from error
    return _read_statement(envelope.payload, where)


def _checker(public_key: bytes) -> Any:
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(public_key), keyid=key_id(public_key))


def _parse(data: bytes, where: str) -> Any:
    try:
        envelope = Envelope.from_dict(json.loads(data))
        extra = [signature.unrecognized_fields for signature in envelope.signatures.values()]
        spelled = canonical(envelope.to_dict()) + b"\n"
    except _NOT_AN_ENVELOPE as error:
        raise _refused(where, f"no DSSE envelope ({error!r})") from error
    if any(extra) or spelled != data:
        raise _refused(where, "the envelope is not spelled as it was written")
    return envelope


def _read_statement(payload: bytes, where: str) -> dict[str, Any]:
    try:
        read = json.loads(payload)
    except ValueError as error:
        raise _refused(where, f"the signed payload is not JSON ({error})") from error
    if not isinstance(read, dict) or read.get("_type") != STATEMENT_TYPE:
        raise _refused(where, f"the signed payload is not a {STATEMENT_TYPE}")
    return read


def _refused(where: str, problem: str) -> EvidenceError:
    return EvidenceError(where, problem, "what it states cannot be relied on: restore the file or run its stage again")
