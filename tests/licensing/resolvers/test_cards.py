from __future__ import annotations

import json
from typing import Any

import pytest

from licensing.resolvers import croissant, hub_card

BY = "https://creativecommons.org/licenses/by/4.0/"


def card(**keys: Any) -> list[tuple[str, str, str]]:
    text = json.dumps({"@context": {}, "@type": "sc:Dataset", "name": "x"} | keys)
    return [(one.form, one.text, one.where) for one in croissant.declared(text, "croissant.json")]


def test_the_licence_of_the_data() -> None:
    assert card(license="CC-BY-4.0") == [("spdx", "CC-BY-4.0", "croissant.json $.license")]
    assert card(license=[BY, {"@type": "CreativeWork", "@id": "MIT"}]) == [
        ("url", BY, "croissant.json $.license"),
        ("spdx", "MIT", "croissant.json $.license"),
    ]


def test_the_licence_of_the_description_is_none_of_the_data() -> None:
    assert card(sdLicense=BY) == []
    assert [text for _, text, _ in card(**{"sc:sdLicense": BY, "license": "MIT"})] == ["MIT"]


def test_terms_of_use_are_prose() -> None:
    found = card(license=BY, usageInfo="https://voorbeeld.example/voorwaarden", conditionsOfAccess="Na aanmelding")
    assert [form for form, _, _ in found] == ["url", "prose", "prose"]


def test_the_licences_of_files_count_for_all_only_where_every_file_has_one() -> None:
    a, b, bare = {"license": "MIT"}, {"license": "CC0-1.0"}, {"name": "c"}
    assert [(form, text) for form, text, _ in card(distribution=[a, b])] == [("spdx", "MIT"), ("spdx", "CC0-1.0")]
    assert [form for form, _, _ in card(distribution=[a, bare])] == ["prose"]
    assert [form for form, _, _ in card(license=BY, distribution=[a, bare])] == ["url", "spdx"]
    assert card(distribution=[a])[0][2] == "croissant.json $.distribution[0].license"


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"@type": "Person", "license": "MIT"}', "7"])
def test_what_is_no_card_goes_to_a_person(text: str) -> None:
    assert [one.form for one in croissant.declared(text, "c.json")] == ["prose"]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("cc-by-sa-4.0", "spdx"),
        ("apache-2.0", "spdx"),
        ("cc0-1.0", "spdx"),
        ("odc-by", "prose"),
        ("pddl", "prose"),
        ("cc", "prose"),
        ("other", "prose"),
        ("unknown", "prose"),
        ("openrail", "prose"),
        ("gpl", "prose"),
    ],
)
def test_hub_names(name: str, form: str) -> None:
    (found,) = hub_card.read(f"---\nlanguage: nl\nlicense: {name}\n---\n# Kaart").licences
    assert (found.form, found.text, found.where) == (form, name, "README.md:3 license")


def test_a_hub_card_with_more_to_say() -> None:
    text = (
        "---\nlicense: [cc-by-4.0, mit]\nlicense_name: eigen voorwaarden\n"
        "license_link: LICENSE\nextra_gated_prompt: MIT\n---\n"
    )
    found = hub_card.read(text)
    assert [(one.form, one.text) for one in found.licences] == [("spdx", "cc-by-4.0"), ("spdx", "mit")]
    assert [(one.form, one.text) for one in found.terms] == [
        ("prose", "eigen voorwaarden"),
        ("prose", "LICENSE"),
        ("prose", "MIT"),
    ]


@pytest.mark.parametrize("text", ["---\nlicense: [mit\n---\n", "---\nlicense: *x\n---\n", "---\na: b: c\n---\n"])
def test_a_hub_card_that_cannot_be_read_goes_to_a_person(text: str) -> None:
    assert [one.form for one in hub_card.read(text).licences] == ["prose"]


@pytest.mark.parametrize("text", ["# Kaart\nlicense: mit\n", "---\nlicense: mit\n", "---\nlanguage: nl\n---\n", ""])
def test_a_card_without_the_field_declares_nothing(text: str) -> None:
    assert hub_card.read(text) == hub_card.Card((), ())
