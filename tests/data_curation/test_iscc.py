from __future__ import annotations

import io
import json
from pathlib import Path

import iscc_core
import pyarrow.parquet as pq

from data_curation.ingest import ingest_source
from data_curation.iscc import iscc_code
from data_curation.ledger_table import LEDGER
from data_curation.readers.jsonl import JsonlSource

TEXT = "De haven van Havenstad is vandaag weer open. " * 8
LINES = [
    json.dumps({"id": "a", "text": TEXT}).encode(),
    json.dumps({"id": "b", "text": TEXT.replace("vandaag", "morgen")}).encode(),
    json.dumps({"id": "c", "text": ""}).encode(),
]


def ingested(folder: Path, asked: bool) -> dict[str, str | None]:
    (folder / "in.jsonl").write_bytes(b"\n".join(LINES) + b"\n")
    source = JsonlSource(
        name="s", partner="P", reader="jsonl", path="in.jsonl", columns={"id": "id", "text": "text"}, iscc=asked
    )
    ingest_source(source, folder, folder, folder / "out", 100)
    rows = pq.read_table(folder / "out" / "00000-00000.parquet").to_pylist()
    return {row["native_id"]: row["iscc"] for row in rows}


def test_a_publisher_computes_the_same_code_with_the_reference_implementation(tmp_path: Path) -> None:
    found = ingested(tmp_path, True)
    line = io.BytesIO(LINES[0])
    units = [iscc_core.gen_text_code(TEXT)["iscc"], iscc_core.gen_data_code(line)["iscc"]]
    units.append(iscc_core.gen_instance_code(io.BytesIO(LINES[0]))["iscc"])
    assert found["a"] == iscc_core.gen_iscc_code(units)["iscc"]
    assert found["a"] != found["b"]
    assert next((code for name, code in found.items() if name not in ("a", "b")), None) is None, "no text, no code"


def test_a_code_has_three_units_and_its_instance_unit_changes_with_any_byte() -> None:
    one, other = iscc_code(TEXT, b"one"), iscc_code(TEXT.upper(), b"two")
    units = [iscc_core.iscc_decompose(code) for code in (one, other)]
    assert [len(found) for found in units] == [3, 3]
    assert units[0][0] == units[1][0], "capitals do not change the Text-Code"
    assert units[0][2] != units[1][2]


def test_the_code_of_the_standard_s_own_example() -> None:
    """Test vector of ISO 24138 as published with the reference implementation (test_0001 of Text-Code v0)."""
    vectors = json.loads((Path(iscc_core.__file__).parent / "data.json").read_text(encoding="utf-8"))
    vector = vectors["gen_text_code_v0"]["test_0001_hello_world"]
    text, bits = vector["inputs"]
    assert bits == 64
    code = iscc_core.iscc_decompose(iscc_code(text, b"x"))[0]
    assert f"ISCC:{code}" == vector["outputs"]["iscc"]


def test_nothing_is_computed_unless_asked_and_the_ledger_has_the_column(tmp_path: Path) -> None:
    assert set(ingested(tmp_path, False).values()) == {None}
    assert "iscc" in LEDGER.names
