from __future__ import annotations

import pytest

from licensing.resolvers.front_matter import declared
from licensing.resolvers.spdx_tags import side_file


def said(text: str) -> list[tuple[str, str, str]]:
    return [(one.form, one.text, one.where) for one in declared(text, "a.md")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\ntitle: x\nlicense: CC-BY-4.0\n---\n", ("spdx", "CC-BY-4.0", "a.md:3 license")),
        ("---\nLicentie: Alleen lezen\n---\n", ("prose", "Alleen lezen", "a.md:2 Licentie")),
        ('---\n"lizenz": MIT\n...\n', ("spdx", "MIT", "a.md:2 lizenz")),
        ("---\r\nlicence: MIT\r\n---\r\n", ("spdx", "MIT", "a.md:2 licence")),
        ("\ufeff---\nrights: https://x.example/r\n---\n", ("url", "https://x.example/r", "a.md:2 rights")),
        ("---\ncopyright: © Jan\n---\n", ("prose", "© Jan", "a.md:2 copyright")),
        ("---\n{license: MIT}\n---\n", ("spdx", "MIT", "a.md:2 license")),
        ('+++\ntitle = "x"\nlicense = "MIT"\n+++\n', ("spdx", "MIT", "a.md:3 license")),
        ("= Titel\n:toc:\n:license: MIT\n", ("spdx", "MIT", "a.md:3 :license:")),
        ("Titel\n=====\n\n:Copyright: Jan\n", ("prose", "Jan", "a.md:4 :Copyright:")),
        ("---\ntitle: x\n---\n# SPDX-License-Identifier: MIT\n", ("spdx", "MIT", "a.md:4 SPDX-License-Identifier")),
        ("<!-- SPDX-License-Identifier: CC0-1.0 -->\n", ("spdx", "CC0-1.0", "a.md:1 SPDX-License-Identifier")),
        ("/* SPDX-License-Identifier: MIT OR 0BSD */", ("spdx", "MIT OR 0BSD", "a.md:1 SPDX-License-Identifier")),
        ("// SPDX-License-Identifier: mijn-eigen", ("prose", "mijn-eigen", "a.md:1 SPDX-License-Identifier")),
    ],
)
def test_each_field(text: str, expected: tuple[str, str, str]) -> None:
    assert said(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "licentie: MIT\n",
        "---\ntoelichting: over licenties en rights\n---\n",
        "---\nlicense: MIT\n",
        "---\nlicense:\n---\n",
        "---\nlicensed_area: NL\n---\n",
        "tekst\n" * 30 + "SPDX-License-Identifier: MIT\n",
        "Zo schrijft u dat:\n```\nSPDX-License-Identifier: MIT\n```\n",
        "Schrijf SPDX-License-Identifier: MIT in het bestand.\n",
    ],
)
def test_what_declares_nothing(text: str) -> None:
    assert said(text) == []


def test_every_statement_counts() -> None:
    text = "---\nlicense: [MIT, CC-BY-NC-4.0]\nlicense: CC0-1.0\nlicense_url: https://x.example/l\n---\n"
    assert [text for _, text, _ in said(text)] == ["MIT", "CC-BY-NC-4.0", "CC0-1.0", "https://x.example/l"]
    nested = "---\nlicense:\n  type: open-access\n  text: Alleen na toestemming\n---\n"
    assert said(nested) == [("prose", "Alleen na toestemming", "a.md:2 license")]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
)


@pytest.mark.parametrize(
    "body",
    [
        BOMB + "license: *h\n",
        "license: " + "[" * 50_000 + "\n",
        "license: " + "[" * 20 + "MIT" + "]" * 20 + "\n",
        "license: MIT\n" + "x: y\n" * 2_000_000,
        "license: \t@x\n",
        "license: &a [*a]\n",
        "license: [" + "MIT, " * 500 + "MIT]\n",
        "license: \x01\n",
    ],
)
def test_front_matter_that_is_too_much_or_broken_goes_to_a_person(body: str) -> None:
    assert "prose" in {form for form, _, _ in said(f"---\n{body}---\n")}


def test_a_side_file() -> None:
    (found,) = side_file(b"SPDX-FileCopyrightText: Jan\n\nSPDX-License-Identifier: CC-BY-4.0\n", "x.png.license")
    assert (found.form, found.text, found.where) == ("spdx", "CC-BY-4.0", "x.png.license:3 SPDX-License-Identifier")
    assert [one.form for one in side_file(b"CC-BY-4.0\n", "x.license")] == ["prose"]
