"""Speed of the search for personal data against datatrove's PIIFormatter (e-mail and public IPv4 alone), one core.

``python benchmarks/personal_data_speed.py FILE`` reads ``text.jsonl.zst`` as written by ``real_text.py``; at most
600 kB a language. Processor time, so that other work on the machine counts less. MB are of UTF-8.
"""

from __future__ import annotations

import platform
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from benchmarks.real_text import lines
from data_curation.personal import PersonalData
from data_curation.settings import PersonalDataSettings

LARGEST = 600_000
Texts = list[tuple[str, str]]


def read(path: Path) -> Texts:
    """Texts and their languages, an equal share of each language."""
    taken: Counter[str] = Counter()
    texts: Texts = []
    for line in lines(path):
        if taken[line["language"]] < LARGEST:
            taken[line["language"]] += len(line["text"].encode())
            texts.append((line["text"], line["language"]))
    return texts


def digits(text: str) -> float:
    """Share of digits."""
    return sum(sign.isdigit() for sign in text) / max(1, len(text))


def mixed(count: int) -> Texts:
    """Made text of which every fourth word is a number, a date or a time."""
    source = random.Random(3)
    words = "de prijs van het huis was in die stad hoger dan elders en bleef zo".split(" ")  # noqa: SIM905

    def number() -> str:
        day, month, year = source.randint(1, 28), source.randint(1, 12), source.randint(1990, 2025)
        forms = (f"{day:02}-{month:02}-{year}", f"{day}:{month:02}", f"{day},{month}", str(year), str(day * 10**month))
        return source.choice(forms)

    def text() -> str:
        return " ".join(number() if source.random() < 0.25 else source.choice(words) for _ in range(400))

    return [(text(), "nl") for _ in range(count)]


def speed(run: Callable[[str, str], object], texts: Texts) -> float:
    """MB a second, the better of two runs."""
    size = sum(len(text.encode()) for text, _ in texts) / 1e6
    best = 0.0
    for _ in range(2):
        start = time.process_time()
        for text, language in texts:
            run(text, language)
        best = max(best, size / (time.process_time() - start))
    return best


def main() -> None:
    """Print a table."""
    from datatrove.pipeline.formatters import PIIFormatter

    ours, peer = PersonalData(PersonalDataSettings()), PIIFormatter()
    texts = read(Path(sys.argv[1]))
    clean = [each for each in texts if not ours.replace(*each).found]
    kinds = {
        "all": texts,
        "clean": clean,
        "clean, under 1 % digits": [each for each in clean if digits(each[0]) < 0.01],
        "clean, over 3 % digits": [each for each in clean if digits(each[0]) > 0.03],
        "made, a quarter numbers": mixed(400),
    }
    print(f"{platform.machine()}, Python {platform.python_version()}, datatrove {version('datatrove')}\n")
    print("| text | documents | MB | Herkomst, ten kinds less names, MB/s | datatrove, two kinds, MB/s | ratio |")
    print("|---|---|---|---|---|---|")
    for name, some in kinds.items():
        size = sum(len(text.encode()) for text, _ in some) / 1e6
        mine, theirs = speed(ours.replace, some), speed(lambda text, _: peer.format(text), some)
        print(f"| {name} | {len(some)} | {size:.1f} | {mine:.1f} | {theirs:.1f} | {mine / theirs:.2f} |")


if __name__ == "__main__":
    main()
