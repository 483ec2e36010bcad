from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licensing.reservations.robots import LARGEST, parse_robots, robots_signals
from licensing.reservations.signal import combined
from tests.licensing.reservations.sites import AGENTS, evidence

protego = pytest.importorskip("protego", reason="protego is a development dependency: pip install -e '.[dev]'")


def value(text: str | bytes, target: str = "/artikel/1") -> str:
    """What a file says; silence is shown as such."""
    one = evidence(text)
    found = robots_signals(one, parse_robots(one.data), target, AGENTS)
    return combined(signal.value for signal in found) if found else "silent"


CLOUDFLARE = "\n\n".join(
    f"User-agent: {name}\nDisallow: /"
    for name in ("Amazonbot", "Applebot-Extended", "Bytespider", "CCBot", "ClaudeBot", "GPTBot", "meta-externalagent")
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("User-agent: *\nDisallow: /zoeken\n", "silent"),
        ("User-agent: *\nDisallow:\n", "silent"),
        ("# alleen commentaar\n", "silent"),
        ("Sitemap: https://krant.example/sitemap.xml\n", "silent"),
        ("User-agent: *\nDisallow: /\n", "disallowed"),
        ("User-agent: *\nDisallow: /artikel/\n", "disallowed"),
        ("User-agent: *\nDisallow: /\nAllow: /artikel/\n", "silent"),
        (CLOUDFLARE + "\n\nUser-agent: *\nAllow: /\n", "disallowed"),
        ("User-agent: GPTBot\nDisallow: /\n", "disallowed"),
        ("user-AGENT:gptbot\ndisALLOW:/\n", "disallowed"),
        ("User-agent: GPTBot/1.2\nDisallow: /\n", "disallowed"),
        ("User-agent: Mozilla/5.0 (compatible; GPTBot/1.0)\nDisallow: /\n", "disallowed"),
        ("User-agent: Google-Extended\nDisallow: /\n", "disallowed"),
        ("User-agent: Bytespider\nDisallow: /\n", "disallowed"),
        ("User-agent: HerkomstBot\nDisallow: /\n", "disallowed"),
        # Search and fetching on request are other matters.
        ("User-agent: Googlebot\nDisallow: /\n", "silent"),
        ("User-agent: OAI-SearchBot\nDisallow: /\n\nUser-agent: ChatGPT-User\nDisallow: /\n", "silent"),
        # Groups: several agents of one group, several groups of one agent, other records within a group.
        ("User-agent: Googlebot\nUser-agent: CCBot\nDisallow: /\n", "disallowed"),
        ("User-agent: CCBot\nSitemap: https://a.example/s.xml\nUser-agent: Googlebot\nDisallow: /\n", "disallowed"),
        ("User-agent: CCBot\nDisallow: /a\nUser-agent: Googlebot\nDisallow: /\n", "disallowed"),
        ("User-agent: CCBot\nDisallow: /b\n\nUser-agent: *\nAllow:\n\nUser-agent: ccbot\nDisallow: /\n", "disallowed"),
        ("User-agent: CCBot\nAllow: /\nUser-agent: *\nAllow: /\n", "silent"),
        # Contradictory groups: no permission is read into them.
        ("User-agent: GPTBot\nDisallow: /\n\nUser-agent: GPTBot\nAllow: /\n", "disallowed"),
        ("User-agent: *\nDisallow: /\n\nUser-agent: GPTBot\nAllow: /\n", "disallowed"),
        # Common misspellings, and the ways lines may end.
        ("Useragent: GPTBot\nDissallow: /\n", "disallowed"),
        ("User-agent: GPTBot\rDisallow: /\r", "disallowed"),
        ("\ufeffUser-agent: GPTBot\r\nDisallow: / # alles\r\n", "disallowed"),
        # What cannot be read is not passed over.
        ("Disallow: /\n", "unknown"),
        ("User-agent: *\nDisallow: private\n", "unknown"),
        ("User-agent: *\nDisallow\n", "unknown"),
        ("User-agent:\nDisallow: /\n", "unknown"),
        ("No robots here, thank you\n", "unknown"),
        (b"User-agent: *\nDisallow: /caf\xe9\n", "unknown"),
        (b"User-agent: *\nDisallow: /zoeken # caf\xe9\n", "silent"),
        ("User-agent: *\nDisallow: /a\0b\n", "unknown"),
        ("User-agent: GPTBot\nDisallow: /\nonzin\n", "disallowed"),
        ("User-agent: *\nAllow: /\n" + "#" * LARGEST + "\nUser-agent: GPTBot\nDisallow: /\n", "unknown"),
    ],
)  # fmt: skip
def test_what_a_file_says(text: str | bytes, expected: str) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("User-agent: GPTBot\nDisallow: /premium/\n", "/premium/a", "disallowed"),
        ("User-agent: GPTBot\nDisallow: /premium/\n", "/open/a", "silent"),
        ("User-agent: GPTBot\nDisallow: /*.pdf$\n", "/a.pdf", "disallowed"),
        ("User-agent: GPTBot\nDisallow: /*.pdf$\n", "/a.pdf?x", "silent"),
        ("User-agent: GPTBot\nDisallow: /a\nAllow: /a/b\n", "/a/b/c", "silent"),
        ("User-agent: GPTBot\nAllow: /index.html\nDisallow: /\n", "/", "disallowed"),
        ("User-agent: GPTBot\nAllow: /a\nDisallow: /a\n", "/a", "disallowed"),
    ],
)
def test_rules_hold_for_their_paths(text: str, target: str, expected: str) -> None:
    assert value(text, target) == expected


def test_the_finding_names_line_agents_text_and_digest() -> None:
    one = evidence("User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /\n")
    (found,) = robots_signals(one, parse_robots(one.data), "/a", AGENTS)
    assert found.where == "https://krant.example/bestand, line 3 (ccbot, gptbot)"
    assert (found.text, found.sha256, found.fetched) == ("Disallow: /", one.sha256, "2026-11-01")


def test_many_agents_make_one_finding() -> None:
    one = evidence(CLOUDFLARE)
    (found,) = robots_signals(one, parse_robots(one.data), "/a", AGENTS)
    assert found.where.endswith("line 2 (amazonbot, applebot-extended, bytespider and 4 more)")


PATHS = st.sampled_from(["/", "/a", "/a/b", "/b", "/*b", "/a$", "/a/*"])
RULES = st.lists(st.tuples(st.sampled_from(["Allow", "Disallow"]), PATHS), max_size=4)
GROUPS = st.lists(st.tuples(st.sampled_from(["GPTBot", "*", "Googlebot", "CCBot"]), RULES), max_size=4)


@settings(max_examples=200, deadline=None)
@given(GROUPS, st.sampled_from(["/", "/a", "/a/b", "/b", "/c"]))
def test_no_independent_parser_is_stricter(groups: list[tuple[str, list[tuple[str, str]]]], target: str) -> None:
    """Whatever protego, which many crawlers use, forbids to an agent that counts is a reservation here."""
    text = "\n\n".join(
        "\n".join([f"User-agent: {name}", *(f"{rule}: {path}" for rule, path in rules)]) for name, rules in groups
    )
    other = protego.Protego.parse(text)
    forbidden = any(not other.can_fetch(f"https://krant.example{target}", name) for name in ("GPTBot", "CCBot"))
    if forbidden:
        assert value(text, target) == "disallowed"
