"""A page of ours as PDF: the HTML of a template becomes Typst code, and the code becomes a tagged, archival PDF.

The converter knows the elements that our templates use and refuses any other by name, so that nothing falls out of a
document unseen. What comes out is PDF/A-2a and PDF/UA-1 (ISO 19005-2, ISO 14289-1): embedded fonts, language, headings
and tables that a screen reader can follow. The same page and day give the same bytes; nothing is fetched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

import lxml.html
import typst

from licensing.errors import HerkomstError

_LONGEST: Final = 25  # characters without a space before a word may be broken anywhere
_LONG: Final = re.compile(rf"[^\s\u00a0]{{{_LONGEST},}}")
_PIECE: Final = re.compile(r"[^/._-]{1,11}[/._-]?|[/._-]")
_LONGEST_PIECE: Final = 12
_LINE: Final = 114  # characters in a line of a table
_LANGUAGES: Final = ("en", "nl")


class PdfError(HerkomstError):
    """A page cannot become a PDF; the message names the element or what is missing."""


def render_pdf(page: str, header: str, day: str) -> bytes:
    """Turn a page into a PDF of A4 pages with ``header`` at the top and page numbers at the foot.

    ``day`` (ISO 8601) is the date of the document: the bytes depend on nothing else. Characters that the fonts lack are
    shown as an empty square, and a note says so.

    Raises:
        PdfError: the page has an element that the converter does not know, or lacks its title or language.
    """
    root = lxml.html.document_fromstring(page)
    language, title = root.get("lang"), root.findtext("head/title")
    if language not in _LANGUAGES or not title:
        raise PdfError(f"a page in language {language!r} with title {title!r} cannot become a PDF; it needs both.")
    made = datetime.fromisoformat(day).replace(tzinfo=UTC)
    writer = _Writer()
    body = writer.blocks(root.body)
    if writer.lacking:
        body.append(_call("note", _string(_LACKING[language])))
    frame = (files("evaluation") / "templates" / "page.typ").read_text(encoding="utf-8")
    date = f"datetime(year: {made.year}, month: {made.month}, day: {made.day})"
    page_of = {"en": "p. {} of {}", "nl": "p. {} van {}"}[language].split("{}")
    opening = (
        f"#show: paper.with(title: {_string(title)}, header: {_string(header)}, lang: {_string(language)}, "
        f"date: {date}, page-of: ({', '.join(map(_string, page_of))}))"
    )
    source = "\n".join([frame, opening, *(f"#{one}" for one in body)])
    try:
        return bytes(
            typst.compile(
                source.encode(),
                format="pdf",
                pdf_standards=["a-2a", "ua-1"],
                ignore_system_fonts=True,
                timestamp=int(made.timestamp()),
            )
        )
    except typst.TypstError as fault:
        raise PdfError(f"'{title}': the PDF cannot be made ({fault}); the page itself is good.") from fault


_LACKING = {
    "en": "□ stands for a character that this typeface lacks; the page statement.en.html and rows.csv show it.",
    "nl": "□ staat voor een teken dat dit lettertype niet heeft; de pagina statement.nl.html en rows.csv tonen het.",
}

# Blocks of Unicode that the embedded fonts cover, less the few characters in them that they do not.
_COVERED: Final = re.compile(
    r"[\u0020-\u007e\u00a0-\u04ff\u0530-\u058f\u1e00-\u1fff\u2002-\u200a\u2010-\u2027\u202f-\u205e"
    r"\u2070-\u20bf\u2100-\u211e\u2150-\u2184\u2190-\u22ff\u25a1\u2c60-\u2c7f\ufb00-\ufb06]"
)
_UNCOVERED: Final = frozenset("\u2041\u2043\u2053\u2152")


# ---- Typst code


def _string(text: str) -> str:
    """A Typst string; nothing in it can be taken for code."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _call(name: str, *arguments: str) -> str:
    return f"{name}({', '.join(arguments)})"


def _joined(parts: list[str]) -> str:
    return "{ " + "; ".join(parts) + " }" if parts else "[]"


Element = Any  # lxml has no types


class _Writer:
    """Turns elements into Typst expressions; knows whether a character had to be left out."""

    def __init__(self) -> None:
        self.lacking = False

    # ---- running text

    def text(self, text: str) -> list[str]:
        """Running text as strings, with places to break in what has no space for long, such as digests."""
        shown = "".join(self._shown(one) for one in unicodedata.normalize("NFC", text))
        parts, at = [], 0
        for long in _LONG.finditer(shown):
            parts.append(_string(shown[at : long.start()]))
            parts += [_call("piece", _string(piece)) for piece in _PIECE.findall(long[0])]
            at = long.end()
        return [one for one in [*parts, _string(shown[at:])] if one != '""']

    def _shown(self, character: str) -> str:
        assigned = unicodedata.category(character) != "Cn"
        if assigned and _COVERED.match(character) and character not in _UNCOVERED:
            return character
        self.lacking = True
        return "□"

    def line(self, nodes: list[Element | str]) -> list[str]:
        """A run of text and inline elements, white space as a browser would show it."""
        parts: list[str] = []
        for number, node in enumerate(nodes):
            if isinstance(node, str):
                text = re.sub(r"[ \t\n\r\f]+", " ", node)
                text = text.lstrip(" ") if number == 0 else text
                parts += self.text(text.rstrip(" ") if number == len(nodes) - 1 else text)
            else:
                parts.append(self.inline(node))
        return parts

    def inline(self, element: Element) -> str:
        """One inline element."""
        if element.tag == "br":
            return "linebreak()"
        name = _INLINE[element.tag]
        inside = _joined(self.line_of(element))
        if element.tag == "a":
            target = element.get("href", "")
            return _call("link", _string(target), inside) if target.startswith(_LINKED) else inside
        return _call(name, inside) if name else inside

    def line_of(self, element: Element) -> list[str]:
        """All that is in an element that holds running text alone. Raises PdfError for a block in it."""
        nodes = list(_nodes(element))
        for node in nodes:
            if not isinstance(node, str) and node.tag not in _INLINE:
                raise _unknown(node, f"within <{element.tag}>")
        # Inner edges keep their space: it may stand between two words.
        return self.line(["", *nodes, ""]) if element.tag in _INLINE else self.line(nodes)

    # ---- blocks

    def blocks(self, element: Element) -> list[str]:
        """What is in an element: blocks, and text between them as paragraphs."""
        found: list[str] = []
        run: list[Element | str] = []

        def close() -> None:
            parts = self.line(run)
            if parts:
                found.append(_call("par", _joined(parts)))
            run.clear()

        for node in _nodes(element):
            if isinstance(node, str) or node.tag in _INLINE:
                if run or not isinstance(node, str) or node.strip():
                    run.append(node)
            else:
                close()
                if node.tag == "table" and found and found[-1].startswith("par("):
                    found[-1] = "lead" + found[-1].removeprefix("par")
                found += self.block(node)
        close()
        return found

    def flow(self, element: Element) -> str:
        """What is in a cell or an item: running text as it is, or blocks."""
        if all(isinstance(node, str) or node.tag in _INLINE for node in _nodes(element)):
            return _joined(self.line_of(element))
        return _joined(self.blocks(element))

    def block(self, element: Element) -> list[str]:
        """One block element. Raises PdfError for one that is not known."""
        write = _BLOCKS.get(element.tag)
        if write is None:
            raise _unknown(element, "")
        return write(self, element)

    def container(self, element: Element) -> list[str]:
        """An element that only holds others; a class with a look of its own becomes a box."""
        classes = set((element.get("class") or "").split())
        inside = self.blocks(element)
        return [_call("boxed", _joined(inside))] if classes & _BOXED else inside

    def paragraph(self, element: Element) -> list[str]:
        """A paragraph, with the look that its class asks for."""
        parts = self.line_of(element)
        looks = [_LOOKS[name] for name in (element.get("class") or "").split() if name in _LOOKS]
        return [_call(looks[0] if looks else "par", _joined(parts))] if parts else []

    def heading(self, element: Element) -> list[str]:
        """A heading of its level."""
        return [_call("heading", f"level: {element.tag[1]}", _joined(self.line_of(element)))]

    def items(self, element: Element) -> list[str]:
        """A list; where its items have headings of their own they stand as blocks in two columns."""
        items = list(_only(element, ("li",)))
        inside = [self.flow(item) for item in items]
        if any(item.tag in _HEADINGS for one in items for item in one.iter()):
            return [_call("cards", *inside)]
        return [_call("list" if element.tag == "ul" else "enum", *inside)] if inside else []

    def terms(self, element: Element) -> list[str]:
        """A list of terms, each with what is said of it; <div> may hold them together."""
        found = []
        for child in _only(element, ("dt", "dd", "div")):
            if child.tag == "div":
                found += self.terms(child)
            else:
                found.append(_call("term" if child.tag == "dt" else "said", self.flow(child)))
        return found

    def preformatted(self, element: Element) -> list[str]:
        """Lines as they stand."""
        lines = "".join(element.itertext()).strip("\n").split("\n")
        return [_call("lines", *(_joined(self.text(line)) for line in lines))]

    def quotation(self, element: Element) -> list[str]:
        """A quotation, set in."""
        return [_call("quote", "block: true", _joined(self.blocks(element)))]

    def figure(self, element: Element) -> list[str]:
        """A picture (SVG) with its caption."""
        found = []
        for child in _only(element, ("svg", "figcaption")):
            found += self.picture(child) if child.tag == "svg" else [_call("note", self.flow(child))]
        return found

    def picture(self, element: Element) -> list[str]:
        """A drawing; it must say in words what it shows. Raises PdfError where it does not."""
        told = element.get("aria-label") or element.findtext("title") or element.findtext("{*}title")
        if not told:
            raise PdfError("<svg> says nowhere in words what it shows; no PDF was made. Give it an aria-label.")
        drawing = lxml.html.tostring(element, encoding="unicode", method="xml", with_tail=False)
        if "xmlns=" not in drawing.partition(">")[0]:
            drawing = drawing.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
        drawing = drawing.replace(">", f"><style>{_DRAWN}</style>", 1)
        return [_call("drawing", _string(drawing), _string(told))]

    def table(self, element: Element) -> list[str]:
        """A table: caption, head that is repeated on every page, rows."""
        found, head, rows = [], list[Element](), list[Element]()
        for part in _only(element, ("caption", "thead", "tbody", "tfoot", "tr")):
            if part.tag == "caption":
                found.append(_call("caption", self.flow(part)))
            else:
                into = head if part.tag == "thead" else rows
                into += [part] if part.tag == "tr" else list(_only(part, ("tr",)))
        widths = _widths([*head, *rows])
        cells = [self.cell(cell) for row in rows for cell in _only(row, ("td", "th"))]
        heads = [self.cell(cell) for row in head for cell in _only(row, ("td", "th"))]
        if not cells:
            return found
        top = [_call("table.header", *heads)] if heads else []
        return [*found, _call("table", f"columns: ({', '.join(widths)},)", *top, *cells)]

    def cell(self, element: Element) -> str:
        """One cell; numbers stand at the right."""
        options = [f"{name}: {int(element.get(name))}" for name in ("colspan", "rowspan") if element.get(name)]
        if "num" in (element.get("class") or "").split():
            options.append("align: right")
        inside = self.flow(element)
        return _call("table.cell", *options, _call("strong", inside) if element.tag == "th" else inside)


def _nodes(element: Element) -> Iterator[Element | str]:
    """Text and child elements in order; comments are left out, and so is what print leaves out."""
    if element.text:
        yield element.text
    for child in element:
        if isinstance(child.tag, str) and child.tag not in _NOT_PRINTED:
            yield child
        if child.tail:
            yield child.tail


def _only(element: Element, tags: tuple[str, ...]) -> Iterator[Element]:
    """The child elements, which must be of these kinds, with no text between them. Raises PdfError."""
    for node in _nodes(element):
        if isinstance(node, str):
            if node.strip():
                raise PdfError(f"<{element.tag}> holds text of its own ('{node.strip()[:40]}'); no PDF was made.")
        elif node.tag not in tags:
            raise _unknown(node, f"within <{element.tag}>")
        else:
            yield node


def _unknown(element: Element, where: str) -> PdfError:
    return PdfError(
        f"<{element.tag}> {where} is not an element that can be put into a PDF; none was made, for its content would "
        "be missing. Use another element, or teach evaluation/pdf.py this one."
    )


@dataclass
class _Column:
    """What the cells of one column ask for, in characters: the longest word, broken where it may be and whole."""

    broken: float = 0.0
    whole: float = 0.0
    mean: float = 0.0
    most: float = 0.0

    def add(self, cell: Element, rows: int) -> None:
        """Take one cell of so many rows."""
        text, head = cell.text_content().strip(), cell.tag == "th"
        one_line = not head and bool({"num", "name"} & set((cell.get("class") or "").split()))
        lengths = [len(word) for word in ([text] if one_line else text.split())]
        self.whole = max([self.whole, *(length * (1.12 if head else 1.04) + 2 for length in lengths)])
        shorter = [length if length < _LONGEST else _LONGEST_PIECE for length in lengths]
        self.broken = max([self.broken, *(length * (1.12 if head else 1.0) + 2 for length in shorter)])
        if not head and not one_line:
            self.mean += min(len(text), _LINE) / rows
            self.most = max(self.most, min(len(text), _LINE))


def _widths(rows: list[Element]) -> list[str]:
    """A width for every column, as a part of the whole: room for its longest word, more for what has more to say."""
    columns: list[_Column] = []
    for row in rows:
        place = 0
        for cell in row:
            span = int(cell.get("colspan", 1))
            columns += [_Column() for _ in range(place + span - len(columns))]
            if span == 1:
                columns[place].add(cell, len(rows))
            place += span
    unbroken = sum(one.whole for one in columns) <= _LINE
    needed = [one.whole if unbroken else one.broken for one in columns]
    room = max(_LINE - sum(needed), 0)
    shares = [(one.mean + one.most / 3) ** 0.8 for one in columns]
    total = sum(shares) or 1
    return [f"{max(need + room * share / total, 1):.1f}fr" for need, share in zip(needed, shares, strict=True)]


_HEADINGS: Final = ("h1", "h2", "h3", "h4", "h5", "h6")
_NOT_PRINTED: Final = ("nav",)
_LINKED: Final = ("https://", "http://", "mailto:")
_BOXED: Final = {"gaps", "box"}
_LOOKS: Final = {"byline": "note", "figure": "large", "honest": "honest", "note": "note"}
_INLINE: Final = {
    "a": "link", "abbr": "", "b": "strong", "br": "", "code": "code", "em": "emph", "i": "emph", "small": "small",
    "span": "", "strong": "strong", "time": "",
}  # fmt: skip
_BLOCKS: Final[Mapping[str, Callable[[_Writer, Element], list[str]]]] = (
    dict.fromkeys(("article", "aside", "details", "div", "footer", "header", "main", "section"), _Writer.container)
    | dict.fromkeys(_HEADINGS, _Writer.heading)
    | dict.fromkeys(("p", "summary"), _Writer.paragraph)
    | dict.fromkeys(("ol", "ul"), _Writer.items)
    | {
        "blockquote": _Writer.quotation,
        "dl": _Writer.terms,
        "figure": _Writer.figure,
        "pre": _Writer.preformatted,
        "svg": _Writer.picture,
        "table": _Writer.table,
    }
)
_DRAWN: Final = (
    ".grid{stroke:#d5d8de}.axis{stroke:#1b1d21}.line{fill:none;stroke:#1f4e79;stroke-width:1.8}"
    ".rail{fill:#f4f5f7}.bar{fill:#1f4e79}text{font-size:11px;fill:#1b1d21}"
)
