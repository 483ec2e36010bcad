"""Markdown tables of what was counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from .carriers import carriers
from .measures import Counts, Share, outcomes, precision
from .near_misses import KINDS as NEAR_MISSES
from .planting import BARE, LABELLED
from .registered import IDENTIFIERS

KINDS = ("national-id", "phone", "iban", "birth-date", "email", "card", "ip", "licence-plate", "address", "name")
LANGUAGES = tuple(sorted(carriers()))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _short(share: Share) -> str:
    return f"{100 * share.hits / share.of:.0f}" if share.of else ""


def by_kind(counts: Counts) -> str:
    """Recall by kind, labelled and bare, with what leaks in part, and precision."""
    rows = []
    for kind in KINDS:
        own, justified = precision(counts, kind)
        rows.append((
            kind, outcomes(counts, "whole", kind=kind, bare=False), outcomes(counts, "whole", kind=kind, bare=True),
            outcomes(counts, "part", kind=kind), Share(sum(n for (k, _), n in counts.typed.items() if k == kind),
            outcomes(counts, "whole", kind=kind).of), own, justified,
        ))  # fmt: skip
    heads = ("kind", "recall, labelled", "recall, bare", "leaks part", "removed as its own kind", "precision, own kind",
             "precision, any planted value")  # fmt: skip
    return table(heads, rows)


def by_language(counts: Counts, bare: bool) -> str:
    """Recall in per cent, kinds by languages."""
    rows = [
        (language, *(_short(outcomes(counts, "whole", kind=kind, language=language, bare=bare)) for kind in KINDS))
        for language in LANGUAGES
    ]
    return table(("", *KINDS), rows)


def precision_by_language(counts: Counts) -> str:
    """Precision in per cent (the span lies on a planted value of its own kind), kinds by languages."""
    rows = [
        (language, *(_short(precision(counts, kind, language)[0]) for kind in KINDS))
        for language in LANGUAGES
    ]  # fmt: skip
    return table(("", *KINDS), rows)


def by_writing(counts: Counts) -> str:
    """Recall in per cent, ways of writing by kinds."""
    rows = [
        (writing, *(_short(outcomes(counts, "whole", kind=kind, writing=writing)) for kind in KINDS))
        for writing in (*LABELLED, BARE)
    ]
    return table(("", *KINDS), rows)


def held_out(counts: Counts) -> str:
    """Recall of labelled values by whether their sentence or label was ever shown to who writes the detector."""
    rows = []
    for kind in KINDS:
        shares = []
        for held in (False, True):
            found = {
                result: count for (its, was, result), count in counts.held_out.items() if (its, was) == (kind, held)
            }
            shares.append(Share(found.get("whole", 0), sum(found.values())))
        rows.append((kind, *shares))
    return table(("kind", "sentences and labels shown", "held out"), rows)


def leaks(counts: Counts) -> str:
    """National identifiers of which a digit stays in the text: all, then by identifier."""
    rows = [("all", "", *(_leaked(counts, bare=bare) for bare in (False, True, None)))]
    for each in IDENTIFIERS:
        cells = (_leaked(counts, bare=bare, key=each.name, place=each.country) for bare in (False, True, None))
        rows.append((each.country, each.name, *cells))
    return table(("country", "identifier", "leaked, labelled", "leaked, bare", "leaked, all"), rows)


def _leaked(counts: Counts, **which: object) -> Share:
    whole = outcomes(counts, "whole", kind="national-id", **which)  # type: ignore[arg-type]
    return Share(whole.of - whole.hits, whole.of)


def over_redaction(counts: Counts) -> str:
    """Near misses of which something was replaced."""
    rows = []
    for sort in NEAR_MISSES:
        none = outcomes(counts, "none", kind=sort)
        rows.append((sort, Share(none.of - none.hits, none.of), _taken_for(counts, sort)))
    return table(("near miss", "wrongly replaced", "taken for"), rows)


def _taken_for(counts: Counts, sort: str) -> str:
    found = {kind: count for (its, kind), count in counts.mistaken.items() if its == sort}
    return ", ".join(f"{kind} {count}" for kind, count in sorted(found.items(), key=lambda each: (-each[1], each[0])))


def untouched(
    words: Mapping[tuple[str, str], int],
    hits: Mapping[tuple[str, str, str], int],
    row: Callable[[str, str], tuple[str, str]],
) -> str:
    """Hits per 1,000 words on text as it is; ``row`` says in which row of the table a source and language go."""
    kinds = sorted({kind for *key, kind in hits if tuple(key) in words})
    counted: dict[tuple[str, str], Counter[str]] = {}
    for key, count in sorted(words.items()):
        for name in (row(*key), ("all", "")):
            cells = counted.setdefault(name, Counter())
            cells["words"] += count
            cells.update({kind: hits.get((*key, kind), 0) for kind in kinds})
    rows = []
    for name, cells in sorted(counted.items(), key=lambda each: (each[0][0] == "all", each[0])):
        shown = (f"{1000 * cells[kind] / cells['words']:.4f}" if cells[kind] else "0" for kind in kinds)
        rows.append((*name, f"{cells['words']:,}", *shown))
    return table(("source", "language", "words", *kinds), rows)


def side_by_side(named: Mapping[str, Counts]) -> str:
    """Recall of labelled and bare values together, ours and the peers', and how often near misses are replaced."""
    rows = [(kind, *(outcomes(counts, "whole", kind=kind) for counts in named.values())) for kind in KINDS]
    return table(("kind", *named), rows)


def mistakes_side_by_side(named: Mapping[str, Counts]) -> str:
    """How often near misses are replaced, ours and the peers'."""
    rows = []
    for sort in NEAR_MISSES:
        kept = [outcomes(counts, "none", kind=sort) for counts in named.values()]
        rows.append((sort, *(Share(each.of - each.hits, each.of) for each in kept)))
    return table(("near miss", *named), rows)


def precision_side_by_side(named: Mapping[str, Counts]) -> str:
    """Precision, ours and the peers': the span lies on a planted value of its own kind."""
    rows = [(kind, *(precision(counts, kind)[0] for counts in named.values())) for kind in KINDS]
    return table(("kind", *named), rows)


def rules(words: Mapping[tuple[str, str], int], hits: Mapping[tuple[str, str, str], int]) -> str:
    """Hits by rule over all given sources together, and the languages in which they were."""
    names = sorted({rule for source, language, rule in hits if (source, language) in words})
    rows = []
    for name in names:
        each = {key: count for key, count in hits.items() if key[2] == name and key[:2] in words}
        where = Counter({language: 0 for _, language, _ in each})
        for (_, language, _), count in each.items():
            where[language] += count
        rows.append((name, where.total(), ", ".join(f"{code} {count}" for code, count in where.most_common(8))))
    return table(("rule", "hits", "languages"), rows)
