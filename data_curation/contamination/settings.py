"""What an operator sets about evaluation sets: ``curation.contamination`` in a run's YAML. Imports nothing heavy."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from licensing.settings import Section

Share = Annotated[float, Field(ge=0, le=1)]
Format = Literal["jsonl", "csv", "tsv", "txt"]


class EvaluationSet(Section):
    """One evaluation set as its authors give it, read from where it lies and never copied."""

    name: str = Field(pattern="^[A-Za-z0-9._-]+$")
    """The name under which hits are told."""
    path: str = Field(min_length=1)
    """A file, a folder (all files of the format below it) or a pattern such as ``mbbq/*_nl.jsonl``; relative to the
    configuration file."""
    format: Format | None = None
    """Left out, each file's ending says it. ``txt`` has one item a line."""
    fields: tuple[str, ...] = ()
    """Columns that make up an item's text, each matched by itself; in jsonl ``a.b`` leads into objects, and a list
    gives all its texts. Name question and context, not labels. Must be empty for ``txt``."""
    id: str | None = None
    """The column that names an item; left out, the line number does. The file's name goes before it."""
    without: str | None = None
    """A regular expression; what it matches is taken out of the text first, such as line numbers."""

    @field_validator("without")
    @classmethod
    def _is_expression(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as fault:
            raise ValueError(f"is no regular expression ({fault})") from fault
        return value

    @model_validator(mode="after")
    def _text_has_no_columns(self) -> EvaluationSet:
        if self.format == "txt" and (self.fields or self.id):
            raise ValueError(f"{self.name}: a file of format txt has no columns, so fields and id must be left out")
        if self.format in ("jsonl", "csv", "tsv") and not self.fields:
            raise ValueError(f"{self.name}: fields must name the columns that make up an item's text")
        return self


class ContaminationSettings(Section):
    """Evaluation sets and when an item counts as found; see ``data_curation.contamination.index``."""

    sets: tuple[EvaluationSet, ...] = ()
    action: Literal["remove", "flag"] = "remove"
    """``remove`` keeps documents with a hit out of training. A reader of a score cannot see the training text, and a
    flag helps only whoever knows of it; a removed document costs little, for hits are few. With ``flag`` they stay, and
    an evaluation should tell its result on clean items too (``contaminated_items``)."""
    ngram: int = Field(default=13, ge=2)
    """Words in a row that must agree (Brown et al. 2020 took 13)."""
    least_words: int = Field(default=8, ge=1)
    """A text of fewer words is not matched, since it stands in other places by chance; its item counts as not testable
    if it has no other text. From here up to ``ngram`` words a text must be found whole."""
    least_share: Share = 0.3
    """Share of an item that must be found in one document. Below it, an item shares a phrase with the document, such as
    a quotation or the template that all items of a set are made from."""
    near: Share = 0.8
    """Share of an edited text's words that must be found together for a near match; 1 looks for verbatim ones only."""
    near_ngram: int = Field(default=5, ge=2)
    """Words in a row by which the place of a near match is found."""
    near_common: int = Field(default=1000, ge=1)
    """Such words in a row that more texts of the evaluation sets share lead to none of them: they come from a
    template. With 100, a third of the edited items of mBBQ, whose templates have hundreds of items, is missed."""
    near_least_runs: Share = 0.1
    """Share of a text's runs of ``near_ngram`` words that must agree at a place before all its words are compared
    there; with one word in five changed, a third of them is left on average."""
    most_ngrams: int = Field(default=5_000_000, ge=1)
    """Most n-grams of all sets together, at about 100 bytes of memory in every worker."""
    listed: int = Field(default=10, ge=1)
    """Hits named in a document's ledger row; all are counted, and all stand in the table of hits."""

    @model_validator(mode="after")
    def _fits(self) -> ContaminationSettings:
        names = [one.name for one in self.sets]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"sets named {', '.join(twice)} occur twice, so their hits could not be told apart")
        if self.least_words > self.ngram:
            raise ValueError(f"least_words ({self.least_words}) is more than ngram ({self.ngram}): lower it")
        if self.near_ngram > self.least_words:
            raise ValueError(
                f"near_ngram ({self.near_ngram}) is more than least_words ({self.least_words}), so that short texts "
                "could not be found edited: lower it"
            )
        return self
