from __future__ import annotations

import pytest

from licensing.dep5 import Copyright, declared_for, parse, prose

HEADER = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nSource: x\n\n"
HELP = (
    HEADER
    + """\
Files: *
Copyright: 2000 One
           2001 Two
License: MPL-2.0
 On Debian systems the text is elsewhere.
 .
 Files: not-a-field
# a comment in between
 still the text

Files: po/nl/man1/bash.1.po
       po/nl/man1/diff.1.po po/de/man1/bash.1.po
License: GPL-3+

Files: icon-themes/breeze*/*
Files: tarballs/*
License: LGPL-3+ or
 text

Files: wizards/guide.html
License: other

Files: help/nl/nl.po
License: CC-BY-SA-4.0

Files: loose/words.txt
License:
 You may read this aloud.

License: GPL-3+
 The text of it.
"""
)


@pytest.fixture
def parsed() -> Copyright:
    found = parse(HELP, "doc/copyright")
    assert found is not None
    return found


def declared(parsed: Copyright, path: str) -> list[tuple[str, str, str]]:
    return [(one.text, one.where, one.form) for one in declared_for(parsed, path)]


DEFAULT = ("MPL-2.0", "doc/copyright:7", "dep5")


def test_stanzas_keep_holders_lines_and_continued_patterns(parsed: Copyright) -> None:
    assert len(parsed.stanzas) == 6
    assert parsed.stanzas[0].copyright == ("2000 One", "2001 Two")
    assert parsed.stanzas[1].patterns == ("po/nl/man1/bash.1.po", "po/nl/man1/diff.1.po", "po/de/man1/bash.1.po")
    assert parsed.stanzas[2].patterns == ("icon-themes/breeze*/*", "tarballs/*")


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("usr/share/man/nl/man1/bash.1.gz", ("GPL-3+", "doc/copyright:16", "dep5")),
        ("usr/share/man/de/man1/bash.1.gz", ("GPL-3+", "doc/copyright:16", "dep5")),
        ("/usr/share/x/icon-themes/breeze_dark/a/b.svg", ("LGPL-3+ or", "doc/copyright:20", "dep5")),
        ("tarballs/deep/down.c", ("LGPL-3+ or", "doc/copyright:20", "dep5")),
        ("usr/share/help/fr/guide.html", ("other", "doc/copyright:24", "dep5")),
        ("usr/share/help/nl/gnome-help/index.page", ("CC-BY-SA-4.0", "doc/copyright:27", "dep5")),
        ("usr/share/doc/x/words.txt.gz", ("You may read this aloud.", "doc/copyright:30", "prose")),
    ],
)
def test_every_stanza_that_could_be_the_file_is_declared(
    parsed: Copyright, path: str, other: tuple[str, str, str]
) -> None:
    found = declared(parsed, path)
    assert found[0] == DEFAULT
    assert other in found[1:]


@pytest.mark.parametrize(
    "path",
    [
        "usr/share/man/fr/man1/bash.1.gz",  # a translation of bash.1, but into another language
        "usr/share/man/man1/bashbug.1.gz",
        "usr/share/doc/other-tarballs-page.html",
        "usr/share/icon-themes/oxygen/a.svg",
    ],
)
def test_other_files_stand_under_the_default_alone(parsed: Copyright, path: str) -> None:
    assert declared(parsed, path) == [DEFAULT]


def test_a_name_that_looks_like_a_language_is_no_language() -> None:
    found = parse(HEADER + "Files: *\nLicense: Expat\n\nFiles: po/es/man1/id.1.po\nLicense: GPL-2\n", "c")
    assert found is not None
    assert [one.text for one in declared_for(found, "usr/share/man/es/man1/id.1.gz")] == ["Expat", "GPL-2"]
    assert [one.text for one in declared_for(found, "usr/share/man/nl/man1/id.1.gz")] == ["Expat"]


def test_without_default_the_package_licence_counts_and_else_nothing() -> None:
    stanza = "Files: a/b.c\nLicense: GPL-2\n"
    bare = parse(HEADER + stanza, "c")
    assert bare is not None and declared_for(bare, "usr/share/doc/x.html") == ()
    headed = parse(HEADER.rstrip("\n") + "\nLicense: Expat\n\n" + stanza, "c")
    assert headed is not None
    assert [(one.text, one.where) for one in declared_for(headed, "usr/share/doc/x.html")] == [("Expat", "c:3")]


def test_a_stanza_without_licence_is_for_a_person() -> None:
    found = parse(HEADER + "Files: *\nCopyright: 2000 One\n", "c")
    assert found is not None
    assert [(one.form, one.where) for one in declared_for(found, "x")] == [("prose", "c:4")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The FAQ may be copied freely.\n",
        "Files: *\nLicense: MIT\n",
        "Format: 1.0\n\nFiles: *\nLicense: MIT\n",
        "Format: https://dep.debian.net/deps/dep5\n\nFiles: *\nLicense: MIT\n",
        HEADER,
    ],
)
def test_what_is_not_machine_readable_gives_none(text: str) -> None:
    assert parse(text, "c") is None


def test_prose_keeps_its_beginning_and_place() -> None:
    found = prose("May be\n  copied. " + "x" * 500, "doc/copyright")
    assert (found.form, found.where, len(found.text)) == ("prose", "doc/copyright:1", 300)
    assert found.text.startswith("May be copied. x")


@pytest.mark.timeout(60)
def test_thousands_of_patterns_and_files_are_quick() -> None:
    stanzas = "".join(f"Files: po/nl/man1/tool{n}.1.po\nLicense: GPL-3+\n\n" for n in range(3000))
    found = parse(HEADER + "Files: *\nLicense: GPL-3+\n\n" + stanzas, "c")
    assert found is not None
    counts = [len(declared_for(found, f"usr/share/man/nl/man1/tool{n}.1.gz")) for n in range(2000)]
    assert counts == [2] * 2000
