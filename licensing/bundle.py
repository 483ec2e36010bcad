"""The audit bundle as a zip file: streamed, sealed with a signature, the same bytes for the same content.

What a bundle holds and how it is checked stands at the head of `licensing.verify`, the program that goes with it. Names
stand in the order in which they were added, with one fixed time. The file is written beside its place and renamed when
it is whole and its own verifier accepts it.
"""

from __future__ import annotations

import hashlib
import io
import os
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from licensing import verify
from licensing.attestation import SigningKey, public_key_bytes, public_key_pem, sign, statement
from licensing.canonical import canonical
from licensing.errors import HerkomstError
from licensing.files import sync_entry
from licensing.leaf import partner_leaf
from licensing.merkle import Tree, leaf_hash

_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold: no clock enters a bundle
_FILE: Final = 0o100644 << 16
_UNIX: Final = 3


class BundleError(HerkomstError):
    """No bundle was written; the message says why and what to do."""


class BundleWriter:
    """Adds files to a bundle one after the other and seals it; nothing but digests is held in memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w")
        self._files: dict[str, list[str | int]] = {}

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Yield a file to write to; one at a time."""
        info = zipfile.ZipInfo(name, _TIME)
        info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, _UNIX, _FILE
        with self._zip.open(info, "w", force_zip64=True) as file:
            digested = _Digested(file)
            buffered = io.BufferedWriter(digested, 1 << 20)
            yield buffered
            buffered.flush()
        self._files[name] = [digested.sha256.hexdigest(), digested.size]

    def add(self, name: str, data: bytes) -> None:
        """Add a small file."""
        with self.open(name) as file:
            file.write(data)

    def seal(self, predicate: Mapping[str, Any], key: SigningKey) -> None:
        """Add the public key, the verifier, the manifest of all files and the signature over it, and close the zip.

        ``predicate`` is what the signer states of the bundle. Raises ValueError for values that have no JSON form.
        """
        self.add("public-key.pem", public_key_pem(public_key_bytes(key)))
        self.add("verify.py", Path(verify.__file__).read_bytes())
        manifest = canonical({"files": self._files, "version": verify.VERSION})
        self.add("manifest.json", manifest)
        subjects = {"manifest.json": hashlib.sha256(manifest).hexdigest()}
        self.add("audit.json", sign(statement("audit", subjects, predicate), key))
        self._zip.close()


class _Digested(io.RawIOBase):
    """Passes bytes on and keeps their digest and number."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.sha256, self.size = file, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._file.write(data)
        self.sha256.update(data)
        self.size += len(data)
        return len(data)


@contextmanager
def new_bundle(path: Path) -> Iterator[BundleWriter]:
    """Yield a writer; at the end of the block the bundle is checked by its own verifier and then stands at ``path``.

    Whatever goes wrong leaves what was at ``path`` as it was. Raises BundleError where the verifier refuses the bundle,
    which means that the run does not hang together, and OSError where the disk refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with beside.open("xb") as file:
            yield BundleWriter(file)
            file.flush()
            os.fsync(file.fileno())
        _accept(beside, path)
        beside.replace(path)
        sync_entry(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def _accept(made: Path, path: Path) -> None:
    try:
        verify.check(str(made), None)
    except verify.VerificationError as fault:
        raise BundleError(
            f"{path}: the bundle does not hold ({fault.say('en')}), so it was not written. What the run says of itself "
            "does not agree: run `herkomst verify` on it."
        ) from fault


def partner_proof(partners: Sequence[Mapping[str, Any]], partner: str) -> dict[str, Any]:
    """Return the proof that a partner's tree is part of the corpus: ``index``, ``partners`` and the audit ``path``.

    ``partners`` are all partners with root and size, sorted by name. Raises StopIteration for one that is not there.
    """
    index = next(number for number, one in enumerate(partners) if one["partner"] == partner)
    tree = Tree.of([leaf_hash(partner_leaf(one)) for one in partners])
    return {"index": index, "partners": len(partners), "path": [one.hex() for one in tree.inclusion(index)]}
