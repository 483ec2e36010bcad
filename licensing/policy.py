"""The operator's choices where a licence permits a use only on terms, or where the law is not settled."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from licensing.rights import Outcome
from licensing.settings import Section


class Adaptations(Section):
    """What becomes of a text made from one whose terms do not cover adaptations, by how it was made.

    A translation is an adaptation by Berne Convention art. 2(3) and 8; whether a merged or a synthesised text is one
    depends on how much of the original shows, which a person must judge. Chunks and copies are reproductions and are
    not held back.
    """

    merged: Outcome = "review"
    translated: Outcome = "refuse"
    synthesised: Outcome = "review"

    def of(self, operation: str) -> Outcome:
        """Return the outcome for an operation; one that nobody named is taken for the strictest."""
        known: dict[str, Outcome] = {
            "merged": self.merged,
            "translated": self.translated,
            "synthesised": self.synthesised,
            "chunked": "admit",
            "deduplicated": "admit",
        }
        strictest = max(known.values(), key=("admit", "review", "refuse").index)
        return known.get(operation, strictest)


class Policy(Section):
    """What a run does with licences that a table alone cannot decide.

    The table says what a licence permits and on which terms; whether those terms reach a model's weights is for most
    copyleft licences an open legal question, so the consequence is the operator's choice and is recorded as such.
    Each value is ``admit``, ``review`` or ``refuse``.
    """

    as_of: date
    """The day on which periods of agreements are judged; given by hand, for the clock is never read."""

    share_alike: Outcome = "review"
    """Share-alike licences (CC BY-SA, ODbL, EUPL) where weights, data or outputs are passed on."""

    strong_copyleft: Outcome = "refuse"
    """Licences that claim the whole work (GPL family, GFDL) in a commercial run or where something is passed on."""

    file_copyleft: Outcome = "admit"
    """Licences whose copyleft stops at the covered file (MPL) where something is passed on."""

    unsettled: Outcome = "review"
    """A needed use that the table marks as unsettled."""

    reservations_on_licensed: Outcome = "review"
    """A public licence on a document whose publisher reserves text and data mining all the same.

    A reservation takes away the exception of Directive (EU) 2019/790 art. 4 and not a licence, and a Creative Commons
    licence cannot be revoked: whoever is sure of the licence may say ``admit``. But the two contradict each other. The
    licence may be meant for a part of the page only, or come from somebody who does not hold the right; and the EUIPO's
    study of 2025 reads what counts as a reservation broadly. So a person looks, unless set otherwise; the conflict is
    recorded whatever is set."""

    licences: dict[str, Outcome] = Field(default_factory=dict)
    """Decisions by SPDX id that go before the table, for instance where a separate permission was obtained."""

    adaptations: Adaptations = Adaptations()
    """Texts made from others whose terms do not cover making them (``licensing.lineage``)."""

    copies_not_admitted: Outcome = "review"
    """A text that was admitted, where a copy of it came in under terms that were not; ``admit`` only records it."""

    table: str = "licences.yaml"
    """The licence table, relative to the folder of the run's configuration."""

    ai_agents: str = "ai-agents.yaml"
    """The AI user agents and the rule on reservations, relative to the folder of the run's configuration."""

    agreements: tuple[str, ...] = ()
    """The agreement files, relative to the folder of the run's configuration."""
