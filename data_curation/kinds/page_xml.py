"""PAGE XML, one scanned page (PRImA ``PcGts``, 2010 to 2019): the text of its regions in reading order.

Words that are divided at the end of a line are joined where the next one goes on with a small letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from data_curation.kinds.page_text import PageText, joined
from data_curation.kinds.xml_safe import local_name
from data_curation.plain_text import Extracted

LEFT_OUT = frozenset(("page-number", "header", "footer", "catch-word", "signature-mark"))
"""Types of regions that belong to the page and not to the text."""

_INDEX = re.compile(r"readingOrder\s*\{\s*index\s*:\s*(\d{1,9})\s*;")


def from_page_xml(root: Any) -> Extracted:
    """Read a page; its id is ``pcGtsId``."""
    page = PageText()
    for sheet in (one for one in root if local_name(one) == "Page"):
        for region in _regions(sheet):
            language = region.get("primaryLanguage") or sheet.get("primaryLanguage")
            lines = [text for line in _lines(region) if (text := _text(line, page))]
            page.speaks(language, len(lines))
            for line in joined(lines):
                page.add(line)
            page.close_block()
    return page.extracted(root.get("pcGtsId"))


def _regions(sheet: Any) -> list[Any]:
    """Regions of text, those of the reading order first; of regions within regions, each gives its own lines."""
    regions = [one for one in sheet.iter() if local_name(one) == "TextRegion" and one.get("type") not in LEFT_OUT]
    order = {ref: number for number, ref in enumerate(_order(sheet))}
    return sorted(regions, key=lambda one: order.get(one.get("id") or "", len(order))) if order else regions


def _order(sheet: Any) -> Iterator[str]:
    for child in sheet:
        if local_name(child) == "ReadingOrder":
            yield from _refs(child)


def _refs(group: Any) -> Iterator[str]:
    """References in the order of their ``index``; a group within a group stands where its own index says."""
    for one in sorted(group, key=_position):
        if one.get("regionRef"):
            yield one.get("regionRef")
        if len(one):
            yield from _refs(one)


def _position(element: Any) -> int:
    index = element.get("index") or ""
    return int(index) if index.isascii() and index.isdigit() and len(index) < 10 else 0


def _lines(region: Any) -> list[Any]:
    lines = [one for one in region if local_name(one) == "TextLine"]
    found = [_INDEX.search(one.get("custom") or "") for one in lines]
    if not lines:
        # The text of a region that holds others is a summary of theirs.
        return [] if any(local_name(one) == "TextRegion" for one in region) else [region]
    if not all(found):
        return lines
    numbers = [int(one[1]) for one in found if one]
    return [line for _, _, line in sorted(zip(numbers, range(len(lines)), lines, strict=True), key=lambda one: one[:2])]


def _text(line: Any, page: PageText) -> str:
    """The text of a line: the first of its readings, else its words."""
    words = [one for one in line if local_name(one) == "Word"]
    own, confidence = _reading(line)
    read = [_reading(word) for word in words]
    for _, sure in read if any(sure for _, sure in read) else [(own, confidence)]:
        page.trust(sure)
    return own or " ".join(text for text, _ in read if text)


def _reading(element: Any) -> tuple[str, str | None]:
    readings = sorted((one for one in element if local_name(one) == "TextEquiv"), key=_position)
    for one in readings:
        for child in one:
            if local_name(child) == "Unicode" and (text := "".join(child.itertext()).strip()):
                return text, one.get("conf")
    return "", None
