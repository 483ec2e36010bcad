from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.expression import branches, canonical, joined, plain_address, spdx
from licensing.rights import Declared, Form
from licensing.table import load_table

TABLE = load_table(Path(__file__).parents[2] / "configs" / "licences.yaml")


def read(text: str, form: Form) -> str | None:
    return spdx(Declared(text, "copyright:1", form), TABLE.by_url)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mit", "MIT"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("GPL-3.0", "GPL-3.0-only"),
        ("MIT OR (Apache-2.0 AND ISC)", "MIT OR (Apache-2.0 AND ISC)"),
        ("LicenseRef-de-proef OR MIT", "LicenseRef-de-proef OR MIT"),
        ("LicenseRef-MIT-TC", "LicenseRef-MIT-TC"),  # a LicenseRef means what its author says, never MIT
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("GPL 2.0", None),
        ("MIT WITH Apache-2.0", None),
        ("MIT AND", None),
        ("Classpath-exception-2.0", None),
        ("public-domain", None),
        ("NOASSERTION", None),
        ("CC-BY-SA", None),
        ("", None),
    ],
)
def test_spdx_names_are_read_strictly(text: str, expected: str | None) -> None:
    assert read(text, "spdx") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPL-2+", "GPL-2.0-or-later"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("GPL-2", "GPL-2.0-only"),
        ("gpl-3+", "GPL-3.0-or-later"),
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("AGPL-3", "AGPL-3.0-only"),
        ("GFDL-1.3+", "GFDL-1.3-or-later"),
        ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
        ("Expat", "MIT"),
        ("BSD-3-clause", "BSD-3-Clause"),
        ("Apache-2", "Apache-2.0"),
        ("CC-BY-SA-3.0", "CC-BY-SA-3.0"),
        ("MPL-2.0", "MPL-2.0"),
        ("Artistic", "Artistic-1.0"),
        ("public-domain", "LicenseRef-public-domain"),
        ("GPL-2.0+ or CC-BY-SA-3.0", "GPL-2.0-or-later OR CC-BY-SA-3.0"),
        ("GPL-1+ or Artistic, and BSD-3-clause", "(GPL-1.0-or-later OR Artistic-1.0) AND BSD-3-Clause"),
        ("GPL-2 or Expat and ISC", "GPL-2.0-only OR (MIT AND ISC)"),
        ("Expat, ISC, or MPL-2.0", "(MIT OR ISC) OR MPL-2.0"),
        ("GPL-2+ with Font exception", "GPL-2.0-or-later WITH Font-exception-2.0"),
        ("GPL-2+ with OpenSSL exception", None),
        ("Expat, ISC", None),  # neither "and" nor "or": which is meant cannot be known
        ("other", None),
        ("BSD", None),
        ("GPL", None),
        ("GPL-9+", None),
        ("LGPL-NIV-2", None),
        ("GPL-2+ or other", None),
        ("or GPL-2+", None),
        ("", None),
    ],
)
def test_debian_short_names(text: str, expected: str | None) -> None:
    assert read(text, "dep5") == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://creativecommons.org/licenses/by-sa/4.0/deed.nl", "CC-BY-SA-4.0"),
        ("http://www.creativecommons.org/licenses/by/4.0/legalcode", "CC-BY-4.0"),
        ("https://creativecommons.org/licenses/by-nc-nd/3.0", "CC-BY-NC-ND-3.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://www.gnu.org/licenses/gpl-3.0.en.html", "GPL-3.0-only"),
        ("https://www.mozilla.org/en-US/MPL/2.0/", "MPL-2.0"),
        ("https://spdx.org/licenses/EUPL-1.2.html", "EUPL-1.2"),
        ("https://creativecommons.org/licenses/by-sa/3.0/de/", "CC-BY-SA-3.0-DE"),
        ("https://creativecommons.org/licenses/by-sa/3.0/xx/", None),  # no such port
        ("https://creativecommons.org/licenses/by-sa/", None),
        ("https://www.gnu.org/licenses/gpl.html", None),
        ("https://creativecommons.org/licenses/by/4.0.evil.example/", None),
    ],
)
def test_addresses_come_from_the_table(url: str, expected: str | None) -> None:
    assert read(url, "url") == expected


def test_without_a_table_no_address_is_read() -> None:
    assert spdx(Declared("https://spdx.org/licenses/MIT", "a:1", "url")) is None


@pytest.mark.parametrize("text", ["MIT", "GPL-2+", "https://spdx.org/licenses/MIT", "This is public domain."])
def test_prose_is_never_read(text: str) -> None:
    assert read(text, "prose") is None


def test_branches_are_the_alternatives() -> None:
    assert branches("MIT") == (("MIT",),)
    assert branches("MIT AND (ISC OR MPL-2.0)") == (("MIT", "ISC"), ("MIT", "MPL-2.0"))
    assert branches("MIT AND MIT OR ISC") == (("MIT",), ("ISC",))
    with pytest.raises(ValueError, match="no SPDX expression"):
        branches("Foo-1.0")


def test_an_expression_that_explodes_is_not_read() -> None:
    exploding = " AND ".join("(MIT OR ISC)" for _ in range(40))
    assert canonical(exploding) is None
    assert joined(("MIT OR ISC",) * 9) is None
    assert joined(("MIT OR ISC", "MPL-2.0")) == "(MIT OR ISC) AND MPL-2.0"


NAMES = ("MIT", "ISC", "MPL-2.0", "CC-BY-4.0")
expressions = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.tuples(inner, st.sampled_from(("AND", "OR")), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    max_leaves=6,
)


@given(expressions)
def test_branches_mean_the_same_as_the_expression(expression: str) -> None:
    found = branches(expression)
    words = expression.replace("AND", "and").replace("OR", "or").replace("-", "_").replace(".", "_")
    for held in itertools.product((False, True), repeat=len(NAMES)):
        truth = dict(zip(NAMES, held, strict=True))
        direct = eval(words, {}, {name.replace("-", "_").replace(".", "_"): value for name, value in truth.items()})
        assert direct == any(all(truth[name] for name in branch) for branch in found)


@given(st.text())
def test_plain_address_is_stable(text: str) -> None:
    assert plain_address(f"https://{text}") == plain_address(f"http://www.{text}") or text.lower().startswith("www.")
