"""What a task keeps of its documents to find repeats: one folder of plain arrays for each task.

``documents`` (52 bytes each: id, rank, how many words and keys), ``paragraphs`` and ``runs`` (8 bytes a key, in the
order of the documents), and ``form.json`` with counts and settings, which a reader checks against the sizes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from data_curation.repeats.keys import fingerprints, paragraph_keys
from data_curation.repeats.layout import Layout
from data_curation.repeats.settings import RepeatsSettings
from data_curation.words import Words
from licensing.errors import HerkomstError
from licensing.files import atomic_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["paragraphs", "runs"]
KINDS: tuple[Kind, ...] = ("paragraphs", "runs")

DOCUMENT = np.dtype([("id", ">u8", 4), ("rank", "<i8"), ("words", "<u4"), ("paragraphs", "<u4"), ("runs", "<u4")])
"""One document: its id as four big-endian numbers, which sort as the digests do, and how many keys it has."""

_CHUNK = 1 << 14
_NONE = np.empty(0, np.uint64)


class RepeatWriter:
    """Writes the keys of one task's documents; the folder appears whole at the end or not at all.

    Use it in a ``with`` block; repeating a task replaces its folder. Only documents that may stay are added: neither
    removed nor barred ones, for nothing is cut in favour of a text that is not used.
    """

    def __init__(self, folder: Path, settings: RepeatsSettings) -> None:
        self._folder = folder
        self._settings = settings
        self._counts = {"documents": 0, "paragraphs": 0, "runs": 0}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._new = self._open.enter_context(atomic_folder(self._folder))
        self._files = {name: self._open.enter_context((self._new / name).open("wb")) for name in self._counts}
        return self

    def add(self, id: str, rank: int, text: str, words: Words) -> None:
        """Append one document: its id in hexadecimal, its rank (the smaller keeps what both hold) and its final text.

        ``words`` are those of ``text``. The language plays no part: a paragraph left untranslated in a Dutch and in a
        German page is the same paragraph.
        """
        layout = Layout.of(text)
        check_words(layout, words)
        keys = {"paragraphs": self._paragraphs(text, layout), "runs": self._runs(words, layout)}
        row = np.zeros(1, DOCUMENT)
        row["id"], row["rank"], row["words"] = np.frombuffer(bytes.fromhex(id), ">u8"), rank, len(words)
        for kind in KINDS:
            row[kind] = len(keys[kind])
            self._files[kind].write(keys[kind].astype("<u8", copy=False).tobytes())
            self._counts[kind] += len(keys[kind])
        self._files["documents"].write(row.tobytes())
        self._counts["documents"] += 1

    def _paragraphs(self, text: str, layout: Layout) -> NDArray[np.uint64]:
        rules = self._settings.paragraphs
        return np.unique(paragraph_keys(text, layout, rules.least_words)[0]) if rules else _NONE

    def _runs(self, words: Words, layout: Layout) -> NDArray[np.uint64]:
        return fingerprints(words.hashes, layout, self._settings.runs) if self._settings.runs else _NONE

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            (self._new / "form.json").write_text(json.dumps(_form(self._settings, self._counts)) + "\n")
        self._open.__exit__(kind, error, trace)


def check_words(layout: Layout, words: Words) -> None:
    """Raise HerkomstError where ``words`` are those of another text than ``layout``: keys would name wrong places."""
    if len(layout.words) != len(words):
        raise HerkomstError(
            f"the text has {len(layout.words)} words and {len(words)} were given, so repeats would be looked for in "
            "the wrong places: split the text as it is now"
        )


@dataclass(frozen=True, slots=True)
class RepeatFolder:
    """A checked folder of keys."""

    path: Path
    documents: int

    @classmethod
    def open(cls, path: Path, settings: RepeatsSettings) -> RepeatFolder:
        """Check a folder's form and sizes against ``settings``; raises HerkomstError where they do not fit."""
        try:
            form = json.loads((path / "form.json").read_text())
            counts = {name: int(form["counts"][name]) for name in ("documents", *KINDS)}
            sizes = {name: (path / name).stat().st_size for name in counts}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HerkomstError(
                f"{path}: no readable folder of repeats ({error}), so repeats cannot be found; run its curation task "
                "again"
            ) from error
        whole = {name: count * (DOCUMENT.itemsize if name == "documents" else 8) for name, count in counts.items()}
        if form != _form(settings, counts) or sizes != whole:
            raise HerkomstError(
                f"{path}: holds {form} in files of {sizes} bytes, where {_form(settings, counts)} in {whole} bytes is "
                "needed; it is cut short or made with other settings: run its curation task again"
            )
        return cls(path, counts["documents"])

    def pieces(self) -> Iterator[NDArray[Any]]:
        """The documents' rows in order, some thousands at once."""
        with (self.path / "documents").open("rb") as file:
            while len(piece := np.fromfile(file, DOCUMENT, _CHUNK)):
                yield piece

    def keys(self, kind: Kind) -> Iterator[tuple[NDArray[Any], NDArray[np.uint64]]]:
        """The same rows, each piece with its documents' keys one after another."""
        with (self.path / kind).open("rb") as file:
            for piece in self.pieces():
                yield piece, np.fromfile(file, "<u8", int(piece[kind].sum(dtype=np.int64)))


def _form(settings: RepeatsSettings, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "version": 1,
        "counts": counts,
        "paragraph_words": settings.paragraphs.least_words if settings.paragraphs else None,
        "fingerprint_words": settings.runs.fingerprint_words if settings.runs else None,
        "window": settings.runs.window if settings.runs else None,
    }
