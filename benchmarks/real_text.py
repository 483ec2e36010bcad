"""Real text in many languages for the curation benchmarks: Debian's translated manuals and ``../shared/data/corpora``.

``python benchmarks/real_text.py FOLDER`` writes ``FOLDER/text.jsonl.zst``, one document a line with ``id`` (the native
id), ``language`` (as declared) and ``text``; packages are fetched once into Herkomst's cache. The file is only ever
read on this machine: the texts keep their licences.
"""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard
from pydantic import TypeAdapter

from data_curation.download import cache_folder
from data_curation.readers import Source, read

REPOSITORY = Path(__file__).resolve().parent.parent
CORPORA = next(
    (place for place in (up / "shared" / "data" / "corpora" for up in REPOSITORY.parents) if place.is_dir()),
    REPOSITORY.parent / "shared" / "data" / "corpora",
)
_SOURCE: TypeAdapter[Source] = TypeAdapter(Source)

HELP = (
    "ca", "cs", "da", "de", "el", "en-us", "es", "et", "eu", "fi", "fr", "gl", "hu", "it", "nl", "pl", "pt", "ru", "sl",
    "sv", "tr",
)  # fmt: skip
"""Languages of the LibreOffice help that are read."""


def debian(name: str, packages: list[str], *include: str) -> dict[str, Any]:
    """A source of Debian packages."""
    return {"name": name, "partner": name, "reader": "debian", "packages": packages, "include": list(include)}


def folder(name: str, reader: str, *include: str, **keys: Any) -> dict[str, Any]:
    """A source of one of the real corpora."""
    path = str(CORPORA / name)
    return {"name": name, "partner": name, "reader": reader, "path": path, "include": list(include), **keys}


def sources() -> list[dict[str, Any]]:
    """All sources; those of the corpora only where they are on this machine."""
    found = [
        debian("libreoffice-help", [f"libreoffice-help-{code}" for code in HELP], "**/*.html"),
        debian("gnome-help", ["gnome-user-docs"], "usr/share/help/*/**/*.page"),
        debian("debian-handbook", ["debian-handbook"], "usr/share/doc/debian-handbook/html/*/*.html"),
        debian("installation-guide", ["installation-guide-amd64"], "usr/share/doc/**/*.html"),
    ]
    if CORPORA.is_dir():
        found += [
            folder(f"eltec-{code}", "tei", "**/*.xml", split="div") for code in ("deu", "fra", "hun", "por", "slv")
        ]
        found += [folder("dutchdracor", "tei", "**/*.xml"), folder("gesetze", "text", "**/*.md", language="de")]
        found += [folder("algoritmekader", "text", "docs/**/*.md", language="nl")]
        found += [folder("progit2-nl", "text", "**/*.asc", language="nl")]
    return found


def documents(limit_bytes: int | None = None) -> Iterator[dict[str, str]]:
    """Yield ``id``, ``language`` and ``text`` of every readable document, at most ``limit_bytes`` of text."""
    taken = 0
    for values in sources():
        source = _SOURCE.validate_python(values)
        for document in read(source, REPOSITORY, cache_folder()):
            if document.text is None:
                continue
            taken += len(document.text.encode())
            if limit_bytes is not None and taken > limit_bytes:
                return
            name = f"{source.name}/{document.native_id}"
            yield {"id": name, "language": document.language or "und", "text": document.text}


def written(target: Path, limit_bytes: int | None = None) -> Path:
    """Write the documents below ``target`` unless they are there; returns the file."""
    file = target / "text.jsonl.zst"
    if not file.exists():
        target.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".partial")
        with zstandard.open(beside, "wb") as out:
            for document in documents(limit_bytes):
                out.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")
        beside.replace(file)
    return file


def lines(file: Path) -> Iterator[dict[str, str]]:
    """Read what `written` wrote."""
    with zstandard.open(file, "rb") as stream:
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            yield json.loads(line)


def main() -> None:
    """Write the file and tell what is in it."""
    file = written(Path(sys.argv[1]))
    count: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for document in lines(file):
        count[document["language"]] += 1
        size[document["language"]] += len(document["text"].encode())
    for language, total in size.most_common():
        print(f"{language:6} {count[language]:7,} documents {total / 1e6:8.1f} MB")
    print(f"{'all':6} {sum(count.values()):7,} documents {sum(size.values()) / 1e6:8.1f} MB")


if __name__ == "__main__":
    main()
