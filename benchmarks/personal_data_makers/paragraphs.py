"""Paragraphs of real public-domain text in all 24 languages, to plant in."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from benchmarks.udhr import OFFICIAL

_PARAGRAPH = re.compile(r"<p[^>]*>(.*?)</p>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_SHORTEST, _LONGEST = 80, 1500


def of_declaration(folder: Path, language: str) -> list[str]:
    """The paragraphs of the declaration in a language, from the folder of `benchmarks.udhr.declarations`."""
    page = (folder / f"{OFFICIAL[language]}.html").read_text(encoding="utf-8")
    return [" ".join(unescape(_TAG.sub(" ", each)).split()) for each in _PARAGRAPH.findall(page)]


def cut(text: str) -> list[str]:
    """The paragraphs of a text that are neither headings nor endless."""
    return [each for each in text.split("\n\n") if _SHORTEST <= len(each) <= _LONGEST]
