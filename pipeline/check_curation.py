"""What curation would do, in words; and all that it needs made once, so that a fault shows before hours of work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data_curation.settings import CurationSettings
from pipeline.config import Loaded
from pipeline.stage_inputs import curation_settings, quality_rules

if TYPE_CHECKING:
    from data_curation.settings import QualitySettings


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was found while everything was made: quality rules, and for each evaluation set how many items it has."""

    quality: QualitySettings
    items: dict[str, dict[str, int]]


def prepare_curation(loaded: Loaded) -> Prepared:
    """Read every file and make every block that curation will need, and throw them away.

    Raises:
        HerkomstError: one of them cannot be read or made; the message names the key or the file.
    """
    from data_curation.blocks import made
    from data_curation.contamination.match import EvaluationSets
    from data_curation.harm.harm import Harm
    from data_curation.languages.function_words import read_function_words
    from data_curation.personal import PersonalData
    from data_curation.quality import read_quality

    settings = curation_settings(loaded)
    quality = read_quality(quality_rules(loaded))
    read_function_words(quality)
    PersonalData(settings.personal_data.resolved(loaded.root))
    Harm(settings.harm, loaded.root)
    for number, block in enumerate(settings.blocks):
        made(block.block, block.options, f"curation.blocks[{number}]")
    sets = settings.contamination
    return Prepared(quality, EvaluationSets.load(sets, loaded.root).counts if sets.sets else {})


def explain_curation(loaded: Loaded) -> list[str]:
    """What becomes of an admitted document, a line a step."""
    settings, prepared = loaded.config.curation, prepare_curation(loaded)
    return [
        f"keep {', '.join(settings.languages)}; {_MIXED[settings.language.mixed]}",
        *_without_rules(settings, prepared),
        *_blocks(settings),
        _harm(settings),
        *_contamination(settings, prepared),
        _personal_data(settings),
        "one of each group of near duplicates stays, chosen by " + ", then ".join(settings.duplicates.survivor),
        _repeats(settings),
        f"{loaded.config.corpus.held_out_share:.1%} of the documents are held out and never trained on",
    ]


_MIXED = {
    "cut": "paragraphs in another language are cut",
    "keep": "paragraphs in another language are counted and stay",
    "remove": "a document with paragraphs in another language is removed",
}


def _without_rules(settings: CurationSettings, prepared: Prepared) -> Iterator[str]:
    missing = [code for code in settings.languages if code not in prepared.quality.languages]
    if missing:
        yield f"there are no quality rules for {', '.join(missing)}, so that every document in them will be removed"


def _blocks(settings: CurationSettings) -> Iterator[str]:
    for block in settings.blocks:
        yield f"after the step {block.after}: {block.block}"


def _harm(settings: CurationSettings) -> str:
    harm = settings.harm
    parts = [f"{harm.least_terms} or more terms of the language's word list"] if harm.word_lists else []
    parts += [f"a score of {harm.threshold} or more from {harm.classifier}"] if harm.classifier else []
    if not parts:
        return "harmful language is not looked for"
    return f"harmful language ({' or '.join(parts)}): {'removed' if harm.action == 'remove' else 'recorded only'}"


def _contamination(settings: CurationSettings, prepared: Prepared) -> Iterator[str]:
    if not prepared.items:
        yield "no evaluation sets are looked for in the corpus (curation.contamination.sets)"
    done = "removed" if settings.contamination.action == "remove" else "kept and told"
    for name, count in prepared.items.items():
        short = f", {count['not_testable']} of them too short to be looked for" if count["not_testable"] else ""
        yield f"documents with items of {name} are {done} ({count['items']} items{short})"


def _personal_data(settings: CurationSettings) -> str:
    personal = settings.personal_data
    by = "pseudonyms made with a key" if personal.style == "pseudonym" else "placeholders"
    if not personal.kinds:
        return "no personal data is replaced"
    return f"replace {', '.join(personal.kinds)} by {by}"


def _repeats(settings: CurationSettings) -> str:
    repeats = settings.repeats
    kinds = {"paragraphs": repeats.paragraphs, "runs of sentences": repeats.runs} if repeats else {}
    told = [
        f"{name} of {one.least_words} words or more are {'cut' if one.action == 'cut' else 'counted'}"
        for name, one in kinds.items()
        if one
    ]
    if not told or not repeats:
        return "what several documents repeat stays"
    return f"what stands in {repeats.least_documents} or more documents stays in one of them: {', '.join(told)}"
