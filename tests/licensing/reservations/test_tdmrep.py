from __future__ import annotations

import pytest

from licensing.reservations.signal import combined
from licensing.reservations.tdmrep import file_signals, value_signals
from tests.licensing.reservations.sites import evidence


def value(text: str | bytes, target: str = "/artikel/1") -> str:
    found = file_signals(evidence(text), target)
    return combined(signal.value for signal in found) if found else "silent"


THREE = """[
  {"location": "/directory-a/", "tdm-reservation": 1},
  {"location": "/directory-b/html/", "tdm-reservation": 1, "tdm-policy": "https://provider.example/policy.json"},
  {"location": "/directory-b/images/*.jpg", "tdm-reservation": 0}
]"""


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ('[{"location": "/", "tdm-reservation": 1}]', "/a", "disallowed"),
        ('[{"location": "/", "tdm-reservation": 0}]', "/a", "allowed"),
        ('\ufeff[{"location": "/", "tdm-reservation": 1}]', "/a", "disallowed"),
        (THREE, "/directory-a/x", "disallowed"),
        (THREE, "/directory-b/html/x", "disallowed"),
        (THREE, "/directory-b/images/x.jpg", "allowed"),
        (THREE, "/directory-c/", "silent"),
        # The first rule that matches holds.
        ('[{"location": "/a/", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]', "/a/b", "allowed"),
        ('[{"location": "/", "tdm-reservation": 1}, {"location": "/a/", "tdm-reservation": 0}]', "/a/b", "disallowed"),
        ("[]", "/a", "silent"),
        # Malformed: unknown, unless another rule reserves.
        ("", "/a", "unknown"),
        ("{", "/a", "unknown"),
        ('{"location": "/", "tdm-reservation": 1}', "/a", "unknown"),
        ('[{"location": "/", "tdm-reservation": "1"}]', "/a", "unknown"),
        ('[{"location": "/", "tdm-reservation": true}]', "/a", "unknown"),
        ('[{"location": "/", "tdm-reservation": 2}]', "/a", "unknown"),
        ('[{"location": "/"}]', "/a", "unknown"),
        ('[{"location": "/", "tdm-reservation": 1, "tdm-reservation": 0}]', "/a", "unknown"),
        ('[{"tdm-reservation": 1}]', "/a", "unknown"),
        ('[{"location": "premium", "tdm-reservation": 1}]', "/a", "unknown"),
        ('["/", {"location": "/", "tdm-reservation": 1}]', "/a", "disallowed"),
        ('[null, {"location": "/", "tdm-reservation": 0}]', "/a", "unknown"),
        ("<html>niet gevonden</html>", "/a", "unknown"),
        (b"\xff\xfe[\x00]\x00", "/a", "unknown"),
        ("[" * 100_000, "/a", "unknown"),
    ],
)
def test_what_the_file_says(text: str | bytes, target: str, expected: str) -> None:
    assert value(text, target) == expected


def test_the_finding_names_the_rule_and_its_policy() -> None:
    (found,) = file_signals(evidence(THREE), "/directory-b/html/x")
    assert found.where.endswith("rule 2") and "https://provider.example/policy.json" in found.text


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("1", "disallowed"),
        (" 1 ", "disallowed"),
        ("0", "allowed"),
        ("", "unknown"),
        ("j", "unknown"),
        ("1, 0", "unknown"),
    ],
)
def test_headers_and_elements(said: str, expected: str) -> None:
    (found,) = value_signals(evidence("x"), said, None, "header")
    assert found.value == expected


def test_a_missing_header_says_nothing() -> None:
    assert value_signals(evidence("x"), None, "https://provider.example/policy.json", "header") == []
