"""Text of an element tree: blocks on lines of their own, listings as they stand, cells between tabs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from data_curation.kinds.xml_safe import local_name

_EDGE, _CELL, _AS_IS = "\v", "\f", "\x01"
"""Marks that XML 1.0 cannot hold: the edge of a line, of a cell, and a line whose white space stays."""

_BLANK_LINES = re.compile(r"\n{3,}")
_TITLES = frozenset(("title", "subtitle"))


def names(text: str) -> frozenset[str]:
    """Names of elements, written in one string with blanks."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Markup:
    """What the elements of one format mean, by their names without namespace; others are running text.

    ``dropped`` with all that is in them; ``blocks`` begin and end a line, ``breaks`` too unless they say
    ``break="no"``; ``listings`` keep lines and indents; ``cells`` are set apart by tabs within a line; ``replaced`` are
    dropped where they stand beside their replacement, in TEI's ``<choice>``; of ``headers`` only their titles stay.
    """

    blocks: frozenset[str]
    dropped: frozenset[str] = frozenset()
    listings: frozenset[str] = frozenset()
    cells: frozenset[str] = frozenset()
    breaks: frozenset[str] = frozenset()
    replaced: frozenset[str] = frozenset()
    headers: frozenset[str] = frozenset()


def text_of(element: Any, markup: Markup) -> str:
    """Join what stands in an element; outside listings, white space within a line becomes one space.

    Recursion is as deep as the tree, which the parser bounds to 256.
    """
    parts: list[str] = []
    _walk(element, markup, parts)
    lines = (line for piece in "".join(parts).split(_EDGE) if (line := _line(piece)) is not None)
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def plain(element: Any) -> str:
    """All text in an element on one line; empty for None."""
    return "" if element is None else " ".join("".join(element.itertext()).split())


def _walk(element: Any, markup: Markup, parts: list[str], in_cell: bool = False) -> None:
    name = local_name(element)
    if not name or name in markup.dropped or (name in markup.replaced and local_name(element.getparent()) == "choice"):
        return
    if name in markup.headers:
        for child in element:
            if local_name(child) in _TITLES:
                _walk(child, markup, parts, in_cell)
        return
    if name in markup.listings and not in_cell:
        lines = "".join(element.itertext()).strip("\n").split("\n")
        parts += (_EDGE, _EDGE.join(_AS_IS + line for line in lines), _EDGE)
        return
    edge = _edge(element, name, markup)
    if in_cell and edge:
        # A cell is part of a line, whatever blocks are in it.
        edge = " "
    parts += (edge, element.text or "")
    for child in element:
        _walk(child, markup, parts, in_cell or edge == _CELL)
        parts.append(child.tail or "")
    parts.append(edge)


def _edge(element: Any, name: str, markup: Markup) -> str:
    if name in markup.cells:
        return _CELL
    return _EDGE if name in markup.blocks or (name in markup.breaks and element.get("break") != "no") else ""


def _line(piece: str) -> str | None:
    """A line as it will stand; None where there is nothing in it (an empty line of a listing stays)."""
    if piece.startswith(_AS_IS):
        return piece[1:].rstrip()
    if _CELL not in piece:
        return " ".join(piece.split()) or None
    cells = [text for cell in piece.split(_CELL) if (text := " ".join(cell.split()))]
    return "\t".join(cells) or None
