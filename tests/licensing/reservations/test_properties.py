"""Whatever bytes come in, an answer comes out; and how answers combine."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licensing.reservations import Signal, combined, reservation
from licensing.reservations.addresses import address
from licensing.reservations.ai_txt import ai_txt_signals
from licensing.reservations.aipref import preference, robots_usage_signals
from licensing.reservations.content_signal import robots_content_signals, signal_value
from licensing.reservations.pages import from_headers, from_html
from licensing.reservations.robots import parse_robots, robots_signals
from licensing.reservations.rsl import document_signals
from licensing.reservations.signal import Value
from licensing.reservations.tdmrep import file_signals
from tests.licensing.reservations.sites import AGENTS, HOST, PAGE, evidence, resolver, silent, store

WANTED = address(PAGE)
STRICTNESS: dict[Value, int] = {"allowed": 0, "unknown": 1, "disallowed": 2}
# Bytes that look like something, so that more than the first check is reached.
PIECES = st.sampled_from(
    [
        *(b"User-agent: GPTBot\n", b"Disallow: /\n", b"Allow:", b"Content-Usage: / ", b"train-ai=n", b"License: "),
        *(b"*", b"$", b"[", b"]", b"{", b'"location": "/"', b'"tdm-reservation": 1', b"&#", b"\xff", b"\0"),
        *(b"<rsl xmlns='https://rslstandard.org/rsl'>", b"<content url='/'>", b"<license>", b"</", b"<![", b"<!--"),
        b"<meta name='robots' content='",
    ]
)
BYTES = st.binary(max_size=60) | st.lists(PIECES | st.binary(max_size=4), max_size=12).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(BYTES)
def test_no_parser_raises_on_any_bytes(data: bytes) -> None:
    one = evidence(data)
    assert WANTED is not None
    for any_path in (False, True):
        rules = parse_robots(data, any_path)
        robots_signals(one, rules, WANTED.target, AGENTS)
        robots_usage_signals(one, rules, WANTED.target)
        robots_content_signals(one, rules, WANTED.target)
        ai_txt_signals(one, rules, WANTED.target, AGENTS)
    file_signals(one, WANTED.target)
    document_signals(one, WANTED)
    from_html(one, AGENTS)
    text = data.decode("latin-1")
    names = ("content-usage", "content-signal", "tdm-reservation", "x-robots-tag", "link")
    from_headers(one, dict.fromkeys(names, text), AGENTS)
    preference(text)
    signal_value(text)
    address(text)
    address(f"https://{text}")


@pytest.mark.parametrize("name", ["meta.json", "robots.txt", "tdmrep.json", "page"])
@settings(max_examples=60, deadline=None)
@given(data=BYTES)
def test_no_stored_bytes_stop_the_resolver_or_are_let_pass(name: str, data: bytes) -> None:
    entries = silent()
    entries[f"https://{HOST}/.well-known/tdmrep.json"] = {"status": 200, "body": b"[]"}
    place = {"robots.txt": f"https://{HOST}/robots.txt", "tdmrep.json": f"https://{HOST}/.well-known/tdmrep.json"}
    if name != "meta.json":
        entries[place.get(name, PAGE)]["body"] = data
    with tempfile.TemporaryDirectory() as folder:
        store(Path(folder), entries)
        if name == "meta.json":
            (Path(folder) / HOST / "2026-11-01" / "meta.json").write_bytes(data)
        found = resolver(Path(folder)).resolve(PAGE)
    assert found.signals
    if name == "meta.json":
        assert found.state == "unknown"


VALUES = st.sampled_from(["allowed", "disallowed", "unknown"])
NAMES, NOTHING = st.sampled_from(["robots.txt", "rsl"]), st.just("")
SIGNALS = st.builds(Signal, NAMES, VALUES, st.sampled_from(["a", "b"]), st.just("t"), NOTHING, NOTHING)


@given(st.lists(VALUES, min_size=1), st.lists(VALUES, min_size=1))
def test_combining_is_a_join(some: list[Value], others: list[Value]) -> None:
    assert combined(some + others) == combined(others + some)
    assert combined(some + some) == combined(some)
    assert combined([combined(some), combined(others)]) == combined(some + others)


@given(st.lists(SIGNALS, min_size=1), SIGNALS)
def test_one_signal_more_is_never_more_permissive(signals: list[Signal], more: Signal) -> None:
    before, after = reservation(signals, "2026-11-01"), reservation([*signals, more], "2026-11-01")
    assert STRICTNESS[after.state] >= max(STRICTNESS[before.state], STRICTNESS[more.value])


@given(st.lists(SIGNALS), st.randoms())
def test_order_and_repetition_leave_no_trace(signals: list[Signal], random: object) -> None:
    shuffled = [*signals, *signals]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert reservation(shuffled, "d") == reservation(signals, "d")


def test_of_nothing_nothing_is_known() -> None:
    assert combined([]) == "unknown" and reservation([], "d").state == "unknown"
