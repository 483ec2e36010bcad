from __future__ import annotations

import pytest

from licensing.resolvers.html import declared

BY = "https://creativecommons.org/licenses/by/4.0/"
NC = "https://creativecommons.org/licenses/by-nc/4.0/"


def said(page: str) -> list[tuple[str, str]]:
    return [(one.form, one.text) for one in declared(page.encode(), "p.html")]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (f'<p>x</p>\n<a href="{BY}" REL="nofollow License">CC</a>', ("url", BY)),
        (f'<link rel="license" href="{BY}">', ("url", BY)),
        (f'<map><area rel="license" href="{BY}"></map>', ("url", BY)),
        (f'<a rel="copyright" href="{BY}">oud</a>', ("url", BY)),
        ('<a rel="license" href="MIT">het bestand MIT, geen licentienaam</a>', ("url", "MIT")),
        ('<meta name="License" content="CC-BY-4.0">', ("spdx", "CC-BY-4.0")),
        (f'<meta name="dcterms.license" content="{BY}">', ("url", BY)),
        (f'<meta name="DC.rights" content="{BY}">', ("url", BY)),
        ('<meta name="rights" content="Alle rechten voorbehouden">', ("prose", "Alle rechten voorbehouden")),
        ('<meta name="copyright" content="© 2020 Jan">', ("prose", "© 2020 Jan")),
        (f'<meta property="cc:license" content="{BY}">', ("url", BY)),
        (f'<span property="http://purl.org/dc/terms/license" resource="{BY}">x</span>', ("url", BY)),
        (f'<a itemprop="license" href="{BY}">x</a>', ("url", BY)),
        ('<span itemprop="license">CC0-1.0</span>', ("spdx", "CC0-1.0")),
    ],
)
def test_each_way_to_declare(page: str, expected: tuple[str, str]) -> None:
    assert said(f"<html><body>{page}</body></html>") == [expected]


def test_the_place_is_file_line_and_element() -> None:
    page = f'<html>\n<body>\n<a rel="license" href="{BY}">x</a>'.encode()
    assert [one.where for one in declared(page, "map/p.html")] == ['map/p.html:3 <a rel="license">']


@pytest.mark.parametrize(
    "page",
    [
        f'<a href="{BY}">een gewone verwijzing</a>',
        f'<p>rel="license" {BY}</p>',
        f'<!-- <a rel="license" href="{BY}">x</a> -->',
        f'<template><a rel="license" href="{BY}">x</a></template>',
        f'<a rel="licensed" href="{BY}">x</a>',
        f'<a rel="license" nohref="{BY}">x</a>',
        '<meta name="dcterms.rightsHolder" content="Jan">',
        f'<script>var licence = "{BY}"</script>',
    ],
)
def test_what_declares_nothing(page: str) -> None:
    assert said(f"<body>{page}") == []


PARTS = [
    f'<figure><img src="x.png"><figcaption><a rel="license" href="{NC}">foto</a></figcaption></figure>',
    f'<blockquote><a rel="license" href="{NC}">bron</a></blockquote>',
    f'<aside><a rel="license" href="{NC}">kader</a></aside>',
    f'<article><article><a rel="license" href="{NC}">reactie</a></article></article>',
    f'<div about="/foto.jpg"><a rel="license" href="{NC}">x</a></div>',
    f'<div itemscope itemtype="https://schema.org/ImageObject"><a itemprop="license" href="{NC}">x</a></div>',
    f'<div typeof="schema:Book"><a rel="license" href="{NC}">x</a></div>',
    f'<div resource="#boek"><a property="license" href="{NC}">x</a></div>',
    f'<script type="application/ld+json">{{"@type":["Article","Book"],"license":"{NC}"}}</script>',
    f'<script type="application/ld+json">{{"@type":"ImageObject","license":"{NC}"}}</script>',
    f'<script type="application/ld+json">{{"@type":"Article","image":{{"license":"{NC}"}}}}</script>',
]


@pytest.mark.parametrize("part", PARTS)
def test_a_licence_of_a_part_never_stands_for_the_page(part: str) -> None:
    assert [form for form, _ in said(f"<body>{part}")] == ["prose"]
    beside = said(f'<body>{part}<footer><a rel="license" href="{BY}">x</a></footer>')
    assert set(beside) == {("url", BY), ("url", NC)}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f'"{BY}"', [("url", BY)]),
        (f'["{BY}", "MIT"]', [("url", BY), ("spdx", "MIT")]),
        (f'{{"@id": "{BY}"}}', [("url", BY)]),
        (f'{{"@type": "CreativeWork", "name": "CC BY 4.0", "url": "{BY}"}}', [("url", BY)]),
        (
            f'{{"@type": "CreativeWork", "name": "All rights reserved", "url": "{BY}"}}',
            [("url", BY), ("prose", "All rights reserved")],
        ),
        ('{"@type": "CreativeWork", "name": "CC BY 4.0"}', [("prose", "CC BY 4.0")]),
        ("null", []),
        ("7", [("prose", "7")]),
    ],
)
def test_json_ld(value: str, expected: list[tuple[str, str]]) -> None:
    for card in (f'{{"license": {value}}}', f'[{{"@graph": [{{"@type": "WebPage", "schema:license": {value}}}]}}]'):
        assert said(f'<script type="application/ld+json">{card}</script>') == expected


def test_json_ld_that_cannot_be_read_goes_to_a_person_and_a_key_given_twice_counts_twice() -> None:
    page = '<script type="application/ld+json">{"license": "CC0-1.0",}</script>'
    assert [form for form, _ in said(page)] == ["prose"]
    page = '<script type="application/ld+json">{"license": "CC-BY-NC-4.0", "license": "CC0-1.0"}</script>'
    assert [text for _, text in said(page)] == ["CC-BY-NC-4.0", "CC0-1.0"]


def test_words_of_a_link_that_deny_what_its_address_grants_count_too() -> None:
    assert said(f'<a rel="license" href="{BY}">CC BY-NC 4.0</a>') == [("url", BY), ("prose", "CC BY-NC 4.0")]
    assert said(f'<a rel="license" href="{NC}">CC BY-NC 4.0</a>') == [("url", NC)]


def test_a_page_with_more_statements_than_a_person_would_make_goes_to_a_person() -> None:
    links = "".join(f'<a rel="license" href="https://x.example/{number}">x</a>' for number in range(200))
    found = said(links)
    assert len(found) == 65 and found[-1] == ("prose", "(more statements than can be read)")
    assert said(f'<a rel="license" href="{BY}">x</a>' * 200) == [("url", BY)]


@pytest.mark.parametrize(
    "kind", ["https://schema.org/WebPage", "http://schema.org/WPFooter", "https://schema.org/Blog"]
)
def test_a_page_that_is_marked_as_a_page_is_one(kind: str) -> None:
    link = f'<a rel="license" href="{BY}">x</a>'
    assert said(f'<body itemscope itemtype="{kind}"><article>{link}</article></body>') == [("url", BY)]
