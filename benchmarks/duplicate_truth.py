"""Pairs of documents whose similarity is known exactly, for `duplicates.py`: real ones and planted ones.

*Real*: Debian's installation guide for amd64 and for i386, in all of its languages; pages of the same name and language
are a pair. *Planted*: real documents of which a share of the words is replaced, deleted or preceded by another word of
the same document, one third each, at places drawn with a fixed seed.

The true similarity is the Jaccard index of the two sets of five-word shingles, words in lower case as `Words` finds
them, compared as words and not as hashes; a text of fewer words is one shingle.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from pydantic import TypeAdapter
from real_text import REPOSITORY, debian

from data_curation.download import cache_folder
from data_curation.readers import Source, read
from data_curation.words import Words

EDITED = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.2)
"""Shares of words edited; 3 and 7 % fill the bands in the middle."""

_SOURCE: TypeAdapter[Source] = TypeAdapter(Source)
_LEAST_WORDS = 100

Shingles = frozenset[tuple[str, ...]]
Document = dict[str, Any]


def shingles(text: str) -> Shingles:
    """All runs of five words of a text, in lower case."""
    words = [word.lower() for word in Words.of(text).found]
    many = min(5, len(words))
    return frozenset(tuple(words[at : at + many]) for at in range(len(words) - many + 1)) if words else frozenset()


def jaccard(left: Shingles, right: Shingles) -> float:
    """The Jaccard index of two sets; of two empty ones 0."""
    return len(left & right) / len(left | right) if left or right else 0.0


def guides() -> Iterator[Document]:
    """The pages of both guides; the two of a pair have the same ``pair``."""
    for name in ("amd64", "i386"):
        package = f"installation-guide-{name}"
        source = _SOURCE.validate_python(debian(package, [package], "usr/share/doc/**/*.html"))
        for page in read(source, REPOSITORY, cache_folder()):
            if page.text:
                path = PurePosixPath(page.native_id)
                pair = f"guide/{page.language}/{path.parent.name}/{path.name}"
                yield {"id": f"{name}/{pair}", "language": page.language, "text": page.text, "pair": pair}


def planted(documents: list[Document], each: int, seed: int = 1) -> Iterator[Document]:
    """For each share ``each`` documents, drawn without repeats, as they are and edited."""
    draw = random.Random(seed)
    long = [one for one in documents if len(Words.of(one["text"])) >= _LEAST_WORDS]
    chosen = draw.sample(long, min(len(long), each * len(EDITED)))
    for at, one in enumerate(chosen):
        share = EDITED[at % len(EDITED)]
        pair = f"planted/{share}/{at}"
        for name, text in (("as-it-is", one["text"]), ("edited", edited(one["text"], share, draw))):
            yield {"id": f"{name}/{pair}", "language": one["language"], "text": text, "pair": pair}


def edited(text: str, share: float, draw: random.Random) -> str:
    """The text with a share of its words edited; what stands between words stays."""
    words = Words.of(text)
    spans, parts, end = words.spans().tolist(), [], 0
    edits = set(draw.sample(range(len(spans)), max(1, round(share * len(spans)))))
    for at, (start, stop) in enumerate(spans):
        parts.append(text[end:start])
        parts.append(_edit(text[start:stop], draw.choice(words.found), draw) if at in edits else text[start:stop])
        end = stop
    return "".join(parts) + text[end:]


def _edit(word: str, other: str, draw: random.Random) -> str:
    return draw.choice((f"{other}x", "", f"{other} {word}"))
