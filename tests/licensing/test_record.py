"""The record of a run: each way of changing it after the fact is found, and a crash leaves no half entry."""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from licensing.attestation import EvidenceError, SigningKey, public_key_bytes, public_key_pem, sign, statement
from licensing.record import Record

KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(b"k" * 32))
OTHER = SigningKey(Ed25519PrivateKey.from_private_bytes(b"o" * 32))
STAGES = ["ingest", "admit", "ingest", "train-2"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    record = Record(tmp_path / "record", KEY)
    for number, stage in enumerate(STAGES):
        record.append(stage, {f"{stage}.bin": f"{number}" * 64}, {"documents": number})
    return tmp_path / "record"


def found(folder: Path, public_key: bytes | None = None) -> dict[str, str]:
    """Findings by file name: each file at most once, each with its consequence."""
    findings = Record(folder).verify(public_key)
    assert all(finding.consequence and str(finding).startswith(finding.file) for finding in findings)
    assert len({finding.file for finding in findings}) == len(findings)
    return {Path(finding.file).name: finding.problem for finding in findings}


def test_entries_stand_in_order_and_the_newest_counts(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "0001-ingest.json",
        "0002-admit.json",
        "0003-ingest.json",
        "0004-train-2.json",
        "public-key.pem",
    ]
    record = Record(folder)
    entries = record.entries()
    assert [(entry.number, entry.stage, entry.predicate["documents"]) for entry in entries] == [
        (1, "ingest", 0),
        (2, "admit", 1),
        (3, "ingest", 2),
        (4, "train-2", 3),
    ]
    assert record.latest("ingest") == entries[2]
    assert record.latest("report") is None
    assert entries[1].subjects == {"admit.bin": "1" * 64}
    assert found(folder) == found(folder, public_key_bytes(KEY)) == {}


def test_each_entry_names_the_one_before(folder: Path) -> None:
    entries = Record(folder).entries()
    digests = [hashlib.sha256(entry.path.read_bytes()).hexdigest() for entry in entries]
    assert [entry.sha256 for entry in entries] == digests
    assert [entry.predicate["previous"] for entry in entries] == [None, *digests[:-1]]
    assert Record(folder).head() == digests[-1]


def test_a_record_that_was_never_begun(tmp_path: Path) -> None:
    record = Record(tmp_path / "record")
    assert record.entries() == []
    assert record.latest("ingest") is None
    assert record.head() is None
    assert "missing" in found(tmp_path / "record")["public-key.pem"]


def test_the_same_stages_give_the_same_record(folder: Path, tmp_path: Path) -> None:
    again = Record(tmp_path / "again", KEY)
    for number, stage in enumerate(STAGES):
        again.append(stage, {f"{stage}.bin": f"{number}" * 64}, {"documents": number})
    assert again.head() == Record(folder).head()


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def replaced(folder: Path, name: str, key: SigningKey, predicate: dict[str, object]) -> None:
    stage = name[5:-5]
    (folder / name).write_bytes(sign(statement(stage, {}, predicate), key))


TAMPERED: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "an entry changed": (lambda f: flip(f / "0002-admit.json"), {"0002-admit.json", "0003-ingest.json"}),
    "the newest changed": (lambda f: flip(f / "0004-train-2.json"), {"0004-train-2.json"}),
    "an entry removed": (lambda f: (f / "0002-admit.json").unlink(), {"0003-ingest.json"}),
    "the first removed": (lambda f: (f / "0001-ingest.json").unlink(), {"0002-admit.json"}),
    "an entry doubled": (
        lambda f: shutil.copy(f / "0002-admit.json", f / "0002-zz.json"),
        {"0002-zz.json"},
    ),
    "an entry renamed": (lambda f: (f / "0002-admit.json").rename(f / "0002-curate.json"), {"0002-curate.json"}),
    "two entries exchanged": (
        lambda f: (
            (f / "0001-ingest.json").rename(f / "x"),
            (f / "0003-ingest.json").rename(f / "0001-ingest.json"),
            (f / "x").rename(f / "0003-ingest.json"),
        ),
        {"0001-ingest.json", "0002-admit.json", "0003-ingest.json", "0004-train-2.json"},
    ),
    "rewritten by another key": (
        lambda f: replaced(f, "0004-train-2.json", OTHER, {"previous": None}),
        {"0004-train-2.json"},
    ),
    "rewritten by our key without its chain": (
        lambda f: replaced(f, "0003-ingest.json", KEY, {"previous": None}),
        {"0003-ingest.json", "0004-train-2.json"},
    ),
    "signed by our key but no chain at all": (
        lambda f: replaced(f, "0001-ingest.json", KEY, {}),
        {"0001-ingest.json", "0002-admit.json"},
    ),
    "an empty file": (lambda f: (f / "0004-train-2.json").write_bytes(b""), {"0004-train-2.json"}),
    "the public key changed": (lambda f: flip(f / "public-key.pem"), {"public-key.pem"}),
    "the public key removed": (lambda f: (f / "public-key.pem").unlink(), {"public-key.pem"}),
    "a strange file": (lambda f: (f / "notes.txt").touch(), {"notes.txt"}),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_tampering_is_found(folder: Path, case: str) -> None:
    tamper, expected = TAMPERED[case]
    tamper(folder)
    assert set(found(folder, public_key_bytes(KEY))) == expected
    if case != "a strange file":
        with pytest.raises(EvidenceError):
            Record(folder, KEY).entries()


def test_a_record_signed_anew_by_somebody_else_is_found(folder: Path) -> None:
    shutil.rmtree(folder)
    forged = Record(folder, OTHER)
    for stage in STAGES:
        forged.append(stage, {}, {})
    assert found(folder) == {}
    assert "not by" in found(folder, public_key_bytes(KEY))["public-key.pem"]
    with pytest.raises(EvidenceError, match="somebody else's account"):
        Record(folder, public_key=public_key_bytes(KEY)).entries()


def test_cutting_off_the_end_shows_in_the_head_alone(folder: Path) -> None:
    head = Record(folder).head()
    (folder / "0004-train-2.json").unlink()
    assert found(folder) == {}
    assert Record(folder).head() != head


def test_nothing_is_added_to_what_does_not_hold(folder: Path) -> None:
    with pytest.raises(EvidenceError, match="somebody else's account"):
        Record(folder, OTHER).append("report", {}, {})
    flip(folder / "0004-train-2.json")
    with pytest.raises(EvidenceError, match=r"0004-train-2\.json"):
        Record(folder, KEY).append("report", {}, {})
    assert not list(folder.glob("0005*"))


def test_names_and_fields_that_cannot_be_used(folder: Path) -> None:
    for stage in ("", "Ingest", "../x", "a/b", "-a", "a_b"):
        with pytest.raises(ValueError, match="lower-case words"):
            Record(folder, KEY).append(stage, {}, {})
    with pytest.raises(ValueError, match="previous"):
        Record(folder, KEY).append("report", {}, {"previous": "x"})
    with pytest.raises(ValueError, match="without a signing key"):
        Record(folder).append("report", {}, {})


KILLED = """
import os, pathlib, signal, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from licensing.attestation import SigningKey
from licensing.record import Record
setattr(os, sys.argv[2], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
Record(pathlib.Path(sys.argv[1]), SigningKey(Ed25519PrivateKey.from_private_bytes(b"k" * 32))).append("report", {}, {})
"""


@pytest.mark.parametrize("point", ["fsync", "link"])
def test_a_kill_before_the_entry_is_in_place_leaves_no_half_entry(folder: Path, point: str) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(folder), point], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(folder.glob(".0005-report.json.*"))) == 1
    assert not list(folder.glob("0005*"))
    assert found(folder) == {}
    assert Record(folder, KEY).append("report", {}, {}).name == "0005-report.json"
    assert found(folder) == {}


def test_the_public_key_is_not_put_back_silently(folder: Path) -> None:
    (folder / "public-key.pem").unlink()
    with pytest.raises(EvidenceError, match="public key is missing"):
        Record(folder, KEY).append("report", {}, {})


def test_more_than_9999_entries_keep_their_order(tmp_path: Path) -> None:
    previous = None
    (tmp_path / "public-key.pem").write_bytes(public_key_pem(public_key_bytes(KEY)))
    for number in (*range(1, 3), 9999, 10000):
        data = sign(statement("train", {}, {"previous": previous}), KEY)
        (tmp_path / f"{number:04d}-train.json").write_bytes(data)
        previous = hashlib.sha256(data).hexdigest()
    assert list(found(tmp_path)) == ["9999-train.json"]
