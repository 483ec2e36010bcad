from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from data_curation.readers import Source, read
from data_curation.received import Received

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)

NOVEL = """<?xml version="1.0"?>
<TEI xmlns="http://www.tei-c.org/ns/1.0" xml:id="ROM1" xml:lang="slv"><teiHeader><fileDesc>
<titleStmt><title>Roman</title><author>Novak, Ana (1850-1900)</author></titleStmt>
<publicationStmt><date when="2021-04-09"/>
<availability><licence target="https://creativecommons.org/licenses/by/4.0/"/></availability></publicationStmt>
<sourceDesc><bibl><availability><p>In the public domain.</p></availability></bibl></sourceDesc>
</fileDesc></teiHeader>
<text><front><p>Predgovor</p></front><body><head>Roman</head>
<div type="group"><head>Prvi del</head>
<div type="chapter"><head>I</head><p>Ena<pb n="2"/> in
dva.</p><p>Tri.</p></div><div type="chapter"><head>II</head><p>Dan<note>opomba</note>.</p></div></div>
<div type="chapter"><p>Konec.</p></div></body></text></TEI>"""

PLAY = """<TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><fileDesc>
<titleStmt><title type="main">Spel</title><author><persName><forename>Joost</forename> <surname>V.</surname></persName>
<idno>Q1</idno></author></titleStmt>
<publicationStmt><availability status="free">
<licence><ab>CC0 1.0</ab><ref target="https://creativecommons.org/publicdomain/zero/1.0/">Licence</ref></licence>
</availability></publicationStmt></fileDesc>
<profileDesc><langUsage><language ident="nl">Nederlands</language></langUsage></profileDesc></teiHeader>
<text><body><div type="act"><sp><speaker>Noach</speaker><l>Een regel,</l><l>en nog een.</l></sp>
<stage>Af.</stage></div></body></text></TEI>"""


def run(folder: Path, **keys: Any) -> list[Received]:
    source = SOURCE.validate_python({"name": "boeken", "partner": "B", "reader": "tei", "path": "."} | keys)
    return list(read(source, folder, folder / "cache"))


def test_a_file_is_a_document_with_the_rights_of_its_edition(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(NOVEL)
    (document,) = run(tmp_path)
    assert document.text == "Roman\nPrvi del\nI\nEna in dva.\nTri.\nII\nDan.\nKonec."
    assert (document.native_id, document.language, document.title) == ("ROM1", "sl", "Roman")
    assert (document.author, document.published) == ("Novak, Ana (1850-1900)", "2021-04-09")
    assert document.received_bytes == len(NOVEL.encode())
    assert [(d.text, d.form, d.where) for d in document.declared] == [
        ("https://creativecommons.org/licenses/by/4.0/", "url", "a.xml:5 <availability>/<licence>")
    ]


def test_a_play_has_its_licence_in_a_reference_and_its_language_in_the_header(tmp_path: Path) -> None:
    (tmp_path / "spel.xml").write_text(PLAY)
    (document,) = run(tmp_path)
    assert document.text == "Noach\nEen regel,\nen nog een.\nAf."
    assert (document.native_id, document.language, document.author) == ("spel.xml", "nl", "Joost V.")
    assert [d.text for d in document.declared] == ["https://creativecommons.org/publicdomain/zero/1.0/"]


def test_chapters_lose_nothing_between_them(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(NOVEL)
    chapters = run(tmp_path, split="div")
    assert [(c.native_id, c.text) for c in chapters] == [
        ("ROM1#1", "Roman"),
        ("ROM1#2", "Prvi del"),
        ("ROM1#3", "I\nEna in dva.\nTri."),
        ("ROM1#4", "II\nDan."),
        ("ROM1#5", "Konec."),
    ]
    assert all(c.declared and c.title == "Roman" and c.received_bytes for c in chapters)


@pytest.mark.parametrize(
    ("availability", "form", "text"),
    [
        ("<availability><p>Frei für\n alle.</p></availability>", "prose", "Frei für alle."),
        ('<availability status="restricted"/>', "prose", "restricted"),
        ("<availability/>", "prose", "(empty <availability>)"),
    ],
)
def test_prose_counts_where_there_is_no_address(tmp_path: Path, availability: str, form: str, text: str) -> None:
    (tmp_path / "a.xml").write_text(
        PLAY[: PLAY.index("<availability")] + availability + PLAY[PLAY.index("</publication") :]
    )
    assert [(d.form, d.text) for d in run(tmp_path)[0].declared] == [(form, text)]


def test_no_availability_declares_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(PLAY[: PLAY.index("<availability")] + PLAY[PLAY.index("</publication") :])
    assert run(tmp_path)[0].declared == ()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (NOVEL[:-20].encode(), "not-xml"),
        (b"<TEI><text/></TEI>", "not-xml"),
        (NOVEL.replace("Konec", "Kon\xe9c").encode("latin-1"), "not-utf-8"),
        (
            NOVEL.replace("<TEI", '<!DOCTYPE TEI SYSTEM "tei.dtd"><TEI', 1).replace("Konec", "&x;").encode(),
            "entities-refused",
        ),
        (NOVEL.replace("<TEI", '<!DOCTYPE TEI [<!ENTITY a "b">]><TEI', 1).encode(), "entities-refused"),
        (
            PLAY.replace("Noach", "").replace("Een regel,", "").replace("en nog een.", "").replace("Af.", "").encode(),
            "empty",
        ),
    ],
)
def test_a_bad_file_is_a_row_and_the_rest_goes_on(tmp_path: Path, data: bytes, problem: str) -> None:
    (tmp_path / "a.xml").write_bytes(data)
    (tmp_path / "b.xml").write_text(PLAY)
    bad, good = run(tmp_path)
    assert (bad.problem, bad.text, good.problem) == (problem, None, None)
    assert bad.detail is not None and bad.detail.startswith("a.xml: ")
