from __future__ import annotations

import bz2
import time
import timeit
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from data_curation.readers.wikitext import plain_wikitext
from data_curation.received import Received
from tests.data_curation.sources import problems, read_all

HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="nl">
<siteinfo><sitename>W</sitename><base>https://nl.wiki.example/wiki/Hoofdpagina</base>
<namespaces><namespace key="0"/><namespace key="6">Bestand</namespace>
<namespace key="14">Categorie</namespace></namespaces>
</siteinfo>"""
END = "</mediawiki>"


def page(number: int, text: str, ns: int = 0, extra: str = "", inside: str = "", model: str = "wikitext") -> str:
    return f"""<page><title>Dijk {number}</title><ns>{ns}</ns><id>{number}</id>{extra}
<revision><id>{number}7</id><timestamp>2024-05-06T07:08:09Z</timestamp>
<contributor>{inside or "<username>Ada</username><id>5</id>"}</contributor>
<model>{model}</model><text xml:space="preserve">{text}</text></revision></page>"""


def run(folder: Path, data: str | bytes, name: str = "d.xml", **keys: Any) -> list[Received]:
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_all(folder, reader="mediawiki", path=name, **keys)


def test_a_page_becomes_a_document_and_no_licence_is_made_up(tmp_path: Path) -> None:
    (one,) = run(tmp_path, HEAD + page(1, "'''De dijk''' is [[hoogte|hoog]].") + END)
    assert (one.native_id, one.text, one.title) == ("1@17", "De dijk is hoog.", "Dijk 1")
    assert (one.language, one.author, one.published) == ("nl", "Ada", "2024-05-06")
    assert one.url == "https://nl.wiki.example/wiki/Dijk_1" and one.declared == ()
    (other,) = run(tmp_path, HEAD + page(1, "x", inside="<ip>192.0.2.1</ip>") + END, licence="CC-BY-SA-4.0")
    assert other.author is None and [d.text for d in other.declared] == ["CC-BY-SA-4.0"]


def test_what_is_no_document_is_counted_in_one_row(tmp_path: Path) -> None:
    dump = (
        HEAD
        + page(1, "x")
        + page(2, "y", extra="<redirect title='Z'/>")
        + page(3, "z", ns=1)
        + page(4, "w", ns=1)
        + END
    )
    found = run(tmp_path, bz2.compress(dump.encode()), "d.xml.bz2")
    assert problems(found) == {None: 1, "passed-over": 1}
    assert "1 redirects and 2 pages" in (found[1].detail or "")
    assert [one.native_id for one in run(tmp_path, dump, namespaces=[0, 1]) if one.text] == ["1@17", "3@37", "4@47"]


def test_pages_that_cannot_be_read_are_rows(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        HEAD + page(1, "") + page(2, "x", model="json") + page(3, "{{alleen|sjabloon}}") + page(4, "x" * 5000)
        + "<page><title>T</title><ns>0</ns></page>" + page(6, "goed")
        + page(7, "x").replace("<text xml:space", "<text deleted='deleted' xml:space") + END,
        largest_document=3000,
    )  # fmt: skip
    assert [one.problem for one in found] == [
        "empty",
        "other-media-type",
        "empty",
        "too-large",
        "no-id",
        None,
        "deleted",
    ]


@pytest.mark.parametrize(
    ("data", "problem", "pages"),
    [
        (HEAD + page(1, "x") + "<page><title>", "not-xml", 1),
        (HEAD + page(1, "x") + page(2, "a &bom; b") + END, "not-xml", 1),
        ('<!DOCTYPE m [<!ENTITY b "x">]>' + HEAD + page(1, "&b;") + END, "entities-refused", 0),
        ('<!DOCTYPE m SYSTEM "file:///etc/passwd">' + HEAD + END, "entities-refused", 0),
        ("<rss/>", "not-xml", 0),
        ("", "not-xml", 0),
        (HEAD + END, "empty-file", 0),
        ("<mediawiki>" + "<a>" * 100_000, "not-xml", 0),
    ],
)
def test_a_file_that_breaks_off_keeps_what_came_before(tmp_path: Path, data: str, problem: str, pages: int) -> None:
    found = run(tmp_path, data)
    assert problem in problems(found) and problems(found)[None] == pages


def test_a_cut_archive_is_told_as_such(tmp_path: Path) -> None:
    dump = "".join([HEAD, *(page(n, f"tekst {n * n}") for n in range(3000)), END]).encode()
    packed = bz2.compress(dump)
    found = run(tmp_path, packed[: len(packed) - 500], "d.xml.bz2")
    assert found[-1].problem == "truncated"


def test_memory_does_not_grow_with_the_dump(tmp_path: Path) -> None:
    (tmp_path / "d.xml").write_text(HEAD + "".join(page(n, "woord " * 2000) for n in range(150)) + END)
    tracemalloc.start()
    from data_curation.readers import read
    from tests.data_curation.sources import SOURCE

    source = SOURCE.validate_python({"name": "b", "partner": "P", "reader": "mediawiki", "path": "d.xml"})
    assert sum(1 for one in read(source, tmp_path, tmp_path) if one.text) == 150
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("A {{x|{{y}}|[[z]]}} b", "A b"),
        ("A\n{| class=x\n|-\n| cel {{t}}\n{|\n| in\n|}\n|}\nB", "A\n\nB"),
        ("een[[Bestand:x.jpg|thumb|een [[link]] erin]] twee", "een twee"),
        ("[[Category:X]]tekst[[:Category:Y]]", "tekstCategory:Y"),
        ("== Kop ==\n* een\n** twee\n# drie", "Kop\neen\ntwee\ndrie"),
        ("feit<ref name=a>bron</ref> en<ref name=b/> meer<!-- weg -->", "feit en meer"),
        ("[https://x.example de site] en [https://y.example]", "de site en"),
        ("a<br/>b <sup>c</sup> &amp; &lt;d&gt;", "a\nb c & <d>"),
        ("<nowiki>[blijft]</nowiki> <math>x^2</math>", "[blijft]"),
        ("''schuin'' en '''vet''' en l'''été", "schuin en vet en lété"),
        ("__NOTOC__\n----\nx", "x"),
        ("{{open en [[open", "open en open"),
        ("prijs | bedrag |} niet", "prijs | bedrag |} niet"),
    ],
)
def test_markup_becomes_words(markup: str, text: str) -> None:
    assert plain_wikitext(markup, frozenset(("file", "image", "category", "bestand"))) == text


HOSTILE = {
    **{
        sign: (sign,)
        for sign in ("{{", "[[", "<b>", "<ref>", "''", "{|\n", "{{{", "<!--", "[http://", "<", "=", "[[a|", "}}")
    },
    **{sign: (sign,) for sign in ("&amp;", "<ref name=", "__A", "<br ", "[mailto:", " ", ":", "[[a]]")},
    "heading that does not end": ("=", "x"),
    "heading of blanks": ("= ", " ", "x"),
    "link that does not end": ("[//", "a"),
    "deep links": ("[[", "a", "]]"),
}


@pytest.mark.parametrize("case", sorted(HOSTILE))
def test_hostile_markup_takes_linear_time(case: str) -> None:
    times = []
    for size in (50_000, 200_000):
        text = "".join(piece * (size // len(piece)) for piece in HOSTILE[case])
        # The best of three, without garbage collection, whose pauses come from what other tests left.
        work = partial(plain_wikitext, text, frozenset(("file",)))
        times.append(min(timeit.repeat(work, timer=time.process_time, number=1, repeat=3)))
    assert times[1] < 12 * times[0] + 0.2
