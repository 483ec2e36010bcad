from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from data_curation.extract import extract
from data_curation.readers import Source, read
from data_curation.received import Received

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)
NS = 'xmlns="http://iptc.org/std/nar/2006-10-01/"'

NITF = """<nitf version="-//IPTC//DTD NITF 3.5//EN" xml:lang="fr"><head><title>Titre</title>
<docdata management-status="{status}"><doc-id id-string="afp-1"/><date.issue norm="20240309T101500Z"/>
<date.expire norm="20991231"/><doc.copyright holder="AFP" year="2024"/><doc.rights owner="AFP" type="print"/></docdata>
</head><body><body.head><hedline><hl1>Le pont</hl1></hedline><byline>Par <person>Anne D.</person></byline></body.head>
<body.content><media media-type="image"><media-caption>non</media-caption></media><block><p>Il <em>ouvre</em>.</p>
<p>Demain<br/>encore.</p><table><tr><td>a</td><td>b</td></tr></table></block></body.content></body></nitf>"""


def item(
    guid: str = "urn:a", version: int = 1, status: str | None = "stat:usable", text: str = "Tekst.", extra: str = ""
) -> str:
    name = f' guid="{guid}"' if guid else ""
    state = f'<pubStatus qcode="{status}"/>' if status else ""
    return f"""<newsItem {NS}{name} version="{version}" standard="NewsML-G2" xml:lang="en">
<rightsInfo><copyrightHolder><name>ANP</name></copyrightHolder><copyrightNotice>(c) ANP</copyrightNotice>
<usageTerms href="https://anp.example/terms">Niet voor zoekmachines.</usageTerms></rightsInfo>
<itemMeta><versionCreated>2024-03-09T10:15:00+01:00</versionCreated>{state}{extra}</itemMeta>
<contentMeta><by>Ada J.</by><language tag="nl-NL"/><headline>Kop</headline></contentMeta>
<contentSet><remoteContent href="x.jpg"/><inlineXML contenttype="application/xhtml+xml">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>non</title></head><body><p>{text}</p></body></html></inlineXML>
<inlineData contenttype="text/plain">nog eens</inlineData></contentSet></newsItem>"""


def message(*items: str) -> str:
    return (
        f"<newsMessage {NS}><header><sent>2024-03-09</sent></header><itemSet>{''.join(items)}</itemSet></newsMessage>"
    )


def run(folder: Path, **keys: Any) -> list[Received]:
    source = SOURCE.validate_python({"name": "anp", "partner": "ANP", "reader": "news", "path": "."} | keys)
    return list(read(source, folder, folder / "cache"))


def test_an_item_has_id_language_rights_date_and_author(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(item())
    (found,) = run(tmp_path)
    assert (found.native_id, found.text, found.language) == ("urn:a", "Kop\nTekst.", "nl")
    assert (found.title, found.author, found.published, found.withdrawn) == ("Kop", "Ada J.", "2024-03-09", False)
    assert found.received_bytes == len(item().encode())
    assert [(one.text, one.form) for one in found.declared] == [
        ("(c) ANP", "prose"),
        ("https://anp.example/terms", "url"),
        ("Niet voor zoekmachines.", "prose"),
    ]
    assert all(one.where.startswith("a.xml:") for one in found.declared)


def test_a_message_gives_every_item_in_its_order(tmp_path: Path) -> None:
    package = f'<packageItem {NS} guid="urn:p"><itemMeta/><groupSet root="g"/></packageItem>'
    (tmp_path / "a.xml").write_text(message(item("urn:b"), package, item("", text="zonder"), item("urn:a", text="")))
    found = run(tmp_path)
    assert [(one.native_id, one.problem) for one in found] == [
        ("urn:b", None),
        ("urn:p", "empty"),
        ("a.xml#3", "no-id"),
        ("urn:a", None),
    ]
    assert "tells of other items" in (found[1].detail or "")
    assert found[3].text == "Kop\nnog eens"
    assert extract("a.xml", message(item()).encode()).problem == "several-documents"


@pytest.mark.parametrize(
    ("status", "extra", "withdrawn"),
    [
        ("stat:usable", "", False),
        (None, "", False),
        ("stat:canceled", "", True),
        ("stat:withheld", "", True),
        ("http://cv.iptc.org/newscodes/pubstatusg2/usable", "", False),
        ("stat:usable", "<embargoed/>", True),
        ("stat:usable", "<embargoed>2024-05-01T00:00:00Z</embargoed>", False),
    ],
)
def test_what_is_not_usable_is_withdrawn(tmp_path: Path, status: str | None, extra: str, withdrawn: bool) -> None:
    (tmp_path / "a.xml").write_text(item(status=status, extra=extra))
    assert run(tmp_path)[0].withdrawn is withdrawn
    assert extract("a.xml", item(status=status, extra=extra).encode()).withdrawn is withdrawn


def test_a_cancelled_version_takes_back_the_earlier_ones_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(message(item("urn:a", 1), item("urn:a", 4), item("urn:b", 1)))
    (tmp_path / "b.xml").write_text(item("urn:a", 3, "stat:canceled", text=""))
    assert [(one.native_id, one.withdrawn) for one in run(tmp_path)] == [
        ("urn:a", True),
        ("urn:a", False),
        ("urn:b", False),
        ("urn:a", True),
    ]


def test_a_cancellation_in_utf_16_counts(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(item("urn:a", 1))
    (tmp_path / "b.xml").write_bytes(item("urn:a", 2, "stat:canceled").encode("utf-16"))
    assert [one.withdrawn for one in run(tmp_path)] == [True, True]


def test_a_nitf_story(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(NITF.format(status="usable"))
    (tmp_path / "b.xml").write_text(NITF.format(status="canceled").replace("afp-1", "afp-2"))
    found, taken_back = run(tmp_path)
    assert found.text == "Le pont\nIl ouvre.\nDemain\nencore.\na\tb"
    assert (found.native_id, found.language, found.title) == ("afp-1", "fr", "Le pont")
    assert (found.author, found.published) == ("Anne D.", "2024-03-09")
    assert [one.text for one in found.declared] == [
        "(not to be used after 20991231)",
        "(terms in a form that is not read) owner AFP; type print",
    ]
    assert (found.withdrawn, taken_back.withdrawn) == (False, True)


def test_a_nitf_story_within_an_item_is_its_text(tmp_path: Path) -> None:
    html = item()
    begin, end = html.index("<html"), html.index("</inlineXML")
    (tmp_path / "a.xml").write_text(message(html[:begin] + NITF.format(status="usable") + html[end:]))
    (found,) = run(tmp_path)
    assert (found.native_id, found.text) == ("urn:a", "Kop\nIl ouvre.\nDemain\nencore.\na\tb")


def test_what_came_before_a_break_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(message(item("urn:a"), item("urn:b"), item("urn:c"))[:-500])
    (tmp_path / "b.xml").write_text(item("urn:d"))
    found = run(tmp_path)
    assert [(one.native_id, one.problem) for one in found] == [
        ("urn:a", None),
        ("urn:b", None),
        ("a.xml", "not-xml"),
        ("urn:d", None),
    ]
    assert "2 items before" in (found[2].detail or "")


def test_a_stream_gives_what_a_small_file_gives(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(message(*(item(f"urn:{n}", text=f"Bericht {n}. " * 99) for n in range(200))))
    whole, streamed = run(tmp_path), run(tmp_path, largest_document=5000)
    assert len(whole) == 200
    assert [(one.id, one.text, one.declared) for one in whole] == [(one.id, one.text, one.declared) for one in streamed]


def test_an_item_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.xml").open("w") as file:
        file.write(message(item("urn:a"))[: -len("</itemSet></newsMessage>")] + f'<newsItem {NS} guid="urn:z">')
        for _ in range(60):
            file.write("<p>" + "x" * 100_000 + "</p>")
    items = [item("urn:a"), item("urn:b", text="lang " * 2000), item("urn:c"), *(item(f"urn:{n}") for n in range(300))]
    (tmp_path / "b.xml").write_text(message(*items))
    tracemalloc.start()
    found = run(tmp_path, largest_document=5000, include=["a.xml"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(one.native_id, one.problem) for one in found] == [("urn:a", None), ("a.xml", "too-large")]
    assert peak < 3_000_000
    found = run(tmp_path, largest_document=5000, include=["b.xml"])
    assert [(one.native_id, one.problem) for one in found][:3] == [
        ("urn:a", None),
        ("urn:b", "too-large"),
        ("urn:c", None),
    ]
    assert len(found) == 303


@pytest.mark.parametrize("largest", [100, 1 << 20])
@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("<page>" + "<p/>" * 100 + "</page>", "not-xml"),
        (message(), "not-xml"),
        ("", "not-xml"),
        ("<!DOCTYPE newsItem [<!ENTITY a 'b'>]>" + item(text="&a;"), "entities-refused"),
        ("<!DOCTYPE newsItem SYSTEM 'x.dtd'>" + item(text="&a;"), "entities-refused"),
        ("<!DOCTYPE newsItem [<!ATTLIST p x CDATA 'y'>]>" + item(), "entities-refused"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_row(tmp_path: Path, data: str, problem: str, largest: int) -> None:
    data = data.replace("</headline>", " zeer lang" * 2000 + "</headline>")
    (tmp_path / "a.xml").write_text(data)
    (found,) = run(tmp_path, largest_document=largest)
    assert (found.native_id, found.problem, found.text) == ("a.xml", problem, None)
    assert found.received_bytes == len(data.encode())
