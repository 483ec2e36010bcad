from __future__ import annotations

import time

import pytest

from data_curation.extract import extract

TEXT = '<?xml version="1.0"{}?><page xml:lang="nl"><p>Caf\xe9 \u20ac</p></page>'


def page(encoding: str | None) -> str:
    return TEXT.format(f' encoding="{encoding}"' if encoding else "")


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        (None, "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        (None, "utf-16"),
        ("utf-16", "utf-16-le"),
        ("UTF-16BE", "utf-16-be"),
        ("ISO-8859-15", "iso-8859-15"),
        ("windows-1252", "windows-1252"),
    ],
)
def test_the_declared_encoding_is_followed(declared: str | None, codec: str) -> None:
    found = extract("a.xml", page(declared).encode(codec))
    assert (found.text, found.problem) == ("Caf\xe9 \u20ac", None)


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("UTF-16", "utf-8"),
        ("UTF-8", "utf-16"),
        ("ISO-8859-1", "utf-8-sig"),
        ("UTF-8", "iso-8859-15"),
        ("ISO-8859-12", "iso-8859-15"),
        ("US-EBCDIC", "utf-8"),
        ("zlib", "utf-8"),
        (None, "utf-32"),
    ],
)
def test_a_wrong_or_unknown_encoding_is_a_problem(declared: str | None, codec: str) -> None:
    assert extract("a.xml", page(declared).encode(codec)).problem == "not-utf-8"


@pytest.mark.parametrize(
    ("prolog", "problem"),
    [
        ('<!DOCTYPE page [<!ENTITY a "b">]>', "entities-refused"),
        ('<!DOCTYPE page [<!-- ]> --><!ENTITY a "b">]>', "entities-refused"),
        ("<!DOCTYPE page [<!ELEMENT p ANY> <!ATTLIST p x CDATA 'y'>]>", "entities-refused"),
        ('<!DOCTYPE page [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>', "entities-refused"),
        ('<!DOCTYPE page [<!ENTITY a SYSTEM "http://elders.example/">]>', "entities-refused"),
        ('<!DOCTYPE page [<!NOTATION x SYSTEM ">]"> <!ENTITY a "b">]>', "entities-refused"),
        ("<!DOCTYPE page [<!ELEMENT p ANY", "not-xml"),
        ("<!DOCTYPE page [<!ELEMENT p ANY>]>", None),
        ('<!DOCTYPE page PUBLIC "-//X//DTD Y//EN" "http://elders.example/x.dtd?[]>">', None),
        ("<!-- <!ENTITY a 'b'> --><?x <!ENTITY ?>", None),
    ],
)
def test_definitions_are_refused_and_a_named_dtd_is_not(prolog: str, problem: str | None) -> None:
    assert extract("a.page", f"{prolog}<page><p>x</p></page>".encode()).problem == problem


def test_a_listing_that_shows_definitions_is_text() -> None:
    found = extract("a.page", b'<page><screen><![CDATA[<!DOCTYPE x [<!ENTITY a "b">]>]]></screen></page>')
    assert found.text == '<!DOCTYPE x [<!ENTITY a "b">]>'


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "bomb",
    [
        '<!DOCTYPE page [<!ENTITY a "' + "x" * 200_000 + '">]><page><p>' + "&a;" * 200_000 + "</p></page>",
        '<!DOCTYPE page [<!ATTLIST p z CDATA "' + "x" * 200_000 + '">]><page>' + "<p/>" * 200_000 + "</page>",
        "<page>" + "<p>" * 300_000,
        "<!DOCTYPE page [" + "<!-- x " * 100_000,
        "<!DOCTYPE page " + "'" * 300_001,
        "<page " + " ".join(f'a{n}="x"' for n in range(30_000)) + "></page>",
        "<page>" + "<!--" * 200_000,
    ],
)
def test_bombs_are_refused_at_once(bomb: str) -> None:
    started = time.perf_counter()
    assert extract("a.page", bomb.encode()).problem in ("entities-refused", "not-xml", "empty")
    assert time.perf_counter() - started < 3
