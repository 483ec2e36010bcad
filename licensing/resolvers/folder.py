"""Licence files of a folder: which of them hold for a file.

For a file hold the licence files (``LICENSE``, ``COPYING``, …) of the nearest folder at or above it that has any,
within the source's own folder; several in one folder all hold. Beside them: ``NAME.license``, and the ``REUSE.toml``
and ``.reuse/dep5`` of the source's folder.
"""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path

from licensing import dep5
from licensing.expression import canonical
from licensing.resolvers import licence_text, reuse
from licensing.resolvers.spdx_tags import side_file
from licensing.resolvers.values import prose
from licensing.rights import Declared

_DOCUMENT_ENDING = re.compile(r"\.(?:md|markdown|txt|text|asc|adoc|asciidoc|rst|html?)$", re.IGNORECASE)
_BASE = re.compile(r"(?:UN)?LICEN[CS]ES?|COPYING|LICENTIE|LIZENZ", re.IGNORECASE)
_SUFFIXED = re.compile(r"(?P<base>(?:un)?licen[cs]e|copying)[-._ ](?P<suffix>.+)", re.IGNORECASE)
_REUSE, _DEP5 = "REUSE.toml", ".reuse/dep5"
_LARGEST = licence_text.LARGEST + 1


def is_licence_file(name: str) -> bool:
    """Whether a file of this name (without its folder) holds the licence of what stands beside and below it.

    ``LICENSE``, ``Licence.md``, ``LICENSE-MIT``, ``COPYING.LESSER`` and ``COPYRIGHT`` do; pages about licensing or
    copyright (``licensing.md``, ``copyright.md``) do not.
    """
    stem = _DOCUMENT_ENDING.sub("", name)
    if stem == "COPYRIGHT" or _BASE.fullmatch(stem):
        return True
    found = _SUFFIXED.fullmatch(stem)
    return found is not None and (stem.isupper() or found["base"].isupper() or canonical(found["suffix"]) is not None)


class FolderLicences:
    """The licence files of one folder; each is read once, and only when a file needs it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._inside = Path(os.path.realpath(root))
        self._by_folder: dict[str, tuple[Declared, ...]] = {}
        self._found: dict[str, tuple[str, ...]] = {}

    def declared(self, name: str) -> tuple[Declared, ...]:
        """Return what the folder declares for a file, by its path in the folder (forward slashes)."""
        beside = f"{name}.license"
        own = side_file(self._read(beside), beside) if beside in self._found_in(_parent(name)) else ()
        central = (*self._reuse.declared(name), *(dep5.declared_for(self._dep5, name) if self._dep5 else ()))
        return tuple(dict.fromkeys((*own, *central, *self._nearest(_parent(name)))))

    def paths(self, name: str) -> tuple[Path, ...]:
        """The files that the answer for ``name`` rests on; links that lead outside are not read and not among them."""
        folder = _parent(name)
        beside = [f"{name}.license"] if f"{name}.license" in self._found_in(folder) else []
        while folder and not self._licence_files(folder):
            folder = _parent(folder)
        found = (*beside, *self._central, *self._licence_files(folder))
        return tuple(self._root / one for one in found if self._is_inside(one))

    def _nearest(self, folder: str) -> tuple[Declared, ...]:
        if folder not in self._by_folder:
            here = self._licence_files(folder)
            if not (self._root / folder).is_dir():
                # A name that is no UTF-8 is held in escapes, so that its folder cannot be looked into.
                found: tuple[Declared, ...] = (prose("(a folder whose licence files cannot be listed)", folder),)
            elif here or not folder:
                found = tuple(one for name in here for one in licence_text.declared(self._read(name), name))
            else:
                found = self._nearest(_parent(folder))
            self._by_folder[folder] = found
        return self._by_folder[folder]

    def _licence_files(self, folder: str) -> tuple[str, ...]:
        return tuple(name for name in self._found_in(folder) if is_licence_file(name.rpartition("/")[2]))

    def _found_in(self, folder: str) -> tuple[str, ...]:
        """Names, from the root, of the files in a folder that can declare something, sorted."""
        if folder not in self._found:
            try:
                names = sorted(entry.name for entry in os.scandir(self._root / folder) if not entry.is_dir())
            except OSError:
                names = []
            kept = [name for name in names if name.endswith(".license") or is_licence_file(name)]
            self._found[folder] = tuple(f"{folder}/{name}" if folder else name for name in kept)
        return self._found[folder]

    def _read(self, name: str) -> bytes:
        """The bytes of a file, up to what is compared; of one outside the folder or unreadable, a sentence about it."""
        path = self._root / name
        try:
            if self._is_inside(name) and path.is_file():
                with path.open("rb") as file:
                    return file.read(_LARGEST)
        except OSError:
            pass
        return b"(a licence file that cannot be read, or a link that leads outside the folder)"

    def _is_inside(self, name: str) -> bool:
        return Path(os.path.realpath(self._root / name)).is_relative_to(self._inside)

    @cached_property
    def _central(self) -> tuple[str, ...]:
        return tuple(one for one in (_REUSE, _DEP5) if (self._root / one).is_file())

    @cached_property
    def _reuse(self) -> reuse.Annotations:
        return reuse.read(self._read(_REUSE), _REUSE) if _REUSE in self._central else reuse.Annotations(())

    @cached_property
    def _dep5(self) -> dep5.Copyright | None:
        if _DEP5 not in self._central:
            return None
        text = self._read(_DEP5).decode("utf-8", "replace")
        parsed = dep5.parse(text, _DEP5)
        return parsed or dep5.Copyright(_DEP5, (dep5.Stanza(("*",), "", text or "(empty)", (), 1),))


def _parent(name: str) -> str:
    return name.rpartition("/")[0]
