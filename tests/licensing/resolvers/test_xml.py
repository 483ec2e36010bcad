from __future__ import annotations

import pytest

from licensing.resolvers.xml import declared

BY = "https://creativecommons.org/licenses/by/4.0/"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            f'<t><availability>\n<licence target="{BY}">x</licence></availability></t>',
            [("url", BY, "d.xml:2 <licence>")],
        ),
        (f'<t><licence><ref target="{BY}">x</ref></licence></t>', [("url", BY, "d.xml:1 <licence>")]),
        (f'<page><info><license href="{BY}"><p>x</p></license></info></page>', [("url", BY, "d.xml:1 <license>")]),
        (
            "<t><availability><p>Niet delen</p></availability></t>",
            [("prose", "Niet delen", "d.xml:1 <availability>")],
        ),
        ('<t><availability status="restricted"/></t>', [("prose", "restricted", "d.xml:1 <availability>")]),
        (
            '<t xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:rights>CC0-1.0</dc:rights></t>',
            [("spdx", "CC0-1.0", "d.xml:1 <rights>")],
        ),
        (f'<page><link rel="license" href="{BY}"/></page>', [("url", BY, "d.xml:1 <link>")]),
        ("<t>over licenties en license</t>", []),
        ("<t/>", []),
    ],
)
def test_each_way_to_declare(document: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(one.form, one.text, one.where) for one in declared(document.encode(), "d.xml")] == expected


def test_a_statement_on_the_source_counts_only_where_the_edition_says_nothing() -> None:
    source = "<sourceDesc><availability><p>Public domain</p></availability></sourceDesc>"
    edition = f'<publicationStmt><availability><licence target="{BY}"/></availability></publicationStmt>'
    assert [one.text for one in declared(f"<t>{source}{edition}</t>".encode(), "d.xml")] == [BY]
    assert [one.form for one in declared(f"<t>{source}</t>".encode(), "d.xml")] == ["prose"]


def test_what_cannot_be_parsed_goes_to_a_person() -> None:
    for data in (b"<license>", b"\xff license", b'<!DOCTYPE t [<!ENTITY a "b">]><t><licence>&c;</t>'):
        assert [one.form for one in declared(data, "d.xml")] == ["prose"]


def test_words_beside_an_address_that_deny_what_it_grants_count_too() -> None:
    text = f'<t><availability><licence target="{BY}"/><p>All rights reserved.</p></availability></t>'
    assert [(one.form, one.text) for one in declared(text.encode(), "d.xml")] == [
        ("prose", "All rights reserved."),
        ("url", BY),
    ]
    assert [one.text for one in declared(b"<t><availability/></t>", "d.xml")] == ["(empty <availability>)"]
