"""The limits that a configuration sets to what a vocabulary may cost a language; beyond them the stage fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.settings import GateSettings
from training.tokenizer import TokenizerError

_REMEDIES = (
    "Give more text of that language, a larger vocabulary_size, a lower temperature or parity, or raise the limit; "
    "to go on without it, name the language under tokenizer.gate.exempt."
)


def check_gate(gate: GateSettings, by_language: Mapping[str, Any], parallel: Mapping[str, Any]) -> None:
    """Hold the figures of the corpus's languages against the gate.

    ``by_language`` is as `vocabulary_cost.fertility` gives it, ``parallel`` as `vocabulary_cost.on_parallel_text` does,
    or with ``not_measured`` and the reason.

    Raises:
        TokenizerError: a language costs more than allowed, or a figure that the gate asks for was not measured.
    """
    faults = [*_fertility_faults(gate, by_language), *_premium_faults(gate, by_language, parallel)]
    if faults:
        raise TokenizerError(
            f"tokenizer.gate: {'; '.join(faults)}. No tokenizer was put in place and "
            f"nothing after it was run. {_REMEDIES}"
        )


def _fertility_faults(gate: GateSettings, by_language: Mapping[str, Any]) -> Iterator[str]:
    for name, figures in _held(gate, by_language):
        found = figures["tokens_per_whitespace_word"]
        if gate.max_fertility is not None and found > gate.max_fertility:
            yield f"'{name}' takes {found} tokens per white-space word, and max_fertility allows {gate.max_fertility}"


def _premium_faults(gate: GateSettings, by_language: Mapping[str, Any], parallel: Mapping[str, Any]) -> Iterator[str]:
    if gate.worst_premium is None:
        return
    if "languages" not in parallel:
        yield f"worst_premium was not measured: {str(parallel['not_measured']).rstrip('.')}"
        return
    for name, _ in _held(gate, by_language):
        found = parallel["languages"].get(name)
        if found is None or not found["places"]:
            yield f"the premium of '{name}' was not measured, because the parallel text lacks that language"
        elif found["premium"] > gate.worst_premium:
            yield (
                f"'{name}' takes {found['premium']} times the tokens of '{parallel['reference']}', and worst_premium "
                f"allows {gate.worst_premium}"
            )


def _held(gate: GateSettings, by_language: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, figures) for name, figures in sorted(by_language.items()) if name not in gate.exempt)
