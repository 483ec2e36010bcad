from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from data_curation.received import Received
from tests.data_curation.sources import read_all

CONTAINER = """<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">
<rootfiles><rootfile full-path="OEBPS/boek.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
OPF = """<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="uid">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier>ander</dc:identifier>
<dc:identifier id="uid">urn:isbn:9789012345678</dc:identifier><dc:title>De dijk</dc:title>
<dc:language>nl-NL</dc:language>
<dc:creator>Ada</dc:creator><dc:creator>Bo</dc:creator><dc:date>2021-03-04T00:00:00Z</dc:date>
<dc:rights>Alle rechten voorbehouden</dc:rights>
<link rel="cc:license" href="https://creativecommons.org/licenses/by/4.0/"/></metadata>
<manifest><item id="a" href="een%20.xhtml" media-type="application/xhtml+xml"/>
<item id="b" href="t/twee.xhtml" media-type="application/xhtml+xml"/>
<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/></manifest>
<spine><itemref idref="n"/><itemref idref="b"/><itemref idref="a"/></spine></package>"""
XHTML = """<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "x.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>T</title></head><body><p>{}</p></body></html>"""
FILES = {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER, "OEBPS/boek.opf": OPF,
         "OEBPS/een .xhtml": XHTML.format("Een é."), "OEBPS/t/twee.xhtml": XHTML.format("Twee."),
         "OEBPS/nav.xhtml": XHTML.format("Inhoud")}  # fmt: skip


def make(folder: Path, files: dict[str, Any], name: str = "b.epub", twice: str = "") -> None:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
        if twice:
            archive.writestr(twice, "x")


def run(folder: Path, **keys: Any) -> list[Received]:
    return read_all(folder, reader="epub", path=".", **keys)


def test_a_book_is_read_in_the_order_of_its_spine(tmp_path: Path) -> None:
    make(tmp_path, FILES)
    (one,) = run(tmp_path)
    assert (one.native_id, one.text) == ("urn:isbn:9789012345678", "Twee.\n\nEen é.")
    assert (one.title, one.author, one.language, one.published) == ("De dijk", "Ada; Bo", "nl", "2021-03-04")
    assert [(d.text, d.form) for d in one.declared] == [
        ("Alle rechten voorbehouden", "prose"), ("https://creativecommons.org/licenses/by/4.0/", "url"),
    ]  # fmt: skip
    assert one.declared[0].where.startswith("b.epub:OEBPS/boek.opf:")
    assert one.received_bytes == (tmp_path / "b.epub").stat().st_size


def test_a_book_may_be_cut_into_chapters(tmp_path: Path) -> None:
    make(tmp_path, FILES | {"OEBPS/een .xhtml": XHTML.format("")})
    first, second = run(tmp_path, split="chapter")
    assert (first.native_id, first.text) == ("urn:isbn:9789012345678#b", "Twee.")
    assert first.received_bytes == len(FILES["OEBPS/t/twee.xhtml"])
    assert (second.native_id, second.problem) == ("urn:isbn:9789012345678#a", "empty")


ENCRYPTED = """<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"
 xmlns:e="http://www.w3.org/2001/04/xmlenc#">
<e:EncryptedData><e:EncryptionMethod Algorithm="{}"/></e:EncryptedData></encryption>"""


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"META-INF/encryption.xml": ENCRYPTED.format("http://www.w3.org/2001/04/xmlenc#aes128-cbc")}, "encrypted"),
        ({"META-INF/rights.xml": "<rights/>"}, "encrypted"),
        ({"META-INF/encryption.xml": ENCRYPTED.format("http://www.idpf.org/2008/embedding")}, None),
        ({"META-INF/container.xml": "<container/>"}, "not-epub"),
        ({"META-INF/container.xml": CONTAINER.replace("OEBPS/boek", "../../boek")}, "not-epub"),
        ({"META-INF/container.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><container>&b;</container>"}, "entities-refused"),
        ({"OEBPS/boek.opf": OPF.replace("t/twee", "../../../etc/passwd")}, "not-epub"),
        ({"OEBPS/boek.opf": OPF.replace('idref="b"', 'idref="weg"')}, "not-epub"),
        ({"OEBPS/boek.opf": "geen xml"}, "not-xml"),
        ({"OEBPS/t/twee.xhtml": XHTML.format("x" * 3_000_000)}, "bomb"),
        ({"OEBPS/t/twee.xhtml": b"caf\xe9"}, "not-utf-8"),
        ({"OEBPS/t/twee.xhtml": XHTML.format(""), "OEBPS/een .xhtml": XHTML.format("")}, "empty"),
        ({"extra": b"x" * 10, "../../uit.txt": "x"}, None),
    ],
)
def test_a_book_that_cannot_be_read_is_one_row(tmp_path: Path, change: dict[str, Any], problem: str | None) -> None:
    make(tmp_path, FILES | change)
    make(tmp_path, FILES, "z.epub")
    one, other = run(tmp_path)
    assert one.problem == problem and (one.text is None) == (problem is not None)
    assert other.problem is None


def test_damage_and_repeated_names_are_rows(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        make(tmp_path, FILES, "a.epub", twice="OEBPS/t/twee.xhtml")
    make(tmp_path, FILES, "b.epub")
    data = (tmp_path / "b.epub").read_bytes()
    (tmp_path / "c.epub").write_bytes(data[:-30])
    spoilt = bytearray(data)
    spoilt[data.index(b"twee.xhtml") + 15] ^= 255
    (tmp_path / "d.epub").write_bytes(spoilt)
    (tmp_path / "e.epub").write_bytes(b"")
    assert [one.problem for one in run(tmp_path)] == ["repeated-name", None, "not-zip", "damaged-entry", "not-zip"]
    assert [one.problem for one in run(tmp_path, largest_unpacked=1200)][1] == "bomb"
