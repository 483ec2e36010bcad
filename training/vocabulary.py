"""Make a run's vocabulary: draw text, learn from it, measure what it costs each language, hold it to the gate."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from licensing.errors import HerkomstError
from training.parallel_text import Parallel, read_parallel
from training.parity import parity_bytes, parity_weights
from training.settings import ParitySettings, TokenizerSettings
from training.tokenizer import TokenizerError, train_tokenizer
from training.vocabulary_cost import counter, fertility, on_parallel_text
from training.vocabulary_gate import check_gate
from training.vocabulary_sample import SAMPLED_IDS, Draw, Sampler, training_streams, wanted_bytes, write_ids

_NO_PARALLEL = "the configuration names no parallel text (tokenizer.parallel)"


@dataclass(frozen=True, slots=True)
class _Learnt:
    """What a vocabulary was learnt from, the figures of the trainer, and what it costs on parallel text."""

    draws: Mapping[str, Draw]
    figures: Mapping[str, Any]
    parallel: Mapping[str, Any]


def make_tokenizer(corpus: Path, settings: TokenizerSettings, seed: int, folder: Path) -> dict[str, Any]:
    """Learn a vocabulary from the training text of a corpus into the empty ``folder``; held-out text is never read.

    Returns:
        Figures to be signed: ``sample`` (draws by language, documents, Merkle root of their ids), ``by_language``
        (cost on the language's own text), ``parallel`` (cost on parallel text, or ``not_measured`` and why) and, where
        it was asked for, ``parity`` (the rounds, and amounts and costs before and after).

    Raises:
        TokenizerError: there is no text, too little for the vocabulary, or it costs a language more than the gate lets.
    """
    sampler = Sampler(corpus, seed, settings.sample_bytes)
    if not sampler.streams:
        raise TokenizerError(
            f"{corpus}: no document was both admitted and kept, so there is nothing to train on. The ledger says why "
            "for each document; `herkomst check CONFIG` says what the policy makes of each source."
        )
    maker = _Maker(sampler, settings, *_parallel(settings))
    learnt, parity = maker.even(settings.parity, folder) if settings.parity else (maker.plain(folder), None)
    root, documents = write_ids(folder / SAMPLED_IDS, sampler.ids(learnt.draws))
    by_language = fertility(corpus, folder)
    check_gate(settings.gate, by_language, learnt.parallel)
    return {
        **learnt.figures,
        "sample": {"root": root, "documents": documents, "by_language": _stated(learnt.draws)},
        "by_language": by_language,
        "parallel": learnt.parallel,
        **({"parity": parity} if parity else {}),
    }


def measured(corpus: Path, settings: TokenizerSettings, folder: Path) -> dict[str, Any]:
    """What a tokenizer that was taken over costs each language of a corpus: ``by_language`` and ``parallel``.

    Raises:
        TokenizerError: it costs a language more than the gate lets.
    """
    parallel, missing = _parallel(settings)
    own = {stream.language for stream in training_streams(corpus)}
    found = _on_parallel(parallel, missing, settings, folder, own)
    by_language = fertility(corpus, folder)
    check_gate(settings.gate, by_language, found)
    return {"by_language": by_language, "parallel": found}


def _on_parallel(
    parallel: Parallel | None, missing: str, settings: TokenizerSettings, folder: Path, own: Collection[str]
) -> dict[str, Any]:
    if parallel is None or settings.parallel is None:
        return {"not_measured": missing}
    return on_parallel_text(parallel, counter(folder), settings.parallel.reference, own)


def _parallel(settings: TokenizerSettings) -> tuple[Parallel | None, str]:
    """The parallel text or why there is none; only parity cannot do without."""
    if settings.parallel is None:
        return None, _NO_PARALLEL
    try:
        return read_parallel(settings.parallel), ""
    except HerkomstError as fault:
        if settings.parity:
            raise
        return None, str(fault)


def _stated(draws: Mapping[str, Draw]) -> dict[str, Any]:
    return {name: draw.values() for name, draw in sorted(draws.items())}


@dataclass(frozen=True, slots=True)
class _Maker:
    """Learns vocabularies from one corpus and measures them; ``missing`` says why there is no parallel text."""

    sampler: Sampler
    settings: TokenizerSettings
    parallel: Parallel | None
    missing: str

    def plain(self, folder: Path) -> _Learnt:
        """The vocabulary of amounts by size and temperature alone, measured on the whole parallel text."""
        sizes, settings = self.sampler.sizes, self.settings
        draws = self.sampler.draw(wanted_bytes(sizes, settings.sample_bytes, settings.temperature))
        return self._learn(draws, folder, self.parallel)

    def even(self, parity: ParitySettings, folder: Path) -> tuple[_Learnt, dict[str, Any]]:
        """The vocabulary of the most even amounts found, or the plain one if no worse; and the account of both."""
        if self.parallel is None or self.settings.parallel is None:
            raise TokenizerError(f"tokenizer.parity: {self.missing or _NO_PARALLEL}; no tokenizer was made.")
        sizes, settings = self.sampler.sizes, self.settings
        tuned_on, measured_on = self.parallel.places(1, 2), self.parallel.places(0, 2)
        weights, rounds = parity_weights(self.sampler, settings, parity, tuned_on, self.settings.parallel.reference)
        wanted = parity_bytes(sizes, settings, parity, weights)
        after = self._learn(self.sampler.draw(wanted), folder, measured_on)
        with tempfile.TemporaryDirectory() as name:
            plain = wanted_bytes(sizes, settings.sample_bytes, settings.temperature)
            before = self._learn(self.sampler.draw(plain), Path(name), measured_on)
            lowered = after.parallel["worst_premium"] < before.parallel["worst_premium"]
            if not lowered:
                shutil.copytree(name, folder, dirs_exist_ok=True)
        account = {
            "lowered": lowered,
            "rounds": [one.values() for one in rounds],
            "weights": {name: f"{weight:.6g}" for name, weight in weights.items()},
            "before": {"sample": _stated(before.draws), "parallel": before.parallel},
            "after": {"sample": _stated(after.draws), "parallel": after.parallel},
        }
        return (after if lowered else before), account

    def _learn(self, draws: Mapping[str, Draw], folder: Path, parallel: Parallel | None) -> _Learnt:
        figures = train_tokenizer(self.sampler.texts(draws), self.settings, folder)
        own = self.sampler.sizes.keys()
        return _Learnt(draws, figures, _on_parallel(parallel, self.missing, self.settings, folder, own))
