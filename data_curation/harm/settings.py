"""What an operator sets about harmful language, and the form of the word lists in ``configs/harm/``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from licensing.settings import Section

Term = Annotated[str, Field(min_length=2)]


class HarmSettings(Section):
    """How harmful language is looked for; see ``data_curation.harm.harm``."""

    word_lists: bool = True
    """Count the terms of the language's word list."""
    lists: Path | None = None
    """A file of word lists; left out, the one that comes with Herkomst (``configs/harm/word-lists.yaml``)."""
    least_terms: int = Field(default=1, ge=1)
    """From so many terms the word list's rule applies."""
    classifier: Annotated[str, Field(pattern=r"^[\w.]+:\w+$")] | None = None
    """``package.module:function`` of a function from (text, language) to a score between 0 and 1."""
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.5
    """From this score the classifier's rule applies."""
    action: Literal["record", "remove"] = "record"
    """What follows if a rule applies. Word lists remove above all text by and about minorities (Dodge et al. 2021), so
    that the default only records."""


class WordLists(Section):
    """The content of a file of word lists: terms of one or more words by language (ISO 639-1)."""

    languages: dict[Annotated[str, Field(pattern="^[a-z]{2,3}$")], tuple[Term, ...]]
