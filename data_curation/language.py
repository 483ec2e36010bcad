"""The language of a document: what was declared, what is detected, and what follows if the two differ.

Detection is py3langid (BSD-3; a naive Bayes model over byte n-grams that comes with the package, no download),
restricted to a list of candidates. It reads at most 4,000 characters: a third each from start, middle and end, since
translated manuals often begin in one language and go on in another.

The rules, in order:

1. *Sure* (probability at least ``least``) of a language that is not wanted: remove, ``language-not-wanted``.
2. Sure, and nothing declared: keep under the detected language, ``language-detected``.
3. Sure, and as declared: keep, ``language-agrees``.
4. Sure, and other than declared: remove, ``language-mismatch``; kept under the *detected* language as
   ``language-detected`` where the operator says so. An untranslated English page in a Dutch manual is not Dutch.
5. Not sure, but the declared language is the likeliest of all: keep, ``language-agrees``: two weak signs that agree.
6. Not sure, the text is short, and the declared language is wanted and among the three likeliest: keep as declared,
   ``language-declared``. A list of menu names says little to any detector, and its publisher knows what it is.
7. Otherwise: remove, ``language-unsure``.

A declared language counts by its first part only (``pt_BR`` is ``pt``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from licensing.errors import HerkomstError

SAMPLE_CHARACTERS = 4_000
UNDETERMINED = "und"
"""The language of a text without a single letter (ISO 639-2)."""
_GAP = " "


@dataclass(frozen=True, slots=True)
class LanguageResult:
    """The language a document goes on under, how sure that is, what was declared, and the outcome with its reason.

    ``confidence`` is the detector's probability of ``language``, rounded to four decimals so that the last bits of a
    processor's arithmetic never reach the ledger.
    """

    language: str
    confidence: float
    declared: str | None
    outcome: Literal["keep", "remove"]
    reason: str


class Languages:
    """A detector over a list of candidate languages (ISO 639-1 codes); of these, ``wanted`` may stay."""

    def __init__(
        self,
        candidates: Sequence[str],
        wanted: Sequence[str] | None = None,
        *,
        short_characters: int = 300,
        keep_under_detected: bool = False,
    ) -> None:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        unknown = sorted(set(candidates) - set(self._identifier.labels))
        if unknown:
            raise HerkomstError(
                f"language candidates {', '.join(unknown)} are not known to py3langid, so could never be detected; "
                f"known are: {' '.join(sorted(self._identifier.labels))}"
            )
        self._identifier.set_languages(list(candidates))
        self._wanted = frozenset(candidates if wanted is None else wanted)
        self._short = short_characters
        self._keep_under_detected = keep_under_detected

    def detect(self, text: str) -> tuple[str, float]:
        """Return the likeliest language and its probability among the candidates."""
        return self._ranked(text)[0]

    def judge(self, text: str, declared: str | None, least: float) -> LanguageResult:
        """Settle the language of ``text`` by the rules above; ``least`` is the probability from which it is sure."""
        ranked = self._ranked(text)
        stated = primary(declared)
        detected, confidence = ranked[0]
        if confidence >= least:
            return LanguageResult(detected, confidence, stated, *self._sure(detected, stated))
        if stated in self._wanted and stated in dict(ranked[:3]):
            if stated == detected:
                return LanguageResult(stated, confidence, stated, "keep", "language-agrees")
            if len(text) <= self._short:
                return LanguageResult(stated, dict(ranked)[stated], stated, "keep", "language-declared")
        return LanguageResult(detected, confidence, stated, "remove", "language-unsure")

    def _sure(self, detected: str, declared: str | None) -> tuple[Literal["keep", "remove"], str]:
        if detected not in self._wanted:
            return "remove", "language-not-wanted"
        if declared == detected:
            return "keep", "language-agrees"
        if declared is None or self._keep_under_detected:
            return "keep", "language-detected"
        return "remove", "language-mismatch"

    def _ranked(self, text: str) -> list[tuple[str, float]]:
        if not any(map(str.isalpha, text)):
            return [(UNDETERMINED, 0.0)]
        ranked = self._identifier.rank(sample(text))
        # Rounding may make equals of two; the code then decides, never the order of a table.
        return sorted(((code, round(share, 4)) for code, share in ranked), key=lambda item: (-item[1], item[0]))


def primary(declared: str | None) -> str | None:
    """Return the first part of a language tag in lower case (``pt_BR`` and ``pt-BR`` give ``pt``), None for nothing."""
    return re.split("[-_.@]", declared.strip().lower())[0] or None if declared else None


def sample(text: str) -> str:
    """Return at most 4,000 characters of ``text``: all of it, or a third each from start, middle and end."""
    if len(text) <= SAMPLE_CHARACTERS:
        return text
    part = (SAMPLE_CHARACTERS - 2 * len(_GAP)) // 3
    middle = (len(text) - part) // 2
    return _GAP.join((text[:part], text[middle : middle + part], text[-part:]))
