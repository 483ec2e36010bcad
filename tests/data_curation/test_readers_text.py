from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from data_curation.readers import Source, SourceError, inputs, read
from data_curation.readers.patterns import Chosen
from data_curation.received import Received

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)


def run(folder: Path, **keys: Any) -> list[Received]:
    source = SOURCE.validate_python({"name": "map", "partner": "M", "reader": "text", "path": "in"} | keys)
    return list(read(source, folder, folder / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "b.txt": "twee",
        "a/x.md": "# Kop",
        "a/y.html": "<html lang=de><p>Hallo",
        "LICENSE": "MIT\n",
    }.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(text)
    return tmp_path


def test_each_file_is_a_document_named_by_its_path(folder: Path) -> None:
    found = run(folder, licence_file="LICENSE", language="nl")
    assert [(d.native_id, d.text, d.language) for d in found] == [
        ("a/x.md", "# Kop", "nl"),
        ("a/y.html", "Hallo", "de"),
        ("b.txt", "twee", "nl"),
    ]
    assert {(d.text, d.form, d.where) for one in found for d in one.declared} == {("MIT", "spdx", "LICENSE:1")}


def test_the_ids_do_not_depend_on_where_the_folder_stands(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("elders")
    (folder / "in").rename(other / "in")
    (folder / "in").symlink_to(other / "in")
    assert [d.id for d in run(folder)] == [d.id for d in run(other)]


def test_a_licence_in_prose_stays_prose_and_a_missing_one_stops_the_source(folder: Path) -> None:
    (folder / "in" / "LICENSE").write_text("Permission is granted\nto everybody.")
    declared = run(folder, licence_file="LICENSE")[0].declared
    assert [(d.form, d.text) for d in declared] == [("prose", "Permission is granted to everybody.")]
    with pytest.raises(SourceError, match="licence file 'COPYING'"):
        run(folder, licence_file="COPYING")


def test_include_and_exclude_choose(folder: Path) -> None:
    assert [d.native_id for d in run(folder, include=["**/*.{md,txt}"], exclude=["a/**"])] == ["b.txt"]
    with pytest.raises(SourceError, match="no file in 'in' matches"):
        run(folder, include=["*.pdf"])
    with pytest.raises(SourceError, match="is not there"):
        run(folder, path="weg")
    with pytest.raises(ValidationError, match="braces"):
        run(folder, include=["*.{md"])


def test_links_that_lead_outside_are_refused_and_nothing_behind_them_is_read(folder: Path) -> None:
    outside = folder / "geheim"
    outside.mkdir()
    (outside / "s.txt").write_text("geheim")
    (folder / "in" / "z.txt").symlink_to(outside / "s.txt")
    (folder / "in" / "zmap").symlink_to(outside)
    (folder / "in" / "zin.txt").symlink_to(folder / "in" / "b.txt")
    (folder / "in" / "zkring.txt").symlink_to(folder / "in" / "zkring.txt")
    os.mkfifo(folder / "in" / "zpijp.txt")
    found = {d.native_id: (d.problem, d.text) for d in run(folder, include=["**/*.txt"])}
    assert found == {
        "b.txt": (None, "twee"),
        "z.txt": ("outside-folder", None),
        "zmap": ("outside-folder", None),
        "zin.txt": (None, "twee"),
        "zkring.txt": ("not-a-file", None),
        "zpijp.txt": ("not-a-file", None),
    }
    source = SOURCE.validate_python(
        {"name": "map", "partner": "M", "reader": "text", "path": "in", "include": ["*.txt"]}
    )
    assert [path.name for path in inputs(source, folder)] == ["b.txt", "zin.txt"]


def test_a_large_file_is_hashed_only_and_a_bad_one_says_why(folder: Path) -> None:
    (folder / "in" / "groot.txt").write_bytes(b"x" * 2000)
    (folder / "in" / "fout.txt").write_bytes(b"\xff")
    found = {d.native_id: d for d in run(folder, largest_document=1000)}
    assert (found["groot.txt"].problem, found["groot.txt"].received_bytes) == ("too-large", 2000)
    assert (found["fout.txt"].problem, found["b.txt"].problem) == ("not-utf-8", None)
    (folder / "in" / "groot.txt").rename(folder / "groot.txt")
    small = {d.native_id: d for d in run(folder)}
    (folder / "groot.txt").rename(folder / "in" / "groot.txt")
    whole = {d.native_id: d for d in run(folder)}
    assert whole["groot.txt"].id == found["groot.txt"].id
    assert "groot.txt" not in small


def test_a_name_that_is_no_utf_8_is_written_in_escapes(folder: Path) -> None:
    (folder / os.fsdecode(b"in/caf\xe9.txt")).write_text("koffie")
    assert "caf\\xe9.txt" in [d.native_id for d in run(folder)]


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "a/b.txt", False),
        ("**/*.txt", "a.txt", True),
        ("**/*.txt", "a/b/c.txt", True),
        ("a/**", "a/b/c", True),
        ("a/**", "ab/c", False),
        ("/usr/{nl,de}/**", "usr/de/x", True),
        ("{a,b{c,d}}.txt", "bd.txt", True),
        ("a,b.txt", "a,b.txt", True),
        ("[a-c]?.txt", "bx.txt", True),
        ("[!a-c]?.txt", "bx.txt", False),
        ("a+(b).txt", "a+(b).txt", True),
        ("[]x.txt", "[]x.txt", True),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    assert (path in Chosen([pattern])) is matches


def test_what_a_file_says_and_what_its_folder_says_both_count(folder: Path) -> None:
    (folder / "in" / "a" / "LICENCE.txt").write_text("CC-BY-SA-4.0")
    (folder / "in" / "a" / "x.md").write_text("---\nlicense: CC-BY-4.0\n---\n# Kop")
    (folder / "in" / "a" / "y.html").write_text('<meta charset="utf-8"><meta name="rights" content="Vraag het.">')
    with gzip.open(folder / "in" / "b.txt.gz", "wb") as file:
        file.write(b"# SPDX-License-Identifier: CC0-1.0\ntekst")
    found = {d.native_id: [(one.text, one.where) for one in d.declared] for d in run(folder, licence="0BSD")}
    config = ("0BSD", "config: source map, key licence")
    assert found == {
        "LICENSE": [config, ("MIT", "LICENSE:1")],
        "a/LICENCE.txt": [config, ("CC-BY-SA-4.0", "a/LICENCE.txt:1")],
        "a/x.md": [config, ("CC-BY-4.0", "a/x.md:2 license"), ("CC-BY-SA-4.0", "a/LICENCE.txt:1")],
        "a/y.html": [config, ("Vraag het.", 'a/y.html:1 <meta name="rights">'), ("CC-BY-SA-4.0", "a/LICENCE.txt:1")],
        "b.txt": [config, ("MIT", "LICENSE:1")],
        "b.txt.gz": [config, ("CC0-1.0", "b.txt:1 SPDX-License-Identifier"), ("MIT", "LICENSE:1")],
    }
    alone = {d.native_id: [one.text for one in d.declared] for d in run(folder, licence_files="none")}
    assert (alone["b.txt"], alone["a/x.md"]) == ([], ["CC-BY-4.0"])


def test_licence_files_do_not_change_which_document_it_is(folder: Path) -> None:
    before = {d.native_id: (d.id, d.received_sha256, d.text) for d in run(folder, licence_files="none")}
    assert {d.native_id: (d.id, d.received_sha256, d.text) for d in run(folder)} == before


def test_the_licence_files_are_among_the_inputs(folder: Path) -> None:
    (folder / "in" / "a" / "COPYING").write_text("MIT")
    keys = {"name": "map", "partner": "M", "reader": "text", "path": "in", "include": ["a/*.md"]}
    with_them = inputs(SOURCE.validate_python(keys), folder)
    assert [path.name for path in with_them] == ["COPYING", "x.md"]
    without = inputs(SOURCE.validate_python(keys | {"licence_files": "none"}), folder)
    assert [path.name for path in without] == ["x.md"]
