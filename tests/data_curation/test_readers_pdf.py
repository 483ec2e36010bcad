from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pytest

from data_curation.readers import pdf_worker
from data_curation.readers.xmp import metadata_of
from data_curation.received import Received
from tests.data_curation.sources import read_all

pytest.importorskip("pypdfium2")
XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:cc="http://creativecommons.org/ns#"
 xmpRights:WebStatement="https://x.example/recht">
<dc:format>{}</dc:format><dc:rights><rdf:Alt><rdf:li xml:lang="x-default">CC-BY-4.0</rdf:li></rdf:Alt></dc:rights>
<cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"/>
<dc:title><rdf:Alt><rdf:li>De dijk</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def pdf(*pages: str, xmp: bytes = b"", catalog: str = "", trailer: str = "", extra: tuple[bytes, ...] = ()) -> bytes:
    """A PDF file by hand: each page a string that is shown, or nothing."""
    objects = [
        f"<</Type/Catalog/Pages 2 0 R{catalog}>>".encode(),
        f"<</Type/Pages/Count {len(pages)}/Kids[{' '.join(f'{4 + 2 * n} 0 R' for n in range(len(pages)))}]>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, text in enumerate(pages):
        lines = " T* ".join(f"({line}) Tj" for line in text.split("\n"))
        show = f"BT /F 12 Tf 14 TL 50 700 Td {lines} ET".encode() if text else b""
        box = f"/MediaBox[0 0 600 800]/Contents {5 + 2 * number} 0 R"
        objects.append(f"<</Type/Page/Parent 2 0 R{box}/Resources<</Font<</F 3 0 R>>>>>>".encode())
        objects.append(b"<</Length %d>>stream\n" % len(show) + show + b"\nendstream")
    if xmp:
        objects.append(b"<</Type/Metadata/Subtype/XML/Length %d>>stream\n" % len(xmp) + xmp + b"\nendstream")
    objects += extra
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(
        b"%010d 00000 n \n" % place for place in places
    )
    out += f"trailer<</Size {len(objects) + 1}/Root 1 0 R{trailer}>>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(out)


def run(folder: Path, **keys: Any) -> list[Received]:
    return read_all(folder, reader="pdf", path=".", **keys)


def test_pages_become_text_with_what_the_metadata_declares(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(
        pdf(
            "Eerste bladzij.",
            "Tweede.\nMet een regel.",
            xmp=XMP.format("application/pdf").encode(),
            catalog="/Lang(nl-BE)",
        )
    )
    (tmp_path / "LICENSE").write_text("CC0-1.0")
    (one,) = run(tmp_path)
    assert (one.native_id, one.text) == ("a.pdf", "Eerste bladzij.\n\nTweede.\nMet een regel.")
    assert (one.language, one.title, one.author) == ("nl", "De dijk", "Ada")
    assert [(d.text, d.form) for d in one.declared] == [
        ("CC-BY-4.0", "spdx"), ("https://x.example/recht", "url"),
        ("https://creativecommons.org/licenses/by/4.0/", "url"), ("CC0-1.0", "spdx"),
    ]  # fmt: skip


def test_words_that_are_broken_at_line_ends_are_joined(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf("Het beheer van de water-\nschappen is oud."))
    assert run(tmp_path)[0].text == "Het beheer van de waterschappen is oud."


def test_metadata_of_a_picture_does_not_speak_for_the_whole() -> None:
    found = metadata_of(pdf("x", xmp=XMP.format("image/jpeg").encode()), "a.pdf")
    assert {one.form for one in found.declared} == {"prose"} and found.title is None
    packed = zlib.compress(XMP.format("application/pdf").encode())
    stream = b"<</Type/Metadata/Filter/FlateDecode/Length %d>>stream\n" % len(packed) + packed + b"\nendstream"
    assert metadata_of(pdf("x", extra=(stream,)), "a.pdf").declared[0].text == "CC-BY-4.0"
    bomb = (
        XMP.replace("?><x:", '?><!DOCTYPE a [<!ENTITY b "c">]><x:')
        .format("application/pdf")
        .replace("CC-BY-4.0", "&b;")
    )
    assert [one.form for one in metadata_of(bomb.encode(), "a.pdf").declared] == ["prose"]


def test_files_that_cannot_be_read_are_rows_and_the_rest_goes_on(tmp_path: Path) -> None:
    whole = pdf("Goed.")
    locked = "/Encrypt<</Filter/Standard/V 1/R 2/O(" + "a" * 32 + ")/U(" + "b" * 32 + ")/P -44>>/ID[(x)(x)]"
    files = {"a": b"", "b": b"rommel", "c": whole[:200], "d": pdf("", ""), "e": pdf("x", trailer=locked), "f": whole,
             "g": pdf(*["x"] * 5), "h": pdf("y" * 90, "y" * 90)}  # fmt: skip
    for name, data in files.items():
        (tmp_path / f"{name}.pdf").write_bytes(data)
    found = {one.native_id[0]: one.problem for one in run(tmp_path, most_pages=4, most_characters=150)}
    assert found == {"a": "not-pdf", "b": "not-pdf", "c": found["c"], "d": "no-text-layer", "e": "encrypted", "f": None,
                     "g": "too-large", "h": "too-large"}  # fmt: skip
    assert found["c"] in ("not-pdf", "no-text-layer", "damaged-page")


@pytest.mark.parametrize(
    "fault", ["os.abort()", pytest.param("exec('while True: pass')", marks=pytest.mark.slow), "bytearray(1 << 33)"]
)
def test_a_file_that_ends_the_reading_process_costs_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    worker = tmp_path / "worker.py"
    source = Path(pdf_worker.__file__).read_text()
    worker.write_text(
        source.replace("    pdfium: Any =", f"    import os\n    if b'Dood' in data: {fault}\n    pdfium: Any =", 1)
    )
    monkeypatch.setattr(pdf_worker, "__file__", str(worker))
    for name, text in (("a", "Een."), ("b", "Dood."), ("c", "Drie.")):
        (tmp_path / f"{name}.pdf").write_bytes(pdf(text))
    assert [one.problem for one in run(tmp_path, seconds=1)] == [None, "pdf-failed", None]


def test_what_typst_makes_is_read(tmp_path: Path) -> None:
    typst = pytest.importorskip("typst")
    (tmp_path / "a.typ").write_text(
        '#set document(title: [De dijk], author: "Ada")\n#set text(lang: "nl")\n= Kop\nDe dijk is hoog, één meter.\n'
    )
    typst.compile(str(tmp_path / "a.typ"), output=str(tmp_path / "a.pdf"))
    (one,) = run(tmp_path)
    assert (one.title, one.author, one.language) == ("De dijk", "Ada", "nl")
    assert one.text == "Kop\nDe dijk is hoog, één meter."
