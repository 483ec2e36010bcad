"""Debian machine-readable copyright files (copyright-format 1.0): which licence is declared for which file.

The patterns of such a file name paths in the *source* package, while a reader holds *installed* paths, and the build
in between renames and converts. So no exact answer exists, and this module returns every declaration that could be
meant: the default (``Files: *``) and each other stanza that could be this file, namely where

* a pattern, as a glob, matches the installed path or its tail, or
* a pattern without wildcard in its last part has the same stem (``po/es/man1/bash.1.po`` and
  ``man/es/man1/bash.1.gz``), endings of sources and of products left aside,
  unless both paths name languages and none is shared, or
* a pattern is a translation of the installed path's language as a whole (``help/nl/nl.po``).

The decision then takes the stricter. That errs towards refusal, on purpose. What it cannot see: a source whose file
name was changed altogether, which then stands under the default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from licensing.rights import Declared

_FORMAT = re.compile(r"\s*https?://(www\.)?debian\.org/doc/packaging-manuals/copyright-format/1\.0/?\s*")
_LANGUAGE = re.compile(r"([a-z]{2})([_-][A-Za-z]{2,4})?(@[a-z]+)?")
_SOURCE_ENDINGS = frozenset(["po", "pot", "xml", "dbk", "docbook", "sgml", "xhp", "md", "rst", "tex", "texi", "adoc"])
_ENDINGS = _SOURCE_ENDINGS | frozenset(["html", "htm", "xhtml", "page", "txt", "gz", "xz"])
_NOT_LANGUAGES = frozenset({"po"})
_PROSE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Stanza:
    """One ``Files`` paragraph: its patterns, licence synopsis, copyright lines and the line of its ``License`` field.

    ``text`` is the licence text where no short name is given, else empty.
    """

    patterns: tuple[str, ...]
    licence: str
    text: str
    copyright: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Copyright:
    """A parsed copyright file; ``package`` is the header's ``License`` for the package as a whole, if it has one."""

    where: str
    stanzas: tuple[Stanza, ...]
    package: Stanza | None = None

    @cached_property
    def _defaults(self) -> tuple[int, ...]:
        return tuple(i for i, stanza in enumerate(self.stanzas) if "*" in stanza.patterns)

    @cached_property
    def _stems(self) -> dict[str, list[tuple[int, str]]]:
        """Stanza number and pattern by stem, for a file has thousands of patterns and a package thousands of files."""
        found: dict[str, list[tuple[int, str]]] = {}
        for number, pattern in self._patterns():
            if not _is_wild(pattern.rpartition("/")[2]):
                found.setdefault(_stem(pattern), []).append((number, pattern))
        return found

    @cached_property
    def _globs(self) -> tuple[tuple[int, re.Pattern[str]], ...]:
        return tuple((number, _glob(pattern)) for number, pattern in self._patterns() if _is_wild(pattern))

    def _patterns(self) -> Iterator[tuple[int, str]]:
        for number, stanza in enumerate(self.stanzas):
            yield from ((number, pattern) for pattern in stanza.patterns if pattern != "*")

    def matching(self, installed_path: str) -> tuple[Stanza, ...]:
        """Return the default stanza and every other that could be this file, in the order of the file."""
        found = set(self._defaults)
        path = installed_path.lstrip("/")
        languages = _languages(path)
        found.update(
            n for n, pattern in self._stems.get(_stem(path), ()) if _same_language(_languages(pattern), languages)
        )
        for language in languages:
            found.update(n for n, pattern in self._stems.get(language, ()) if pattern.endswith(".po"))
        found.update(n for n, glob in self._globs if glob.fullmatch(path))
        return tuple(self.stanzas[number] for number in sorted(found))


def parse(text: str, where: str) -> Copyright | None:
    """Parse a copyright file; ``where`` is its name in declarations. None where it is not machine-readable.

    Machine-readable means: its first paragraph names the format 1.0, and at least one licence is stated.
    """
    paragraphs = list(_paragraphs(text))
    if not paragraphs or not _FORMAT.fullmatch(paragraphs[0].get("format", ("", 0))[0]):
        return None
    stanzas = tuple(_stanza(paragraph) for paragraph in paragraphs[1:] if "files" in paragraph)
    package = _stanza(paragraphs[0]) if "license" in paragraphs[0] else None
    return Copyright(where, stanzas, package) if stanzas or package else None


def declared_for(copyright_file: Copyright, installed_path: str) -> tuple[Declared, ...]:
    """Return every licence that could be declared for an installed file, the default first.

    Without a default, the header's licence for the whole package is one of them. An empty result means that nothing
    is declared for the file, which a decision refuses.
    """
    stanzas = list(copyright_file.matching(installed_path))
    if copyright_file.package and not any("*" in stanza.patterns for stanza in stanzas):
        stanzas.insert(0, copyright_file.package)
    stanzas.sort(key=lambda stanza: "*" not in stanza.patterns)
    return tuple(_declared(stanza, copyright_file.where) for stanza in stanzas)


def prose(text: str, where: str) -> Declared:
    """Return a copyright file that is not machine-readable as it stands, for a person to read."""
    return Declared(" ".join(text.split())[:_PROSE_CHARACTERS], f"{where}:1", "prose")


def _declared(stanza: Stanza, where: str) -> Declared:
    place = f"{where}:{stanza.line}"
    if stanza.licence:
        return Declared(stanza.licence, place, "dep5")
    return Declared(" ".join(stanza.text.split())[:_PROSE_CHARACTERS], place, "prose")


Field = tuple[str, int]
Paragraph = dict[str, Field]


def _paragraphs(text: str) -> Iterator[Paragraph]:
    """Yield paragraphs as field name (lower case) to value and line number; a repeated field is added to the first."""
    fields: Paragraph = {}
    name = ""
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, ""
        elif line[0] in " \t":
            if name:
                fields[name] = (f"{fields[name][0]}\n{line.strip()}", fields[name][1])
        else:
            name = _begin(fields, line, number)
    if fields:
        yield fields


def _begin(fields: Paragraph, line: str, number: int) -> str:
    name, colon, value = line.partition(":")
    if not colon:
        return ""
    name = name.strip().lower()
    earlier = fields.get(name)
    fields[name] = (f"{earlier[0]}\n{value.strip()}", earlier[1]) if earlier else (value.strip(), number)
    return name


def _stanza(paragraph: Paragraph) -> Stanza:
    """A paragraph without ``License`` becomes a stanza without licence: prose, so that a person looks at it."""
    licence, line = paragraph.get("license", ("", min(line for _, line in paragraph.values())))
    synopsis, _, text = licence.partition("\n")
    patterns = tuple(paragraph.get("files", ("", 0))[0].split())
    holders = tuple(part for part in paragraph.get("copyright", ("", 0))[0].split("\n") if part)
    return Stanza(patterns, synopsis.strip(), "" if synopsis.strip() else text, holders, line)


def _is_wild(text: str) -> bool:
    return "*" in text or "?" in text


def _glob(pattern: str) -> re.Pattern[str]:
    """Compile a pattern for an installed path or its tail; ``*`` and ``?`` match slashes too (copyright-format 1.0)."""
    parts = re.findall(r"\\[*?\\]|[*?]|[^*?\\]+|\\", pattern.removeprefix("./"))
    body = "".join({"*": ".*", "?": "."}.get(part) or re.escape(part.removeprefix("\\")) for part in parts)
    return re.compile(rf"(?:.*/)?{body}", re.DOTALL)


def _stem(path: str) -> str:
    """Reduce a path to its last part without endings of sources, products and languages."""
    name = path.rpartition("/")[2]
    while True:
        stem, dot, ending = name.rpartition(".")
        if not stem or not dot or not (ending in _ENDINGS or _is_language(ending)):
            return name
        name = stem


def _is_language(part: str) -> bool:
    return part not in _NOT_LANGUAGES and _LANGUAGE.fullmatch(part) is not None


def _languages(path: str) -> frozenset[str]:
    """The languages (two letters) that the folders and endings of a path name."""
    folders, _, name = path.rpartition("/")
    parts = [*folders.split("/"), *name.split(".")[1:]]
    return frozenset(part[:2] for part in parts if _is_language(part) and part not in _ENDINGS)


def _same_language(one: frozenset[str], other: frozenset[str]) -> bool:
    return not one or not other or bool(one & other)
