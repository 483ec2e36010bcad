"""The table of AI user agents, and the rule which of them speak for a publisher's reservation against training."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from licensing.reading import read_section
from licensing.settings import Section

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Purpose = Literal["training", "search", "user-fetch", "undocumented"]
Channel = Literal["robots.txt", "tdmrep.json", "ai.txt", "headers", "html"]


class Agent(Section):
    """One product token, as robots.txt names it: who runs it, what for, and where that is documented."""

    name: Token
    operator: Text
    purpose: Purpose
    documentation: Text | None = None


class Rule(Section):
    """Whose disallowance counts.

    ``purposes`` are those whose agents count when a publisher disallows them by name; ``own`` is the name of the
    operator's own crawler, which counts always; ``everyone`` makes ``*`` count. ``asked`` lists what must have been
    asked for before silence may count as no reservation. ``page_words`` are the words of ``<meta name="robots">`` and
    ``X-Robots-Tag`` that reserve text.
    """

    purposes: tuple[Purpose, ...] = Field(min_length=1)
    own: Token
    everyone: bool
    asked: tuple[Channel, ...] = Field(min_length=1)
    page_words: tuple[Text, ...] = Field(min_length=1)


class AgentTable(Section):
    """``configs/ai-agents.yaml``: the rule and the agents."""

    rule: Rule
    agents: tuple[Agent, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _named_once(self) -> AgentTable:
        names = [agent.name.lower() for agent in self.agents]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"agents: {', '.join(twice)} stands there twice; one purpose must decide")
        return self

    @cached_property
    def _counted(self) -> frozenset[str]:
        named = {agent.name.lower() for agent in self.agents if agent.purpose in self.rule.purposes}
        return frozenset(named | {self.rule.own.lower()})

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset({agent.name.lower() for agent in self.agents} | {self.rule.own.lower()})

    def knows(self, name: str) -> bool:
        """Say whether a name, in lower case, is that of an agent of any purpose."""
        return name in self._known

    def counts(self, name: str) -> bool:
        """Say whether a disallowance of this agent, by name in lower case, counts as a reservation."""
        return name in self._counted


def load_agents(path: Path) -> AgentTable:
    """Read the table; raises ``UnreadableFile`` naming file, line and field."""
    return read_section(path, AgentTable)
