"""datatrove's own word splitters, for those who compare with figures made by an unchanged datatrove."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

from licensing.errors import HerkomstError

_PACKAGES = {"SpaCyTokenizer": "spacy", "StanzaTokenizer": "stanza", "KiwiTokenizer": "kiwipiepy"}


@cache
def stock_splitter(language: str) -> Any:
    """Return datatrove's splitter for ``language`` (ISO 639-1); it has ``word_tokenize`` and ``span_tokenize``.

    Raises HerkomstError where the package that it rests on is not installed.
    """
    from datatrove.utils.word_tokenizers import load_word_tokenizer

    try:
        splitter = load_word_tokenizer(language)
    except (ImportError, ValueError) as error:
        raise _missing(language, error) from error
    package = _PACKAGES.get(type(splitter).__name__, "spacy")
    if find_spec(package) is None:
        raise _missing(language, f"no module named {package}")
    return splitter


def _missing(language: str, why: object) -> HerkomstError:
    told = str(why).strip().replace("\n", " ")
    return HerkomstError(
        f"quality rules: 'words: datatrove' asks for datatrove's own word splitter of language {language}, which is "
        f"not installed here ({told}): install spacy (for Maltese and Galician stanza and its model) into this "
        "environment, or set 'words: unicode'."
    )
