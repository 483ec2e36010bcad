from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from data_curation.readers import Source, SourceError, inputs, read
from data_curation.received import Received

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)
HASH = "0123456789abcdef0123456789abcdef01234567"


def source(**keys: Any) -> Source:
    base = {"name": "hub", "partner": "H", "reader": "hub", "dataset": "./set", "columns": {"id": "nr", "text": "t"}}
    return SOURCE.validate_python(base | keys)


def run(folder: Path, **keys: Any) -> list[Received]:
    return list(read(source(**keys), folder, folder / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    rows = [{"nr": f"r{n}", "t": f"tekst {n}"} for n in range(5)]
    (tmp_path / "set" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "set" / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n# Kaart\n")
    return tmp_path


def test_a_folder_is_streamed_with_the_licence_of_its_card(folder: Path) -> None:
    found = run(folder)
    assert [(d.native_id, d.text) for d in found] == [(f"r{n}", f"tekst {n}") for n in range(5)]
    assert [(d.text, d.form, d.where) for d in found[0].declared] == [("cc-by-4.0", "spdx", "README.md:2 license")]
    assert [d.native_id for d in run(folder, limit=2)] == ["r0", "r1"]
    assert [path.name for path in inputs(source(), folder)] == ["README.md", "train.jsonl"]


def test_a_card_without_a_known_licence_is_prose_and_no_card_declares_nothing(folder: Path) -> None:
    card = folder / "set" / "README.md"
    card.write_text("---\nlicense: other\n---\n")
    assert [d.form for d in run(folder)[0].declared] == ["prose"]
    card.unlink()
    assert run(folder)[0].declared == ()


def test_a_missing_column_stops_the_source(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"no column tekst; there are nr, t\."):
        run(folder, columns={"id": "nr", "text": "tekst"})


def test_a_missing_split_stops_the_source(folder: Path) -> None:
    with pytest.raises(SourceError, match="Check subset, split"):
        run(folder, split="geen")


@pytest.mark.parametrize("keys", [{"dataset": "a/b"}, {"dataset": "a/b", "revision": "main"}, {"revision": HASH}])
def test_a_dataset_of_the_hub_is_pinned_and_a_folder_is_not(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="revision"):
        source(**keys)


def test_without_the_hub_an_unknown_name_says_what_to_do(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from pydantic import TypeAdapter
from data_curation.readers import Source, SourceError, read
source = TypeAdapter(Source).validate_python({{"name": "hub", "partner": "H", "reader": "hub", "dataset": "a/unknown",
    "revision": "{HASH}", "columns": {{"id": "a", "text": "b"}}}})
try:
    list(read(source, Path("."), Path("cache")))
except SourceError as fault:
    print(fault)
"""
    # A process of its own, for the libraries read this variable when they are imported.
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ
        | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(Path(__file__).parents[2]), "HF_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "the hub was not reachable" in answer.stdout and "HF_HUB_OFFLINE" in answer.stdout
    assert "http" not in answer.stdout


def test_a_card_with_a_choice_of_licences(folder: Path) -> None:
    (folder / "set" / "README.md").write_text("---\nlicense:\n- cc-by-sa-3.0\n- gfdl\n---\n")
    every = run(folder)[0].declared
    assert [(d.text, d.form) for d in every] == [("cc-by-sa-3.0", "spdx"), ("gfdl", "prose")]
    one_of = run(folder, card_licences="any")[0].declared
    assert [d.text for d in one_of] == ["CC-BY-SA-3.0 OR LicenseRef-gfdl"]
    assert "card_licences" in one_of[0].where


def test_a_folder_also_speaks_through_its_licence_file_and_its_croissant(folder: Path) -> None:
    (folder / "set" / "LICENSE").write_text("CC-BY-SA-4.0")
    card = {"@type": "Dataset", "sdLicense": "CC0-1.0", "license": "https://creativecommons.org/licenses/by/4.0/"}
    (folder / "set" / "croissant.json").write_text(json.dumps(card))
    assert [(one.form, one.text) for one in run(folder)[0].declared] == [
        ("spdx", "cc-by-4.0"),
        ("spdx", "CC-BY-SA-4.0"),
        ("url", "https://creativecommons.org/licenses/by/4.0/"),
    ]


def test_conditions_of_access_are_no_part_of_a_choice(folder: Path) -> None:
    head = "license: [mit, cc-by-4.0]\nextra_gated_prompt: Alleen voor onderzoek\n"
    (folder / "set" / "README.md").write_text(f"---\n{head}---\n")
    found = run(folder, card_licences="any")[0].declared
    assert [(one.form, one.text) for one in found] == [("spdx", "MIT OR CC-BY-4.0"), ("prose", "Alleen voor onderzoek")]
