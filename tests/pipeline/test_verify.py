"""One byte changed anywhere is found, and named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.pipeline.conftest import herkomst

KINDS = [
    "ledger/part-00000.parquet",
    "corpus/text/*.parquet",
    "corpus/merkle/*/leaves.bin",
    "tokenizer/tokenizer.model",
    "tokenizer/tokenizer.json",
    "tokens/train/*/tokens.bin",
    "tokens/train/*/ends.bin",
    "training/plan.json",
    "checkpoints/step-00000012/model.safetensors",
    "checkpoints/step-00000012/herkomst.json",
    "evaluation/bits-per-byte.json",
    "reports/report.html",
    "record/0004-commit.json",
    "record/0009-report.json",
    "config.yaml",
]


@pytest.fixture
def copied(small_run: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_run, tmp_path / "run")
    return tmp_path / "run"


def test_an_untouched_run_verifies(small_run: Path) -> None:
    done = herkomst("verify", small_run, cwd=small_run.parents[1])
    assert "verified" in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_one_flipped_byte_is_named(copied: Path, kind: str) -> None:
    path = sorted(copied.glob(kind))[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = herkomst("verify", copied, cwd=copied.parent, check=False)
    assert done.returncode == 1
    assert path.relative_to(copied).as_posix() in done.stdout


def test_a_missing_and_an_added_file_are_named(copied: Path) -> None:
    (copied / "evaluation" / "continuation.json").unlink()
    (copied / "ledger" / "part-00001.parquet").write_bytes(b"more")
    done = herkomst("verify", copied, cwd=copied.parent, check=False)
    assert done.returncode == 1
    assert "evaluation/continuation.json" in done.stdout and "ledger/part-00001.parquet" in done.stdout


def test_a_key_from_elsewhere_is_insisted_on(copied: Path, tmp_path: Path) -> None:
    from licensing.attestation import load_or_create_key, public_key_bytes, public_key_pem

    other = tmp_path / "other.pem"
    other.write_bytes(public_key_pem(public_key_bytes(load_or_create_key(tmp_path / "other-private.pem"))))
    done = herkomst("verify", copied, "--key", other, cwd=copied.parent, check=False)
    assert done.returncode == 1 and "record/" in done.stdout
