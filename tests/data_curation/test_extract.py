from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_curation.extract import extract

PAGE = """<!DOCTYPE html><html lang="nl-NL"><head><meta charset="utf-8"><title>De  sluis</title></head><body>
<header><a href="x">Menu</a></header><nav>Vorige</nav>
<h1>De sluis</h1><p>De sluis gaat om <b>zes</b> uur open voor de scheepvaart.</p>
<ul><li>Eerst de vrachtvaart.</li><li>Dan de pleziervaart.</li></ul>
<pre>sluis --open
sluis --dicht</pre>
<table><tr><td>hoogte</td><td>4 m</td></tr></table>
<script>alert(1)</script><footer>colofon</footer></body></html>"""

MALLARD = """<?xml version="1.0" encoding="utf-8"?>
<page xmlns="http://projectmallard.org/1.0/" type="topic" id="sluis" xml:lang="de">
  <info><desc>Kurz</desc><credit type="author"><name>Ada</name><email>ada@haven.example</email></credit></info>
  <title>Die <em>Schleuse</em></title>
  <p>Die Schleuse öffnet um <gui>sechs</gui>
     Uhr.</p>
  <steps><item><p>Zuerst warten.</p></item><item><p>Dann fahren.</p></item></steps>
  <screen>schleuse --auf
schleuse --zu</screen>
</page>"""

MAN = r""".\" remark
.de XX
never shown
..
.if t .ds Q t
.TH B2SUM 1 "2022" "GNU"
.SH NAAM
b2sum \- sommen \(aqberekenen\(aq
.SH SAMENVATTING
\fBb2sum\fP [\fI\,OPTIE\/\fP]... caf\['e]\(em\[u00E9]
.PP
Een verplicht argument
is verplicht.
.TP
.BR \-b ", " \-\-binary
in binaire modus \e lezen
.nf
regel een
  regel twee
.fi
.if n voor terminals
.if t voor drukwerk
"""


def test_a_page_keeps_lists_tables_and_listings_and_loses_navigation() -> None:
    found = extract("sluis.html", PAGE.encode())
    assert found.problem is None and found.text is not None
    assert (found.language, found.title) == ("nl-NL", "De sluis")
    for kept in ("De sluis gaat om zes uur open", "Eerst de vrachtvaart.", "sluis --open\nsluis --dicht", "4 m"):
        assert kept in found.text
    for left_out in ("Menu", "Vorige", "alert", "colofon"):
        assert left_out not in found.text
    assert "\n\n\n" not in found.text and "\t\n" not in found.text


def test_a_page_that_is_all_navigation_markup_keeps_its_text() -> None:
    page = f"<html><body><form><p>{'Alles staat in een formulier. ' * 9}</p></form><p>Kort.</p></body></html>"
    assert "Alles staat in een formulier." in (extract("a.html", page.encode()).text or "")


def test_the_declared_charset_of_a_page_is_followed_and_an_unknown_one_refused() -> None:
    latin = '<html><meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-1"><p>Bogot\xe1</p></html>'
    assert extract("a.html", latin.encode("latin-1")).text == "Bogotá"
    assert extract("a.html", b"<html><p>Bogot\xe1</p></html>").problem == "not-utf-8"
    # Python has a codec of this name, which is no charset.
    assert extract("a.html", b'<html><meta charset="unicode_escape"><p>x</p></html>').problem == "not-utf-8"


def test_mallard_keeps_blocks_and_drops_credits() -> None:
    found = extract("sluis.page", MALLARD.encode())
    assert (found.language, found.title) == ("de", "Die Schleuse")
    assert found.text == (
        "Die Schleuse\nDie Schleuse öffnet um sechs Uhr.\nZuerst warten.\nDann fahren.\nschleuse --auf\nschleuse --zu"
    )


def test_a_tei_body_loses_header_notes_page_breaks_and_replaced_spellings() -> None:
    tei = """<TEI xmlns="http://www.tei-c.org/ns/1.0" xml:lang="fr"><teiHeader><title>Non</title></teiHeader><text>
    <body><div><head>I</head><p>Il <hi>vint</hi><note>non</note> un <pb n="3"/>jour<choice><sic>non</sic><corr>.</corr>
    </choice></p><lg><l>Premier vers</l><l>Second vers</l></lg></div></body></text></TEI>"""
    assert extract("a.xml", tei.encode()).text == "I\nIl vint un jour.\nPremier vers\nSecond vers"


def test_a_manual_page_becomes_plain_text() -> None:
    found = extract("man/nl/man1/b2sum.1.gz", gzip.compress(MAN.encode()))
    assert found.title == "B2SUM(1)"
    assert found.text is not None
    assert "NAAM\nb2sum - sommen 'berekenen'" in found.text
    assert "b2sum [OPTIE]... cafe\u0301—é" in found.text
    assert "Een verplicht argument is verplicht." in found.text
    assert "-b, --binary in binaire modus \\ lezen" in found.text
    assert "regel een\n  regel twee" in found.text
    assert "voor terminals" in found.text
    for left_out in ("never shown", "voor drukwerk", "remark", ".TP", "\\f"):
        assert left_out not in found.text


def test_a_name_that_ends_like_a_manual_section_stays_plain_text() -> None:
    assert extract("notes.1", b"Gewone regel.\n.TH staat hier zomaar.").text == "Gewone regel.\n.TH staat hier zomaar."


def test_text_stays_as_written_but_for_line_ends() -> None:
    decomposed = "Cafe\u0301 \ufb01jn  \t \r\nregel\rlaatste"
    assert extract("a.txt", decomposed.encode()).text == "Cafe\u0301 \ufb01jn  \t \nregel\nlaatste"
    assert extract("a.md", b"\xef\xbb\xbf# Kop").text == "# Kop"


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("a.txt", b"", "empty"),
        ("a.txt", b" \n\t\n", "empty"),
        ("a.txt", b"ab\0c", "control-characters"),
        ("a.txt", b"goed\n\xff\xfe", "not-utf-8"),
        ("a.txt", "Zürich".encode("mac-roman"), "not-utf-8"),
        ("a.txt", "tekst".encode("utf-32"), "not-utf-8"),
        ("a.txt.gz", gzip.compress(b"tekst" * 1000, mtime=0)[:-9], "truncated"),
        ("a.txt.gz", b"geen gzip", "truncated"),
        ("a.page", b"<page><p>open", "not-xml"),
        ("a.xml", b"<boek/>", "not-xml"),
        ("a.xml", b"<TEI>" + b"<p>" * 5000 + b"</p>" * 5000 + b"</TEI>", "not-xml"),
        ("a.page", b'<!DOCTYPE page SYSTEM "http://elders.example/x.dtd"><page><p>&x;</p></page>', "entities-refused"),
        (
            "a.page",
            b'<!DOCTYPE page [<!ENTITY x SYSTEM "file:///etc/passwd">]><page><p>&x;</p></page>',
            "entities-refused",
        ),
    ],
)
def test_what_cannot_be_read_says_why(name: str, data: bytes, problem: str) -> None:
    found = extract(name, data)
    assert (found.text, found.problem) == (None, problem)
    assert found.detail is not None and found.detail.startswith(name)


@pytest.mark.timeout(60)
def test_an_xml_bomb_is_refused_at_once() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE page [<!ENTITY e0 "ha">{entities}]><page><p>&e9;</p></page>'
    assert extract("a.page", bomb.encode()).problem in ("entities-refused", "not-xml")


def test_a_gzip_bomb_is_unpacked_no_further_than_allowed() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert extract("a.txt.gz", bomb, 1 << 20).problem == "too-large"


@given(st.sampled_from(["a.html", "a.page", "a.xml", "a.1", "a.txt", "a.1.gz"]), st.binary(max_size=400))
def test_no_bytes_make_it_fail_and_text_never_comes_with_a_problem(name: str, data: bytes) -> None:
    found = extract(name, data)
    assert (found.text is None) == (found.problem is not None)


@given(st.text(alphabet="\\.'\"[](){}*fsBnPu0 \nTHSc", max_size=200))
def test_no_manual_page_makes_it_fail(page: str) -> None:
    found = extract("man1/a.1", f".TH A 1\n{page}".encode())
    assert (found.text is None) == (found.problem is not None)


def test_a_long_run_of_blanks_takes_no_time() -> None:
    from data_curation.plain_text import tidy

    assert tidy("a" + " " * 2_000_000 + "b \t\u00a0\n\n\n\nc") == "a" + " " * 2_000_000 + "b\n\nc"
