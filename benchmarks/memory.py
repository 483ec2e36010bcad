"""Does curation need more memory for ten times the text?

Text of its own kind is made from the project's Dutch articles: each copy has its sentences in another order and a tenth
of its words changed, so that copies are no near duplicates and every document goes all the way to the corpus.

    python benchmarks/memory.py [--megabytes 25]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import tempfile
from pathlib import Path

import yaml
from measure import REPOSITORY, herkomst, machine

ARTICLES = REPOSITORY / "configs" / "demo" / "de-kade" / "articles.jsonl"


def main() -> None:
    """Measure once and ten times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=25)
    size = parser.parse_args().megabytes
    print(machine())
    peaks = []
    for times in (1, 10):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            documents = write_text(folder / "text.jsonl", size * times * 10**6)
            write_config(folder / "run.yaml", folder / "text.jsonl")
            found = herkomst("run", "run.yaml", "--until", "commit", "--workers", 2, cwd=folder)
            peaks.append(found)
            told = f"{size * times:>5} MB {documents:>8,} documents {found.seconds:8.1f} s"
            print(f"{told}  peak {found.tree_mib:6.0f} MiB, largest process {found.largest_mib:6.0f} MiB", flush=True)
    ratio, single = peaks[1].tree_mib / peaks[0].tree_mib, peaks[1].largest_mib / peaks[0].largest_mib
    print(f"ten times the text: {ratio:.2f} times the peak of all processes, {single:.2f} times the largest process")


def write_text(path: Path, size: int) -> int:
    """Write about ``size`` bytes of distinct articles; returns how many."""
    articles = [json.loads(line)["text"].split() for line in ARTICLES.read_text(encoding="utf-8").splitlines()]
    vocabulary = sorted({word for words in articles for word in words})
    written = documents = 0
    with path.open("w", encoding="utf-8") as file:
        while written < size:
            drawn = random.Random(documents)
            words = [word for article in drawn.sample(articles, 3) for word in article]
            parts = [words[i : i + 6] for i in range(0, len(words), 6)]
            drawn.shuffle(parts)
            mixed = [drawn.choice(vocabulary) if drawn.random() < 0.1 else word for part in parts for word in part]
            text = " ".join(mixed)
            name = hashlib.sha256(str(documents).encode()).hexdigest()[:16]
            written += file.write(json.dumps({"id": name, "text": text}, ensure_ascii=False) + "\n")
            documents += 1
    return documents


def write_config(path: Path, text: Path) -> None:
    """A configuration that ends with commit."""
    config = yaml.safe_load((REPOSITORY / "configs" / "demo.yaml").read_text(encoding="utf-8"))
    config["policy"]["agreements"] = []
    config["sources"] = [
        {
            "name": "made",
            "partner": "Made",
            "reader": "jsonl",
            "path": str(text),
            "licence": "CC0-1.0",
            "language": "nl",
            "columns": {"id": "id", "text": "text"},
        }
    ]
    config["training"]["segments"] = [{"name": "main", "steps": 1}]
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()
