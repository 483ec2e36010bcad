"""Bad input of every kind meets a row in the ledger or a clear error, and the rest of the source goes on."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fuzz_readers import SOURCE
from benchmarks.fuzz_seeds import deb_of, tar_of
from data_curation.extract import extract
from data_curation.ingest import ingest_source
from data_curation.page_elements import page_elements
from data_curation.readers import SourceError
from data_curation.readers.apt import Package
from data_curation.readers.debian import read_package
from tests.data_curation.sources import problems, read_all

COLUMNS = {"id": "id", "text": "text"}
needs_dpkg = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")


def jsonl(folder: Path, *lines: bytes, **keys: object) -> list[str | None]:
    (folder / "a.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    found = read_all(folder, reader="jsonl", path="a.jsonl", columns=COLUMNS, **keys)
    return [one.problem for one in found]


def test_every_kind_of_bad_line_is_a_row(tmp_path: Path) -> None:
    good = b'{"id": 1, "text": "goed"}'
    lines = [
        b"[" * 1_000_000, b'{"a":' * 200_000, b"\xff\xfe{\0}\0", "{“id”: 1}".encode("mac-roman", "replace"),
        b'{"id": 2, "text": "caf\xe9"}',
        b'{"id": 3, "text": "a\\u0000b"}', b'{"id": 4}', b'{"text": "x"}', b'{"id": 5, "text": "x"', b"null",
        b'{"id": 6, "text": NaN}',
        b'{"id": ' + b"9" * 5000 + b', "text": "x"}', b'{"id": 7, "text": "\\udc00"}',
    ]  # fmt: skip
    found = jsonl(tmp_path, *(part for line in lines for part in (line, good)))
    assert found[1::2] == [None] * len(lines)
    assert found[::2] == [
        "not-json", "not-json", "not-utf-8", "not-utf-8", "not-utf-8", "control-characters", "missing-column", "no-id",
        "not-json", "not-json", "missing-column", "not-json", "not-utf-8",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz"])
def test_half_a_gigabyte_in_one_line_takes_no_memory(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    with gzip.open(path, "wb", 1) if ending.endswith(".gz") else path.open("wb") as file:
        file.write(b'{"id": 1, "text": "')
        for _ in range(500):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n{"id": 2, "text": "goed"}\n')
    tracemalloc.start()
    found = read_all(tmp_path, reader="jsonl", path=f"a{ending}", columns=COLUMNS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problems(found) == {"too-large": 1, None: 1} and found[0].received_bytes > 500 << 20
    assert peak < 80 << 20


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("a.txt", "Grüße, één".encode("utf-16"), None),
        ("a.html", '<html lang="nl"><p>Grüße</p></html>'.encode("utf-16"), None),
        ("a.txt", "Grüße".encode("utf-16-le"), "not-utf-8"),
        ("a.txt", "Tekst".encode("utf-16-le"), "control-characters"),
        ("a.txt", "Grüße".encode("utf-32"), "not-utf-8"),
        ("a.txt", "Grüße".encode("mac-roman"), "not-utf-8"),
        ("a.txt", "Grüße".encode("utf-16")[:-1], "not-utf-8"),
        ("a.html", b'<meta charset="macintosh"><p>Gr\x9f\xa7e</p>', None),
        ("a.html", b'<meta charset="iso-8859-12"><p>x\xff</p>', "not-utf-8"),
        ("a.html", b'<meta charset="base64"><p>x</p>', "not-utf-8"),
        ("a.txt", b"", "empty"),
        ("a.txt", b"a\0b", "control-characters"),
        ("a.txt.gz", gzip.compress(b"Tekst." * 900, mtime=0)[:-9], "truncated"),
        ("a.txt.gz", b"\x1f\x8b\x08 rommel hier achter", "truncated"),
        ("a.txt.gz", gzip.compress(bytes(70 << 20), 1, mtime=0), "too-large"),
    ],
)
def test_files_are_read_as_they_are_marked_or_not_at_all(name: str, data: bytes, problem: str | None) -> None:
    assert extract(name, data).problem == problem


def test_the_configured_encoding_holds_for_unmarked_text_only(tmp_path: Path) -> None:
    texts = {
        "a.txt": "Grüße".encode("mac-roman"),
        "b.txt": "Grüße".encode("utf-16"),
        "c.txt": "Grüße".encode("utf-8-sig"),
    }
    for name, data in texts.items():
        (tmp_path / name).write_bytes(data)
    found = read_all(tmp_path, reader="text", path=".", encoding="macintosh")
    assert [one.text for one in found] == ["Grüße"] * 3
    assert problems(read_all(tmp_path, reader="text", path=".")) == {"not-utf-8": 1, None: 2}


def test_front_matter_in_utf_16_is_heard(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes("---\nlicense: CC-BY-NC-4.0\n---\nTekst.".encode("utf-16"))
    assert [one.text for one in read_all(tmp_path, reader="text", path=".")[0].declared] == ["CC-BY-NC-4.0"]


def test_an_id_that_stands_for_two_contents_goes_to_a_person(tmp_path: Path) -> None:
    lines = b'{"id": 1, "text": "een"}\n{"id": 1, "text": "twee"}\n{"id": 2, "text": "drie"}\n'
    (tmp_path / "a.jsonl").write_bytes(lines)
    source = SOURCE.validate_python(
        {"name": "x", "partner": "P", "reader": "jsonl", "path": "a.jsonl", "columns": COLUMNS}
    )
    ingest_source(source, tmp_path, tmp_path / "cache", tmp_path / "out", 100)
    assert len(np.load(tmp_path / "out" / "clashing-native-ids.npy")) == 1


@needs_dpkg
def test_tricks_with_paths_in_a_package_reach_nothing(tmp_path: Path) -> None:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, kind, target in (
            ("../../../tmp/uit.txt", tarfile.REGTYPE, ""),
            ("/etc/over.txt", tarfile.REGTYPE, ""),
            ("./usr/share/doc/xy/copyright", tarfile.SYMTYPE, "/etc/passwd"),
            ("./usr/link.txt", tarfile.LNKTYPE, "/etc/passwd"),
            ("./usr/goed.txt", tarfile.REGTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, target, 5 if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(b"Goed."))
    deb = tmp_path / "xy.deb"
    deb.write_bytes(deb_of(sink.getvalue()))
    source = SOURCE.validate_python(
        {"name": "x", "partner": "P", "reader": "debian", "packages": ["xy"], "include": ["**"]}
    )
    found = list(read_package(source, Package("xy", "1", "xy.deb", "sha256", ""), deb))  # type: ignore[arg-type]
    assert {one.native_id: one.problem for one in found} == {
        "xy/../../../tmp/uit.txt": "unsafe-name", "xy/etc/over.txt": None, "xy/usr/goed.txt": None,
    }  # fmt: skip
    assert all(one.declared == () for one in found)
    assert not Path("/tmp/uit.txt").exists()


@needs_dpkg
def test_a_package_that_breaks_off_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    whole = tar_of({"./usr/a.txt": b"Een." * 400, "./usr/b.txt": b"Twee."})
    spoilt = bytearray(whole)
    place = bytes(whole).index(b"./usr/b.txt")
    spoilt[place + 148 : place + 156] = b"rommel!!"
    deb = tmp_path / "xy.deb"
    source = SOURCE.validate_python(
        {"name": "x", "partner": "P", "reader": "debian", "packages": ["xy"], "include": ["**"]}
    )
    for data in (deb_of(bytes(spoilt)), deb_of(whole)[:-40], b"rommel", b""):
        deb.write_bytes(data)
        with pytest.raises(SourceError, match=r"damaged; .*run again"):
            list(read_package(source, Package("xy", "1", "xy.deb", "sha256", ""), deb))  # type: ignore[arg-type]


def test_deep_html_is_read_in_time(tmp_path: Path) -> None:
    start = time.process_time()
    extract("a.html", b"<div>" * 100_000 + b"tekst")
    extract("a.xml", b"<page>" * 100_000)
    assert time.process_time() - start < 10


@pytest.mark.parametrize("start", [b"", b'<meta name="robots" content="noai">'])
def test_elements_that_are_never_closed_take_no_time(start: bytes) -> None:
    before = time.process_time()
    found = page_elements("a.html", start + b"<meta robots " * 20_000, 1 << 24)
    assert time.process_time() - before < 5
    assert found == ((f"1 {start.decode()}",) if start else ())
