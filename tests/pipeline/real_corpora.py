"""A configuration over every file of the real corpora, each corpus a source of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.pipeline.conftest import REPOSITORY, small_config

CORPORA = next(
    (place for place in (up / "shared" / "data" / "corpora" for up in REPOSITORY.parents) if place.is_dir()),
    REPOSITORY.parent / "shared" / "data" / "corpora",
)


def files() -> dict[str, list[Path]]:
    """Every file there is, by corpus."""
    return {
        folder.name: sorted(path for path in folder.rglob("*") if path.is_file())
        for folder in sorted(CORPORA.iterdir())
        if folder.is_dir()
    }


def sources() -> list[dict[str, Any]]:
    """One source a corpus, read with nothing left out; language and rights are what the files say, or are known."""
    languages = {"gesetze": "de", "algoritmekader": "nl", "progit2-nl": "nl", "dutchdracor": "nl"}
    return [
        {
            "name": name,
            "partner": name,
            "reader": "text",
            "path": str(CORPORA / name),
            "include": ["**"],
            **({"language": languages[name]} if name in languages else {}),
        }
        for name in files()
    ]


def write(path: Path, **curation: Any) -> Path:
    """Write the configuration; ``curation`` are keys that change how the work is cut and not what it gives."""
    wanted = {"languages": ["nl", "de", "fr", "hu", "pt", "sl", "en"], **curation}
    policy = {"as_of": "2026-11-01", "share_alike": "admit"}
    config = small_config(name=path.stem, sources=sources(), curation=wanted, policy=policy)
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return path
