"""ALTO 2 to 4, one scanned page (Library of Congress; any of its namespaces, or none as in ALTO 1).

A word divided at the end of a line stands whole on the line where it begins, as ``SUBS_CONTENT`` gives it, else where
``<HYP>`` divides it. The reading order is that of ``<ReadingOrder>`` (ALTO 4) where there is one, else the file's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from data_curation.kinds.page_text import PageText, joined
from data_curation.kinds.xml_safe import local_name
from data_curation.plain_text import Extracted

_ORDERED = frozenset(("TextBlock", "ComposedBlock", "TextLine"))
_SOFT_HYPHEN = "\u00ad"


def from_alto(root: Any) -> Extracted:
    """Read the pages of a file; its id is what ``<fileIdentifier>`` or ``<documentIdentifier>`` gives."""
    page = PageText()
    for block in _blocks(root):
        _take(block, page)
    return page.extracted(_identifier(root))


def _blocks(root: Any) -> list[Any]:
    blocks = [one for one in root.iter() if local_name(one) == "TextBlock"]
    order = {ref: number for number, ref in enumerate(_order(root))}
    if not order:
        return blocks
    places = [min((order[one] for one in _ids(block) if one in order), default=len(order)) for block in blocks]
    return [blocks[number] for number in sorted(range(len(blocks)), key=lambda number: places[number])]


def _order(root: Any) -> Iterator[str]:
    for group in (one for child in root if local_name(child) == "ReadingOrder" for one in child.iter()):
        if local_name(group) == "ElementRef":
            yield group.get("REF") or ""


def _ids(block: Any) -> list[str]:
    """The names under which an order may refer to a block: its own, those of what holds it, and of its lines."""
    near = [block, *block.iterancestors(), *block]
    return [one.get("ID") for one in near if one.get("ID") and local_name(one) in _ORDERED]


def _take(block: Any, page: PageText) -> None:
    lines = [one for one in block if local_name(one) == "TextLine"]
    language = block.get("language") or block.get("LANG") or _above(block)
    page.speaks(language, len(lines))
    for line in joined(text for one in lines if (text := "".join(_words(one, page)).strip())):
        page.add(line)
    page.close_block()


def _words(line: Any, page: PageText) -> Iterator[str]:
    whole = False
    for one in line:
        name = local_name(one)
        if name == "SP":
            yield " "
        elif name == "HYP":
            yield "" if whole else _SOFT_HYPHEN
        elif name == "String":
            page.trust(one.get("WC"))
            whole = one.get("SUBS_TYPE") == "HypPart1" and bool(one.get("SUBS_CONTENT"))
            yield _content(one)


def _content(string: Any) -> str:
    """Strings without ``<SP>`` between them are words all the same; the second half of a word is where it began."""
    kind, whole = string.get("SUBS_TYPE"), string.get("SUBS_CONTENT")
    if kind == "HypPart2" and whole:
        return ""
    before = "" if local_name(string.getprevious()) in ("SP", "HYP", "") else " "
    return before + (whole if kind and whole else string.get("CONTENT") or "")


def _above(block: Any) -> str | None:
    return next((found for one in block.iterancestors() if (found := one.get("LANG") or one.get("language"))), None)


def _identifier(root: Any) -> str | None:
    for name in ("fileIdentifier", "documentIdentifier"):
        for one in root.iter("{*}" + name):
            if text := " ".join((one.text or "").split()):
                return text
    return None
