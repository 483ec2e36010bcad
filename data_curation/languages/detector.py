"""py3langid over a list of candidates, on a sample of the text.

py3langid (BSD-3) is a naive Bayes model over byte n-grams that comes with the package, no download. What it reads is
what it costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import cache, lru_cache
from typing import Any

import numpy as np

from licensing.errors import HerkomstError

UNDETERMINED = "und"
"""The language of a text without a single letter (ISO 639-2)."""
_LIKELIEST = 8
_GAP = " "


class Detector:
    """Ranks candidate languages (ISO 639-1 codes) by probability."""

    def __init__(self, candidates: Sequence[str]) -> None:
        unknown = sorted(set(candidates) - set(_model().labels))
        if unknown:
            raise HerkomstError(
                f"language candidates {', '.join(unknown)} are not known to py3langid, so could never be detected; "
                f"known are: {' '.join(sorted(_model().labels))}"
            )
        self._identifier = _restricted(tuple(candidates))

    def ranked(self, text: str, characters: int) -> list[tuple[str, float]]:
        """Return (language, probability) of the eight likeliest, after reading at most ``characters`` of ``text``.

        Probabilities are rounded to four decimals so that the last bits of a processor's arithmetic never reach the
        ledger. Rounding may make equals of two; the code then decides, never the order of a table.
        """
        if not any(map(str.isalpha, text)):
            return [(UNDETERMINED, 0.0)]
        ranked = self._identifier.rank(sample(text, characters))[:_LIKELIEST]
        return sorted(((code, round(share, 4)) for code, share in ranked), key=lambda item: (-item[1], item[0]))


@cache
def _model() -> Any:
    """The model with all its languages, unpacked once a process; what is set on a copy leaves it as it is."""
    from py3langid.langid import MODEL_FILE

    from data_curation.languages.walk import FastIdentifier

    return FastIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache(maxsize=2)
def _restricted(candidates: tuple[str, ...]) -> Any:
    """The model with these languages, the same one for all tasks of a process: nothing in it changes."""
    model = copy(_model())
    model.set_languages(list(candidates))
    # The model's table is of half floats by columns; by rows and in single floats it answers three times as fast.
    model.nb_ptc = np.ascontiguousarray(model.nb_ptc, np.float32)
    return model


def sample(text: str, characters: int) -> str:
    """Return at most ``characters`` of ``text``: all of it, or a third each from start, middle and end.

    Translated manuals often begin in one language and go on in another.
    """
    if len(text) <= characters:
        return text
    part = (characters - 2 * len(_GAP)) // 3
    middle = (len(text) - part) // 2
    return _GAP.join((text[:part], text[middle : middle + part], text[-part:]))
