"""A small but whole run: the project's own Dutch articles under their agreement, and its own English pages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]


def small_config(**changes: object) -> dict[str, object]:
    """A configuration that runs all nine stages in well under a minute."""
    config: dict[str, object] = {
        "name": "small",
        "seed": 7,
        "intended_use": {
            "purpose": "commercial",
            "weights_released": True,
            "data_released": False,
            "outputs_sold": True,
        },
        "policy": {"as_of": "2026-11-01", "share_alike": "admit", "agreements": ["agreements/de-kade.yaml"]},
        "sources": [
            {
                "name": "de-kade",
                "partner": "De Kade Pers B.V.",
                "reader": "jsonl",
                "path": str(REPOSITORY / "configs/demo/de-kade/articles.jsonl"),
                "agreement": "de-kade-2026",
                "iscc": True,
                "columns": {
                    "id": "id",
                    "text": "text",
                    "title": "title",
                    "date": "published",
                    "language": "language",
                    "url": "url",
                    "author": "author",
                    "withdrawn": "withdrawn",
                },
            },
            {
                "name": "own-pages",
                "partner": "Stille Bron Stichting",
                "reader": "text",
                "path": str(REPOSITORY / "docs"),
                "include": ["*.md"],
                "exclude": ["voor-partners.md"],
                "language": "en",
                "licence": "Apache-2.0",
            },
        ],
        "curation": {"languages": ["nl", "en"], "shard_documents": 20},
        "corpus": {"held_out_share": 0.25},
        "tokenizer": {"vocabulary_size": 500},
        "model": {"depth": 1, "width": 32, "heads": 2, "sequence_length": 64},
        "training": {
            "segments": [{"name": "main", "steps": 8}, {"name": "cooldown", "steps": 4, "temperature": 0.5}],
            "batch": 8,
            "checkpoint_every": 3,
            "threads": 1,
        },
        "evaluation": {"items": 8, "bytes_per_language": 4000, "prefix": 8, "suffix": 8, "offsets": [0]},
        "report": {"provider": "Test", "contact": "test@herkomst.example"},
    }
    return config | changes


def write_config(path: Path, **changes: object) -> Path:
    """Write the small configuration to a file."""
    path.write_text(yaml.safe_dump(small_config(**changes), sort_keys=False), encoding="utf-8")
    return path


def herkomst(*arguments: object, cwd: Path, check: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "pipeline.cli", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=cwd, env=environment(cwd), capture_output=True, text=True, check=False, timeout=600, **options
    )
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


def environment(folder: Path) -> dict[str, str]:
    """Offline, with a signing key of the test's own."""
    return os.environ | {
        "HF_HUB_OFFLINE": "1",
        "HERKOMST_KEY": str(folder / "key.pem"),
        "PYTHONPATH": str(REPOSITORY),
    }


def digests(run: Path) -> dict[str, object]:
    """The three digests that must not depend on workers, kills or folders: root, tokenizer, weights."""
    from licensing.files import file_digest
    from pipeline.run_directory import RunDirectory
    from pipeline.runner import newest_entries

    figures = {name: entry.predicate["figures"] for name, entry in newest_entries(RunDirectory(run)).items()}
    return {
        "root": figures["commit"]["root"],
        "tokens": figures["pack"]["root"],
        "tokenizer": file_digest(run / "tokenizer" / "tokenizer.model")[0],
        "weights": figures["train"]["weights_sha256"],
    }


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with one worker; tests that change it work on a copy."""
    folder = tmp_path_factory.mktemp("small")
    write_config(folder / "small.yaml")
    herkomst("run", "small.yaml", "--workers", 1, cwd=folder)
    return folder / "runs" / "small"
