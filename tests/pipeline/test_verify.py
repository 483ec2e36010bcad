"""One byte changed anywhere is found, and named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.pipeline.conftest import herkomst

KINDS = [
    "ledger/partners.json",
    "ledger/*/part-00000.parquet",
    "ledger/*/ids.bin",
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
    (copied / "ledger" / "added.parquet").write_bytes(b"more")
    done = herkomst("verify", copied, cwd=copied.parent, check=False)
    assert done.returncode == 1
    assert "evaluation/continuation.json" in done.stdout and "ledger/added.parquet" in done.stdout


def test_a_key_from_elsewhere_is_insisted_on(copied: Path, tmp_path: Path) -> None:
    from licensing.attestation import load_or_create_key, public_key_bytes, public_key_pem

    other = tmp_path / "other.pem"
    other.write_bytes(public_key_pem(public_key_bytes(load_or_create_key(tmp_path / "other-private.pem"))))
    done = herkomst("verify", copied, "--key", other, cwd=copied.parent, check=False)
    assert done.returncode == 1 and "record/" in done.stdout


def test_texts_are_compared_with_their_rows_one_by_one(small_run: Path, tmp_path: Path) -> None:
    """A text changed, one taken out and one put in, with the files' own digests left out of account."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from data_curation.streams import TEXT, read_streams
    from pipeline.run_directory import RunDirectory
    from pipeline.verify import _texts

    shutil.copytree(small_run, tmp_path / "run")
    run = RunDirectory(tmp_path / "run")
    assert list(_texts(run)) == []
    path = run.corpus / max(read_streams(run.corpus), key=lambda info: info.documents).file
    rows = pq.read_table(path).to_pylist()
    rows[1]["text"] += " en meer"
    missing = rows.pop(3)["id"]
    added = rows[-1] | {"id": "f" * 64}
    pq.write_table(pa.Table.from_pylist([*rows, added], schema=TEXT), path)
    told = [finding.problem for finding in _texts(run)]
    assert len(told) == 3
    assert f"document {rows[1]['id']} differs from its ledger row" in told
    assert f"document {missing} is in the ledger but has no text" in told
    assert f"document {'f' * 64} is not kept according to the ledger" in told


def test_rows_of_a_partner_are_held_to_their_order_their_owner_and_their_list_of_ids(tmp_path: Path) -> None:
    """Each changed so that no digest of a file would be asked first."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from data_curation.ledger_table import LEDGER
    from licensing.ledger import Ledger
    from pipeline.verify import _in_order
    from tests.pipeline.made_order import make_order

    run = make_order(tmp_path, 1)
    one = Ledger(run.ledger).partners()[0]
    path = run.ledger / one.folder / "part-00000.parquet"
    rows = pq.read_table(path).to_pylist()

    def told(changed: list[dict[str, object]]) -> list[str]:
        pq.write_table(pa.Table.from_pylist(changed, schema=LEDGER), path)
        ledger = Ledger(run.ledger)
        return [finding.problem for finding in _in_order(run, ledger, ledger.partners()[0])]

    assert told(rows) == []
    swapped = [rows[1], rows[0], *rows[2:]]
    assert told(swapped) == [f"row {rows[0]['id']} is out of order", "does not name the rows beside it"]
    assert told([rows[0], rows[0], *rows[2:]])[0] == f"row {rows[0]['id']} is out of order"
    assert told([*rows[:3], rows[3] | {"partner": "B"}, *rows[4:]]) == [f"holds rows of others than {one.partner}"]
    assert told([*rows[:-1], rows[-1] | {"id": "f" * 64}]) == ["does not name the rows beside it"]
