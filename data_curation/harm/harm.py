"""Terms on a word list counted, and the score of an operator's classifier.

A term on a list is no judgement of harm: lists of words miss most hatred, which needs no slur, and they hit those who
are its target, who quote or reclaim the word. Dodge et al. (Documenting Large Webtext Corpora, EMNLP 2021) found that
the block list behind C4 removed text by and about minorities more than other text. Hence the default records and
removes nothing. Only counts and the rule's name leave this module, never a term.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_curation.harm.settings import HarmSettings, WordLists
from data_curation.words import Words, word_hashes
from licensing.errors import HerkomstError
from licensing.reading import read_section

if TYPE_CHECKING:
    from numpy.typing import NDArray

Classifier = Callable[[str, str], float]
WORD_LIST, CLASSIFIER = "harm-word-list", "harm-classifier"


@dataclass(frozen=True, slots=True)
class HarmResult:
    """The classifier's score (None without one), the number of listed terms, the first rule that applies, and whether
    the document is to be removed by it."""

    score: float | None
    terms: int
    rule: str | None
    remove: bool


class Harm:
    """Judges texts; made once a task. A relative path of word lists is taken from ``root``."""

    def __init__(self, settings: HarmSettings, root: Path) -> None:
        self._settings = settings
        lists = (
            read_word_lists(None if settings.lists is None else root / settings.lists) if settings.word_lists else {}
        )
        self._lists = {language: TermList(terms) for language, terms in lists.items()}
        self._classifier = load_classifier(settings.classifier) if settings.classifier else None

    def judge(self, words: Words, text: str, language: str) -> HarmResult:
        """Count listed terms of ``language`` and ask the classifier; a language without a list has no terms."""
        listed = self._lists.get(language)
        terms = listed.count(words.hashes) if listed else 0
        score = self._score(text, language)
        rule = None
        if terms >= self._settings.least_terms:
            rule = WORD_LIST
        elif score is not None and score >= self._settings.threshold:
            rule = CLASSIFIER
        return HarmResult(score, terms, rule, rule is not None and self._settings.action == "remove")

    def _score(self, text: str, language: str) -> float | None:
        if self._classifier is None:
            return None
        score = float(self._classifier(text, language))
        if not 0 <= score <= 1:
            raise HerkomstError(
                f"harm.classifier: {self._settings.classifier} gave {score} for a text in {language}, so that "
                "nothing can be decided by it: it must give a number from 0 to 1"
            )
        # The last bits of a model's arithmetic differ between processors, and must not reach the ledger.
        return round(score, 4)


class TermList:
    """The terms of one language as hashes of their words; finds them in a text's hashes."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._single = np.unique(np.array([h[0] for h in map(_hashed, terms) if len(h) == 1], np.uint64))
        self._longer: dict[int, list[NDArray[np.uint64]]] = {}
        for hashes in map(_hashed, terms):
            if len(hashes) > 1:
                self._longer.setdefault(int(hashes[0]), []).append(hashes)
        self._first = np.array(sorted(self._longer), np.uint64)

    def count(self, hashes: NDArray[np.uint64]) -> int:
        """Return how often a term occurs; terms of several words count wherever all stand in order."""
        starts = _found(self._first, hashes)
        longer = sum(
            np.array_equal(hashes[at : at + len(term)], term)
            for at in starts.tolist()
            for term in self._longer[int(hashes[at])]
        )
        return len(_found(self._single, hashes)) + longer


def _hashed(term: str) -> NDArray[np.uint64]:
    return word_hashes(Words.of(term).found)


def _found(keys: NDArray[np.uint64], hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    if not len(keys) or not len(hashes):
        return np.zeros(0, np.int64)
    at = np.minimum(np.searchsorted(keys, hashes), len(keys) - 1)
    return np.flatnonzero(keys[at] == hashes)


def read_word_lists(path: Path | None = None) -> Mapping[str, tuple[str, ...]]:
    """Read word lists from ``path``, or those that come with Herkomst; an error names file, line and key."""
    if path is None:
        with as_file(files("configs") / "harm" / "word-lists.yaml") as own:
            return read_word_lists(own)
    lists = read_section(path, WordLists).languages
    empty = [(language, term) for language, terms in lists.items() for term in terms if not Words.of(term).found]
    if empty:
        raise HerkomstError(f"{path}: languages.{empty[0][0]} has a term without a letter, which no text can contain")
    return lists


def load_classifier(name: str) -> Classifier:
    """Import ``package.module:function``.

    Raises:
        HerkomstError: there is no such module or function, or it cannot be called.
    """
    module, _, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise HerkomstError(
            f"harm.classifier: {name} cannot be loaded ({error}), so that no text can be judged: give "
            "package.module:function of an installed package, or leave the key out"
        ) from error
    if not callable(found):
        raise HerkomstError(f"harm.classifier: {name} is no function: give one from (text, language) to a score")
    classifier: Classifier = found
    return classifier
