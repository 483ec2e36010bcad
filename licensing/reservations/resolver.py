"""One answer for a document from all protocols: may it be used for training, as far as reservations go?

Silence counts as no reservation only where it can be shown that all was asked for which `asked` in the agents table
lists; what was not asked, or failed, is a finding of its own and unknown. A newer snapshot re-decides every document,
whenever it was received, for the run is judged on one day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from urllib.parse import urljoin

from licensing.canonical import canonical
from licensing.reservations import aipref, content_signal, rsl, tdmrep
from licensing.reservations.addresses import Address, address
from licensing.reservations.agents import AgentTable, Channel
from licensing.reservations.ai_txt import PROTOCOL as AI_TXT
from licensing.reservations.ai_txt import ai_txt_signals
from licensing.reservations.keeper import Keeper
from licensing.reservations.pages import HEADERS, HTML, Found, Headers, from_headers, from_html, joined
from licensing.reservations.robots import PROTOCOL as ROBOTS
from licensing.reservations.robots import Robots, parse_robots, robots_signals
from licensing.reservations.signal import Evidence, Reservation, Signal, Value, reservation
from licensing.reservations.snapshot import Answer, Snapshot, load_snapshot, snapshot_days

_HOSTS = 256
_SILENT = "asked for; nothing in it reserves training on this document"


@dataclass(frozen=True)
class _Site:
    """One host as judged: its files as read, and the answers they came in."""

    robots: Answer
    robots_rules: Robots | None
    tdmrep: Answer
    ai_txt: Answer
    ai_txt_rules: Robots | None
    days: tuple[str, ...]


@dataclass(frozen=True)
class _Page:
    """What is known of one document's page: the answer stored, all headers with their records, and all bodies."""

    stored: Answer
    headers: tuple[tuple[Evidence, Headers], ...]
    bodies: tuple[Evidence, ...]
    may_be_html: bool


class Resolver:
    """Judges documents against the snapshots of one folder, on one day; at most 256 hosts are held in memory.

    ``folder`` may be None where nothing is stored: all is then unknown. With ``keep``, the evidence that findings rest
    on is written there, as `Keeper` says; a page in which nothing is said is known by its digest alone.
    """

    def __init__(self, folder: Path | None, agents: AgentTable, as_of: date, keep: Path | None = None) -> None:
        self._folder, self._agents, self._as_of, self._keeper = folder, agents, as_of.isoformat(), Keeper(keep)
        self._site: Callable[[str], _Site] = lru_cache(_HOSTS)(self._read_site)
        self._snapshot: Callable[[str, str], Snapshot] = lru_cache(2 * _HOSTS)(self._read_snapshot)

    def resolve(
        self, url: str | None, headers: Headers | None = None, html: bytes | Evidence | None = None
    ) -> Reservation:
        """Judge one document; ``headers`` and ``html`` are its own where they came with it, beside those stored."""
        wanted = address(url)
        if wanted is None:
            return reservation(self._without_address(url, headers, html), self._as_of)
        site = self._site(wanted.host)
        page = self._page(site, wanted, headers, _body(wanted.url, html))
        signals = [*self._site_signals(site, wanted), *self._page_signals(site, wanted, page)]
        return reservation(signals, self._as_of)

    def _without_address(self, url: str | None, headers: Headers | None, html: bytes | Evidence | None) -> list[Signal]:
        """Only what came with the document can be heard; what its site says stays unknown."""
        told = f"no usable web address: {url!r}" if url else "the document has no web address"
        signals = [Signal("address", "unknown", "the document", told, "", "")]
        body = _body("the document", html)
        if headers is not None:
            record = Evidence("the document", canonical(joined(headers)), "")
            signals += from_headers(record, headers, self._agents).signals
        return signals + (from_html(body, self._agents).signals if body is not None else [])

    def _read_snapshot(self, host: str, day: str) -> Snapshot:
        return load_snapshot(self._folder or Path(), host, day)

    def _read_site(self, host: str) -> _Site:
        days = snapshot_days(self._folder, host, self._as_of) if self._folder else []
        robots, tdm, ai = (
            self._answer(host, days[:1], Address(host, path))
            for path in ("/robots.txt", "/.well-known/tdmrep.json", "/ai.txt")
        )
        robots, ai = _plain_text(robots), _plain_text(ai)
        return _Site(robots, _rules(robots), tdm, ai, _rules(ai, any_path=True), tuple(days))

    def _answer(self, host: str, days: list[str], wanted: Address) -> Answer:
        """The newest answer of an address among the snapshots of a host on these days."""
        answer: Answer | None = None
        for day in days:
            found = self._snapshot(host, day).answer(wanted, self._as_of)
            if found.kind != "unasked":
                return found
            answer = answer or found
        none = Evidence(wanted.url, b"", "")
        return answer or Answer("unasked", none, f"no snapshot of {host} on or before {self._as_of}")

    def _site_signals(self, site: _Site, wanted: Address) -> list[Signal]:
        signals = self._settled(site.robots, ROBOTS, "robots.txt")
        if site.robots_rules is not None:
            signals += self._spoken(site.robots.evidence, ROBOTS, self._robots(site, wanted))
        signals += self._settled(site.tdmrep, tdmrep.PROTOCOL, "tdmrep.json")
        if site.tdmrep.kind == "body":
            found = tdmrep.file_signals(site.tdmrep.evidence, wanted.target)
            signals += self._spoken(site.tdmrep.evidence, tdmrep.PROTOCOL, found)
        signals += self._settled(site.ai_txt, AI_TXT, "ai.txt")
        if site.ai_txt_rules is not None:
            found = ai_txt_signals(site.ai_txt.evidence, site.ai_txt_rules, wanted.target, self._agents)
            signals += self._spoken(site.ai_txt.evidence, AI_TXT, found)
        return signals

    def _robots(self, site: _Site, wanted: Address) -> list[Signal]:
        evidence, rules = site.robots.evidence, site.robots_rules or Robots()
        named = [(line.value, f"line {line.number}") for line in rules.licences]
        return [
            *robots_signals(evidence, rules, wanted.target, self._agents),
            *aipref.robots_usage_signals(evidence, rules, wanted.target),
            *content_signal.robots_content_signals(evidence, rules, wanted.target),
            *(signal for link, place in named for signal in self._terms(link, place, evidence, site, wanted)),
        ]

    def _terms(self, link: str, place: str, named_by: Evidence, site: _Site, wanted: Address) -> list[Signal]:
        """What an RSL document says that is named somewhere; one that is not stored is unknown."""
        target = _joined_address(named_by.where, link)
        if target is None:
            return [named_by.signal(rsl.PROTOCOL, "unknown", f"names no usable address: {link}", place)]
        # Terms may stand on another host; they are stored with the snapshot of the host that names them.
        answer = self._answer(wanted.host, list(site.days[:1]), target)
        if answer.kind == "body":
            self._keeper.file(answer.evidence)
            return rsl.document_signals(answer.evidence, wanted)
        told = f"names {link}, of which nothing can be read: {answer.told}"
        return [named_by.signal(rsl.PROTOCOL, "unknown", told, place)]

    def _page_signals(self, site: _Site, wanted: Address, page: _Page) -> list[Signal]:
        signals: list[Signal] = []
        # What came with a document does not speak for a newer answer that failed.
        failed = page.stored.kind == "failed"
        for record, headers in page.headers:
            signals += self._heard(from_headers(record, headers, self._agents), record, HEADERS, site, wanted)
        if not page.headers or (failed and page.stored.headers is None):
            signals += self._settled(_without_headers(page.stored), HEADERS, "headers", self._keeper.page)
        for body in page.bodies:
            signals += self._heard(from_html(body, self._agents), body, HTML, site, wanted)
        if page.may_be_html and (not page.bodies or failed):
            signals += self._settled(page.stored, HTML, "html", self._keeper.page)
        return signals

    def _page(self, site: _Site, wanted: Address, headers: Headers | None, own: Evidence | None) -> _Page:
        """What is known of the document's own page: what came with it, and what is stored, which may be newer."""
        stored = self._answer(wanted.host, list(site.days), wanted)
        if stored.kind == "absent":
            # A page that is gone shows nothing of what it said.
            stored = replace(stored, kind="failed")
        said = [(Evidence(wanted.url, canonical(joined(headers)), ""), headers)] if headers is not None else []
        if stored.record is not None and stored.headers is not None:
            said.append((stored.record, stored.headers))
        kinds = {joined(one).get("content-type", "").lower() for _, one in said} - {""}
        may_be_html = not kinds or any("html" in kind for kind in kinds)
        bodies = [own] if own is not None else []
        if stored.kind == "body" and may_be_html:
            bodies.append(stored.evidence)
        return _Page(stored, tuple(said), tuple(bodies), may_be_html)

    def _heard(self, found: Found, evidence: Evidence, protocol: str, site: _Site, wanted: Address) -> list[Signal]:
        terms = [one for link in found.licences for one in self._terms(link, "licence link", evidence, site, wanted)]
        if protocol == HEADERS:
            self._keeper.page(evidence)
        elif found.signals or terms:
            self._keeper.file(evidence)
        return [*found.signals, *terms] or [evidence.signal(protocol, "allowed", _SILENT)]

    def _spoken(self, evidence: Evidence, protocol: str, signals: list[Signal]) -> list[Signal]:
        """Findings, or the finding that there are none; their evidence is kept."""
        self._keeper.file(evidence)
        return signals or [evidence.signal(protocol, "allowed", _SILENT)]

    def _settled(
        self, answer: Answer, protocol: str, channel: Channel, keep: Callable[[Evidence], None] | None = None
    ) -> list[Signal]:
        """The finding for an answer without a body; none where it need not have been asked for."""
        if answer.kind == "body" or (answer.kind == "unasked" and channel not in self._agents.rule.asked):
            return []
        # That something was not asked for is shown by the list of all that was, one file a host.
        (keep if keep and answer.kind != "unasked" else self._keeper.file)(answer.evidence)
        value: Value = "allowed" if answer.kind == "absent" else "unknown"
        return [answer.evidence.signal(protocol, value, answer.told)]


def _body(where: str, html: bytes | Evidence | None) -> Evidence | None:
    return Evidence(where, html, "") if isinstance(html, bytes) else html


def _plain_text(answer: Answer) -> Answer:
    """A page served in the place of a text file says nothing of what the file would have said."""
    if answer.kind != "body":
        return answer
    start = answer.evidence.data[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<") or "html" in joined(answer.headers or {}).get("content-type", "").lower():
        return Answer("failed", answer.evidence, "an HTML page was served instead of a text file")
    return answer


def _without_headers(answer: Answer) -> Answer:
    """An answer stored without its headers leaves open what they said: it counts as not asked for."""
    if answer.kind != "body":
        return answer
    return replace(answer, kind="unasked", evidence=answer.record or answer.evidence, told="its headers are not stored")


def _rules(answer: Answer, any_path: bool = False) -> Robots | None:
    return parse_robots(answer.evidence.data, any_path) if answer.kind == "body" else None


def _joined_address(base: str, link: str) -> Address | None:
    try:
        return address(urljoin(base, link))
    except ValueError:
        return None
