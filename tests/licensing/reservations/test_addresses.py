from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.reservations.addresses import address, matches, normal_pattern


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("https://Krant.Example", "krant.example", "/"),
        ("http://krant.example:80/a?b=c#d", "krant.example", "/a?b=c"),
        ("https://krant.example:8443/a", "krant.example+8443", "/a"),
        ("https://krant.example./a", "krant.example", "/a"),
        ("https://köln.example/straße", "xn--kln-sna.example", "/stra%C3%9Fe"),
        ("https://user:word@krant.example/a", "krant.example", "/a"),
        ("https://krant.example/open/../premium/x", "krant.example", "/premium/x"),
        ("https://krant.example/open/%2e%2e/premium/x", "krant.example", "/premium/x"),
        ("https://krant.example/../../premium/./x/..", "krant.example", "/premium/"),
        ("https://krant.example/%61%7e%2f%c3%a9", "krant.example", "/a~%2F%C3%A9"),
        ("https://krant.example/a*b$", "krant.example", "/a%2Ab%24"),
    ],
)
def test_an_address_has_one_comparable_form(url: str, host: str, target: str) -> None:
    found = address(url)
    assert found is not None and (found.host, found.target) == (host, target)


@pytest.mark.parametrize(
    "url",
    [
        None, "", "artikel/1", "//krant.example/a", "ftp://krant.example/a", "https://", "https:///a", "file:///etc/passwd",
        "https://krant.example:port/a", "https://[::1/a", "https://../a", "https://a..b/c", "https://kr ant.example/",
        "https://krant.example\\@evil/", "javascript:alert(1)", "https://-krant.example/", "https://" + "a" * 300 + "/",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_none(url: str | None) -> None:
    assert address(url) is None


# Path matching as in RFC 9309, section 2.2.3 and the table of section 2.2.2.
@pytest.mark.parametrize(
    ("pattern", "url", "expected"),
    [
        ("/", "/anything", True),
        ("/fish", "/fish.html", True),
        ("/fish", "/Fish.asp", False),
        ("/fish/", "/fish", False),
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html", True),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz", True),
        ("/foo/bar/ツ", "/foo/bar/%E3%83%84", True),
        ("/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https://foo.bar", True),
        ("/*.php", "/folder/filename.php?parameters", True),
        ("/*.php$", "/filename.php?parameters", False),
        ("/*.php$", "/folder/filename.php", True),
        ("/fish*.php", "/fishheads/catfish.php?parameters", True),
        ("/this/*/exactly$", "/this/a/b/exactly", True),
        ("/this/path/exactly$", "/this/path/exactly", True),
        ("/this/path/exactly$", "/this/path/exactly/not", False),
        ("/a*a$", "/a", False),
        ("*.txt", "/a/b.txt", True),
        ("/path/foo-%24", "/path/foo-$", True),
        ("", "/a", True),
    ],
)
def test_patterns_match_as_the_standard_says(pattern: str, url: str, expected: bool) -> None:
    found = address(f"https://krant.example{url}")
    assert found is not None and matches(normal_pattern(pattern), found.target) is expected


@given(st.text("ab*$/", max_size=8), st.text("ab/", max_size=12))
def test_matching_agrees_with_a_regular_expression(pattern: str, path: str) -> None:
    anchored = pattern.endswith("$")
    body = pattern.removesuffix("$").replace("$", "%24")
    wanted = ".*".join(re.escape(part) for part in body.split("*")) + (r"\Z" if anchored else "")
    assert matches(normal_pattern(pattern), f"/{path}") is (re.match(wanted, f"/{path}") is not None)


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    assert not matches(normal_pattern("/" + "*a" * 2000 + "$"), "/" + "a" * 1999 + "b")
