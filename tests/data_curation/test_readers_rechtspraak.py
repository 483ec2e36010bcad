from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from data_curation.readers import Source, read
from data_curation.received import Received

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)

DECISION = """<?xml version="1.0" encoding="utf-8"?>
<open-rechtspraak>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcterms="http://purl.org/dc/terms/"
 xmlns:psi="http://psi.rechtspraak.nl/"><rdf:Description>
<dcterms:identifier>ECLI:NL:HR:2026:1</dcterms:identifier><dcterms:format>text/xml</dcterms:format>
<dcterms:accessRights>public</dcterms:accessRights><dcterms:publisher>Raad</dcterms:publisher>
<dcterms:language>nl</dcterms:language><dcterms:creator psi:afdeling="x">Hoge Raad</dcterms:creator>
<dcterms:date>2026-01-09</dcterms:date></rdf:Description>
<rdf:Description rdf:about="http://deeplink.example/uitspraak?id=ECLI:NL:HR:2026:1">
<dcterms:identifier>http://deeplink.example/uitspraak?id=ECLI:NL:HR:2026:1</dcterms:identifier>
<dcterms:issued>2026-02-01</dcterms:issued><dcterms:title xml:lang="nl">ECLI:NL:HR:2026:1 Hoge Raad</dcterms:title>
</rdf:Description></rdf:RDF>
<inhoudsindicatie xmlns="http://www.rechtspraak.nl/schema/rechtspraak-1.0"><para>Kort.</para></inhoudsindicatie>
<uitspraak xmlns="http://www.rechtspraak.nl/schema/rechtspraak-1.0" lang="nl" xml:space="preserve">
<uitspraak.info><bridgehead>HOGE RAAD</bridgehead><parablock><para>Nummer<?linebreak?>   25/1</para></parablock>
</uitspraak.info>
<section role="beslissing"><title><nr>1</nr>  De procedure</title><paragroup><nr>1.1</nr>
<para>[verdachte] komt uit [plaats].<footnote-ref linkend="_1"/></para></paragroup>
<informaltable><tgroup cols="2"><colspec colname="a"/><tbody><row><entry><para>griffier</para></entry>
<entry><para>raadsheer</para></entry></row></tbody></tgroup></informaltable>
<mediaobject><imageobject><imagedata fileref="x.png"/></imageobject></mediaobject></section>
</uitspraak></open-rechtspraak>"""


def run(folder: Path, **keys: Any) -> list[Received]:
    made = {"name": "hof", "partner": "R", "reader": "rechtspraak", "path": ".", "basis": "official-work"} | keys
    return list(read(SOURCE.validate_python(made), folder, folder / "cache"))


def test_a_decision_has_the_ecli_the_court_and_the_day_of_publication(tmp_path: Path) -> None:
    (tmp_path / "ECLI_NL_HR_2026_1.xml").write_text(DECISION)
    (found,) = run(tmp_path)
    assert found.problem is None
    assert (found.native_id, found.author, found.language) == ("ECLI:NL:HR:2026:1", "Hoge Raad", "nl")
    assert (found.published, found.title) == ("2026-02-01", "ECLI:NL:HR:2026:1 Hoge Raad")
    assert found.url == "http://deeplink.example/uitspraak?id=ECLI:NL:HR:2026:1"
    assert found.text == (
        "HOGE RAAD\nNummer 25/1\n1 De procedure\n1.1\n[verdachte] komt uit [plaats].\ngriffier\traadsheer"
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("uitspraak.info", "uitspraak.info", None),
        ("<dcterms:identifier>ECLI", "<dcterms:identifier>LJN", "no-id"),
        ("open-rechtspraak>", "dicht>", "not-xml"),
        ("</open-rechtspraak>", "", "not-xml"),
        ("<open-rechtspraak>", '<!DOCTYPE x [<!ENTITY a "b">]><open-rechtspraak>', "entities-refused"),
    ],
)
def test_a_bad_file_is_a_row_and_the_rest_goes_on(tmp_path: Path, old: str, new: str, problem: str | None) -> None:
    (tmp_path / "a.xml").write_text(DECISION.replace(old, new))
    (tmp_path / "b.xml").write_text(DECISION)
    bad, good = run(tmp_path)
    assert (bad.problem, good.problem) == (problem, None)
    assert problem is None or (bad.detail or "").startswith("a.xml: ")


def test_metadata_without_a_text_is_a_row_under_its_ecli(tmp_path: Path) -> None:
    begin, end = DECISION.index("<uitspraak xmlns"), DECISION.index("</open-")
    (tmp_path / "a.xml").write_text(DECISION[:begin] + DECISION[end:])
    (found,) = run(tmp_path)
    assert (found.native_id, found.problem, found.author) == ("ECLI:NL:HR:2026:1", "empty", "Hoge Raad")
