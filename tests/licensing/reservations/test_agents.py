from __future__ import annotations

from pathlib import Path

import pytest

from licensing.reading import UnreadableFile
from licensing.reservations import load_agents
from tests.licensing.reservations.sites import AGENTS

SHIPPED = (Path(__file__).parents[3] / "configs" / "ai-agents.yaml").read_text(encoding="utf-8")


def test_training_and_undocumented_agents_count_and_others_do_not() -> None:
    names = ("gptbot", "google-extended", "ccbot", "claudebot", "applebot-extended", "meta-externalagent", "bytespider")
    assert all(AGENTS.counts(name) for name in (*names, "herkomstbot"))
    assert not any(AGENTS.counts(name) for name in ("googlebot", "bingbot", "chatgpt-user", "claude-user", "someone"))
    assert AGENTS.knows("googlebot") and not AGENTS.knows("someone")


def test_every_agent_of_a_stated_purpose_says_where() -> None:
    unsaid = {agent.name for agent in AGENTS.agents if agent.purpose != "undocumented" and not agent.documentation}
    assert unsaid == set()


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("purpose: search", "purpose: serach", "purpose"),
        ("name: CCBot", "name: gptbot", "gptbot stands there twice"),
        ("name: CCBot", "name: CC Bot", "agents.3.name"),
        ("  own: HerkomstBot\n", "", "rule.own"),
        ("purposes: [training, undocumented]", "purposes: []", "rule.purposes"),
        ("asked: [robots.txt", "asked: [robot.txt", "rule.asked"),
    ],
)
def test_a_table_that_cannot_be_relied_on_is_refused(tmp_path: Path, old: str, new: str, part: str) -> None:
    assert old in SHIPPED
    path = tmp_path / "agents.yaml"
    path.write_text(SHIPPED.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UnreadableFile, match=part):
        load_agents(path)
