"""Licence files: which SPDX licence a text is, by exact match of its normal form; never a resemblance.

The table ``configs/licence-texts.json`` holds digests only and is made by `licensing.resolvers.make_licence_texts`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from licensing.resolvers.normal import joined, lines_of, with_holders_replaced
from licensing.resolvers.values import plain, prose, statement
from licensing.rights import Declared

LARGEST = 1 << 20
"""Characters of a licence file that are compared; the longest text of the SPDX list has about 60,000."""

_TITLE_LINES = 3
_END_OF_TERMS = "end of terms and conditions"


@dataclass(frozen=True, slots=True)
class KnownTexts:
    """SPDX ids by the digest of a text's normal form, and by each title that such a text may have."""

    by_digest: Mapping[str, tuple[str, ...]]
    by_title: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, names: Mapping[str, str], digests: Mapping[str, list[str]]) -> KnownTexts:
        """Make one from the names of the licences and their digests, both by SPDX id."""
        by_digest: dict[str, list[str]] = {}
        by_title: dict[str, set[str]] = {}
        for licence in sorted(digests):
            for found in digests[licence]:
                by_digest.setdefault(found, []).append(licence)
            for title in titles(licence, names[licence]):
                by_title.setdefault(title, set()).add(licence)
        return cls(
            {found: tuple(ids) for found, ids in by_digest.items()},
            {title: frozenset(ids) for title, ids in by_title.items()},
        )


def declared(data: bytes, where: str) -> tuple[Declared, ...]:
    """Return what a licence file declares, for all that it covers.

    That is the licence whose text it is as a whole, or the one SPDX expression or address that is all it says, or else
    its first words as prose. ``where`` is the file's name. An empty file declares nothing that can be known: prose.
    """
    text = data[: 4 * LARGEST].decode("utf-8", "replace")
    if len(data) > LARGEST:
        return (prose(f"(larger than {LARGEST} bytes) {text[:1000]}", f"{where}:1"),)
    found = match(text)
    if found:
        return (_matched(found, where),)
    line, said = next(((n, one) for n, one in enumerate(text.splitlines(), 1) if one.strip()), (1, ""))
    only = statement(text, f"{where}:{line}") if len(text) < 1000 and plain(text) == plain(said) else None
    return (only or prose(text if plain(text) else "(empty licence file)", f"{where}:{line}"),)


def match(text: str, known: KnownTexts | None = None) -> tuple[str, ...]:
    """Return the SPDX ids whose text this is, sorted; none where it is not exactly one text of the list.

    Several where licences share a text, as ``GPL-2.0-only`` and ``GPL-2.0-or-later`` do.
    """
    known = known or known_texts()
    lines = lines_of(text)
    for skipped, meant in _titles_of(lines, known):
        body = joined(lines[skipped:])
        for form in (body, with_holders_replaced(body)):
            ids = known.by_digest.get(digest(form), ())
            ids = tuple(licence for licence in ids if meant is None or licence in meant)
            if ids:
                return ids
    return ()


def normal_forms(text: str, licence: str, name: str) -> list[str]:
    """The forms under which a text of the list is found: without its title, with and without what follows its end."""
    lines = lines_of(text)
    own = titles(licence, name)
    while lines and any(joined(lines[:count]) in own for count in range(1, _TITLE_LINES + 1)):
        lines = lines[next(count for count in range(1, _TITLE_LINES + 1) if joined(lines[:count]) in own) :]
    ends = [number for number, line in enumerate(lines, 1) if line.strip(". ") == _END_OF_TERMS]
    bodies = [joined(lines), *(joined(lines[:cut]) for end in ends[:1] for cut in (end, end - 1))]
    return list(dict.fromkeys(form for body in bodies for form in (body, with_holders_replaced(body)) if form))


def titles(licence: str, name: str) -> frozenset[str]:
    """Normalised titles under which a licence's text may stand: its name, its id, and both, with and without "the"."""
    short = re.sub(r"\"[^\"]*\"(?: or)? ?", "", name)
    bare = {name, short, licence, f"{licence} License", name.removeprefix("Creative Commons "), f"{name}:"}
    full = bare | {f"{one} ({licence})" for one in bare} | {f"({one})" for one in bare}
    every = full | {f"The {one}" for one in full} | {f"License: {one}" for one in full}
    return frozenset(joined(lines_of(title)) for title in every) - {""}


def digest(normal: str) -> str:
    """SHA-256 of a normal form, hexadecimal."""
    return hashlib.sha256(normal.encode("utf-8", "backslashreplace")).hexdigest()


@cache
def known_texts() -> KnownTexts:
    """The table that comes with Herkomst."""
    table = json.loads((files("configs") / "licence-texts.json").read_text(encoding="utf-8"))["licences"]
    return KnownTexts.of(
        {licence: entry["name"] for licence, entry in table.items()},
        {licence: entry["digests"] for licence, entry in table.items()},
    )


def _titles_of(lines: list[str], known: KnownTexts) -> Iterator[tuple[int, frozenset[str] | None]]:
    """How many lines to skip, and the licences that the titles among them allow (None: there is no title)."""
    yield 0, None
    reached: dict[int, frozenset[str] | None] = {0: None}
    for end in range(1, min(_TITLE_LINES, len(lines)) + 1):
        for start, allowed in list(reached.items()):
            meant = known.by_title.get(joined(lines[start:end]))
            if meant is not None and end not in reached:
                reached[end] = meant if allowed is None else allowed & meant
                yield end, reached[end]


def _matched(ids: tuple[str, ...], where: str) -> Declared:
    """Where licences share a text, the stricter reading: a bare text grants nothing that only a notice can add.

    So the text of ``GPL-2.0-or-later`` gives ``GPL-2.0-only``, and that of ``OFL-1.1-RFN`` plain ``OFL-1.1``; where no
    one of them is the plain one, all apply.
    """
    place = f"{where}:1 (text of the licence"
    if len(ids) == 1:
        return Declared(ids[0], f"{place})", "spdx")
    general = next((one for one in ids if all(_adds_to(other, one) for other in ids)), None)
    if general:
        return Declared(
            general,
            f"{place}; the text alone does not say {' or '.join(one for one in ids if one != general)})",
            "spdx",
        )
    return Declared(" AND ".join(ids), f"{place}, which {' and '.join(ids)} share)", "spdx")


def _adds_to(licence: str, general: str) -> bool:
    stem = general.removesuffix("-only")
    return licence == general or licence.startswith(f"{stem}-")
