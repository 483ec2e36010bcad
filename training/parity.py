"""Choose how much of each language a vocabulary is learnt from, so that the worst premium falls.

Byte-pair encoding spends its merges on what is frequent, so a language with little text, or with a script of its own,
pays more tokens for the same content. Parity-aware training changes which merge is taken next (Foroutan et al. 2025,
"Parity-Aware Byte-Pair Encoding: Improving Cross-lingual Fairness in Tokenization"); here the merges stay ordinary
SentencePiece and the amounts of text change, by multiplicative weights: learn on a small sample, measure, raise the
weight of what is expensive, and keep the round with the lowest worst premium. A language with too little text is read
more than once. Sampling cannot help a language that the corpus lacks, and it costs the cheap ones a little: both tables
are reported.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from training.parallel_text import Parallel
from training.settings import ParitySettings, TokenizerSettings
from training.tokenizer import TokenizerError, train_tokenizer
from training.vocabulary_cost import counter, gini, premiums, worst_of
from training.vocabulary_sample import ARITHMETIC, Sampler, wanted_bytes

Weights = dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Round:
    """One vocabulary of the search: the weights it was learnt with and what it cost on the places that are tuned on."""

    weights: Weights
    worst: str
    worst_premium: Fraction
    gini: float

    def values(self) -> dict[str, Any]:
        """The round as it is signed."""
        return {"worst": self.worst, "worst_premium": round(float(self.worst_premium), 4), "gini": round(self.gini, 4)}


def parity_weights(
    sampler: Sampler, settings: TokenizerSettings, parity: ParitySettings, tuned_on: Parallel, reference: str
) -> tuple[Weights, list[Round]]:
    """Search for weights by language; returns the best and all rounds, the first of which has every weight 1.

    A language without parallel text keeps the weight 1. Exact arithmetic: every machine finds the same.

    Raises:
        TokenizerError: the parallel text has no language of the corpus, or the sample is too small for the vocabulary.
    """
    weights: Weights = dict.fromkeys(sampler.sizes, Decimal(1))
    rounds: list[Round] = []
    for _ in range(parity.rounds):
        found = _premiums_with(sampler, settings, parity, weights, tuned_on, reference)
        worst = worst_of(found)
        rounds.append(Round(weights, worst, found[worst], gini(found.values())))
        weights = _raised(weights, found, parity.strength)
    best = min(rounds, key=lambda one: (one.worst_premium, one.gini))
    return best.weights, rounds


def parity_bytes(
    sizes: Mapping[str, int], settings: TokenizerSettings, parity: ParitySettings, weights: Weights
) -> dict[str, int]:
    """The bytes of each language that these weights ask for, in the sample that the vocabulary is learnt from."""
    return wanted_bytes(sizes, settings.sample_bytes, settings.temperature, weights, parity.most_repeats)


def _premiums_with(
    sampler: Sampler,
    settings: TokenizerSettings,
    parity: ParitySettings,
    weights: Weights,
    tuned_on: Parallel,
    reference: str,
) -> dict[str, Fraction]:
    """The premiums of the corpus's languages with a vocabulary learnt from a small sample with these weights.

    It is the whole sample made smaller: repeats that the whole one does not allow are not allowed here either.
    """
    wanted = parity_bytes(sampler.sizes, settings, parity, weights)
    total = min(parity.sample_bytes, settings.sample_bytes)
    draws = sampler.draw({name: max(1, size * total // settings.sample_bytes) for name, size in wanted.items()})
    with tempfile.TemporaryDirectory() as name:
        train_tokenizer(sampler.texts(draws), settings, Path(name))
        found = premiums(tuned_on, counter(Path(name)), reference)
    own = {language: premium for language, premium in found.items() if language in sampler.sizes}
    if not own:
        raise TokenizerError(
            f"tokenizer.parity: {tuned_on.title} hold no language of the corpus ({', '.join(sampler.sizes)}), so no "
            "premium can be lowered and no tokenizer was made. Name a parallel text in these languages."
        )
    return own


def _raised(weights: Weights, found: Mapping[str, Fraction], strength: float) -> Weights:
    """Multiply each weight by (premium / mean premium) ** strength."""
    mean = Fraction(sum(found.values()), len(found))
    power = Decimal(repr(float(strength)))
    return {
        name: ARITHMETIC.multiply(weight, _powered(found[name] / mean, power)) if name in found else weight
        for name, weight in weights.items()
    }


def _powered(ratio: Fraction, power: Decimal) -> Decimal:
    return ARITHMETIC.power(ARITHMETIC.divide(Decimal(ratio.numerator), Decimal(ratio.denominator)), power)
