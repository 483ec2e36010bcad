"""Withdrawals: what a partner took back, signed, in a form that every later run can refuse without holding the text.

One folder a withdrawal, ``withdrawals/0001`` in the run it was made in, with a copy in the *register*, the folder
``withdrawals`` beside the run, which every run there obeys:

* ``withdrawal.json``: who asked for what, why, from which day, and how much it came to;
* ``documents.parquet``: a row for every document that is refused from then on, by digests (columns: `DOCUMENTS`);
* ``signatures/``: MinHash signatures of those that had text, by which near copies are known again;
* ``statement.json`` and ``public-key.pem`` (register only): the signed entry of the run's record, and its key.

One whose effective day had come when it was asked for is in effect in every run from then on, whatever day the run is
judged on; one of a later day in runs that are judged (``policy.as_of``) on that day or later. No clock is read.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from licensing.canonical import canonical
from licensing.errors import HerkomstError
from licensing.files import atomic_folder, file_digest

STAGE: Final = "withdraw"
VALUES, DOCUMENTS_FILE, SIGNATURES = "withdrawal.json", "documents.parquet", "signatures"
STATEMENT, PUBLIC_KEY = "statement.json", "public-key.pem"
_NUMBER: Final = re.compile(r"\d{4,}")

DOCUMENTS: Final = pa.schema(
    [
        ("id", pa.string()),
        ("partner", pa.string()),
        ("native_id", pa.string()),
        ("why", pa.string()),
        ("copy_of", pa.string()),
        ("similarity", pa.float64()),
        ("received_sha256", pa.string()),
        ("final_sha256", pa.string()),
        ("stream", pa.string()),
        ("use", pa.string()),
        ("first_token", pa.int64()),
        ("end_token", pa.int64()),
    ]
)
"""``why`` is ``asked``, ``copy`` or ``made-from``; then ``copy_of`` names the document asked for, and ``similarity`` (0
to 1) is that of a copy. ``first_token`` to ``end_token`` are the positions that it had in its stream when it was
withdrawn, or null."""


class WithdrawalError(HerkomstError):
    """A withdrawal that cannot be made or read; nothing is trained on what cannot be told from withdrawn text."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One withdrawal. ``by`` and ``value`` say what was asked: a partner, an agreement, or documents (their ids).

    ``documents`` were asked for, ``copies`` are refused as copies of them or as made from them; ``tokens`` stood in the
    corpus.
    ``first_step`` is the first step that had read any of it, ``clean_checkpoint`` the newest checkpoint that had not
    (steps done; None: none is left), ``releases_with`` names released models that contain it; all as of the request.
    ``files`` are the other files of the withdrawal with their SHA-256: its own digest stands for all of it.
    """

    run: str
    number: int
    by: Literal["partner", "agreement", "documents"]
    value: tuple[str, ...]
    reason: str
    requested: date
    effective: date
    documents: int
    copies: int
    tokens: int
    first_step: int | None
    clean_checkpoint: int | None
    checkpoints_with: tuple[int, ...]
    releases_with: tuple[str, ...]
    files: dict[str, str]

    def in_effect(self, as_of: date) -> bool:
        """Whether runs judged on ``as_of`` obey it; a day set back brings nothing back that was taken back by then."""
        return self.effective <= max(as_of, self.requested)

    def to_json(self) -> bytes:
        """Canonical JSON."""
        dates = {"requested": self.requested.isoformat(), "effective": self.effective.isoformat()}
        return canonical({"format": "herkomst-withdrawal-v1", **asdict(self), **dates})

    @classmethod
    def from_json(cls, data: bytes, where: str) -> Withdrawal:
        """Read what ``to_json`` wrote; raises WithdrawalError for anything else."""
        try:
            values: dict[str, Any] = json.loads(data)
            if values.pop("format") != "herkomst-withdrawal-v1":
                raise ValueError("another format")
            for name in ("requested", "effective"):
                values[name] = date.fromisoformat(values[name])
            for name in ("value", "checkpoints_with", "releases_with"):
                values[name] = tuple(values[name])
            return cls(**values)
        except (ValueError, KeyError, TypeError) as fault:
            raise _unreadable(where, str(fault)) from fault


@dataclass(frozen=True, slots=True)
class Filed:
    """A withdrawal as it lies in its folder; ``digest``, the SHA-256 of ``withdrawal.json``, stands for all of it."""

    folder: Path
    digest: str
    withdrawal: Withdrawal

    @property
    def documents(self) -> Path:
        """The table of refused documents."""
        return self.folder / DOCUMENTS_FILE

    @property
    def signatures(self) -> Path:
        """The folder of their MinHash signatures."""
        return self.folder / SIGNATURES

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """The refused documents in the order of their ids."""
        with pq.ParquetFile(self.documents) as file:
            for group in range(file.num_row_groups):
                yield from file.read_row_group(group, columns=columns).to_pylist()


def read_filed(folder: Path) -> Filed:
    """Open one withdrawal, whose files must be those that ``withdrawal.json`` names.

    Raises:
        WithdrawalError: it is not whole, or a file is another.
    """
    path = folder / VALUES
    missing = [name for name in (VALUES, DOCUMENTS_FILE, SIGNATURES) if not (folder / name).exists()]
    if missing:
        raise _unreadable(str(folder), f"{', '.join(missing)} is missing")
    filed = Filed(folder, file_digest(path)[0], Withdrawal.from_json(path.read_bytes(), str(path)))
    named, found = filed.withdrawal.files, file_digests(folder)
    for name in sorted(named.keys() | found.keys()):
        if name not in found:
            raise _unreadable(str(folder / name), "is missing")
        if named.get(name) != found[name]:
            raise _unreadable(str(folder / name), "differs from what was signed")
    return filed


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a withdrawal but ``withdrawal.json``, by name; what the register adds is left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    own = [path for path in files if path.name not in (VALUES, STATEMENT, PUBLIC_KEY)]
    return {path.relative_to(folder).as_posix(): file_digest(path)[0] for path in own}


def withdrawals_of(run: Path) -> list[Filed]:
    """The withdrawals made in a run, in their order; raises WithdrawalError."""
    folder = run / "withdrawals"
    if not folder.is_dir():
        return []
    return [read_filed(path) for path in sorted(folder.iterdir()) if _NUMBER.fullmatch(path.name)]


def register_of(run: Path) -> Path:
    """The register that a run obeys and adds to: ``withdrawals`` beside the run's own folder."""
    return run.resolve().parent / "withdrawals"


def obeyed(run: Path, as_of: date, already: Collection[str] = ()) -> list[Filed]:
    """Every withdrawal, of this run or in the register beside it, that is in effect on ``as_of``; by digest.

    Those in ``already`` (digests) were carried out in this run before and stay carried out.

    Raises:
        WithdrawalError: one cannot be read, is not the one that was signed, or was carried out and is gone.
    """
    register = register_of(run)
    filed = withdrawals_of(run)
    for folder in sorted(register.iterdir()) if register.is_dir() else []:
        if folder.is_dir() and not folder.name.startswith("."):
            filed.append(_checked(read_filed(folder)))
    lost = sorted(set(already) - {one.digest for one in filed})
    if lost:
        raise WithdrawalError(
            f"{register}: withdrawal {lost[0][:12]} was carried out in {run} and is no longer to be found, so its text "
            "might be used again and nothing is run. Restore the register from a backup, or from the run that made it."
        )
    distinct = {one.digest: one for one in filed if one.digest in already or one.withdrawal.in_effect(as_of)}
    return [distinct[digest] for digest in sorted(distinct)]


def _checked(filed: Filed) -> Filed:
    """Hold a registered withdrawal against its signed statement."""
    from licensing.attestation import EvidenceError, open_envelope, read_public_key_pem

    statement, key = filed.folder / STATEMENT, filed.folder / PUBLIC_KEY
    try:
        public = read_public_key_pem(key.read_bytes(), str(key))
        signed = open_envelope(statement.read_bytes(), str(statement), public)
    except (OSError, EvidenceError) as fault:
        raise _unreadable(str(filed.folder), str(fault)) from fault
    digests = {one["name"].rpartition("/")[2]: one["digest"]["sha256"] for one in signed["subject"]}
    if digests.get(VALUES) != filed.digest:
        raise _unreadable(str(filed.folder / VALUES), "differs from what was signed")
    return filed


def register(filed: Filed, statement: Path, public_key: Path, into: Path) -> Path:
    """Copy a withdrawal with its signed statement to the register, so that other runs obey it; returns the copy."""
    name = f"{filed.withdrawal.run}-{filed.withdrawal.number:04d}-{filed.digest[:12]}"
    with atomic_folder(into / name) as folder:
        folder.rmdir()
        shutil.copytree(filed.folder, folder)
        shutil.copyfile(statement, folder / STATEMENT)
        shutil.copyfile(public_key, folder / PUBLIC_KEY)
    return into / name


def _unreadable(where: str, problem: str) -> WithdrawalError:
    return WithdrawalError(
        f"{where}: this withdrawal cannot be read ({problem}), so nobody can tell which text it takes back and nothing "
        "is run. Restore the folder from the run that made it, or from a backup."
    )
