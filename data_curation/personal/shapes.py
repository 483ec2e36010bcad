"""Values that have a fixed form of digits, capitals and separators: one pass over a text finds all of them.

A text is searched once for runs of digits and capitals; a run is read from the left through a tree of all known forms,
so that the time is proportional to the length of the text however many forms there are. A form is written with ``9``
for a digit and ``A`` for a capital letter (A to Z); ``9{1-4}`` is one to four digits. The text has
one sign for all spaces and one for all hyphens (``data_curation.personal.plain``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_uppercase
from typing import Any, Protocol

from data_curation.personal.found import Found
from data_curation.personal_settings import Kind


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a text that has one of the forms."""

    text: str
    start: int
    end: int
    form: str
    language: str

    @property
    def compact(self) -> str:
        """The digits and letters alone."""
        return _SEPARATOR.sub("", self.text[self.start : self.end])


class Judge(Protocol):
    """Confirms what has one of its forms."""

    @property
    def kind(self) -> Kind:
        """The kind of what it confirms."""
        ...  # pragma: no cover

    @property
    def forms(self) -> Sequence[str]:
        """The forms it wants to see."""
        ...  # pragma: no cover

    def judge(self, place: Place) -> str | None:
        """Return the rule by which ``place`` is personal data, None where it is not."""
        ...  # pragma: no cover


_SEPARATOR = re.compile(r"[^A-Z0-9]")
_REPEATED = re.compile(r"([9A])\{(\d+)-(\d+)\}")
_SEPARATORS = "- ./+("
# A capital or digit first, and what stands before it asked afterwards: re finds a leading class many times as fast.
_RUN = re.compile(
    rf"[A-Z0-9](?<!\w.)(?:(?<=[0-9])|(?=[A-Z]{{0,6}}+(?:[{_SEPARATORS}][A-Z]{{1,3}}+){{0,2}}+[{_SEPARATORS}]?[0-9]))"
    rf"[A-Z0-9]*+(?!\w)(?:[{_SEPARATORS}]{{1,3}}+[A-Z0-9]++(?!\w))*+"
)
_SHORTEST_RUN, _SHORT_RUN = 5, 24
_PARTS = re.compile(r"[9A]+|[^9A]")
_SIGNS = str.maketrans({str(digit): "9" for digit in range(10)} | dict.fromkeys(ascii_uppercase, "A"))
_END = ""
_Node = dict[str, Any]
_Leaf = tuple[str, list[Judge]]


def expand(form: str) -> list[str]:
    """Write out the repetitions of a form: ``A{1-2}9`` is ``A9`` and ``AA9``."""
    found = _REPEATED.search(form)
    if not found:
        return [form]
    sign, least, most = found.group(1), int(found.group(2)), int(found.group(3))
    written = [form[: found.start()] + sign * count + form[found.end() :] for count in range(least, most + 1)]
    return [each for form in written for each in expand(form)]


class Shapes:
    """All judges' forms in one tree."""

    def __init__(self, judges: Sequence[Judge]) -> None:
        self._root: _Node = {}
        self._known = lru_cache(maxsize=8192)(self._matches)
        for judge in judges:
            for form in dict.fromkeys(each for written in judge.forms for each in expand(written)):
                self._add(form, judge)

    def _add(self, form: str, judge: Judge) -> None:
        node = self._root
        for part in _PARTS.findall(form):
            node = node.setdefault(part, {})
        node.setdefault(_END, (form, []))[1].append(judge)

    def find(self, text: str, language: str) -> Iterator[Found]:
        """Find what has a known form and is confirmed."""
        if not self._root:
            return
        for run in _RUN.finditer(text):
            start, end = run.span()
            if end - start < _SHORTEST_RUN:
                continue
            signs = run.group().translate(_SIGNS)
            # Short runs are nearly all alike ("9999", "99.99"); long ones are not worth keeping.
            found = self._known(signs) if end - start <= _SHORT_RUN else self._matches(signs)
            for first, last, leaf in found:
                if _free_before(text, start + first) and _free_after(text, start + last):
                    # "0123456(M)": what opens inside closes behind.
                    closing = "(" in leaf[0] and text.startswith(")", start + last)
                    yield from _judged(leaf, text, start + first, start + last + closing, language)

    def _matches(self, signs: str) -> list[tuple[int, int, _Leaf]]:
        """Return the places of all forms in a run: the tree is followed from each of its parts."""
        parts, found, at = _PARTS.findall(signs), list[tuple[int, int, _Leaf]](), 0
        for index, part in enumerate(parts):
            node, end, following = self._root.get(part), at, index
            while node is not None:
                end += len(parts[following])
                following += 1
                if _END in node:
                    found.append((at, end, node[_END]))
                node = node.get(parts[following]) if following < len(parts) else None
            at += len(part)
        return found


def _judged(leaf: _Leaf, text: str, start: int, end: int, language: str) -> Iterator[Found]:
    place = Place(text, start, end, leaf[0], language)
    for judge in leaf[1]:
        rule = judge.judge(place)
        if rule:
            yield Found(judge.kind, start, end, rule)


def _free_before(text: str, start: int) -> bool:
    """Say whether no larger number or word goes on into what starts here."""
    before = text[start - 1 : start]
    if not before or before in " \n\t:;|(":
        return True
    if before in ".,":
        return not text[start - 2 : start - 1].isdigit()
    return not (before.isalnum() or before in "_@+-/")


def _free_after(text: str, end: int) -> bool:
    """Say whether what ends here does not go on into a larger number or word."""
    after = text[end : end + 1]
    if not after or after in " \n\t:;|)":
        return True
    if after in ".,-":
        return not text[end + 1 : end + 2].isalnum() or (after == "," and not text[end + 1 : end + 2].isdigit())
    return not (after.isalnum() or after in "_@/+")
