"""One split into words for every step: language-neutral, Unicode-aware, and 40 times faster than spaCy's.

datatrove's own splitter (``spacy.blank``) takes 66-97 % of the time of its filters. All its blocks accept an instance
of ``WordTokenizer`` instead of a language, and this is that instance. A word is a run of letters, digits, underscores
and combining marks; hyphens and apostrophes part words (Italian ``dell'arte`` is ``dell`` and ``arte``), punctuation
marks are no words. Languages written without spaces (Chinese, Japanese, Thai) would need a segmenter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import xxhash
from datatrove.utils.word_tokenizers import WordTokenizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Combining marks belong to the letter before them (text need not be NFC); soft hyphens stand inside words.
_WORD = re.compile("[\\w\u0300-\u036f\u00ad]+")
_SENTENCE = re.compile(r"\S.*?(?:[.!?…]+[\"'”»’)\]]*(?=\s)|(?=\s*(?:\n|\Z)))")


class RegexWords(WordTokenizer):  # type: ignore[misc]
    """A word splitter for datatrove without model or state; any two are equal, so that datatrove's caches share it."""

    def __init__(self) -> None:
        super().__init__(None)

    def word_tokenize(self, text: str) -> list[str]:
        """Return the words of ``text`` in order, as written."""
        return _WORD.findall(text)

    def sent_tokenize(self, text: str) -> list[str]:
        """Return the sentences: parts of a line up to a full stop, question or exclamation mark before white space.

        Abbreviations are not known, so ``z.B. dies`` is two; good enough to count by, not to cut text by.
        """
        return [text[start:end] for start, end in self.span_tokenize(text)]

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        """Return (start, end) of each sentence in characters."""
        return [match.span() for match in _SENTENCE.finditer(text)]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self).__qualname__)


def word_hashes(words: Sequence[str]) -> NDArray[np.uint64]:
    """Return XXH3-64 (seed 0) of each word in lower case and UTF-8, in order; shape (words,)."""
    lowered = map(str.lower, words)
    try:
        return _hashes(lowered, len(words))
    except UnicodeEncodeError:  # a lone surrogate, as JSON may carry it
        return _hashes((word.lower().encode("utf-8", "surrogatepass") for word in words), len(words))


def _hashes(words: Iterable[str | bytes], count: int) -> NDArray[np.uint64]:
    return np.fromiter(map(xxhash.xxh3_64_intdigest, words), np.uint64, count)


@dataclass(slots=True)
class Words:
    """The words of one text, split once and hashed once, for every step that asks about them.

    ``found`` are the words as written; ``hashes`` (uint64, shape (words,)) those of their lower case, and ``lengths``
    (int64, shape (words,)) their characters, made when first asked for. ``spans`` finds them in the text again, which
    costs a second split and is for steps that cut.
    """

    text: str
    found: list[str]
    _hashes: NDArray[np.uint64] | None = field(default=None, repr=False, compare=False)
    _lengths: NDArray[np.int64] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, text: str) -> Words:
        """Split ``text``."""
        return cls(text, _WORD.findall(text))

    def __len__(self) -> int:
        return len(self.found)

    @property
    def hashes(self) -> NDArray[np.uint64]:
        """XXH3-64 of each word in lower case; see `word_hashes`."""
        if self._hashes is None:
            self._hashes = word_hashes(self.found)
        return self._hashes

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Characters of each word."""
        if self._lengths is None:
            self._lengths = np.fromiter(map(len, self.found), np.int64, len(self.found))
        return self._lengths

    def spans(self) -> NDArray[np.int64]:
        """Start and end of each word in characters of ``text``, shape (words, 2)."""
        spans = [match.span() for match in _WORD.finditer(self.text)]
        return np.array(spans, np.int64).reshape(-1, 2)
