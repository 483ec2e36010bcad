"""NewsML-G2 items (IPTC, namespace ``http://iptc.org/std/nar/2006-10-01/``), one at a time."""

from __future__ import annotations

from typing import Any

from data_curation.kinds.days import day
from data_curation.kinds.markup import plain
from data_curation.kinds.news_text import is_withdrawn, story
from data_curation.kinds.xml_safe import XML, local_name
from data_curation.plain_text import Extracted, Unreadable

ITEMS = frozenset(("newsItem", "packageItem", "conceptItem", "knowledgeItem", "planningItem", "catalogItem"))
"""The items that a ``newsMessage`` can hold; only a ``newsItem`` has text."""

_PLAIN = ("text/plain", "")


def from_message(root: Any) -> Extracted:
    """Refuse a message, which holds several documents, where one is asked for.

    Raises:
        Unreadable: always.
    """
    raise Unreadable("several-documents", "a <newsMessage> holds several items; read it with the reader news")


def from_news_item(item: Any) -> Extracted:
    """Read one item: headline and the first of its renditions that has text; its id is the ``guid``.

    ``published`` is the day of ``versionCreated``, or of a later ``embargoed``. An item is withdrawn where
    ``pubStatus`` is any other than usable, or where its embargo has no end. Text that is elsewhere
    (``remoteContent``) is not fetched, and the item is then empty; so are packages and concepts.
    """
    meta = {local_name(one): one for one in _child(item, "itemMeta")}
    content = {local_name(one): one for one in reversed(list(_child(item, "contentMeta")))}
    title = plain(content.get("headline")) or plain(meta.get("title"))
    text, language = _text(item)
    days = (day(plain(meta.get(name))) for name in ("versionCreated", "embargoed"))
    return Extracted(
        "\n".join(part for part in (title, text) if part) if text else "",
        language or _language(content.get("language")) or item.get(f"{XML}lang"),
        title or None,
        author=plain(content.get("by")) or _named(content.get("creator")) or _holder(item),
        published=max(filter(None, days), default=None),
        native_id=item.get("guid"),
        withdrawn=is_taken_back(item),
    )


def is_taken_back(item: Any) -> bool:
    """Whether the item's own status, or an embargo without end, forbids its use."""
    meta = {local_name(one): one for one in _child(item, "itemMeta") if local_name(one) in ("pubStatus", "embargoed")}
    status, embargo = meta.get("pubStatus"), meta.get("embargoed")
    if embargo is not None and not plain(embargo):
        return True
    return status is not None and is_withdrawn(status.get("qcode") or status.get("uri") or "none")


def _text(item: Any) -> tuple[str, str | None]:
    for rendition in _child(item, "contentSet"):
        if found := _rendition(rendition):
            return found, rendition.get(f"{XML}lang")
    return "", None


def _rendition(element: Any) -> str:
    if local_name(element) == "inlineData":
        kind = (element.get("contenttype") or "").partition(";")[0].strip().lower()
        return "".join(element.itertext()).strip() if kind in _PLAIN and not element.get("encoding") else ""
    if local_name(element) != "inlineXML":
        return ""
    return "\n".join(filter(None, (_xml(child) for child in element)))


def _xml(element: Any) -> str:
    if local_name(element) != "nitf":
        return story(element)
    return "\n".join(found for one in element.iter() if local_name(one) == "body.content" and (found := story(one)))


def _child(item: Any, name: str) -> list[Any]:
    return [below for child in item if local_name(child) == name for below in child]


def _language(element: Any) -> str | None:
    return element.get("tag") if element is not None else None


def _named(element: Any) -> str | None:
    """The name of a person or organisation; a code alone (``qcode``) tells a reader nothing."""
    if element is None:
        return None
    return next((plain(one) for one in element.iter() if local_name(one) == "name"), None) or element.get("literal")


def _holder(item: Any) -> str | None:
    rights = {local_name(one): one for one in _child(item, "rightsInfo")}
    return _named(rights.get("copyrightHolder"))
