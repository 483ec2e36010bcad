"""Carrier sentences and labels of forms, read from ``carriers.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Carriers:
    """Sentences with one ``{}`` for the value, and labels that stand before a value in forms."""

    sentences: tuple[str, ...]
    labels: tuple[str, ...]


@cache
def carriers() -> dict[str, dict[str, Carriers]]:
    """By language, then by the name of the identifier or the kind."""
    file = Path(__file__).with_name("carriers.yaml")
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {language: {name: _carriers(text) for name, text in names.items()} for language, names in found.items()}


def _carriers(text: str) -> Carriers:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    labels = [label.strip() for line in lines if line.startswith("=") for label in line[1:].split(";")]
    return Carriers(tuple(line for line in lines if not line.startswith("=")), tuple(labels))
