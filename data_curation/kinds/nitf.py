"""NITF 3 news stories (IPTC News Industry Text Format)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from data_curation.kinds.days import day
from data_curation.kinds.markup import plain
from data_curation.kinds.news_text import is_withdrawn, story
from data_curation.kinds.xml_safe import XML, local_name
from data_curation.plain_text import Extracted


def from_nitf(root: Any) -> Extracted:
    """Read a story: headline and ``body.content``; its id is ``doc-id/@id-string``.

    It is withdrawn where ``docdata/@management-status`` is any other than ``usable``, such as ``withheld``.
    """
    head, bodies = _first(root, "head"), _all(root, "body.content")
    title = plain(_first(root, "hl1")) or plain(next(_within(head, "title"), None))
    author = "; ".join(found for one in _all(root, "byline") if (found := _byline(one)))
    return Extracted(
        "\n".join(part for part in (title, *map(story, bodies)) if part) if any(map(story, bodies)) else "",
        root.get(f"{XML}lang") or root.get("baselang") or _attribute(root, "body", f"{XML}lang"),
        title or None,
        author=author or _attribute(root, "doc.copyright", "holder"),
        published=day(_attribute(root, "date.release", "norm")) or day(_attribute(root, "date.issue", "norm")),
        native_id=_attribute(root, "doc-id", "id-string"),
        withdrawn=is_taken_back(root),
    )


def is_taken_back(root: Any) -> bool:
    """Whether the story's ``management-status`` forbids its use."""
    return is_withdrawn(_attribute(root, "docdata", "management-status"))


def _byline(element: Any) -> str:
    people = [plain(one) for one in element.iter() if local_name(one) == "person"]
    return "; ".join(people) or plain(element)


def _all(root: Any, name: str) -> list[Any]:
    return [one for one in root.iter() if local_name(one) == name]


def _first(root: Any, name: str) -> Any:
    return next((one for one in root.iter() if local_name(one) == name), None)


def _within(element: Any, name: str) -> Iterator[Any]:
    return (one for one in (element.iter() if element is not None else ()) if local_name(one) == name)


def _attribute(root: Any, name: str, attribute: str) -> str | None:
    return next((one.get(attribute) for one in _all(root, name) if one.get(attribute)), None)
