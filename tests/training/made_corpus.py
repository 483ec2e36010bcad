"""Small corpora for the vocabulary: made languages with words of their own, and text that says the same in all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_curation.streams import TEXT, StreamInfo
from licensing.canonical import canonical

SYLLABLES = {
    "en": ["bo", "ca", "di", "fe", "gu"],
    "nl": ["ho", "ij", "ke", "lu", "mo"],
    "el": ["να", "πο", "ρι", "σε", "τυ"],
}


def word(language: str, number: int) -> str:
    """The word of a language for thing ``number``."""
    made = hashlib.sha256(f"word {number}".encode()).digest()
    parts = SYLLABLES[language]
    return "".join(parts[byte % len(parts)] for byte in made[: 2 + made[-1] % 3])


def sentence(language: str, number: int, words: int = 12) -> str:
    """Sentence ``number``, which says the same in every language."""
    drawn = hashlib.sha256(f"sentence {number}".encode()).digest()
    return " ".join(word(language, byte % 60) for byte in drawn[:words]) + "."


def texts(language: str, count: int, first: int = 1000) -> list[str]:
    """Documents of three sentences each."""
    return [" ".join(sentence(language, first + 3 * n + k) for k in range(3)) for n in range(count)]


def write_corpus(folder: Path, documents: Mapping[str, Sequence[str]], held_out: Mapping[str, Sequence[str]]) -> Path:
    """Write committed streams of text, one a language and use."""
    (folder / "text").mkdir(parents=True)
    infos = []
    for use, by_language in (("train", documents), ("held-out", held_out)):
        for language, made in sorted(by_language.items()):
            name = f"made~CC0-1.0~{language}"
            info = StreamInfo(name, use, "made", "CC0-1.0", language, 0, 0, None, f"text/{name}.{use}.parquet")
            infos.append(_written(folder, info, made))
    (folder / "streams.json").write_bytes(canonical({"streams": [asdict(info) for info in infos]}))
    return folder


def _written(folder: Path, info: StreamInfo, made: Sequence[str]) -> StreamInfo:
    rows = [{"id": identity(text), "text": text, "text_bytes": len(text.encode())} for text in made]
    rows.sort(key=lambda row: str(row["id"]))
    pq.write_table(pa.Table.from_pylist(rows, schema=TEXT), folder / info.file, row_group_size=8)
    size = sum(len(text.encode()) for text in made)
    return StreamInfo(**{**asdict(info), "documents": len(rows), "bytes": size})


def identity(text: str) -> str:
    """The id that a made document has."""
    return hashlib.sha256(text.encode()).hexdigest()


def write_parallel(folder: Path, languages: Sequence[str] = ("en", "nl", "el"), lines: int = 20) -> Path:
    """Write parallel text, one file a language."""
    folder.mkdir(parents=True, exist_ok=True)
    for language in languages:
        made = "".join(sentence(language, number) + "\n" for number in range(lines))
        (folder / f"{language}.txt").write_text(made, encoding="utf-8")
    return folder
