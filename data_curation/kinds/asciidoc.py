"""AsciiDoc as text: what a reader of the printed page sees, without attributes, delimiters, anchors and images.

Listings stay as they are, cells of tables stand between tabs, footnotes stand in line in brackets, references to
elsewhere are the text that they show. What ``include::`` names is a document of its own and is not followed; both
branches of a condition stay, for which one is printed depends on the edition. Language: asciidoctor's documentation.
"""

from __future__ import annotations

import re

from data_curation.kinds.asciidoc_inline import shown
from data_curation.kinds.days import day
from data_curation.plain_text import Extracted, tidy

_ATTRIBUTE = re.compile(r":!?([\w-]+)!?:(?:[ \t]+(.*))?")
_HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)")
_DELIMITER = re.compile(r"(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|--|```\w*)[ \t]*")
_TABLE = re.compile(r"([|,:!])={3,}[ \t]*")
_DIRECTIVE = re.compile(r"(?:include|image|video|audio|toc|ifdef|ifndef|ifeval|endif)::[^\s\[]*\[.*\][ \t]*")
_BLOCK_TITLE = re.compile(r"\.([^\s.].*)")
_UNDERLINE = re.compile(r"(={3,}|-{3,}|~{3,}|\^{3,}|\+{3,})[ \t]*")
_CELL = re.compile(r"(?:^|(?<=\s))(?:\d{1,4}(?:\.\d{1,4})?[*+])?[<^>]?(?:\.[<^>])?[aehlmsdv]?\|")
_REVISION = re.compile(r"v?\d[\w.]*,.*|[^<]{1,200}<[^\s<>@]+@[^\s<>]+>.*|v?\d+(?:\.\d+)+|\d{4}-\d{2}-\d{2}")
_LISTINGS = ("-", ".", "`")
_STYLES = (
    "source|listing|literal|verse|quote|cols|options|role|appendix|preface|colophon|dedication|glossary|index|abstract|"
    "bibliography|partintro|NOTE|TIP|WARNING|CAUTION|IMPORTANT|discrete|horizontal|qanda|float|caption|stem|latexmath|"
    "asciimath|loweralpha|upperalpha|lowerroman|upperroman|arabic|example|sidebar|open|normal|pass"
)
_BLOCK_ATTRIBUTES = re.compile(
    rf"""\[(?:\[[^\]]*\]|[#.%]\w|,|(?:{_STYLES})(?=[\],.#%\s])|"?[\w-]{{1,40}}"?=).*\]|\[\]"""
)


def from_asciidoc(text: str) -> Extracted:
    """Read a document: title, ``:lang:``, ``:author:`` (or the author line) and ``:revdate:`` from its header."""
    page = _Page()
    for line in text.replace("\r\n", "\n").split("\n"):
        page.take(line)
    known = page.known
    return Extracted(
        tidy("\n".join(page.lines)),
        known.get("lang") or known.get("language"),
        page.title,
        author=known.get("author") or known.get("authors"),
        published=day(known.get("revdate")),
    )


class _Page:
    """Takes a document line by line; ``lines`` is the text, ``known`` are its attributes by lower-case name."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.known: dict[str, str] = {}
        self.title: str | None = None
        self._within: str | None = None
        self._table: str | None = None
        self._header = False

    def take(self, line: str) -> None:
        if self._within is not None:
            self._inside(line)
        elif not line.strip():
            self._header = False
            self.lines.append("")
        elif not self._structure(line.rstrip()):
            self._header = False
            self._text(line)

    def _inside(self, line: str) -> None:
        """Within a listing, a comment or a passthrough, up to a line like the one that opened it."""
        if line.rstrip() == self._within:
            self._within = None
        elif self._within and self._within[0] != "/":
            self.lines.append(line.rstrip())

    def _structure(self, line: str) -> bool:
        """Whether a line is markup as a whole; what it says of the document is kept."""
        if line.startswith("//") and not line.startswith("////"):
            return True
        if found := _DELIMITER.fullmatch(line):
            return self._delimiter(found[1], line)
        if found := _TABLE.fullmatch(line):
            self._table = None if self._table else found[1]
            return True
        if found := _ATTRIBUTE.fullmatch(line):
            self.known.setdefault(found[1].lower(), (found[2] or "").strip())
            return True
        if self._header and _REVISION.fullmatch(line):
            self._byline(line)
            return True
        return bool(
            _DIRECTIVE.fullmatch(line) or _BLOCK_ATTRIBUTES.fullmatch(line) or line in ("+", "<<<", "'''", "---", "***")
        )

    def _delimiter(self, mark: str, line: str) -> bool:
        if (mark[0] in _LISTINGS and mark != "--") or mark[0] in "/+":
            if self._is_underline(line):
                return self._underlined()
            self._within = "```" if mark[0] == "`" else line
        return True

    def _is_underline(self, line: str) -> bool:
        """A title of two lines: a line of text, then as many signs (asciidoctor allows one more or fewer)."""
        above = self.lines[-1] if self.lines else ""
        alone = len(self.lines) < 2 or not self.lines[-2]
        return bool(_UNDERLINE.fullmatch(line)) and bool(above.strip()) and alone and abs(len(above) - len(line)) <= 1

    def _underlined(self) -> bool:
        self.title = self.title or self.lines[-1].strip()
        return True

    def _byline(self, line: str) -> None:
        if "<" in line:
            self.known.setdefault("author", "; ".join(one.partition("<")[0].strip() for one in line.split(";")))
        elif day := re.search(r"\d{4}-\d{2}-\d{2}", line):
            self.known.setdefault("revdate", day[0])

    def _text(self, line: str) -> None:
        if found := _HEADING.fullmatch(line.rstrip()):
            title = shown(found[2], self.known)
            self._header = self.title is None and len(found[1]) == 1
            self.title = self.title or title
            self.lines.append(title)
        elif self._table and (cells := _cells(line, self._table)) is not None:
            self.lines.append("\t".join(shown(cell, self.known) for cell in cells))
        elif found := _BLOCK_TITLE.fullmatch(line):
            self.lines.append(shown(found[1], self.known))
        elif _UNDERLINE.fullmatch(line.rstrip()) and self._is_underline(line.rstrip()):
            self._underlined()
        else:
            self._add(shown(line.rstrip().removesuffix(" +"), self.known))

    def _add(self, text: str) -> None:
        """A line of which nothing is left (index terms alone) leaves no gap in a paragraph."""
        if text.strip():
            self.lines.append(text)


def _cells(line: str, separator: str) -> list[str] | None:
    """Cells of a table's line; None where it goes on with the cell of the line before."""
    if separator != "|":
        return [cell.strip() for cell in line.split(":" if separator == ":" else separator)]
    parts = _CELL.split(line)
    return [cell.strip() for cell in parts if cell.strip()] if len(parts) > 1 else None
