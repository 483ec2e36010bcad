"""What a vocabulary costs each language: tokens a word, bytes a token, and the premium on parallel text.

*Premium*: tokens of a language over tokens of the reference language, both summed over the places that both have
(Petrov et al. 2023, "Language Model Tokenizers Introduce Unfairness Between Languages"). *Gini* over languages of
tokens a place: with costs c ascending, sum((2i - n - 1) c_i) / (n sum(c)); 0 is equal, 1 is all cost on one language
(Gini 1912; used for tokenizers by Foroutan et al. 2025, "Parity-Aware Byte-Pair Encoding"). *Worst* is the language
with the highest premium. Gini and worst are over the corpus's languages; others are measured beside them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from data_curation.shards import read_shard
from data_curation.streams import read_streams
from data_curation.words import RegexWords
from training.parallel_text import Parallel
from training.tokenizer import load_fast

_MEASURED_BYTES = 400_000
Table = dict[str, dict[str, Any]]
Count = Callable[[Sequence[str]], list[int]]


def counter(tokenizer: Path) -> Count:
    """Return a function from texts to the tokens of each, with the tokenizer of a folder."""
    fast = load_fast(tokenizer)
    return lambda texts: [len(one.ids) for one in fast.encode_batch_fast(list(texts), add_special_tokens=False)]


# --- each language's own text


def fertility(corpus: Path, tokenizer: Path) -> Table:
    """Tokens per word and bytes per token by language, on up to 400 kB of held-out text (else of training text).

    ``tokens_per_word`` is by the words of ``data_curation.words``, ``tokens_per_whitespace_word`` by what white space
    parts, as most published fertilities are.
    """
    count = counter(tokenizer)
    found: dict[str, Counter[str]] = {}
    for stream in sorted(read_streams(corpus), key=lambda stream: (stream.use != "held-out", stream.name)):
        counts = found.setdefault(stream.language, Counter())
        for row in read_shard(corpus / stream.file, ["text", "text_bytes"]):
            if counts["bytes"] >= _MEASURED_BYTES:
                break
            counts += _counted([row["text"]], count)
            found[stream.language] = counts
    return {name: _ratios(counts) for name, counts in sorted(found.items())}


def _counted(texts: Sequence[str], count: Count) -> Counter[str]:
    words = RegexWords()
    return Counter(
        bytes=sum(len(text.encode()) for text in texts),
        words=sum(len(words.word_tokenize(text)) for text in texts),
        whitespace_words=sum(len(text.split()) for text in texts),
        tokens=sum(count(texts)),
    )


def _ratios(counts: Counter[str]) -> dict[str, Any]:
    return {
        **{name: counts[name] for name in ("bytes", "words", "whitespace_words", "tokens")},
        "tokens_per_word": round(counts["tokens"] / max(1, counts["words"]), 3),
        "tokens_per_whitespace_word": round(counts["tokens"] / max(1, counts["whitespace_words"]), 3),
        "bytes_per_token": round(counts["bytes"] / max(1, counts["tokens"]), 3),
    }


# --- parallel text


def on_parallel_text(
    parallel: Parallel, count: Count, reference: str, corpus_languages: Collection[str]
) -> dict[str, Any]:
    """Every language's cost on the parallel text, and Gini and worst language over those of the corpus.

    Returns:
        ``text``, ``reference``, ``languages`` (by code: counts, ratios, ``places``, ``premium``, ``in_corpus``),
        ``not_in_text`` (languages of the corpus that the text lacks), ``gini``, ``worst`` and ``worst_premium``, the
        last three None where the text has no language of the corpus.
    """
    tokens = {name: count(texts) for name, texts in parallel.texts.items()}
    languages: Table = {}
    for name, texts in sorted(parallel.texts.items()):
        own = [text for text in texts if text]
        premium, places = _premium(parallel, tokens, name, reference)
        languages[name] = {
            **_ratios(_counted(own, count)),
            "places": places,
            "premium": round(float(premium), 4),
            "in_corpus": name in corpus_languages,
        }
    own_premiums = {
        name: _premium(parallel, tokens, name, reference)[0] for name in languages if name in corpus_languages
    }
    return {
        "text": parallel.title,
        "reference": reference,
        "languages": languages,
        "not_in_text": sorted(set(corpus_languages) - languages.keys()),
        **_over_languages(own_premiums),
    }


def premiums(parallel: Parallel, count: Count, reference: str) -> dict[str, Fraction]:
    """The premium of every language that shares a place with the reference, exact."""
    tokens = {name: count(texts) for name, texts in parallel.texts.items()}
    found = {name: _premium(parallel, tokens, name, reference) for name in sorted(parallel.texts)}
    return {name: premium for name, (premium, places) in found.items() if places}


def _premium(
    parallel: Parallel, tokens: Mapping[str, Sequence[int]], name: str, reference: str
) -> tuple[Fraction, int]:
    """The premium of a language, and over how many places; 0 of them gives 0."""
    both = [
        place
        for place, (own, other) in enumerate(zip(parallel.texts[name], parallel.texts[reference], strict=True))
        if own and other
    ]
    own, other = (sum(tokens[one][place] for place in both) for one in (name, reference))
    return Fraction(own, other) if other else Fraction(0), len(both)


def _over_languages(found: Mapping[str, Fraction]) -> dict[str, Any]:
    if not found:
        return {"gini": None, "worst": None, "worst_premium": None}
    worst = worst_of(found)
    return {"gini": round(gini(found.values()), 4), "worst": worst, "worst_premium": round(float(found[worst]), 4)}


def worst_of(found: Mapping[str, Fraction]) -> str:
    """The language with the highest premium, the first by code among equals."""
    return max(sorted(found), key=lambda name: found[name])


def gini(costs: Iterable[Fraction]) -> float:
    """The Gini coefficient of costs; premiums give the same as tokens a place, for only their ratios matter."""
    ordered = sorted(costs)
    count, total = len(ordered), sum(ordered)
    spread = sum((2 * place - count - 1) * cost for place, cost in enumerate(ordered, 1))
    return float(spread / (count * total)) if total else 0.0
