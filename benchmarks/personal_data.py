"""Measure the removal of personal data: recall, precision, leaks and over-redaction in 24 languages.

Made, checksum-valid values are planted in real public-domain text of every official language (the Universal Declaration
of Human Rights, and novels, plays and laws where ``--text`` names what ``benchmarks/real_text.py`` wrote). The values
and the sentences around them are made in ``benchmarks/personal_data_makers``, apart from the detector. Untouched text
tells the false positives. No value found in real text is printed or kept.

``python benchmarks/personal_data.py --text FOLDER/text.jsonl.zst --out personal-data.json``
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from measure import REPOSITORY, machine

sys.path.insert(0, str(REPOSITORY))

from benchmarks import udhr
from benchmarks.personal_data_makers import paragraphs, peers, planting, tables
from benchmarks.personal_data_makers.measures import Counts, Span, covered
from benchmarks.real_text import lines
from data_curation.personal import PersonalData
from data_curation.settings import PersonalDataSettings
from data_curation.words import Words

LITERATURE = ("eltec-deu", "eltec-fra", "eltec-hun", "eltec-por", "eltec-slv", "dutchdracor", "gesetze")
"""Sources in which no personal data of the living is expected; the rest are manuals with addresses of their authors."""
MANUALS = ("debian-handbook", "gnome-help", "installation-guide", "libreoffice-help")


class Detector:
    """Our own, as spans."""

    def __init__(self, names: bool) -> None:
        kinds = PersonalDataSettings().kinds
        self._personal = PersonalData(PersonalDataSettings(kinds=(*kinds, "name") if names else kinds))
        self.seconds = 0.0
        self.characters = 0

    def find(self, text: str, language: str) -> list[tuple[Span, str]]:
        """The places replaced, each with the rule."""
        began = time.perf_counter()
        found = self._personal.replace(text, language).found
        self.seconds += time.perf_counter() - began
        self.characters += len(text)
        return [(Span(each.kind, each.start, each.end), each.rule) for each in found]


def real_paragraphs(declarations: Path, sample: dict[tuple[str, str], list[str]]) -> dict[str, list[str]]:
    """Paragraphs by language: the declaration, and at most a thousand of each novel collection, play and law."""
    found = {language: paragraphs.of_declaration(declarations, language) for language in tables.LANGUAGES}
    for (source, language), texts in sample.items():
        if source in LITERATURE and language in found:
            found[language] += [each for text in texts for each in paragraphs.cut(text)][:1000]
    return found


def sampled(file: Path, megabytes: float) -> dict[tuple[str, str], list[str]]:
    """Whole documents by source and language, at most so many megabytes each; a third of it of manuals."""
    found: dict[tuple[str, str], list[str]] = {}
    taken: Counter[tuple[str, str]] = Counter()
    for document in lines(file):
        source, language = document["id"].split("/")[0], document["language"]
        most = megabytes * 1e6 if source in LITERATURE else megabytes * 1e6 / 3
        if source not in (*LITERATURE, *MANUALS) or language not in tables.LANGUAGES or taken[source, language] > most:
            continue
        taken[source, language] += len(document["text"])
        found.setdefault((source, language), []).append(document["text"])
    return found


def planted_documents(
    seed: int, per_cell: int, found: dict[str, list[str]]
) -> Iterator[tuple[bool, planting.Document]]:
    """Yield documents with personal data (True) and with near misses (False), in all languages."""
    for language in tables.LANGUAGES:
        for document in planting.planted(Random(f"{seed} {language}"), language, found[language], per_cell):
            yield True, document
        random = Random(f"{seed} {language} near misses")
        for document in planting.with_near_misses(random, language, found[language], max(1, per_cell // 4)):
            yield False, document


def main(arguments: Sequence[str] | None = None) -> None:
    """Plant, find, count, and print the tables."""
    options = _options(arguments)
    began = time.monotonic()
    detector = Detector(options.names)
    sample = sampled(options.text, options.megabytes) if options.text else {}
    declarations = options.declarations or udhr.declarations()
    found = real_paragraphs(declarations, sample)
    documents = list(planted_documents(options.seed, options.per_cell, found))
    named = {
        "Herkomst": _counted(documents, lambda each: [span for span, _ in detector.find(each.text, each.language)])
    }
    unknown = _counted(documents, lambda each: [span for span, _ in detector.find(each.text, "und")])
    for peer in filter(None, (peers.datatrove(), peers.presidio() if options.presidio else None)):
        named[peer[0]] = _counted(documents, peer[1])
    sample |= {
        ("declaration", language): ["\n\n".join(paragraphs.of_declaration(declarations, language))]
        for language in found
    }
    words, hits, rules = untouched(detector, sample)
    print(f"{machine()}; seed {options.seed}, {options.per_cell} values a cell, {len(documents):,} documents\n")
    print(report(named, words, hits, rules))
    print("\n### Recall with the language known, and unknown (`und`)\n")
    print(tables.side_by_side({"known": named["Herkomst"], "unknown": unknown}))
    speed = detector.characters / 1e6 / detector.seconds
    print(f"\nDetector: {speed:.1f} million characters a second; in all {time.monotonic() - began:.0f} s")
    if options.missed:
        options.missed.write_text(missed(documents, detector, options.examples), encoding="utf-8")
    if options.out:
        options.out.write_text(
            json.dumps(record(options, named, words, hits, rules), indent=1, ensure_ascii=False) + "\n"
        )


def _counted(documents: list[tuple[bool, planting.Document]], find: peers.Finder) -> Counts:
    counts = Counts()
    for has_personal_data, document in documents:
        counts.add(document, find(document), near_misses=not has_personal_data)
    return counts


def missed(documents: list[tuple[bool, planting.Document]], detector: Detector, most: int) -> str:
    """Made examples with their line, by kind, identifier, country, language and whether labelled.

    Only lines that hold nothing but made text are shown: a value inside a real paragraph is shown alone.
    """
    shown: dict[str, list[str]] = {}
    for personal, document in documents:
        spans = [span for span, _ in detector.find(document.text, document.language)]
        for each in document.planted:
            near = [span for span in spans if span.start < each.end and each.start < span.end]
            outcome = covered(document.text, each, near)
            if outcome != ("whole" if personal else "none") and not each.held_out:
                name = f"{each.kind} {each.key} {each.place} in {document.language}, {each.writing}"
                taken = ", ".join(sorted({span.kind for span in near}))
                shown.setdefault(name, []).append(
                    f"`{_line(document.text, each)}`{f' (taken: {taken})' if taken else ''}"
                )
    return "".join(f"- {name} ({len(lines)}): {'; '.join(lines[:most])}\n" for name, lines in sorted(shown.items()))


def _line(text: str, planted: planting.Planted) -> str:
    """What was made around the value: its sentence, its label, or the head of its table and its row."""
    if planted.writing == planting.BARE:
        return text[planted.start : planted.end].replace("\n", "\\n")
    first = text.rfind("\n\n", 0, planted.start) + 2
    own = text.rfind("\n", 0, planted.start - 1) + 1
    end = text.find("\n", planted.end)
    shown = text[max(first, own) : end if end >= 0 else len(text)]
    if planted.writing == "table" and own > first:
        shown = f"{text[first : text.find(chr(10), first)]} … {shown}"
    return shown.replace("\n", "\\n")


Rules = dict[tuple[str, str, str], int]
"""Hits by source, language and rule."""


def untouched(
    detector: Detector, sample: dict[tuple[str, str], list[str]]
) -> tuple[dict[tuple[str, str], int], Rules, Rules]:
    """Words by source and language, and hits by kind and by rule, on text as it is."""
    words: dict[tuple[str, str], int] = {}
    hits: Counter[tuple[str, str, str]] = Counter()
    rules: Counter[tuple[str, str, str]] = Counter()
    for (source, language), texts in sample.items():
        words[source, language] = sum(len(Words.of(text)) for text in texts)
        for span, rule in (each for text in texts for each in detector.find(text, language)):
            hits[source, language, span.kind] += 1
            rules[source, language, f"{span.kind}: {rule}"] += 1
    return words, dict(hits), dict(rules)


def report(named: dict[str, Counts], words: dict[tuple[str, str], int], hits: Rules, rules: Rules) -> str:
    """All tables as markdown."""
    ours = named["Herkomst"]
    plain = {key: count for key, count in words.items() if key[0] not in MANUALS}
    manuals = {key: count for key, count in words.items() if key[0] in MANUALS}
    parts = (
        ("National identifiers of which a digit stays", tables.leaks(ours)),
        ("Removal by kind (95 % intervals)", tables.by_kind(ours)),
        ("Recall by language in per cent: labelled", tables.by_language(ours, bare=False)),
        ("Recall by language in per cent: bare", tables.by_language(ours, bare=True)),
        ("Recall of labelled values: sentences shown to the detector's author, and held out", tables.held_out(ours)),
        ("Recall by writing in per cent", tables.by_writing(ours)),
        ("Precision by language in per cent", tables.precision_by_language(ours)),
        ("Over-redaction of near misses", tables.over_redaction(ours)),
        ("Recall next to others, labelled and bare together", tables.side_by_side(named)),
        ("Precision next to others", tables.precision_side_by_side(named)),
        ("Over-redaction next to others", tables.mistakes_side_by_side(named)),
        ("Hits per 1,000 words on untouched text without personal data", tables.untouched(plain, hits, _plain_row)),
        ("Rules that hit there", tables.rules(plain, rules)),
        (
            "Hits per 1,000 words on manuals, which hold true addresses of their authors",
            tables.untouched(manuals, hits, lambda _, language: ("manuals", language)),
        ),
        ("Rules that hit there", tables.rules(manuals, rules)),
    )
    return "\n\n".join(f"### {title}\n\n{body}" for title, body in parts)


def _plain_row(source: str, language: str) -> tuple[str, str]:
    return ("declaration", "all 24") if source == "declaration" else (source, language)


def record(
    options: argparse.Namespace, named: dict[str, Counts], words: dict[tuple[str, str], int], hits: Rules, rules: Rules
) -> dict[str, object]:
    """Every count, for who wants to make another table of it."""
    return {
        "seed": options.seed,
        "per_cell": options.per_cell,
        "machine": machine(),
        "detectors": {
            name: {
                field: [[*key, count] for key, count in sorted(getattr(counts, field).items())]
                for field in ("outcome", "typed", "spans", "held_out", "mistaken")
            }
            for name, counts in named.items()
        },
        "fields": {
            "outcome": ["kind", "language", "country", "key", "writing", "outcome", "count"],
            "typed": ["kind", "language", "count"],
            "spans": ["kind", "language", "on", "count"],
            "held_out": ["kind", "held out", "outcome", "count"],
            "mistaken": ["near miss", "taken for", "count"],
        },
        "untouched": {
            "words": [[*key, count] for key, count in sorted(words.items())],
            "hits": [[*key, count] for key, count in sorted(hits.items())],
            "rules": [[*key, count] for key, count in sorted(rules.items())],
        },
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--text", type=Path, help="text.jsonl.zst of benchmarks/real_text.py; left out: declarations alone"
    )
    parser.add_argument(
        "--declarations",
        type=Path,
        help="folder of the declarations' HTML files (left out: fetched into Herkomst's cache)",
    )
    parser.add_argument("--megabytes", type=float, default=1.5, help="untouched text of each source and language")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--per-cell", type=int, default=40, help="values of each kind and language, or identifier")
    parser.add_argument("--names", action="store_true", help="switch on the kind name, which is off by default")
    parser.add_argument("--presidio", action="store_true", help="measure presidio too, where it is installed (slow)")
    parser.add_argument("--missed", type=Path, help="write made examples of what was missed or wrongly replaced")
    parser.add_argument("--examples", type=int, default=4, help="examples of each identifier or kind, and language")
    parser.add_argument("--out", type=Path, help="write every count as JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
