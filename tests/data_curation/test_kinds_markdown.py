from __future__ import annotations

from pathlib import Path

import pytest

from data_curation.extract import extract
from licensing.resolvers.document import declared

PAGE = """---
Title: 'De sluis: een
  geschiedenis'
lang: nl
author: [Ada, Ben]
date: 2024-03-09
license: CC-BY-4.0
slug: sluis
---

# De sluis

De **sluis** gaat open.

---

Einde.
"""


def test_front_matter_describes_the_page_and_is_no_text_of_it() -> None:
    found = extract("a.md", PAGE.encode())
    assert found.text == "\n# De sluis\n\nDe **sluis** gaat open.\n\n---\n\nEinde.\n"
    assert (found.title, found.language, found.author) == ("De sluis: een geschiedenis", "nl", "Ada; Ben")
    assert found.published == "2024-03-09"
    assert [one.text for one in declared("a.md", PAGE.encode())] == ["CC-BY-4.0"]


def test_toml_front_matter_and_a_byte_order_mark() -> None:
    found = extract("a.md", '\ufeff+++\ntitle = "Brug"\n+++\nTekst.'.encode())
    assert (found.title, found.text) == ("Brug", "Tekst.")


@pytest.mark.parametrize(
    "page",
    [
        "---\n\nEen alinea tussen twee lijnen.\n\n---\n\nEn nog een.",
        "---\ntitle: nooit gesloten\n\nTekst.",
        "# Kop\n\n---\ntitle: geen begin\n---\n",
        "Gewone tekst.",
    ],
)
def test_what_is_no_front_matter_stays(page: str) -> None:
    assert extract("a.md", page.encode()).text == page


def test_front_matter_that_cannot_be_read_is_left_out_all_the_same() -> None:
    found = extract("a.md", b"---\ntitle: a: b: [\nslug: x\n---\nTekst.")
    assert (found.text, found.title) == ("Tekst.", None)


def test_a_page_of_front_matter_alone_is_empty() -> None:
    found = extract("a.md", b"---\ntitle: Leeg\n---\n")
    assert (found.problem, found.title) == ("empty", "Leeg")


def test_an_alias_bomb_is_cheap() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]", *(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]" for n in range(1, 12))]
    found = extract("a.md", ("---\n" + "\n".join(lines) + "\n---\nTekst.").encode())
    assert found.text == "Tekst."


def test_no_law_of_a_real_collection_begins_with_its_front_matter() -> None:
    places = (up / "shared" / "data" / "corpora" / "gesetze" for up in Path(__file__).parents)
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None:
        pytest.skip("../shared/data/corpora/gesetze is not there")
    for path in sorted(folder.glob("[a-c]/*/index.md"))[:60]:
        found = extract(path.name, path.read_bytes())
        assert found.title and (found.text or "").lstrip().startswith("# "), path
        assert "jurabk:" not in (found.text or "")


@pytest.mark.timeout(5)
def test_front_matter_of_brackets_alone_is_not_parsed() -> None:
    assert extract("a.md", b"---\n" + b"[" * 60_000 + b"\n---\nTekst.").text == "Tekst."
