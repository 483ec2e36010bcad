"""Documents against stored answers: what is silent, what is unknown, and which day decides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from licensing.reservations import Resolver
from licensing.reservations.agents import AgentTable
from tests.licensing.reservations.sites import AGENTS, HOST, PAGE, QUIET_PAGE, QUIET_ROBOTS, resolver, silent, store

ROBOTS = f"https://{HOST}/robots.txt"
TDMREP = f"https://{HOST}/.well-known/tdmrep.json"
AI_TXT = f"https://{HOST}/ai.txt"
Entries = dict[str, dict[str, Any]]


def judged(folder: Path, change: Callable[[Entries], Any] = lambda entries: None, url: str | None = PAGE) -> Any:
    entries = silent()
    change(entries)
    return resolver(store(folder, entries)).resolve(url)


def test_silence_is_allowed_where_everything_was_asked_for(tmp_path: Path) -> None:
    found = judged(tmp_path)
    assert found.state == "allowed" and found.as_of == "2026-11-15"
    assert {one.protocol for one in found.signals} == {"robots.txt", "tdmrep", "ai.txt", "http-headers", "html-meta"}
    assert all(len(one.sha256) == 64 and one.fetched == "2026-11-01" for one in found.signals)


# Each takes the silent site and changes one thing; none of them may come out as allowed.
FAILS_CLOSED: dict[str, Callable[[Entries], Any]] = {
    "robots.txt with a parse error": lambda e: e[ROBOTS].update(body=b"User-agent: *\nverboden\n"),
    "robots.txt in invalid UTF-8": lambda e: e[ROBOTS].update(body=b"User-agent: \xff\xfe\nDisallow: /x\n"),
    "an HTML page served as robots.txt": lambda e: e[ROBOTS].update(body=b"\n <!DOCTYPE html><p>niet gevonden</p>"),
    "robots.txt of the type text/html": lambda e: e[ROBOTS].update(headers={"Content-Type": "text/html"}),
    "an empty robots.txt": lambda e: e[ROBOTS].update(body=b""),
    "robots.txt answered with 500": lambda e: e[ROBOTS].update(status=500),
    "robots.txt answered with 403": lambda e: e[ROBOTS].update(status=403),
    "robots.txt answered with 429": lambda e: e[ROBOTS].update(status=429),
    "robots.txt answered with 304": lambda e: e[ROBOTS].update(status=304),
    "a timeout": lambda e: e[ROBOTS].update(status=None, error="timeout"),
    "a redirect loop": lambda e: e[ROBOTS].update(status=301, error="redirect-loop"),
    "an error beside a good status": lambda e: e[ROBOTS].update(error="connection closed"),
    "no status": lambda e: e[ROBOTS].pop("status"),
    "a status that is text": lambda e: e[ROBOTS].update(status="200"),
    "a status that is true": lambda e: e[ROBOTS].update(status=True),
    "robots.txt not asked for": lambda e: e.pop(ROBOTS),
    "a body that is not stored": lambda e: e[ROBOTS].pop("body"),
    "a file that is missing": lambda e: (e[ROBOTS].pop("body"), e[ROBOTS].update(file="weg.txt")),
    "a file outside the folder": lambda e: (e[ROBOTS].pop("body"), e[ROBOTS].update(file="../../../robots.txt")),
    "a file of another digest": lambda e: e[ROBOTS].update(sha256="0" * 64),
    "headers of another form": lambda e: e[ROBOTS].update(headers=["content-type"]),
    "an answer of a day after the day of judgement": lambda e: e[ROBOTS].update(fetched="2026-12-01"),
    "an answer of no day": lambda e: e[ROBOTS].update(fetched="gisteren"),
    "terms named and not stored": lambda e: e[ROBOTS].update(
        body=b"License: https://krant.example/l.xml\n" + QUIET_ROBOTS
    ),
    "terms at no address": lambda e: e[ROBOTS].update(body=b"License: mailto:wij@krant.example\n" + QUIET_ROBOTS),
    "an unknown category": lambda e: e[ROBOTS].update(body=QUIET_ROBOTS + b"Content-Usage: / train-all=n\n"),
    "contradictory groups": lambda e: e[ROBOTS].update(body=b"User-agent: *\nDisallow: /\nUser-agent: *\nAllow: /\n"),
    "tdmrep.json not asked for": lambda e: e.pop(TDMREP),
    "an empty tdmrep.json": lambda e: e[TDMREP].update(status=200, body=b""),
    "an empty tdmrep.json that says so": lambda e: e[TDMREP].update(
        status=200, body=b"", headers={"content-length": "0"}
    ),
    "tdmrep.json that is no JSON": lambda e: e[TDMREP].update(status=200, body=b"{"),
    "tdmrep.json answered with 503": lambda e: e[TDMREP].update(status=503),
    "ai.txt not asked for": lambda e: e.pop(AI_TXT),
    "ai.txt of an unknown kind": lambda e: e[AI_TXT].update(status=200, body=b"Welkom\n"),
    "an HTML page served as ai.txt": lambda e: e[AI_TXT].update(status=200, body=b"<html></html>"),
    "a page that was not looked at": lambda e: e.pop(PAGE),
    "a page whose headers were not kept": lambda e: e[PAGE].pop("headers"),
    "a page whose text was not kept": lambda e: e[PAGE].pop("body"),
    "a page that is gone": lambda e: e[PAGE].update(status=404),
    "a page that failed": lambda e: e[PAGE].update(status=502),
    "a page with a header that cannot be read": lambda e: e[PAGE]["headers"].update({"tdm-reservation": "misschien"}),
    "a page with an element that cannot be read": lambda e: e[PAGE].update(body=b'<meta name="tdm-reservation">'),
}


@pytest.mark.parametrize("name", FAILS_CLOSED)
def test_fails_closed(tmp_path: Path, name: str) -> None:
    expected = "disallowed" if name == "contradictory groups" else "unknown"
    assert judged(tmp_path, FAILS_CLOSED[name]).state == expected


RESERVED: dict[str, tuple[str, Callable[[Entries], Any]]] = {
    "robots.txt": ("robots.txt", lambda e: e[ROBOTS].update(body=b"User-agent: CCBot\nDisallow: /artikel/\n")),
    "AIPREF rule": ("aipref", lambda e: e[ROBOTS].update(body=QUIET_ROBOTS + b"Content-Usage: / train-ai=n\n")),
    "Content-Signal": (
        "content-signal", lambda e: e[ROBOTS].update(body=b"User-agent: *\nContent-Signal: ai-train=no\n")
    ),
    "TDMRep file": (
        "tdmrep", lambda e: e[TDMREP].update(status=200, body=b'[{"location": "/", "tdm-reservation": 1}]')
    ),
    "ai.txt": ("ai.txt", lambda e: e[AI_TXT].update(status=200, body=b"User-Agent: *\nDisallow: *.html\n")),
    "AIPREF header": ("aipref", lambda e: e[PAGE]["headers"].update({"content-usage": "train-ai=n"})),
    "TDMRep header": ("tdmrep", lambda e: e[PAGE]["headers"].update({"tdm-reservation": "1"})),
    "X-Robots-Tag": ("x-robots-tag", lambda e: e[PAGE]["headers"].update({"x-robots-tag": "noai"})),
    "meta robots": ("meta-robots", lambda e: e[PAGE].update(body=b'<meta name="robots" content="noai">')),
    "TDMRep element": ("tdmrep", lambda e: e[PAGE].update(body=b'<meta name="tdm-reservation" content="1">')),
}  # fmt: skip


@pytest.mark.parametrize("name", RESERVED)
def test_each_channel_reserves_by_itself(tmp_path: Path, name: str) -> None:
    protocol, change = RESERVED[name]
    found = judged(tmp_path, change)
    assert found.state == "disallowed" and [one.protocol for one in found.decisive] == [protocol]


def test_a_reservation_stands_beside_what_is_unknown(tmp_path: Path) -> None:
    found = judged(tmp_path, lambda e: (e.pop(TDMREP), e[ROBOTS].update(body=b"User-agent: *\nDisallow: /\n")))
    assert found.state == "disallowed" and {one.value for one in found.signals} == {"disallowed", "unknown", "allowed"}


@pytest.mark.parametrize("named_by", ["robots", "header", "page"])
def test_terms_in_rsl_are_followed_where_they_are_named(tmp_path: Path, named_by: str) -> None:
    terms = (
        b'<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>'
        b'<prohibits type="usage">ai-train</prohibits></license></content></rsl>'
    )

    def change(entries: Entries) -> None:
        entries["https://cdn.example/terms.xml"] = {"status": 200, "body": terms}
        if named_by == "robots":
            entries[ROBOTS]["body"] = b"License: https://cdn.example/terms.xml\n" + QUIET_ROBOTS
        elif named_by == "header":
            link = '<https://cdn.example/terms.xml>; rel="license"; type="application/rsl+xml"'
            entries[PAGE]["headers"]["link"] = link
        else:
            entries[PAGE]["body"] = (
                b'<link rel="license" type="application/rsl+xml" href="https://cdn.example/terms.xml">'
            )

    found = judged(tmp_path, change)
    assert [one.protocol for one in found.decisive] == ["rsl"] and found.state == "disallowed"
    assert found.decisive[0].sha256 == hashlib.sha256(terms).hexdigest()


def test_a_text_that_is_no_page_needs_no_elements(tmp_path: Path) -> None:
    plain = {"status": 200, "headers": {"content-type": "text/plain; charset=utf-8"}}
    assert judged(tmp_path, lambda e: e.update({PAGE: plain})).state == "allowed"


def test_an_empty_robots_that_says_so_is_silence(tmp_path: Path) -> None:
    assert judged(tmp_path, lambda e: e[ROBOTS].update(body=b"", headers={"Content-Length": "0"})).state == "allowed"


@pytest.mark.parametrize("status", [404, 410])
def test_no_robots_means_no_rule(tmp_path: Path, status: int) -> None:
    found = judged(tmp_path, lambda e: e.update({ROBOTS: {"status": status}}))
    assert found.state == "allowed"
    assert f"the server answered {status}" in {one.text for one in found.signals}


@pytest.mark.parametrize("url", [None, "", "artikel 1", "ftp://krant.example/a", "https://[::1"])
def test_a_document_without_a_usable_address_is_unknown(tmp_path: Path, url: str | None) -> None:
    assert judged(tmp_path, url=url).state == "unknown"


def test_another_host_is_another_matter(tmp_path: Path) -> None:
    assert judged(tmp_path, url="https://andere.example/artikel/1").state == "unknown"
    assert resolver(None).resolve(PAGE).state == "unknown"
    assert resolver(tmp_path / "weg").resolve(PAGE).state == "unknown"


META = {
    "missing": None,
    "no JSON": b"{",
    "an array": b"[]",
    "no resources": b"{}",
    "resources of another form": b'{"resources": 3}',
    "an entry without an address": b'{"resources": [{"status": 404}]}',
    "an entry that is no object": b'{"resources": ["https://krant.example/"]}',
    "two answers for one address": json.dumps(
        {"resources": [{"url": f"{scheme}://{HOST}/robots.txt", "status": 404} for scheme in ("http", "https")]}
    ).encode(),
    "a key given twice": b'{"resources": [{"url": "https://krant.example/robots.txt", "status": 500, "status": 404}]}',
    "nested too deep": b"[" * 100_000,
    "invalid UTF-8": b"\xff\xfe{}",
}


@pytest.mark.parametrize("name", META)
def test_a_broken_list_of_answers_is_unknown(tmp_path: Path, name: str) -> None:
    place = store(tmp_path, silent()) / HOST / "2026-11-01" / "meta.json"
    content = META[name]
    if content is None:
        place.unlink()
    else:
        place.write_bytes(content)
    assert resolver(tmp_path).resolve(PAGE).state == "unknown"


def test_the_newest_answers_up_to_the_day_decide(tmp_path: Path) -> None:
    reserved = silent()
    reserved[ROBOTS]["body"] = b"User-agent: GPTBot\nDisallow: /\n"
    store(tmp_path, silent(), "2026-10-01")
    store(tmp_path, reserved, "2026-11-01")
    store(tmp_path, silent(), "2026-12-01")
    by_day = {day: resolver(tmp_path, day).resolve(PAGE).state for day in ("2026-09-30", "2026-10-31", "2026-11-01")}
    assert by_day == {"2026-09-30": "unknown", "2026-10-31": "allowed", "2026-11-01": "disallowed"}
    assert resolver(tmp_path, "2026-11-30").resolve(PAGE).state == "disallowed"
    assert resolver(tmp_path, "2026-12-01").resolve(PAGE).state == "allowed"


def test_a_newer_day_without_an_answer_is_not_filled_from_an_older_one(tmp_path: Path) -> None:
    store(tmp_path, silent(), "2026-10-01")
    newer = silent()
    del newer[TDMREP]
    store(tmp_path, newer, "2026-11-01")
    assert resolver(tmp_path).resolve(PAGE).state == "unknown"


def test_a_page_is_found_in_the_newest_day_that_has_it(tmp_path: Path) -> None:
    store(tmp_path, silent(), "2026-10-01")
    newer = silent()
    del newer[PAGE]
    store(tmp_path, newer, "2026-11-01")
    assert resolver(tmp_path).resolve(PAGE).state == "allowed"


def test_folders_that_are_no_day_are_passed_over(tmp_path: Path) -> None:
    store(tmp_path, silent(), "2026-11-01")
    for name in ("latest", "2026-11-1", "2026-13-01", "20261102"):
        (tmp_path / HOST / name).mkdir()
    assert resolver(tmp_path).resolve(PAGE).state == "allowed"


def test_pages_may_have_files_of_their_own(tmp_path: Path) -> None:
    entries = silent()
    page = entries.pop(PAGE)
    place = store(tmp_path, entries) / HOST / "2026-11-01"
    (place / "pages").mkdir()
    (place / "pages" / "1.html").write_bytes(QUIET_PAGE)
    name = hashlib.sha256(f"{HOST}/artikel/1".encode()).hexdigest()
    entry = {"url": PAGE, "status": 200, "headers": page["headers"], "file": "pages/1.html"}
    (place / "pages" / f"{name}.json").write_text(json.dumps(entry))
    assert resolver(tmp_path).resolve(PAGE).state == "allowed"
    (place / "pages" / f"{name}.json").write_text("{")
    assert resolver(tmp_path).resolve(PAGE).state == "unknown"


def test_what_came_with_the_document_counts_beside_what_is_stored(tmp_path: Path) -> None:
    folder = store(tmp_path, silent())
    ask = resolver(folder).resolve
    assert ask(PAGE, headers={"content-type": "text/html"}, html=QUIET_PAGE).state == "allowed"
    assert ask(PAGE, headers={"tdm-reservation": "1"}).state == "disallowed"
    assert ask(PAGE, html=b'<meta name="robots" content="noai">').state == "disallowed"
    reserved = silent()
    reserved[PAGE]["body"] = b'<meta name="robots" content="noai">'
    newer = resolver(store(tmp_path / "newer", reserved)).resolve
    assert newer(PAGE, headers={"content-type": "text/html"}, html=QUIET_PAGE).state == "disallowed"
    assert ask(None, html=b'<meta name="robots" content="noai">').state == "disallowed"
    assert ask(None, headers={"content-usage": "train-ai=n"}).state == "disallowed"
    gone = silent()
    gone[PAGE] = {"status": 503}
    failed = resolver(store(tmp_path / "failed", gone)).resolve
    assert failed(PAGE, headers={"content-type": "text/html"}, html=QUIET_PAGE).state == "unknown"
    unstored = f"https://{HOST}/artikel/2"
    assert ask(unstored).state == "unknown"
    assert ask(unstored, headers={"content-type": "text/html"}).state == "unknown"
    assert ask(unstored, html=QUIET_PAGE).state == "unknown"
    assert ask(unstored, headers={"content-type": "text/html"}, html=QUIET_PAGE).state == "allowed"


def test_what_need_not_be_asked_for_is_for_the_table_to_say(tmp_path: Path) -> None:
    def change(entries: Entries) -> None:
        del entries[AI_TXT], entries[PAGE]

    entries = silent()
    change(entries)
    folder = store(tmp_path, entries)
    less = AgentTable.model_validate(
        AGENTS.model_dump() | {"rule": AGENTS.rule.model_dump() | {"asked": ["robots.txt", "tdmrep.json"]}}
    )
    assert resolver(folder).resolve(PAGE).state == "unknown"
    assert resolver(folder, agents=less).resolve(PAGE).state == "allowed"
    assert resolver(None, agents=less).resolve(PAGE).state == "unknown"


def test_evidence_is_kept_under_its_digest(tmp_path: Path) -> None:
    entries = silent()
    entries[PAGE]["body"] = b'<meta name="robots" content="noai">'
    folder = store(tmp_path / "snapshots", entries)
    found = resolver(folder, keep=tmp_path / "evidence").resolve(PAGE)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "evidence").rglob("*") if path.is_file()}
    for line in kept.pop("pages.jsonl").splitlines():
        record = json.loads(line)
        kept[record["sha256"]] = record["record"].encode()
        assert json.loads(record["record"])["url"] == record["where"] == PAGE
    assert {one.sha256 for one in found.signals} == set(kept)
    assert all(hashlib.sha256(data).hexdigest() == name for name, data in kept.items())
    assert QUIET_ROBOTS in kept.values() and entries[PAGE]["body"] in kept.values()


def test_many_lines_that_say_the_same_do_not_fill_the_ledger(tmp_path: Path) -> None:
    robots = b"".join(b"User-agent: Bot%d\nContent-Signal: ai-train=no\n\n" % number for number in range(500))
    found = judged(tmp_path, lambda e: e[ROBOTS].update(body=robots))
    assert found.state == "disallowed" and len(found.decisive) == 3


def test_what_failed_or_was_not_asked_for_is_kept_as_it_was_recorded(tmp_path: Path) -> None:
    entries = silent()
    entries[PAGE] = {"status": None, "error": "timeout"}
    del entries[AI_TXT]
    entries[TDMREP]["status"] = 503
    found = resolver(store(tmp_path / "snapshots", entries), keep=tmp_path / "evidence").resolve(PAGE)
    files = {path.name for path in (tmp_path / "evidence").rglob("*") if path.is_file()}
    lines = (tmp_path / "evidence" / "pages.jsonl").read_text().splitlines()
    noted = {json.loads(line)["sha256"] for line in lines}
    assert {one.sha256 for one in found.signals} <= files | noted
    assert all(json.loads(json.loads(line)["record"])["error"] == "timeout" for line in lines)


def test_a_thousand_quiet_pages_make_no_thousand_files(tmp_path: Path) -> None:
    folder = store(tmp_path / "snapshots", silent())
    ask = resolver(folder, keep=tmp_path / "evidence").resolve
    for number in range(1000):
        ask(f"https://{HOST}/artikel/{number}", headers={"content-type": "text/html"}, html=QUIET_PAGE)
    assert sum(path.is_file() for path in (tmp_path / "evidence").rglob("*")) <= 4


def test_hosts_in_memory_are_bounded(tmp_path: Path) -> None:
    ask: Resolver = resolver(store(tmp_path, silent()))
    for number in range(2000):
        ask.resolve(f"https://host{number}.example/")
    assert ask._site.cache_info().currsize <= 256 and ask._snapshot.cache_info().currsize <= 512  # type: ignore[attr-defined]
