from __future__ import annotations

from pathlib import Path

import pytest

from licensing.resolvers import reuse
from licensing.resolvers.folder import FolderLicences, is_licence_file


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, True) for name in ("LICENSE", "licence.md", "LICENSE.asc", "COPYING", "COPYRIGHT", "COPYRIGHT.txt")),
        *((name, True) for name in ("LICENSE-APACHE", "LICENSE.MIT", "COPYING.LESSER", "UNLICENSE", "license-mit.txt")),
        *((name, False) for name in ("copyright.md", "licensing.md", "licenties-kiezen.md", "a.license")),
        *((name, False) for name in ("license-faq.md", "4-owk-12-licentiegebruik.md", "README.md", "unlicensed")),
    ],
)
def test_names_of_licence_files(name: str, expected: bool) -> None:
    assert is_licence_file(name) is expected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "LICENSE": "CC-BY-4.0",
        "a.md": "",
        "boek/a.md": "",
        "boek/LICENSE-MIT": "MIT",
        "boek/COPYING": "Vraag het de uitgever.",
        "boek/deel/diep/a.md": "",
        "plaat.png": "",
        "plaat.png.license": "SPDX-License-Identifier: CC0-1.0",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def said(folder: Path, name: str) -> list[tuple[str, str, str]]:
    return [(one.form, one.text, one.where) for one in FolderLicences(folder).declared(name)]


def test_the_nearest_licence_files_hold_and_all_of_one_folder(folder: Path) -> None:
    root = ("spdx", "CC-BY-4.0", "LICENSE:1")
    book = [("prose", "Vraag het de uitgever.", "boek/COPYING:1"), ("spdx", "MIT", "boek/LICENSE-MIT:1")]
    assert said(folder, "a.md") == [root]
    assert said(folder, "boek/a.md") == said(folder, "boek/deel/diep/a.md") == book
    assert said(folder, "plaat.png") == [("spdx", "CC0-1.0", "plaat.png.license:1 SPDX-License-Identifier"), root]
    assert [path.name for path in FolderLicences(folder).paths("boek/deel/diep/a.md")] == ["COPYING", "LICENSE-MIT"]


def test_above_the_source_nothing_holds(folder: Path) -> None:
    assert said(folder / "boek" / "deel", "diep/a.md") == []


def test_a_licence_file_that_leads_outside_is_not_read(folder: Path) -> None:
    (folder / "boek" / "deel" / "LICENSE").symlink_to(folder / "LICENSE")
    source = folder / "boek"
    ((form, text, _),) = said(source, "deel/diep/a.md")
    assert form == "prose" and "outside" in text
    assert FolderLicences(source).paths("deel/diep/a.md") == ()


def test_a_folder_that_cannot_be_looked_into_has_no_licence_from_above(folder: Path) -> None:
    assert [form for form, _, _ in said(folder, "caf\\xe9/a.md")] == ["prose"]


REUSE = """\
version = 1
[[annotations]]
path = ["boek/**", "*.md"]
SPDX-License-Identifier = "MIT"
[[annotations]]
path = "boek/deel/**"
SPDX-License-Identifier = "CC0-1.0"
"""


def test_reuse_toml() -> None:
    found = reuse.read(REUSE.encode(), "REUSE.toml")
    texts = {name: [one.text for one in found.declared(name)] for name in ("a.md", "x/a.md", "boek/a", "boek/deel/q/a")}
    assert texts == {"a.md": ["MIT"], "x/a.md": [], "boek/a": ["MIT"], "boek/deel/q/a": ["CC0-1.0"]}


@pytest.mark.parametrize("text", [b"[[annotations", b"\xff", b"annotations = 3", b"annotations = [1]", b"[" * 9999])
def test_a_reuse_toml_that_cannot_be_read_sends_everything_to_a_person(text: bytes) -> None:
    assert [one.form for one in reuse.read(text, "REUSE.toml").declared("x")] == ["prose"]


def test_reuse_toml_and_dep5_of_a_folder(folder: Path) -> None:
    (folder / "REUSE.toml").write_text(REUSE)
    (folder / ".reuse").mkdir()
    (folder / ".reuse" / "dep5").write_text(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
        "Files: *\nCopyright: Jan\nLicense: GPL-3+\n"
    )
    assert [text for _, text, _ in said(folder, "a.md")] == ["MIT", "GPL-3+", "CC-BY-4.0"]
    (folder / ".reuse" / "dep5").write_text("Vrij.")
    assert [form for form, _, _ in said(folder, "a.md")] == ["spdx", "prose", "spdx"]
