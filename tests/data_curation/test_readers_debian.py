from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from data_curation.readers import Source, SourceError, read
from data_curation.readers.apt import Package, fetched
from data_curation.readers.debian import DebianSource, read_package
from data_curation.readers.languages import from_package, from_path, primary

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)
needs_dpkg = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")
needs_apt = pytest.mark.skipif(not shutil.which("apt-get"), reason="needs apt-get")

DEP5 = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2020 Haven
License: CC-BY-4.0

Files: extra/*
Copyright: 2021 Kade
License: GPL-3+
"""
FILES = {
    "usr/share/doc/handleiding-nl/copyright": DEP5.encode(),
    "usr/share/doc/handleiding-nl/html/a.html": b"<html lang='de-AT'><title>T</title><body><p>Hallo.</p></body></html>",
    "usr/share/doc/handleiding-nl/html/fr-FR/b.txt": b"Bonjour.",
    "usr/share/doc/handleiding-nl/html/c.txt": b"Dag.",
    "usr/share/doc/handleiding-nl/extra/d.txt.gz": gzip.compress(b"Meer.", mtime=0),
    "usr/share/doc/handleiding-nl/extra/e.txt.gz": gzip.compress(b"Stuk." * 300, mtime=0)[:-12],
    "usr/share/doc/handleiding-nl/groot.txt": b"x" * 5000,
}


def debian(**keys: Any) -> DebianSource:
    base = {"name": "deb", "partner": "Debian", "reader": "debian", "packages": ["handleiding-nl"]}
    source = SOURCE.validate_python(base | {"include": ["usr/share/doc/**/*.{html,txt,txt.gz}"]} | keys)
    assert isinstance(source, DebianSource)
    return source


Build = Callable[[dict[str, bytes]], tuple[Package, Path]]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def make(files: dict[str, bytes]) -> tuple[Package, Path]:
        tree = tmp_path / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        for name, data in files.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(data)
        (tree / "usr/share/doc/handleiding-nl/html/link.txt").symlink_to("/etc/passwd")
        (tree / "DEBIAN").mkdir(mode=0o755)
        (tree / "DEBIAN/control").write_text(
            "Package: handleiding-nl\nVersion: 1:2.0-1\nArchitecture: all\n"
            "Maintainer: X <x@haven.example>\nDescription: x\n"
        )
        deb = tmp_path / "handleiding-nl_1%3a2.0-1_all.deb"
        subprocess.run(
            ["dpkg-deb", "--build", "--root-owner-group", str(tree), str(deb)], check=True, capture_output=True
        )
        digest = hashlib.sha256(deb.read_bytes()).hexdigest()
        return Package("handleiding-nl", "1:2.0-1", deb.name, "sha256", digest), deb

    return make


@needs_dpkg
def test_the_chosen_files_come_with_rights_language_and_address(build: Build) -> None:
    package, deb = build(FILES)
    found = {d.native_id.rpartition("/")[2]: d for d in read_package(debian(largest_document=2000), package, deb)}
    assert sorted(found) == ["a.html", "b.txt", "c.txt", "d.txt.gz", "e.txt.gz", "groot.txt"]
    page = found["a.html"]
    assert page.native_id == "handleiding-nl/usr/share/doc/handleiding-nl/html/a.html"
    assert page.url == "debian:handleiding-nl=1:2.0-1/usr/share/doc/handleiding-nl/html/a.html"
    assert (page.text, page.title, page.author) == ("Hallo.", "T", "2020 Haven")
    assert [(d.text, d.form, d.where) for d in page.declared] == [
        ("CC-BY-4.0", "dep5", "usr/share/doc/handleiding-nl/copyright:5")
    ]
    assert [found[name].language for name in ("a.html", "b.txt", "c.txt")] == ["de", "fr", "nl"]
    assert [d.text for d in found["d.txt.gz"].declared] == ["CC-BY-4.0", "GPL-3+"]
    data = FILES["usr/share/doc/handleiding-nl/extra/d.txt.gz"]
    assert (found["d.txt.gz"].text, found["d.txt.gz"].received_sha256) == ("Meer.", hashlib.sha256(data).hexdigest())
    assert found["e.txt.gz"].problem == "truncated"
    assert (found["groot.txt"].problem, found["groot.txt"].received_bytes) == ("too-large", 5000)


@needs_dpkg
def test_the_order_in_which_a_language_is_looked_for_is_the_users(build: Build) -> None:
    package, deb = build(FILES)
    found = {d.native_id[-6:]: d.language for d in read_package(debian(language_from=["package"]), package, deb)}
    assert found["a.html"] == "nl"


@needs_dpkg
def test_a_copyright_file_in_prose_and_none_at_all(build: Build) -> None:
    name = "usr/share/doc/handleiding-nl/copyright"
    package, deb = build(FILES | {name: "Vrij voor ieder, © Haven".encode("latin-1")})
    declared = next(read_package(debian(), package, deb)).declared
    assert [(d.text, d.form, d.where) for d in declared] == [("Vrij voor ieder, © Haven", "prose", f"{name}:1")]
    package, deb = build({path: data for path, data in FILES.items() if path != name})
    assert all(document.declared == () for document in read_package(debian(), package, deb))


@needs_dpkg
def test_what_a_page_says_of_itself_counts_beside_the_copyright_file(build: Build) -> None:
    place = "usr/share/doc/handleiding-nl/html"
    page = b'<html><head><link rel="license" href="https://x.example/eigen"></head><body>Hallo.'
    manual = gzip.compress(b'.\\" SPDX-License-Identifier: GPL-2.0-only\n.TH A 1\nTekst.\n', mtime=0)
    changed = {f"{place}/a.html": page, f"{place}/man.txt.gz": manual}
    package, deb = build(FILES | changed)
    found = {document.native_id.rpartition("/")[2]: document for document in read_package(debian(), package, deb)}
    assert [(d.text, d.form) for d in found["a.html"].declared] == [
        ("CC-BY-4.0", "dep5"),
        ("https://x.example/eigen", "url"),
    ]
    assert found["a.html"].declared[1].where == f'handleiding-nl/{place}/a.html:1 <link rel="license">'
    assert [d.text for d in found["man.txt.gz"].declared] == ["CC-BY-4.0", "GPL-2.0-only"]


@needs_dpkg
def test_a_package_in_which_nothing_is_chosen_or_that_is_damaged_stops_the_source(build: Build) -> None:
    package, deb = build(FILES)
    with pytest.raises(SourceError, match="no file in package handleiding-nl"):
        list(read_package(debian(include=["*.pdf"]), package, deb))
    deb.write_bytes(deb.read_bytes()[:-600])
    with pytest.raises(SourceError, match="damaged"):
        list(read_package(debian(), package, deb))


@needs_dpkg
def test_a_reader_that_is_left_early_leaves_no_process(build: Build) -> None:
    package, deb = build(FILES)
    documents = read_package(debian(), package, deb)
    next(documents)
    documents.close()  # type: ignore[attr-defined]
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    assert not [child for child in children if "dpkg-deb" in Path(f"/proc/{child}/cmdline").read_text()]


def test_without_apt_it_says_so_and_names_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match=r"apt-get and dpkg-deb not found.*configs/demo-hub\.yaml"):
        list(read(debian(), tmp_path, tmp_path))


def test_a_package_that_no_list_has_is_named_once_own_lists_were_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    script = f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\necho "E: Unable to locate package" >&2\nexit 100\n'
    for tool in ("apt-get", "dpkg-deb"):
        (tools / tool).write_text(script)
        (tools / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(SourceError, match=r"apt has no package 'no-such-package-here'"):
        list(read(debian(packages=["no-such-package-here"]), tmp_path, tmp_path))
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split()[-1] for line in asked] == ["no-such-package-here", "update", "no-such-package-here"]
    assert [str(tmp_path) in line and "Dir::State::Lists=" in line for line in asked] == [False, True, True]


@needs_apt
@pytest.mark.slow  # apt's own lists are fetched
def test_an_unknown_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"apt has no package 'no-such-package-here'"):
        list(read(debian(packages=["no-such-package-here"]), tmp_path, tmp_path))


def test_a_cached_package_is_used_again_only_with_the_right_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "apt-get").write_text("#!/bin/sh\nprintf downloaded > handleiding-nl_1_all.deb\n")
    (tools / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    cache = tmp_path / "cache"
    package = Package(
        "handleiding-nl", "1", "handleiding-nl_1_all.deb", "sha256", hashlib.sha256(b"downloaded").hexdigest()
    )
    assert fetched(debian(), package, cache).read_bytes() == b"downloaded"
    (tools / "apt-get").write_text("#!/bin/sh\nexit 1\n")
    assert fetched(debian(), package, cache).read_bytes() == b"downloaded"
    (cache / package.file).write_bytes(b"changed")
    with pytest.raises(SourceError, match="could not be downloaded"):
        fetched(debian(), package, cache)
    (tools / "apt-get").write_text("#!/bin/sh\nprintf other > handleiding-nl_1_all.deb\n")
    with pytest.raises(SourceError, match="another digest"):
        fetched(debian(), package, cache)
    assert [path.name for path in cache.iterdir()] == [package.file]


@pytest.mark.parametrize("packages", [["a b"], ["--help"], ["aa", "aa=1"], []])
def test_package_names_are_names(packages: list[str]) -> None:
    with pytest.raises(ValidationError):
        debian(packages=packages)


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("usr/share/help/nl/gnome-help/x.page", "nl"),
        ("usr/share/doc/h/html/nl-NL/x.html", "nl"),
        ("usr/share/help/pt_BR/x.page", "pt"),
        ("usr/share/help/sr@latin/x.page", "sr"),
        ("usr/share/doc/debian/FAQ/choosing.en.html", "en"),
        ("usr/share/doc/x/ps/x.txt", None),
        ("usr/share/doc/x/html/x.txt", None),
    ],
)
def test_languages_in_paths(path: str, language: str | None) -> None:
    assert from_path(path) == language


def test_languages_in_package_names_and_tags() -> None:
    names = ["libreoffice-help-nl", "libreoffice-help-pt-br", "debian-handbook", "manpages-xx", "aspell-en"]
    assert [from_package(name) for name in names] == ["nl", "pt", None, None, "en"]
    tags = ["nl-NL", "dut", "DEU", "pt_BR", "x-default", "", None, "und", "zh-Hant-TW", "nederlands"]
    assert [primary(tag) for tag in tags] == ["nl", "nl", "de", "pt", None, None, None, None, "zh", None]
