"""The record of a run: one signed statement per finished stage, in a chain.

``record/0001-ingest.json``, ``record/0002-admit.json``, … are envelopes as in `licensing.attestation`; each predicate
holds ``previous``, the SHA-256 of the file before it, so that none can be changed, taken out or put in between without
breaking every later one. A stage that runs again adds an entry: the newest counts, the older stay as history.

What a chain cannot show: entries cut off at its end leave a shorter chain that is whole. Whoever was given a digest of
the newest entry (`Record.head`) can tell. One writer at a time is assumed (a run holds a lock).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from licensing.attestation import (
    EvidenceError,
    SigningKey,
    key_id,
    open_envelope,
    public_key_bytes,
    public_key_pem,
    read_public_key_pem,
    sign,
    stage_of,
    statement,
)
from licensing.files import create_atomically

PUBLIC_KEY_NAME: Final = "public-key.pem"

_STAGE: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_ENTRY_NAME: Final = re.compile(rf"(?P<number>\d{{4,}})-(?P<stage>{_STAGE.pattern})\.json")
_BROKEN_FROM_HERE: Final = "the account of this run is not whole from here on: restore the file, or run the stage again"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its number from 1, the stage that made it, its file, that file's SHA-256 and the signed statement."""

    number: int
    stage: str
    path: Path
    sha256: str
    statement: dict[str, Any]

    @property
    def predicate(self) -> dict[str, Any]:
        """What the stage stated."""
        return dict(self.statement["predicate"])

    @property
    def subjects(self) -> dict[str, str]:
        """What it stated it about: names with their SHA-256."""
        return {subject["name"]: subject["digest"]["sha256"] for subject in self.statement["subject"]}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with the evidence: in which file, what, and what follows from it."""

    file: str
    problem: str
    consequence: str

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}; {self.consequence}"


class Record:
    """The record in ``folder``; a key is needed only to append, a public key only to read another's with certainty.

    Without ``public_key`` the folder's own ``public-key.pem`` is believed, which shows that the record hangs together
    but not who signed it.
    """

    def __init__(self, folder: Path, key: SigningKey | None = None, public_key: bytes | None = None) -> None:
        self.folder = folder
        self._key = key
        self._public_key = public_key_bytes(key) if key and public_key is None else public_key

    def append(self, stage: str, subjects: Mapping[str, str], predicate: Mapping[str, Any]) -> Path:
        """Sign and add the next entry; return its file, which is there whole or not at all.

        ``subjects`` are names with their SHA-256; ``predicate`` gets ``previous``. Raises EvidenceError where the
        record was signed with another key or its newest entry does not hold, ValueError for a name or predicate that
        cannot be used, OSError where the disk refuses.
        """
        if self._key is None:
            raise ValueError(f"{self.folder}: the record was opened without a signing key, so nothing can be added")
        if not _STAGE.fullmatch(stage) or "previous" in predicate:
            raise ValueError(
                f"stage {stage!r}: the name must be lower-case words joined by '-', without own 'previous'"
            )
        self._claim(self._key)
        last = self._newest()
        number, previous = (last.number + 1, last.sha256) if last else (1, None)
        path = self.folder / f"{number:04d}-{stage}.json"
        envelope = sign(statement(stage, subjects, {**predicate, "previous": previous}), self._key)
        if not create_atomically(path, envelope):
            raise EvidenceError(str(path), "another process wrote this entry meanwhile", "run again, one at a time")
        return path

    def entries(self) -> list[Entry]:
        """Return all entries in order. Raises EvidenceError at the first that does not hold."""
        return list(self._read())

    def latest(self, stage: str) -> Entry | None:
        """Return the newest entry of a stage, or None if it never finished. Raises EvidenceError."""
        return next((entry for entry in reversed(self.entries()) if entry.stage == stage), None)

    def head(self) -> str | None:
        """Return the SHA-256 of the newest entry's file: whoever keeps it can tell later that nothing was cut off."""
        paths = self._paths()
        return _sha256(paths[-1].read_bytes()) if paths else None

    def verify(self, public_key: bytes | None = None) -> list[Finding]:
        """Check key, numbering, chain and every signature; return what is wrong, nothing if all holds.

        ``public_key`` (32 bytes) is the signer's as known from elsewhere; without it the record's own is used.
        """
        findings = list(self._strangers())
        try:
            trusted = self._trusted(public_key)
        except EvidenceError as error:
            return [*findings, _finding(error)]
        number = 1
        previous: str | None = None
        for path in self._paths():
            data = path.read_bytes()
            try:
                _check_place(_open(path, data, trusted), number, previous)
            except EvidenceError as error:
                findings.append(_finding(error))
            # Go on from what is there, so that one gap is one finding.
            number, previous = _name_parts(path)[0] + 1, _sha256(data)
        return findings

    def _read(self) -> Iterator[Entry]:
        paths = self._paths()
        trusted = self._trusted() if paths else b""
        previous: str | None = None
        for number, path in enumerate(paths, start=1):
            entry = _open(path, path.read_bytes(), trusted)
            _check_place(entry, number, previous)
            previous = entry.sha256
            yield entry

    def _newest(self) -> Entry | None:
        """Open the last entry alone: what is appended vouches for it."""
        paths = self._paths()
        if not paths:
            return None
        entry = _open(paths[-1], paths[-1].read_bytes(), self._trusted())
        if entry.number != len(paths):
            raise EvidenceError(str(entry.path), f"the last of {len(paths)} entries", _BROKEN_FROM_HERE)
        return entry

    def _paths(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        found = [path for path in self.folder.iterdir() if _ENTRY_NAME.fullmatch(path.name)]
        return sorted(found, key=lambda path: (_name_parts(path), path.name))

    def _strangers(self) -> Iterator[Finding]:
        """Files that no stage wrote; names with a dot are what a killed run left behind and mean nothing."""
        for path in sorted(self.folder.iterdir()) if self.folder.is_dir() else []:
            known = path.name == PUBLIC_KEY_NAME or path.name.startswith(".") or _ENTRY_NAME.fullmatch(path.name)
            if not known:
                yield Finding(str(path), "no entry of the record", "it proves nothing: move it out of the record")

    def _claim(self, key: SigningKey) -> None:
        """Put the public key beside the first entry; a record has one signer from its first entry to its last."""
        path = self.folder / PUBLIC_KEY_NAME
        if self._paths() or path.exists() or not create_atomically(path, public_key_pem(public_key_bytes(key))):
            self._trusted(public_key_bytes(key))

    def _trusted(self, public_key: bytes | None = None) -> bytes:
        """Return the key to check with; the record's own file must agree with what the reader knows."""
        path = self.folder / PUBLIC_KEY_NAME
        if not path.is_file():
            raise EvidenceError(str(path), "the public key is missing", "no signature can be checked: restore the file")
        own = read_public_key_pem(path.read_bytes(), str(path))
        expected = public_key or self._public_key or own
        if own != expected:
            problem = f"the record is signed by key {key_id(own)}, not by {key_id(expected)}"
            raise EvidenceError(str(path), problem, "it is somebody else's account: use the run's own key or folder")
        return expected


def _open(path: Path, data: bytes, public_key: bytes) -> Entry:
    read = open_envelope(data, str(path), public_key)
    number, stage = _name_parts(path)
    try:
        signed_stage = stage_of(read)
        entry = Entry(number, signed_stage, path, _sha256(data), read)
        _ = entry.subjects, entry.predicate
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceError(str(path), f"the statement is not one of a run ({error!r})", _BROKEN_FROM_HERE) from error
    if signed_stage != stage:
        raise EvidenceError(str(path), f"the file is named for {stage} but holds {signed_stage}", _BROKEN_FROM_HERE)
    return entry


def _check_place(entry: Entry, number: int, previous: str | None) -> None:
    if entry.number != number:
        raise EvidenceError(
            str(entry.path), f"entry {number} should stand here: one is missing or doubled", _BROKEN_FROM_HERE
        )
    if entry.predicate.get("previous", "") != previous:
        raise EvidenceError(str(entry.path), "it does not follow the entry before it", _BROKEN_FROM_HERE)


def _name_parts(path: Path) -> tuple[int, str]:
    match = _ENTRY_NAME.fullmatch(path.name)
    if match is None:
        raise EvidenceError(str(path), "not the name of an entry", _BROKEN_FROM_HERE)
    return int(match["number"]), match["stage"]


def _finding(error: EvidenceError) -> Finding:
    return Finding(error.where, error.problem, error.consequence)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
