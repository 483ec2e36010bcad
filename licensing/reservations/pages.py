"""What comes with one document: response headers, and the ``<meta>`` and ``<link>`` elements of an HTML page."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html.parser import HTMLParser

from licensing.reservations import aipref, content_signal, rsl, tdmrep
from licensing.reservations.agents import AgentTable
from licensing.reservations.signal import Evidence, Reservation, Signal, reservation

HEADERS, HTML = "http-headers", "html-meta"
_LINK = re.compile(r"<([^>]*)>([^,<]*)")
_META = re.compile(rb"(?i)<\s*meta\b")
_MAY_RESERVE = re.compile(rb"(?i)robots|tdm-|content-usage|\bno[a-z]+\b")
_TERMS = re.compile(rb"(?i)rsl\+xml")

Headers = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """The findings of one page, and the addresses of RSL documents that it names."""

    signals: list[Signal]
    licences: list[str]


def joined(headers: Headers) -> dict[str, str]:
    """Headers by lower-case name, several of one name joined by commas (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        said = value if isinstance(value, str) else ", ".join(value)
        key = name.strip().lower()
        found[key] = f"{found[key]}, {said}" if key in found else said
    return found


def from_headers(evidence: Evidence, headers: Headers, agents: AgentTable) -> Found:
    """What ``Content-Usage``, ``Content-Signal``, ``tdm-reservation``, ``X-Robots-Tag`` and ``Link`` say."""
    said = joined(headers)
    signals = [
        *aipref.header_signals(evidence, said.get("content-usage")),
        *content_signal.header_signals(evidence, said.get("content-signal")),
        *tdmrep.value_signals(evidence, said.get("tdm-reservation"), said.get("tdm-policy"), "header tdm-reservation"),
        *_word_signals(evidence, said.get("x-robots-tag"), agents, "x-robots-tag", "header X-Robots-Tag"),
    ]
    links = [
        target
        for target, parameters in _LINK.findall(said.get("link", ""))
        if rsl.MEDIA_TYPE in parameters.lower() and "license" in parameters.lower()
    ]
    return Found(signals, links)


def from_html(evidence: Evidence, agents: AgentTable) -> Found:
    """What the elements of a page say; a page that cannot be read is unknown."""
    page = _Page(evidence, agents)
    try:
        page.feed(_decoded(evidence.data))
        page.close()
    except (ValueError, AssertionError, RecursionError) as fault:
        page.signals.append(evidence.signal(HTML, "unknown", f"not readable as HTML ({fault})"))
    return Found(page.signals, page.licences)


def page_reservation(page: Evidence, agents: AgentTable, as_of: date) -> Reservation | None:
    """What a document's own page says, where nothing else is asked; None where it says nothing."""
    found = from_html(page, agents)
    named = [page.signal(rsl.PROTOCOL, "unknown", f"names terms at {link}", "licence link") for link in found.licences]
    signals = [*found.signals, *named]
    return reservation(signals, as_of.isoformat()) if signals else None


def reserving_elements(data: bytes) -> tuple[str, ...] | None:
    """The elements of a page that may reserve something, each as ``LINE TAG``; None where it cannot be read.

    They say all that `from_html` needs, so that a page can be judged long after its bytes were turned into text.
    """
    if not _may_reserve(data) and b"\0" not in data:
        return ()
    collected = _Elements()
    try:
        # What is never closed is no element (HTML, "eof-in-tag"), and the parser's time grows with its square.
        text = _decoded(data)
        collected.feed(text[: text.rfind(">") + 1])
        collected.close()
    except (ValueError, AssertionError, RecursionError):
        return None
    return tuple(collected.found)


def _may_reserve(data: bytes) -> bool:
    """Whether a ``<meta>`` holds a word that may reserve; no byte is looked at twice, though many be never closed."""
    place = 0
    while start := _META.search(data, place):
        place = data.find(b">", start.end())
        place = len(data) if place < 0 else place
        if _MAY_RESERVE.search(data, start.end(), place):
            return True
    return bool(_TERMS.search(data))


def as_page(elements: Sequence[str]) -> bytes:
    """Put `reserving_elements` back on their lines."""
    text, line = "", 1
    for element in elements:
        number, _, tag = element.partition(" ")
        text += "\n" * (int(number) - line) + tag
        line = int(number)
    return text.encode("utf-8", "replace")


def _word_signals(evidence: Evidence, value: str | None, agents: AgentTable, protocol: str, place: str) -> list[Signal]:
    """One finding where a word reserves text, whichever agent it is addressed to."""
    words = set(re.split(r"[\s,:;]+", (value or "").lower()))
    if words & set(agents.rule.page_words):
        return [evidence.signal(protocol, "disallowed", value or "", place)]
    return []


def _decoded(data: bytes) -> str:
    """Names and values of these elements are ASCII, so that only the width of characters matters."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    if b"\0" in data:
        raise ValueError("it holds null bytes")
    return data.decode("utf-8", "replace")


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "meta" or (tag in ("link", "script") and rsl.MEDIA_TYPE in str(attrs).lower()):
            text = " ".join((self.get_starttag_text() or "").split())
            self.found.append(f"{self.getpos()[0]} {text}")


class _Page(HTMLParser):
    def __init__(self, evidence: Evidence, agents: AgentTable) -> None:
        super().__init__(convert_charrefs=True)
        self._evidence, self._agents = evidence, agents
        self.signals: list[Signal] = []
        self.licences: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in reversed(attrs)}
        if tag == "meta":
            self._meta(known.get("name", known.get("http-equiv", "")).strip().lower(), known.get("content", ""))
        elif tag == "link" and rsl.MEDIA_TYPE in known.get("type", "").lower() and "license" in known.get("rel", ""):
            self.licences.append(known.get("href", ""))
        elif tag == "script" and rsl.MEDIA_TYPE in known.get("type", "").lower():
            told = "terms in RSL stand within the page; a person must read them"
            self.signals.append(self._evidence.signal(rsl.PROTOCOL, "unknown", told, self._place("script")))

    def _meta(self, name: str, content: str) -> None:
        if name == "tdm-reservation":
            self.signals += tdmrep.value_signals(self._evidence, content, None, self._place(f"meta {name}"))
        elif name == "content-usage":
            value = aipref.preference(content)
            if value:
                place = self._place(f"meta {name}")
                self.signals.append(self._evidence.signal(aipref.PROTOCOL, value, content, place))
        elif name == "robots" or self._agents.knows(name):
            place = self._place(f"meta {name}")
            self.signals += _word_signals(self._evidence, content, self._agents, "meta-robots", place)

    def _place(self, element: str) -> str:
        return f"line {self.getpos()[0]} <{element}>"
