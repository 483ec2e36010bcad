from __future__ import annotations

import codecs
import dataclasses

import pytest

from licensing.reservations.pages import as_page, from_headers, from_html, reserving_elements
from licensing.reservations.signal import combined
from tests.licensing.reservations.sites import AGENTS, QUIET_PAGE, evidence


def said(text: str | bytes) -> str:
    found = from_html(evidence(text), AGENTS).signals
    return combined(signal.value for signal in found) if found else "silent"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (QUIET_PAGE, "silent"),
        ("", "silent"),
        ('<meta name="robots" content="noindex, nofollow">', "silent"),
        ('<meta name="robots" content="noai, noimageai">', "disallowed"),
        ("<META CONTENT='NOAI' NAME=ROBOTS>", "disallowed"),
        ('<meta name="robots" content="noml"/>', "disallowed"),
        ('<meta name="GPTBot" content="noai">', "disallowed"),
        ('<meta name="Googlebot" content="noai">', "disallowed"),
        ('<meta name="robots" content="noimageai">', "silent"),
        ('<meta name="description" content="noai">', "silent"),
        ('<meta name="tdm-reservation" content="1"><meta name="tdm-policy" content="/p">', "disallowed"),
        ('<meta name="tdm-reservation" content="0">', "allowed"),
        ('<meta name="tdm-reservation" content="ja">', "unknown"),
        ('<meta name="tdm-reservation">', "unknown"),
        ('<meta http-equiv="Content-Usage" content="train-ai=n">', "disallowed"),
        ('<body><p>Tekst</p><meta name="tdm-reservation" content="1"></body>', "disallowed"),
        ('<!-- <meta name="tdm-reservation" content="1"> -->', "silent"),
        ('<meta name="tdm-reservation" content="&#49;">', "disallowed"),
        ('<meta name="robots" name="x" content="noai">', "disallowed"),
        ('<script type="application/rsl+xml"><rsl/></script>', "unknown"),
        (codecs.BOM_UTF16_LE + '<meta name="robots" content="noai">'.encode("utf-16-le"), "disallowed"),
        ('<meta name="robots" content="noai">'.encode("utf-16-le"), "unknown"),
        (b'caf\xe9 <meta name="robots" content="noai">', "disallowed"),
        (codecs.BOM_UTF16_LE + b"a", "unknown"),
    ],
)  # fmt: skip
def test_what_a_page_says(text: str | bytes, expected: str) -> None:
    assert said(text) == expected


def test_the_finding_names_line_and_element() -> None:
    (found,) = from_html(evidence('<html>\n<head>\n<meta name="tdm-reservation" content="1">'), AGENTS).signals
    assert found.where.endswith("line 3 <meta tdm-reservation>") and found.text == "tdm-reservation: 1"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"content-type": "text/html"}, "silent"),
        ({"TDM-Reservation": "1", "tdm-policy": "https://a.example/p"}, "disallowed"),
        ({"tdm-reservation": ["1", "0"]}, "unknown"),
        ({"X-Robots-Tag": "noai, noimageai"}, "disallowed"),
        ({"X-Robots-Tag": ["noindex", "GPTBot: noai"]}, "disallowed"),
        ({"X-Robots-Tag": "noindex"}, "silent"),
        ({"Content-Usage": "train-ai=n"}, "disallowed"),
        ({"Content-Usage": ["search=y", "train-ai=n"]}, "disallowed"),
        ({"content-usage": "search=y", "Content-Usage": "train-ai=n"}, "disallowed"),
        ({"Content-Usage": "train-ai=y"}, "allowed"),
        ({"Content-Usage": "?"}, "unknown"),
        ({"Content-Signal": "ai-train=no"}, "disallowed"),
    ],
)
def test_what_headers_say(headers: dict[str, str | list[str]], expected: str) -> None:
    found = from_headers(evidence("x"), headers, AGENTS).signals
    assert (combined(signal.value for signal in found) if found else "silent") == expected


def test_terms_are_found_where_they_are_named() -> None:
    header = {
        "Link": '</style.css>; rel="preload", <https://a.example/l.xml>; rel="license"; type="application/rsl+xml"'
    }
    assert from_headers(evidence("x"), header, AGENTS).licences == ["https://a.example/l.xml"]
    page = '<link rel="license" type="application/rsl+xml" href="/l.xml"><link rel=license href="/cc">'
    assert from_html(evidence(page), AGENTS).licences == ["/l.xml"]


@pytest.mark.parametrize(
    "text",
    [
        '<html>\n<head>\n<meta charset=utf-8>\n<meta\n name="tdm-reservation" content="1">\n<p>x',
        "<META CONTENT='NOAI, noindex' NAME=ROBOTS>",
        '<meta name="GPTBot" content="noai"><meta name="description" content="&lt;p&gt;">',
        '<link rel="license" type="application/rsl+xml" href="/l.xml">',
        '<script type="application/rsl+xml"><rsl></rsl></script>',
        codecs.BOM_UTF16_LE + '<meta name="robots" content="noai">'.encode("utf-16-le"),
        QUIET_PAGE,
    ],
)
def test_elements_alone_say_what_the_page_says(text: str | bytes) -> None:
    whole = evidence(text)
    elements = reserving_elements(whole.data)
    assert elements is not None
    alone = from_html(dataclasses.replace(whole, data=as_page(elements), excerpt_of=whole.sha256), AGENTS)
    assert alone == from_html(whole, AGENTS)


def test_elements_of_a_page_that_cannot_be_read_are_not_none_at_all() -> None:
    assert reserving_elements('<meta name="robots" content="noai">'.encode("utf-16-le")) is None
