"""What an operator sets about repeats: ``curation.repeats`` in a run's YAML. Imports nothing heavy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from licensing.settings import Section

Action = Literal["cut", "count"]


class ParagraphRepeats(Section):
    """Whole paragraphs that stand in another document too (as CCNet and C4 cut repeated paragraphs and lines)."""

    action: Action = "cut"
    """``cut`` takes them out of all documents but the first, ``count`` only tells of them in the ledger."""
    least_words: int = Field(default=8, ge=1)
    """Shorter paragraphs are never looked at: headings and menu names repeat without being copies."""


class RunRepeats(Section):
    """Runs of words that stand in another document word for word (Lee et al. 2022, who cut 50 tokens and more)."""

    action: Action = "cut"
    """``cut`` takes whole sentences out of all documents but the first, ``count`` only tells of them."""
    least_words: int = Field(default=50, ge=4)
    """Whole sentences in a row that repeat and have so many words together are cut; all such are found."""
    window: int = Field(default=11, ge=1)
    """Fingerprints are taken so densely that one starts in every so many words. A smaller window takes more disk, a
    larger one compares shorter runs: a fingerprint is ``least_words - window + 1`` words, here 40."""

    @property
    def fingerprint_words(self) -> int:
        """Words in one fingerprint: the least that is ever taken for a repeat."""
        return self.least_words - self.window + 1

    @model_validator(mode="after")
    def _spans_join(self) -> RunRepeats:
        if self.fingerprint_words < self.window:
            raise ValueError(
                f"window ({self.window}) is more than half of least_words ({self.least_words}), so that between two "
                f"fingerprints words would stay unseen: choose at most {(self.least_words + 1) // 2}"
            )
        return self


class RepeatsSettings(Section):
    """How repeats across documents are found and what becomes of them; see ``data_curation.repeats.search``."""

    paragraphs: ParagraphRepeats | None = ParagraphRepeats()
    """None leaves paragraphs alone."""
    runs: RunRepeats | None = RunRepeats()
    """None leaves runs alone."""
    least_documents: int = Field(default=2, ge=2)
    """What stands in fewer documents is no repeat."""
    least_left_words: int = Field(default=8, ge=1)
    """A document of which fewer words are left is removed. It cannot be more than a paragraph or a fingerprint has, so
    that nothing that was cut elsewhere in favour of this document goes with it."""
    keys_in_memory: int = Field(default=4_000_000, ge=1)
    """Keys held at once while documents are compared, at about 60 bytes each."""

    @model_validator(mode="after")
    def _holders_stay(self) -> RepeatsSettings:
        least = [self.paragraphs.least_words] if self.paragraphs else []
        least += [self.runs.fingerprint_words] if self.runs else []
        if least and self.least_left_words > min(least):
            raise ValueError(
                f"least_left_words ({self.least_left_words}) is more than the shortest repeat has ({min(least)} "
                "words), so that a document could be removed that keeps the only copy of what others lost: lower it"
            )
        return self
