from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from data_curation.received import Received
from tests.data_curation.sources import problems, read_all

FILES = {"boek/a.txt": b"Een.", "boek/nl/b.html": b"<html lang=nl><p>Twee.</p></html>", "boek/LICENSE": b"CC0-1.0",
         "c.md": b"---\nlicense: MIT\n---\nDrie.", "leeg/": b""}  # fmt: skip


def make_zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def make_tar(path: Path, files: dict[str, bytes], mode: Any = "w:gz", links: tuple[tuple[str, str], ...] = ()) -> None:
    with tarfile.open(path, mode) as archive:
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.type, info.size = (tarfile.DIRTYPE, 0) if name.endswith("/") else (tarfile.REGTYPE, len(data))
            archive.addfile(info, io.BytesIO(data))


def run(folder: Path, name: str = ".", **keys: Any) -> list[Received]:
    return read_all(folder, reader="archive", path=name, **keys)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("x.tar", "w"),
        ("x.tar.gz", "w:gz"),
        ("x.tgz", "w:gz"),
        ("x.tar.bz2", "w:bz2"),
        ("x.tar.xz", "w:xz"),
        ("x.zip", ""),
    ],
)
def test_the_files_of_an_archive_become_documents(tmp_path: Path, name: str, mode: str) -> None:
    make_tar(tmp_path / name, FILES, mode) if mode else make_zip(tmp_path / name, FILES)
    first, second, _, last = run(tmp_path, name)
    assert [(one.native_id, one.text) for one in (first, second)] == [
        (f"{name}/boek/a.txt", "Een."),
        (f"{name}/boek/nl/b.html", "Twee."),
    ]
    assert [(d.text, d.form) for d in first.declared] == [("CC0-1.0", "spdx")]
    assert first.declared[0].where.startswith(f"{name}/boek/LICENSE")
    assert second.language == "nl" and second.declared == first.declared and second.page == ()
    assert [d.text for d in last.declared] == ["MIT"]
    assert [one.native_id for one in run(tmp_path, name, include=["**/*.html"])] == [f"{name}/boek/nl/b.html"]


def test_tricks_with_names_and_links_are_rows(tmp_path: Path) -> None:
    tricks = {"../uit.txt": b"x", "/etc/x.txt": b"x", "a/../../b.txt": b"x", "goed.txt": b"Goed."}
    make_tar(tmp_path / "a.tar", tricks, "w", (("link.txt", "/etc/passwd"),))
    make_zip(tmp_path / "b.zip", tricks | {"C:\\x.txt": b"x", "in/ander.zip": b"PK", "in/x.tar.gz": b"x"})
    with zipfile.ZipFile(tmp_path / "b.zip", "a") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert [one.problem for one in run(tmp_path, "a.tar")] == ["link", *["unsafe-name"] * 3, None]
    assert [one.problem for one in run(tmp_path, "b.zip")] == [
        *["unsafe-name"] * 3, None, "unsafe-name", "nested-archive", "nested-archive", "link",
    ]  # fmt: skip
    assert not (tmp_path.parent / "uit.txt").exists()


def test_bombs_are_bounded(tmp_path: Path) -> None:
    zeros = {"a.txt": b"a", "b.txt": b" " * (5 << 20), "c.txt": b"c"}
    make_tar(tmp_path / "a.tar.gz", zeros)
    make_zip(tmp_path / "b.zip", {"a.txt": b"a", "b.txt": b" " * (8 << 20), "c.txt": b"c"})
    assert [one.problem for one in run(tmp_path, "a.tar.gz", most_ratio=4)] == [None, "bomb"]
    assert [one.problem for one in run(tmp_path, "b.zip")] == [None, "bomb", None]
    assert [one.problem for one in run(tmp_path, "b.zip", largest_document=1000)] == [None, "bomb", None]


def test_damage_keeps_what_came_before(tmp_path: Path) -> None:
    files = {f"{number}.txt": bytes([65 + number]) * 3000 for number in range(9)}
    make_tar(tmp_path / "a.tar", files, "w")
    data = bytearray((tmp_path / "a.tar").read_bytes())
    (tmp_path / "a.tar").write_bytes(data[:10_000])
    assert problems(run(tmp_path, "a.tar")) == {None: 2, "truncated": 1}
    data[4 * 512 * 2 + 512 * 0 + 3 * 3584 - 4096 : 3 * 3584] = bytes([7]) * len(
        data[4 * 512 * 2 + 3 * 3584 - 4096 : 3 * 3584]
    )
    data[3 * 3584 + 148 : 3 * 3584 + 156] = b"rommel!!"
    (tmp_path / "b.tar").write_bytes(data)
    assert run(tmp_path, "b.tar")[-1].problem == "truncated"
    (tmp_path / "c.zip").write_bytes(b"PK\3\4 rommel")
    (tmp_path / "d.tar.gz").write_bytes(b"rommel")
    (tmp_path / "e.tar").write_bytes(b"")
    assert [run(tmp_path, name)[-1].problem for name in ("c.zip", "d.tar.gz", "e.tar")] == [
        "not-zip",
        "truncated",
        "truncated",
    ]


def test_a_header_of_any_size_is_not_taken_into_memory(tmp_path: Path) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 4 << 30
    (tmp_path / "a.tar").write_bytes(info.tobuf() + bytes(1024))
    (found,) = run(tmp_path, "a.tar")
    assert found.problem == "truncated" and "extended header" in (found.detail or "")


@pytest.mark.parametrize("name", ["a.tar", "a.zip"])
def test_files_over_the_limit_are_hashed(tmp_path: Path, name: str) -> None:
    files = {"a.txt": b"x" * 5000, "b.txt": b"b"}
    make_zip(tmp_path / name, files) if name.endswith(".zip") else make_tar(tmp_path / name, files, "w")
    first, second = run(tmp_path, name, largest_document=1000)
    assert (first.problem, first.received_bytes, second.text) == ("too-large", 5000, "b")
    assert first.received_sha256 == hashlib.sha256(files["a.txt"]).hexdigest()
