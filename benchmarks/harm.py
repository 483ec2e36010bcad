"""What the word lists find and miss: ``python benchmarks/harm.py``, some seconds.

Measured on Multilingual HateCheck (Röttger et al. 2022, CC BY 4.0) in ``../shared/data/evaluation``: short cases that
were written to show what detectors get wrong. Recall is the share of hateful cases with a listed term, and a false
alarm a case that is not hateful with one; both with 95 % Wilson intervals.
"""

from __future__ import annotations

import csv
import sys
import time
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from benchmarks.measure import machine  # noqa: E402
from benchmarks.real_text import CORPORA  # noqa: E402
from data_curation.harm.harm import Harm  # noqa: E402
from data_curation.harm.settings import HarmSettings  # noqa: E402
from data_curation.words import Words  # noqa: E402
from evaluation.statistics import wilson  # noqa: E402

CASES = CORPORA.parent / "evaluation" / "multilingual-hatecheck"
FILES = {"de": "german", "es": "spanish", "fr": "french", "it": "italian", "nl": "dutch", "pl": "polish",
         "pt": "portuguese"}  # fmt: skip


def rate(hits: int, count: int) -> str:
    """A share in per cent with its interval."""
    found = wilson(hits, count)
    return f"{100 * hits / count:.1f} ({100 * (found.low or 0):.1f}–{100 * (found.high or 0):.1f})"


def row(harm: Harm, language: str, cases: list[dict[str, str]]) -> list[str]:
    """Recall, recall on the cases made with slurs, and false alarms of one language."""
    counted: Counter[tuple[str, bool]] = Counter()
    for case in cases:
        found = harm.judge(Words.of(case["test_case"]), case["test_case"], language).terms > 0
        groups = [case["label_gold"], *(["slur"] if case["functionality"] == "slur_h" else [])]
        counted.update((group, found) for group in groups)
    rates = []
    for group in ("hateful", "slur", "non-hateful"):
        hits, misses = counted[group, True], counted[group, False]
        rates.append(rate(hits, hits + misses) if hits + misses else "–")
    return [language, str(len(cases)), *rates]


def main() -> None:
    """Print the table and the speed."""
    harm = Harm(HarmSettings(), REPOSITORY)
    print(f"{machine()}\n")
    head = ("language", "cases", "recall, hateful, %", "recall, cases with a slur, %", "false alarms, not hateful, %")
    print("| " + " | ".join(head) + " |\n|---|---|---|---|---|")
    texts = []
    for language, name in FILES.items():
        with (CASES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            cases = list(csv.DictReader(file))
        texts.append((language, " ".join(case["test_case"] for case in cases) * 20))
        print("| " + " | ".join(row(harm, language, cases)) + " |")
    words = [(language, Words.of(text)) for language, text in texts]
    size = sum(len(text.encode()) + 0 * len(each.hashes) for (_, text), (_, each) in zip(texts, words, strict=True))
    began = time.process_time()
    for language, each in words:
        harm.judge(each, each.text, language)
    print(f"\nSpeed, the split into words not counted: {size / 1e6 / (time.process_time() - began):.0f} MB/s")


if __name__ == "__main__":
    main()
