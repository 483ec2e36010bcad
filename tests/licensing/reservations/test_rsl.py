from __future__ import annotations

import pytest

from licensing.reservations.addresses import address
from licensing.reservations.rsl import document_signals
from licensing.reservations.signal import combined
from tests.licensing.reservations.sites import PAGE, evidence


def rsl(licence: str, url: str = "/", more: str = "") -> str:
    content = f'<content url="{url}"{more}><license>{licence}</license></content>'
    return f'<rsl xmlns="https://rslstandard.org/rsl">{content}</rsl>'


def value(text: str | bytes, url: str = PAGE) -> str:
    wanted = address(url)
    assert wanted is not None
    found = document_signals(evidence(text), wanted)
    return combined(signal.value for signal in found) if found else "silent"


FREE = '<permits type="usage">all</permits><payment type="free"/>'


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ('<permits type="usage">search</permits><prohibits type="usage">ai-train</prohibits>', "disallowed"),
        ('<prohibits type="usage">ai-all</prohibits>', "disallowed"),
        ('<prohibits type="usage">all</prohibits>', "disallowed"),
        ('<permits type="usage">ai-train</permits><prohibits type="usage">ai-train</prohibits>', "disallowed"),
        ('<permits type="usage">ai-train</permits>', "allowed"),
        ('<permits type="usage">search ai-index, ai-train</permits>', "allowed"),
        (FREE, "allowed"),
        # What is offered for something in return is not given.
        ('<permits type="usage">ai-train</permits><payment type="crawl"><amount>1</amount></payment>', "disallowed"),
        ('<permits type="usage">train-ai</permits><payment type="subscription"/>', "disallowed"),
        ('<permits type="usage">ai-all</permits><payment type="attribution"/>', "disallowed"),
        ('<permits type="usage">ai-all</permits><payment/>', "disallowed"),
        # A list of permitted uses leaves out what it does not name.
        ('<permits type="usage">search</permits>', "disallowed"),
        # Limits that are not judged here, and terms that say nothing of use.
        ('<permits type="usage">ai-train</permits><permits type="geo">EU</permits>', "unknown"),
        ('<permits type="usage">ai-train</permits><permits type="user">non-commercial</permits>', "unknown"),
        ('<permits>ai-train</permits>', "unknown"),
        ("", "unknown"),
    ],
)  # fmt: skip
def test_terms(licence: str, expected: str) -> None:
    assert value(rsl(licence)) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/", "allowed"),
        ("/artikel/*", "allowed"),
        ("https://krant.example/", "allowed"),
        ("https://krant.example/artikel/*$", "allowed"),
        ("https://andere.example/", "silent"),
        ("/premium/", "silent"),
        ("", "unknown"),
        ("premium", "unknown"),
    ],
)
def test_what_is_covered(url: str, expected: str) -> None:
    assert value(rsl(FREE, url)) == expected


def test_a_licence_server_must_be_asked() -> None:
    assert value(rsl(FREE, more=' server="https://api.rslcollective.org"')) == "disallowed"


def test_of_several_licences_and_contents_the_strictest_holds() -> None:
    forbids = '<prohibits type="usage">ai-train</prohibits>'
    assert value(rsl(f"{FREE}</license><license>{forbids}")) == "disallowed"
    both = rsl(FREE).replace("</rsl>", f'<content url="/artikel/"><license>{forbids}</license></content></rsl>')
    assert value(both) == "disallowed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<rsl",
        "<rsl xmlns='https://rslstandard.org/rsl'/>",
        "<html>niet gevonden</html>",
        "<rsl><content url='/'><license/></content></rsl>",
        rsl("").replace("<license></license>", ""),
        '<!DOCTYPE rsl [<!ENTITY a "aaaa">]>' + rsl(FREE),
        rsl(FREE).encode("utf-16"),
        b"\xff\xfe" + rsl(FREE).encode(),
        '<?xml version="1.0" encoding="utf-7"?>' + rsl(FREE),
        '<?xml version="1.0" encoding="no-such"?>' + rsl(FREE),
        "<a>" * 200_000,
    ],
)
def test_broken_terms_are_unknown(text: str | bytes) -> None:
    assert value(text) == "unknown"
