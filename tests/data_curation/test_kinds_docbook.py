from __future__ import annotations

import pytest

from data_curation.extract import extract
from licensing.resolvers.document import declared

BOOK4 = """<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE book PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "http://elders.example/docbookx.dtd">
<book lang="nl" id="sluis"><bookinfo><title>De sluis</title>
<author><firstname>Ada</firstname> <surname>Jansen</surname><affiliation><orgname>Haven</orgname></affiliation></author>
<pubdate>2024-03-09</pubdate><copyright><year>2024</year></copyright>
<legalnotice><para>Vrij te gebruiken onder
<ulink url="https://creativecommons.org/licenses/by/4.0/">CC BY</ulink>, zie <ulink url="https://haven.example">ons</ulink>.
</para></legalnotice></bookinfo>
<chapter><title>Caf\xe9s<indexterm><primary>non</primary></indexterm></title>
<para>De <emphasis>sluis</emphasis>
gaat open<footnote><para>Op zondag niet.</para></footnote>.<remark>non</remark></para>
<programlisting>
if open:
    vaar()

klaar</programlisting>
<informaltable><tgroup cols="2"><colspec colname="a"/><tbody><row><entry>Brug</entry><entry>4 m</entry></row></tbody>
</tgroup></informaltable></chapter></book>"""

ARTICLE5 = """<article xmlns="http://docbook.org/ns/docbook" version="5.0" xml:lang="de" xml:id="s">
<info><title>Die Schleuse</title><author><personname>Ada B.</personname><email>a@b.example</email></author>
<legalnotice><para>Alle Rechte vorbehalten.</para></legalnotice></info>
<section><info><title>Anfang</title><date>2020</date></info>
<para>Sie <productname>S1</productname> geht auf.</para></section>
</article>"""


def test_a_book_of_version_4_names_its_dtd_and_is_read() -> None:
    found = extract("boek.xml", BOOK4.encode("latin-1"))
    assert found.text == (
        "De sluis\nCafés\nDe sluis gaat open\nOp zondag niet.\n.\nif open:\n    vaar()\n\nklaar\nBrug\t4 m"
    )
    assert (found.title, found.language, found.author) == ("De sluis", "nl", "Ada Jansen")
    assert (found.published, found.native_id) == ("2024-03-09", "sluis")
    said = declared("boek.xml", BOOK4.encode("latin-1"))
    assert [(one.text, one.form) for one in said] == [("https://creativecommons.org/licenses/by/4.0/", "url")]


def test_an_article_of_version_5_keeps_titles_of_its_sections() -> None:
    found = extract("a.dbk", ARTICLE5.encode())
    assert found.text == "Die Schleuse\nAnfang\nSie S1 geht auf."
    assert (found.title, found.language, found.author, found.native_id) == ("Die Schleuse", "de", "Ada B.", "s")
    assert [(one.text, one.form) for one in declared("a.dbk", ARTICLE5.encode())] == [
        ("Alle Rechte vorbehalten.", "prose")
    ]


@pytest.mark.parametrize("place", ["<para>&euro; 5</para>", '<para role="&euro;">5</para>'])
def test_an_entity_of_the_outside_dtd_is_refused_wherever_it_stands(place: str) -> None:
    found = extract("a.xml", BOOK4.replace("<para>De", place + "<para>De").encode("latin-1"))
    assert found.problem == "entities-refused" and "euro" in (found.detail or "")


def test_an_article_of_another_format_is_refused() -> None:
    assert extract("a.xml", b"<article><front/><body><p>JATS</p></body></article>").problem == "not-xml"
