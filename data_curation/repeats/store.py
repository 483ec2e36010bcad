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
from data_curation.repeats.layout import GAP, Layout
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
_BATCH = 1 << 18  # characters: arrays of that size stay in the processor's cache
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
        self._waiting: list[_Waiting] = []
        self._characters = 0
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
        self._waiting.append(_Waiting(id, rank, text, words))
        self._characters += len(text)
        if self._characters >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        """Treat all that waits at once: for each document by itself, a page would cost ten times its share."""
        waiting, self._waiting, self._characters = self._waiting, [], 0
        if not waiting:
            return
        batch = _Batch(waiting)
        rows = np.zeros(len(waiting), DOCUMENT)
        rows["id"] = np.frombuffer(bytes.fromhex("".join(one.id for one in waiting)), ">u8").reshape(-1, 4)
        rows["rank"], rows["words"] = [one.rank for one in waiting], np.diff(batch.documents)
        for kind in KINDS:
            keys, rows[kind] = batch.keys(kind, self._settings)
            self._files[kind].write(keys.astype("<u8", copy=False).tobytes())
            self._counts[kind] += len(keys)
        self._files["documents"].write(rows.tobytes())
        self._counts["documents"] += len(rows)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
            (self._new / "form.json").write_text(json.dumps(_form(self._settings, self._counts)) + "\n")
        self._open.__exit__(kind, error, trace)


@dataclass(frozen=True, slots=True)
class _Waiting:
    id: str
    rank: int
    text: str
    words: Words


class _Batch:
    """Some documents one after another, parted by blank lines, so that no word, unit or paragraph spans two."""

    def __init__(self, waiting: list[_Waiting]) -> None:
        self._waiting = waiting
        self._text = GAP.join(one.text for one in waiting)
        self._layout = Layout.of(self._text)
        lengths = [len(one.text) + len(GAP) for one in waiting]
        self._starts = np.append(0, np.cumsum(lengths))[:-1]
        self.documents = np.append(np.searchsorted(self._layout.words[:, 0], self._starts), len(self._layout.words))
        for one, count in zip(waiting, np.diff(self.documents).tolist(), strict=True):
            check_words(count, one.words)

    def keys(self, kind: Kind, settings: RepeatsSettings) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """All documents' keys one after another, each document's sorted and once, and how many each has."""
        keys, owners = _NONE, np.empty(0, np.int64)
        if kind == "paragraphs" and settings.paragraphs:
            keys, numbers = paragraph_keys(self._text, self._layout, settings.paragraphs.least_words)
            owners = np.searchsorted(self._starts, self._layout.paragraph_spans()[numbers, 0], "right") - 1
        elif kind == "runs" and settings.runs:
            hashes = np.concatenate([one.words.hashes for one in self._waiting])
            keys, owners = fingerprints(hashes, self.documents, self._layout.unit_words(), settings.runs)
        order = np.lexsort((keys, owners))
        keys, owners = keys[order], owners[order]
        once = np.append(True, (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1]))[: len(keys)]
        return keys[once], np.bincount(owners[once], minlength=len(self._waiting))


def check_words(count: int, words: Words) -> None:
    """Raise HerkomstError where ``words`` are not the ``count`` words of the text: keys would name wrong places."""
    if count != len(words):
        raise HerkomstError(
            f"the text has {count} words and {len(words)} were given, so repeats would be looked for in the wrong "
            "places: split the text as it is now"
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
