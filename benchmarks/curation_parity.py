"""Do our quality rules say what datatrove's filters say? Per rule and language, on real text.

(a) On the same words (our split) every verdict and every figure must be the same. (b) Our split against datatrove's own
(spaCy): how often a rule falls differently, and by how much its figure moves. Thresholds and stop words are those that
come with Herkomst. Only rules that ask about words stand in (b); the others do not depend on the split.

    python benchmarks/curation_parity.py REAL_TEXT [--documents 150]

REAL_TEXT is the file that ``benchmarks/real_text.py`` writes. spaCy does not come with Herkomst: ``pip install spacy``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.filters.gopher_repetition_filter import find_all_duplicate, find_top_duplicate, get_n_grams
from datatrove.utils.text import PUNCTUATION_SET
from measure import machine
from real_text import lines
from stock_quality import Filters, comparable, filters, with_stock_splitter

from data_curation.quality import read_quality
from data_curation.quality.c4 import broken_c4
from data_curation.quality.fineweb import broken_fineweb
from data_curation.quality.gopher import alphabetic, broken_gopher, visible_words
from data_curation.quality.grams import Grams
from data_curation.quality.lines import Lines
from data_curation.quality.repetition import broken_repetition
from data_curation.quality.splitters import stock_splitter
from data_curation.settings import QualitySettings, QualityThresholds
from data_curation.words import RegexWords, Words

Figures = dict[str, float]
SPLIT = RegexWords()


def theirs(text: str, words: list[str], stop_words: set[str]) -> Figures:
    """Figures of the rules on ``words``, computed as datatrove's filters do, with their own functions."""
    visible = [word for word in words if any(character not in PUNCTUATION_SET for character in word)]
    figures = {
        "short-doc": float(len(visible)),
        "below-avg-threshold": sum(map(len, visible)) / len(visible) if visible else 0.0,
        "too-many-hashes": text.count("#") / len(words),
        "too-many-ellipsis": (text.count("...") + text.count("…")) / len(words),
        "below-alpha-threshold": sum(any(c.isalpha() for c in word) for word in words) / len(words),
        "enough-stop-words": float(len(stop_words.intersection(words))),
        "list-ratio": text.count("\n") / len(words),
    }
    for n in (2, 3, 4):
        grams = get_n_grams(words, n)
        figures[f"top-{n}-gram"] = find_top_duplicate(grams) / len(text) if grams else 0.0
    for n in range(5, 11):
        figures[f"duplicated-{n}-n-grams"] = find_all_duplicate(words, n) / len(text)
    return figures


def ours(text: str, words: Words, stop_words: set[str]) -> Figures:
    """The same figures by our own functions."""
    count, mean = visible_words(words)
    grams, ends = Grams(words, range(5, 11)), Lines(text).ends
    figures = {
        "short-doc": float(count),
        "below-avg-threshold": mean,
        "too-many-hashes": text.count("#") / len(words),
        "too-many-ellipsis": (text.count("...") + text.count("…")) / len(words),
        "below-alpha-threshold": alphabetic(words),
        "enough-stop-words": float(len(stop_words.intersection(words.found))),
        "list-ratio": ends / len(words),
    }
    figures |= {f"top-{n}-gram": grams.top_characters(n) / len(text) for n in (2, 3, 4)}
    figures |= {f"duplicated-{n}-n-grams": grams.duplicate_characters(n) / len(text) for n in range(5, 11)}
    return figures


def broken(figures: Figures, thresholds: QualityThresholds) -> dict[str, bool]:
    """Which rules a text with these figures breaks, each asked by itself."""
    gopher, repetition, fineweb = thresholds.gopher, thresholds.repetition, thresholds.fineweb
    if gopher is None or repetition is None or fineweb is None:
        raise SystemExit("the shipped rules have all groups; this comparison needs them")
    least = {
        "short-doc": gopher.min_words,
        "below-avg-threshold": gopher.min_average_word,
        "below-alpha-threshold": gopher.min_alphabetic,
        "enough-stop-words": gopher.min_stop_words,
    }
    most = {"list-ratio": fineweb.max_lines_per_word, "too-many-hashes": gopher.max_symbol_ratio}
    most |= {"too-many-ellipsis": gopher.max_symbol_ratio}
    most |= {f"top-{n}-gram": share for n, share in repetition.top_grams.items()}
    most |= {f"duplicated-{n}-n-grams": share for n, share in repetition.duplicate_grams.items()}
    found = {rule: figures[rule] < value for rule, value in least.items()}
    found |= {rule: figures[rule] > value for rule, value in most.items()}
    return found | {"above-avg-threshold": figures["below-avg-threshold"] > gopher.max_average_word}


def verdicts(text: str, words: Words, stop_words: frozenset[str], rules: QualityThresholds) -> Iterator[str | None]:
    """What each of our four groups says, in the order of `stock_quality.filters`."""
    gopher, fineweb, c4, repetition = rules.gopher, rules.fineweb, rules.c4, rules.repetition
    lines = Lines(text)
    yield broken_gopher(words, lines, stop_words, gopher) if gopher else None
    yield broken_fineweb(len(words), lines, fineweb) if fineweb else None
    yield broken_c4(words, lines, lambda line: max(1, len(SPLIT.span_tokenize(line))), c4) if c4 else None
    yield broken_repetition(Grams(words, range(5, 11)), lines, repetition) if repetition else None


def stock_verdicts(text: str, chain: Filters) -> Iterator[str | None]:
    """What each of datatrove's four filters says."""
    for _, each in chain:
        found = each.filter(Document(text=text, id=""))
        yield None if found is True else found[1].removeprefix("gopher_").replace("_", "-")


@dataclass
class Tally:
    """Counts of one language, and of each rule in it."""

    documents: int = 0
    other_verdicts: int = 0
    other_figures: int = 0
    kept: int = 0
    stock_kept: int = 0
    agree: int = 0
    rules: dict[str, int] = field(default_factory=partial(defaultdict, int))
    moved: dict[str, float] = field(default_factory=partial(defaultdict, float))
    figure: dict[str, float] = field(default_factory=partial(defaultdict, float))
    ours_broken: dict[str, int] = field(default_factory=partial(defaultdict, int))
    stock_broken: dict[str, int] = field(default_factory=partial(defaultdict, int))


def compare(tally: Tally, text: str, language: str, settings: QualitySettings) -> None:
    """Add one document to ``tally``."""
    words, stop_words = Words.of(text), set(settings.languages[language].stop_words)
    thresholds = settings.thresholds
    found = list(verdicts(text, words, frozenset(stop_words), thresholds))
    same_split = list(stock_verdicts(text, filters(settings, language, SPLIT)))
    own_split = list(stock_verdicts(text, filters(settings, language, language)))
    figures, again = ours(text, words, stop_words), theirs(text, words.found, stop_words)
    stock = theirs(text, stock_splitter(language).word_tokenize(text), stop_words)
    tally.documents += 1
    tally.other_verdicts += found != same_split
    tally.other_figures += sum(figures[rule] != again[rule] for rule in again)
    tally.kept += not any(found)
    tally.stock_kept += not any(own_split)
    tally.agree += any(found) == any(own_split)
    here, there = broken(figures, thresholds), broken(stock, thresholds)
    for rule in here:
        tally.rules[rule] += here[rule] == there[rule]
        tally.ours_broken[rule] += here[rule]
        tally.stock_broken[rule] += there[rule]
    for rule in figures:
        tally.moved[rule] += stock[rule] - figures[rule]
        tally.figure[rule] += figures[rule]


def by_language(tallies: dict[str, Tally]) -> Iterator[str]:
    """Rows of a markdown table, one for each language."""
    yield "| language | documents | (a) other verdicts | (a) other figures | (b) same | kept, our split | kept, own |"
    yield "|---|---|---|---|---|---|---|"
    for language, tally in sorted(tallies.items()):
        shares = " | ".join(f"{part / tally.documents:.1%}" for part in (tally.agree, tally.kept, tally.stock_kept))
        yield f"| {language} | {tally.documents} | {tally.other_verdicts} | {tally.other_figures} | {shares} |"


def by_rule(tallies: dict[str, Tally]) -> Iterator[str]:
    """Rows of a markdown table, one for each rule: all languages, and the language that agrees least."""
    yield "| rule | broken, our split | broken, own split | (b) same | least in | mean figure | mean difference |"
    yield "|---|---|---|---|---|---|---|"
    total = sum(tally.documents for tally in tallies.values())
    for rule in next(iter(tallies.values())).rules:
        share = {language: tally.rules[rule] / tally.documents for language, tally in tallies.items()}
        worst = min(sorted(share), key=share.__getitem__)
        same = sum(tally.rules[rule] for tally in tallies.values()) / total
        figure = "below-avg-threshold" if rule == "above-avg-threshold" else rule
        here, there = (_sum(tallies, name, rule) for name in ("ours_broken", "stock_broken"))
        mean, moved = (_sum(tallies, name, figure) / total for name in ("figure", "moved"))
        least = f"{worst} {share[worst]:.1%}" if share[worst] < 1 else ""
        yield f"| {rule} | {here} | {there} | {same:.2%} | {least} | {mean:.4g} | {moved:+.3g} |"


def _sum(tallies: dict[str, Tally], name: str, rule: str) -> float:
    return sum(getattr(tally, name)[rule] for tally in tallies.values())


def grid(tallies: dict[str, Tally]) -> Iterator[str]:
    """Rows of a markdown table: the share of documents in which a rule falls the same in (b), rule by language."""
    languages = sorted(tallies)
    yield f"| (b) same, % | {' | '.join(languages)} |"
    yield "|---" * (len(languages) + 1) + "|"
    for rule in next(iter(tallies.values())).rules:
        shares = (tallies[code].rules[rule] / tallies[code].documents for code in languages)
        yield f"| {rule} | {' | '.join(f'{share:.1%}'.removesuffix('%').replace('100.0', '100') for share in shares)} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", type=Path)
    parser.add_argument("--documents", type=int, default=150, help="most documents of a language, evenly spread")
    chosen = parser.parse_args()
    settings = comparable(read_quality())
    wanted = set(with_stock_splitter(settings))
    texts: dict[str, list[str]] = defaultdict(list)
    for document in lines(chosen.text):
        if document["language"] in wanted and Words.of(document["text"]).found:
            texts[document["language"]].append(document["text"])
    tallies = {language: Tally() for language in sorted(texts)}
    for language, tally in tallies.items():
        step = max(1, len(texts[language]) // chosen.documents)
        for text in texts[language][::step][: chosen.documents]:
            compare(tally, text, language, settings)
    print(f"{machine()}, " + ", ".join(f"{name} {version(name)}" for name in ("datatrove", "spacy", "numpy")))
    for table in (by_language, by_rule, grid):
        print("\n" + "\n".join(table(tallies)))


if __name__ == "__main__":
    main()
