"""Signatures on disk: what near-duplicate search needs of each document, in one folder for each task.

A folder holds three files: ``keys`` (144 bytes a document: id, digests of the final and of the folded received text,
language, rank, why it is barred), ``signatures`` (4 bytes a permutation) and ``form.json`` (count and settings), which
a reader checks against the sizes of the others.
"""

from __future__ import annotations

import json
import struct
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from data_curation.settings import DuplicatesSettings
from licensing.errors import HerkomstError
from licensing.files import atomic_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEY = np.dtype(
    [
        ("id", ">u8", 4),
        ("text", ">u8", 4),
        ("received", ">u8", 4),
        ("language", "S8"),
        ("rank", "<i8"),
        ("barred", "S32"),
    ]
)
"""One document: the digests as four big-endian numbers, which sort as the digests do; ``barred`` is empty, or the
reason for which the document was not admitted (``data_curation.copies``)."""

VERSION: Final = 3
"""The form of the files and of what is hashed; signatures of different forms cannot be compared."""

BARRED_RANK = -1
"""The rank of barred documents: before all that are admitted, whose ranks are 0 and more."""

_KEY = struct.Struct("<32s32s32s8sq32s")  # one row of KEY
_SIGNATURE = np.dtype("<u4")


class SignatureWriter:
    """Writes the signatures of one task, in the order given; the folder appears whole at the end or not at all.

    Use it in a ``with`` block; repeating a task replaces its folder.
    """

    def __init__(self, folder: Path, settings: DuplicatesSettings) -> None:
        self._folder = folder
        self._settings = settings
        self._documents = 0
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._new = self._open.enter_context(atomic_folder(self._folder))
        self._keys = self._open.enter_context((self._new / "keys").open("wb"))
        self._signatures = self._open.enter_context((self._new / "signatures").open("wb"))
        return self

    def add(
        self,
        id: str,
        text_sha256: str,
        language: str,
        rank: int,
        signature: NDArray[np.uint32],
        *,
        received: str | None = None,
        barred: str | None = None,
    ) -> None:
        """Append one document; ids and digests in hexadecimal, the smaller ``rank`` survives among duplicates.

        ``received`` is the digest of the folded received text (that of the final text where it is left out), and
        ``barred`` the reason why the document was not admitted; such a document has no rank of its own.
        """
        text = _digest(text_sha256, "text_sha256")
        key = _KEY.pack(
            _digest(id, "id"),
            text,
            _digest(received, "received") if received else text,
            _language(language),
            BARRED_RANK if barred else rank,
            _reason(barred),
        )
        if signature.shape != (self._settings.permutations,) or signature.dtype != np.uint32:
            raise HerkomstError(
                f"document {id}: its signature is {signature.dtype} {signature.shape}, not uint32 of "
                f"{self._settings.permutations}, and would fit no other; make it with the same settings"
            )
        self._keys.write(key)
        self._signatures.write(signature.astype(_SIGNATURE, copy=False).tobytes())
        self._documents += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            (self._new / "form.json").write_text(json.dumps(_form(self._settings, self._documents)) + "\n")
        self._open.__exit__(kind, error, trace)


@dataclass(frozen=True, slots=True)
class SignatureFolder:
    """A checked folder of signatures: where it is, and how many documents it holds."""

    path: Path
    documents: int

    @classmethod
    def open(cls, path: Path, settings: DuplicatesSettings) -> SignatureFolder:
        """Check a folder's form and sizes against ``settings``; raises HerkomstError where they do not fit."""
        try:
            form = json.loads((path / "form.json").read_text())
            documents = int(form["documents"])
            sizes = [(path / name).stat().st_size for name in ("keys", "signatures")]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HerkomstError(
                f"{path}: no readable folder of signatures ({error}), so duplicates cannot be found; "
                "run its curation task again"
            ) from error
        if form.get("version") != VERSION:
            raise HerkomstError(
                f"{path}: holds signatures of form {form.get('version')}, made by another version of Herkomst; this "
                f"one makes and compares form {VERSION}: run its curation task again, or use that version"
            )
        whole = [documents * KEY.itemsize, documents * settings.permutations * _SIGNATURE.itemsize]
        if form != _form(settings, documents) or sizes != whole:
            raise HerkomstError(
                f"{path}: holds {form} in files of {sizes} bytes, where {_form(settings, documents)} in {whole} bytes "
                "is needed; it is cut short or made with other settings: run its curation task again"
            )
        return cls(path, documents)

    def keys(self) -> NDArray[Any]:
        """Read all keys, shape (documents,)."""
        return np.fromfile(self.path / "keys", KEY)


def write_signatures(
    folder: Path, keys: NDArray[Any], signatures: NDArray[np.uint32], settings: DuplicatesSettings
) -> None:
    """Write whole arrays, keys of shape (documents,) and signatures (documents, permutations), as a new folder."""
    folder.mkdir(parents=True)
    keys.astype(KEY, copy=False).tofile(folder / "keys")
    signatures.astype(_SIGNATURE, copy=False).tofile(folder / "signatures")
    (folder / "form.json").write_text(json.dumps(_form(settings, len(keys))) + "\n")


def _form(settings: DuplicatesSettings, documents: int) -> dict[str, int]:
    return {
        "version": VERSION,
        "documents": documents,
        "permutations": settings.permutations,
        "shingle_words": settings.shingle_words,
    }


def _digest(value: str, field: str) -> bytes:
    try:
        digest = bytes.fromhex(value)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise HerkomstError(f"{field} {value!r} is no SHA-256 in hexadecimal, so the document has no identity")
    return digest


def _reason(barred: str | None) -> bytes:
    name = (barred or "").encode()
    if len(name) > KEY["barred"].itemsize:
        raise HerkomstError(f"reason {barred!r} does not fit 32 bytes, so it could not be told again; shorten it")
    return name


def _language(code: str) -> bytes:
    name = code.encode()
    if not 0 < len(name) <= KEY["language"].itemsize:
        raise HerkomstError(f"language {code!r} does not fit 8 bytes, so pages of two languages might meet; shorten it")
    return name
