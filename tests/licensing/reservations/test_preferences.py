"""Content-Usage (AIPREF), Content-Signal, and the dictionaries in which the first is written."""

from __future__ import annotations

import pytest

from licensing.reservations.aipref import header_signals, preference, robots_usage_signals
from licensing.reservations.content_signal import robots_content_signals, signal_value
from licensing.reservations.robots import parse_robots
from licensing.reservations.signal import combined
from licensing.reservations.structured import NotADictionary, parse_dictionary
from tests.licensing.reservations.sites import evidence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train-ai=n", "disallowed"),
        ("train-ai=y", "allowed"),
        ("train-ai=y, search=n", "allowed"),
        ("search=n", None),
        ("ai-use=n, search=y", None),
        ("", None),
        # Parameters are passed over (vocab-07, section 6.5.2).
        ("train-ai=n;because=\"art. 4(3)\", search=y", "disallowed"),
        ("train-ai;allow=n, train-ai=y", "allowed"),
        ("train-ai;has;parameters=\"?\"", "unknown"),
        # The last of one key holds, and only the tokens y and n say something.
        ("train-ai=y, train-ai=n", "disallowed"),
        ("train-ai=y, train-ai, search=n, search=\"n\"", "unknown"),
        ("train-ai=no", "unknown"),
        ("train-ai=\"n\"", "unknown"),
        ("train-ai=?0", "unknown"),
        ("train-ai=1", "unknown"),
        # What is not a dictionary says nothing that could be relied on.
        ("Train-AI=n", "unknown"),
        ("train-ai=", "unknown"),
        ("train-ai=n,", "unknown"),
        ("train-ai=n search=y", "unknown"),
        ("train-ai=é", "unknown"),
        # An unknown category may be a wider one; the wider ones of earlier drafts are known.
        ("train-everything=n", "unknown"),
        ("train-everything=y", None),
        ("train-everything=n, train-ai=n", "disallowed"),
        ("train-everything=n, train-ai=y", "unknown"),
        ("tdm=n", "disallowed"),
        ("bots=n, train-ai=y", "disallowed"),
        ("genai=y", None),
    ],
)  # fmt: skip
def test_preference_expressions(text: str, expected: str | None) -> None:
    assert preference(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", {"a": "b"}),
        ("a, b;x=1;y, c=?1", {"a": None, "b": None, "c": None}),
        ('a=(x "y" 3.25);q=*z ,  b=:aGk=:', {"a": None, "b": None}),
        ("a=@1659578233, b=%\"f%c3%bc\", c=-0.5", {"a": None, "b": None, "c": None}),
        ("*k.v-1_=T/k:n!", {"*k.v-1_": "T/k:n!"}),
        ("", {}),
        ("a=1, b=x, a=y", {"b": "x", "a": "y"}),
    ],
)  # fmt: skip
def test_dictionaries(text: str, expected: dict[str, str | None]) -> None:
    assert parse_dictionary(text) == expected


@pytest.mark.parametrize(
    "text", ["A=b", "a=(x", "a=(x(y))", 'a="b', "a=1.2345", "a=b,,c", ";a", "a=b;=c", "a\tb", "a=(x,y)"]
)
def test_what_is_no_dictionary(text: str) -> None:
    with pytest.raises(NotADictionary):
        parse_dictionary(text)


def usage(text: str, target: str = "/artikel/1") -> str:
    one = evidence(text)
    found = robots_usage_signals(one, parse_robots(one.data), target)
    return combined(signal.value for signal in found) if found else "silent"


DRAFT = """\
User-Agent: *
Allow: /
Disallow: /never/
Content-Usage: / train-ai=n
Content-Usage: /ai-ok/ train-ai=y

User-Agent: ExampleBot
Allow: /
Content-Usage: / train-ai=y
"""


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        (DRAFT, "/test", "disallowed"),
        (DRAFT, "/ai-ok/test", "allowed"),
        ("User-agent: *\nContent-Usage: train-ai=n\n", "/a", "disallowed"),
        ("User-agent: *\n content-usage\t:\t/a\ttrain-ai=n # nee\n", "/a", "disallowed"),
        ("User-agent: *\nContent-Usage: /premium/ train-ai=n\n", "/open/", "silent"),
        ("User-agent: *\nContent-Usage: /a train-ai=n\nContent-Usage: /a train-ai=y\n", "/a", "disallowed"),
        ("User-agent: Googlebot\nContent-Usage: / train-ai=n\n", "/a", "disallowed"),
        (DRAFT.replace("ExampleBot", "GPTBot"), "/ai-ok/test", "allowed"),
        (DRAFT.replace("ExampleBot", "GPTBot"), "/test", "disallowed"),
        ("User-agent: *\nContent-Usage: /a\n", "/a", "unknown"),
        ("User-agent: *\nContent-Usage: / TRAIN\n", "/a", "unknown"),
        ("User-agent: *\nContent-Usage: / futures=n\n", "/a", "unknown"),
    ],
)  # fmt: skip
def test_usage_rules_in_robots(text: str, target: str, expected: str) -> None:
    assert usage(text, target) == expected


def test_the_header_carries_its_text_as_evidence() -> None:
    (found,) = header_signals(evidence("x"), "train-ai=n, search=y")
    assert (found.value, found.text) == ("disallowed", "train-ai=n, search=y")
    assert found.where.endswith("header Content-Usage") and header_signals(evidence("x"), None) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("search=yes, ai-train=no", "disallowed"),
        ("search=yes,ai-train=no,use=reference", "disallowed"),
        ("ai-train=yes", "allowed"),
        ("search=yes", None),
        ("ai-train=maybe", "unknown"),
        ("ai-train", "unknown"),
        ("search=yes; ai-train=no", "unknown"),
        ("ai-train=yes, ai-train=no", "disallowed"),
    ],
)
def test_content_signals(text: str, expected: str | None) -> None:
    assert signal_value(text) == expected


def test_content_signals_in_robots_hold_for_their_group_and_path() -> None:
    one = evidence("User-agent: *\nContent-Signal: /premium search=yes,ai-train=no\nAllow: /\n")
    rules = parse_robots(one.data)
    (found,) = robots_content_signals(one, rules, "/premium/a")
    assert found.value == "disallowed" and found.where.endswith("line 2")
    assert robots_content_signals(one, rules, "/open") == []
