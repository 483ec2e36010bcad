"""Really Simple Licensing 1.0 (rslstandard.org/rsl): the terms in XML that a site offers to machines.

Found by the line ``License:`` of robots.txt, a ``Link`` header or a ``<link rel="license">`` of the type
``application/rsl+xml``. Terms are allowed only where training is among what is permitted, free of charge, without a
licence server and without limits to users or territory: all other terms are an offer that somebody must accept, and
accepting it makes an agreement. Of several licences, and of several ``<content>`` that match, the strictest holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from licensing.reservations.addresses import Address, address, matches, normal_pattern
from licensing.reservations.signal import Evidence, Signal, Value, combined

PROTOCOL = "rsl"
NAMESPACE = "https://rslstandard.org/rsl"
MEDIA_TYPE = "application/rsl+xml"
_TRAINING = frozenset(("all", "ai-all", "ai-train", "train-ai"))
_DECLARATION = re.compile(rb"<!\s*(doctype|entity)", re.IGNORECASE)


def document_signals(evidence: Evidence, document: Address) -> list[Signal]:
    """What the terms say about a document; nothing where no ``<content>`` covers it, unknown where they are broken."""
    try:
        contents = list(_contents(evidence.data))
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as fault:
        return [evidence.signal(PROTOCOL, "unknown", f"no readable RSL document ({fault})")]
    if not contents:
        return [evidence.signal(PROTOCOL, "unknown", "no <content> in the RSL namespace")]
    signals: list[Signal] = []
    for number, content in enumerate(contents, start=1):
        covered = _covers(content.get("url"), document)
        if covered is not False:
            value = _content_value(content) if covered else "unknown"
            text = ElementTree.tostring(content, encoding="unicode").replace(f"{{{NAMESPACE}}}", "")
            signals.append(evidence.signal(PROTOCOL, value, text, f"<content> {number}"))
    return signals


def _contents(data: bytes) -> Iterator[ElementTree.Element]:
    """All ``<content>`` elements; document types are refused, for they can unfold into gigabytes."""
    if _DECLARATION.search(data) or b"\0" in data:
        raise ValueError("a document type or an encoding that is not taken")
    root = ElementTree.fromstring(data)  # noqa: S314
    yield from root.iter(f"{{{NAMESPACE}}}content")


def _covers(url: str | None, document: Address) -> bool | None:
    """Whether a ``url`` (an address or a path pattern) covers the document; None where it cannot be read."""
    if not url:
        return None
    if url[0] in "/*":
        return matches(normal_pattern(url), document.target)
    host = address(url.partition("*")[0])
    if host is None:
        return None
    path = "/" + url.split("://", 1)[1].partition("/")[2]
    return host.host == document.host and matches(normal_pattern(path), document.target)


def _content_value(content: ElementTree.Element) -> Value:
    licences = content.findall(f"{{{NAMESPACE}}}license")
    if not licences:
        return "unknown"
    return combined([_licence_value(licence, content.get("server") is not None) for licence in licences])


def _licence_value(licence: ElementTree.Element, server: bool) -> Value:
    permitted, prohibited = _words(licence, "permits"), _words(licence, "prohibits")
    if prohibited.get("usage", frozenset()) & _TRAINING:
        return "disallowed"
    if "usage" not in permitted:
        return "unknown"
    if not permitted["usage"] & _TRAINING or server or not _is_free(licence):
        return "disallowed"
    return "unknown" if (permitted.keys() | prohibited.keys()) - {"usage"} else "allowed"


def _words(licence: ElementTree.Element, name: str) -> dict[str, frozenset[str]]:
    """The words of all ``<permits>`` or ``<prohibits>``, by their type."""
    found: dict[str, frozenset[str]] = {}
    for element in licence.findall(f"{{{NAMESPACE}}}{name}"):
        kind = element.get("type", "")
        words = re.split(r"[\s,]+", "".join(element.itertext()).strip().lower())
        found[kind] = found.get(kind, frozenset()) | frozenset(words)
    return found


def _is_free(licence: ElementTree.Element) -> bool:
    return all(payment.get("type") == "free" for payment in licence.findall(f"{{{NAMESPACE}}}payment"))
