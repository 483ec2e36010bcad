from __future__ import annotations

import pytest

from licensing.reservations.ai_txt import ai_txt_signals
from licensing.reservations.robots import parse_robots
from licensing.reservations.signal import combined
from tests.licensing.reservations.sites import AGENTS, evidence


def value(text: str | bytes, target: str = "/artikel/1") -> str:
    one = evidence(text)
    found = ai_txt_signals(one, parse_robots(one.data, any_path=True), target, AGENTS)
    return combined(signal.value for signal in found) if found else "silent"


SPAWNING = "# Spawning AI\n# Prevent datasets from using the following file types\n\nUser-Agent: *\n"


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        (SPAWNING + "Disallow: *.txt\nDisallow: *.pdf\nDisallow: /\nDisallow: *\n", "/artikel/1", "disallowed"),
        (SPAWNING + "Disallow: *.txt\nAllow: *.jpg\n", "/artikel/1", "disallowed"),
        (SPAWNING + "Disallow: *.html\n", "/artikel/", "disallowed"),
        (SPAWNING + "Disallow: *.jpg\nAllow: *.txt\nAllow: *.html\n", "/artikel/1", "silent"),
        (SPAWNING + "Disallow: *.jpg\n", "/artikel/1.html", "silent"),
        (SPAWNING + "Disallow: *.pdf\n", "/a.pdf?page=1", "disallowed"),
        ("User-Agent: GPTBot\nDisallow: /\n", "/a", "disallowed"),
        ("User-Agent: Googlebot\nDisallow: /\n", "/a", "silent"),
        (SPAWNING + "Allow: /\nonzin\n", "/a", "unknown"),
        ("Spec-Version: 1.0\nSite-Name: Krant\nTraining: deny\n", "/a", "disallowed"),
        ("Spec-Version: 1.0\nTraining: allow\n[agents]\n", "/a", "allowed"),
        ("Training: conditional\n", "/a", "unknown"),
        ("# Welkom bij onze assistent\nWij maken fietsen.\n", "/a", "unknown"),
        ("", "/a", "unknown"),
        (b"\xff\xfe\x00", "/a", "unknown"),
    ],
)
def test_what_a_file_says(text: str | bytes, target: str, expected: str) -> None:
    assert value(text, target) == expected
