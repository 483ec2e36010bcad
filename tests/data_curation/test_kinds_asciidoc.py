from __future__ import annotations

import pytest

from data_curation.extract import extract
from licensing.resolvers.document import declared

BOOK = """// SPDX-License-Identifier: CC-BY-4.0
= De *sluis* en de brug
Ada Jansen <ada@haven.example>
v1.2, 2024-03-09
:lang: nl
:license: CC-BY-SA-4.0
:sluis: Oranjesluis
:toc:

////
niet te lezen
////
[[begin]]
== Aan de slag(((begin)))

De {sluis} gaat _om zes uur_ **open**.footnote:[Behalve op zondag.] Zie <<begin,het begin>> en
<<ch02#_de_brug>>, of https://haven.example/sluis[de pagina^] of link:lijst.html[de lijst,role=x].
(((sluis, open)))
Een snake_case_naam en 2 * 3 * 4 blijven staan. https://haven.example[] ook.

include::deel2.asc[]

.Een titel
image::brug.png[De brug]

[source,console]
----
$ sluis --open <<EOF
* _geen_ opmaak
----

[cols="1,2",options="header"]
|===
| Naam | Hoogte
| Brug a | 4 m
2+| Twee kolommen
|===

* Eerst wachten +
* Dan varen

[NOTE]
====
Let op.
====

Ondertitel
----------

[...] zo gaat het verder.
"""


def test_a_book_keeps_what_a_reader_sees_and_loses_its_markup() -> None:
    found = extract("boek.asc", BOOK.encode())
    assert found.problem is None and found.text is not None
    assert (found.title, found.language, found.author) == ("De sluis en de brug", "nl", "Ada Jansen")
    assert found.published == "2024-03-09"
    for kept in (
        "De sluis en de brug\n\nAan de slag\n",
        "De Oranjesluis gaat om zes uur open. (Behalve op zondag.) Zie het begin en\nde brug, of de pagina of",
        "lijst.\nEen snake_case_naam en 2 * 3 * 4 blijven staan. https://haven.example ook.",
        "$ sluis --open <<EOF\n* _geen_ opmaak",
        "Naam\tHoogte\nBrug a\t4 m\nTwee kolommen",
        "* Eerst wachten\n* Dan varen",
        "Let op.",
        "Ondertitel\n\n[...] zo gaat het verder.",
        "Een titel",
    ):
        assert kept in found.text, kept
    for left_out in ("niet te lezen", "include::", "image::", ":toc:", "[[", "(((", "====", "----", "|===", "[NOTE]"):
        assert left_out not in found.text


def test_the_licence_of_a_book_is_in_its_header_and_its_tag() -> None:
    said = {(one.text, one.where.partition(" ")[0]) for one in declared("boek.asc", BOOK.encode())}
    assert said == {("CC-BY-4.0", "boek.asc:1"), ("CC-BY-SA-4.0", "boek.asc:6")}


def test_a_block_that_is_never_closed_loses_no_line() -> None:
    assert extract("a.adoc", b"= Kop\n\n----\nregel een\nregel twee").text == "Kop\n\nregel een\nregel twee"


@pytest.mark.parametrize("line", ["**a" * 4000, "[" * 9000, "{" * 9000, "<<a" * 3000, "_a" * 5000, "footnote:[" * 900])
@pytest.mark.timeout(5)
def test_no_line_takes_more_than_linear_time(line: str) -> None:
    assert extract("a.asc", line.encode()).text
