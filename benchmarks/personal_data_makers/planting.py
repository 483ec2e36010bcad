"""Put made values into real text, in seeded places, and remember where each stands.

A value is written in one of these ways: in a sentence made for its kind; after a label (colon, space, tab, next line);
before a label in brackets; in a table under a label; in a sentence with a line end, or with the spaces and hyphens of a
typesetter, inside the value; or bare, with nothing near it that tells what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from . import addresses, banking, contacts, dates, near_misses, people, plates
from .carriers import Carriers, carriers
from .registered import IDENTIFIERS

LABELLED = ("sentence", "label", "label-after", "table", "wrapped", "typeset")
BARE = "bare"
_SHARES = {
    "sentence": 0.32,
    "label": 0.2,
    "label-after": 0.08,
    "table": 0.06,
    "wrapped": 0.04,
    "typeset": 0.04,
    BARE: 0.2,
}
_PER_DOCUMENT = 6
_PLATES = {"nl": ("NL", "NL", "BE"), "de": ("DE",), "fr": ("FR", "FR", "BE")}
_PEOPLE = ("Jansen", "Vos", "Berg", "Lind", "Maro", "Rosa", "Petra", "Adam", "Kern", "Silva")


@dataclass(frozen=True)
class Value:
    """A made value before it is planted: what it is, where from, the key of its carriers, and how it is written."""

    kind: str
    place: str
    key: str
    written: str


@dataclass(frozen=True)
class Planted:
    """A value in a text: ``text[start:end]`` is the value as written; a near miss has its sort as ``kind``.

    Held out are every second sentence and label: no example with them is ever shown to who writes the detector.
    """

    kind: str
    place: str
    key: str
    writing: str
    start: int
    end: int
    held_out: bool = False


@dataclass(frozen=True)
class Document:
    """Real paragraphs of one language with values planted between and in them."""

    language: str
    text: str
    planted: tuple[Planted, ...]


def values_of(random: Random, language: str, count: int) -> list[Value]:
    """``count`` values of each kind of the language; identifiers ``count`` a country, shared out over its languages."""
    made = []
    for identifier in (each for each in IDENTIFIERS if language in each.languages):
        place = identifier.languages.index(language)
        share = len(range(place, count, len(identifier.languages)))
        key = identifier.name
        made += [Value("national-id", identifier.country, key, identifier.make(random)) for _ in range(share)]
    for kind, countries, make in _makers(language):
        for at in range(count):
            country = countries[at % len(countries)]
            made.append(Value(kind, country, kind, make(random, country)))
    return made


def _makers(language: str) -> Iterator[tuple[str, tuple[str, ...], Callable[[Random, str], str]]]:
    countries = contacts.COUNTRIES[language]
    yield "phone", countries, contacts.phone
    yield "iban", countries, banking.iban
    yield "birth-date", countries, lambda random, _: dates.birth_date(random, language)
    yield "email", countries, lambda random, _: contacts.email(random, language)
    yield "card", countries, banking.card
    yield "ip", countries, contacts.ip
    if language == "nl":
        yield "name", ("NL",), lambda random, _: people.dutch_name(random)
    if language in _PLATES:
        yield "licence-plate", _PLATES[language], plates.plate
        yield "address", _PLATES[language], lambda random, country: addresses.address(random, country, language)


class _Page:
    """A text that grows, with the places of what was planted."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.planted: list[Planted] = []
        self._length = 0

    def add(self, text: str) -> None:
        self.parts.append(text)
        self._length += len(text)

    def plant(self, value: Value, writing: str, held_out: bool = False) -> None:
        start = self._length
        self.add(value.written)
        end = self._length
        if value.kind == "birth-date":
            # What follows the last digit ("г.", "godine", "-én") tells nothing of a person.
            end = start + max(at for at, each in enumerate(value.written) if each.isdigit()) + 1
        self.planted.append(Planted(value.kind, value.place, value.key, writing, start, end, held_out))

    def document(self, language: str) -> Document:
        return Document(language, "".join(self.parts), tuple(self.planted))


def planted(random: Random, language: str, paragraphs: Sequence[str], count: int) -> Iterator[Document]:
    """Yield documents in which every kind of the language is planted ``count`` times."""
    waiting = values_of(random, language, count)
    random.shuffle(waiting)
    while waiting:
        page = _Page()
        for _ in range(_PER_DOCUMENT):
            if waiting:
                page.add(f"{random.choice(paragraphs)}\n\n")
                _block(random, page, waiting, language, paragraphs)
                page.add("\n\n")
        page.add(random.choice(paragraphs))
        yield page.document(language)


def _block(random: Random, page: _Page, waiting: list[Value], language: str, paragraphs: Sequence[str]) -> None:
    value = waiting.pop()
    found = carriers()[language][value.key]
    writing = random.choices(tuple(_SHARES), tuple(_SHARES.values()))[0]
    if writing == BARE and value.kind == "birth-date":
        # A date that nothing tells to be one of birth is no personal data.
        writing = "sentence"
    if writing == "table":
        _table(random, page, value, waiting, found)
    elif writing == BARE:
        _bare(random, page, value, paragraphs)
    else:
        value, writing = _typeset(random, value, writing)
        before, after, held_out = _around(random, writing, found)
        page.add(before)
        page.plant(value, writing, held_out)
        page.add(after)


def _typeset(random: Random, value: Value, writing: str) -> tuple[Value, str]:
    """The value with a line end for a space, or typographic spaces and hyphens; else it is a plain sentence."""
    spaces = [at for at, each in enumerate(value.written) if each == " "]
    if writing == "wrapped" and spaces:
        at = random.choice(spaces)
        return replace(value, written=f"{value.written[:at]}\n{value.written[at + 1 :]}"), writing
    if writing == "typeset" and (spaces or "-" in value.written) and value.kind != "email":
        signs = random.choice((("\u00a0", "\u2011"), ("\u202f", "\u2013"), ("\u2009", "\u2010")))
        return replace(value, written=value.written.replace(" ", signs[0]).replace("-", signs[1])), writing
    return value, "sentence" if writing in ("wrapped", "typeset") else writing


def _around(random: Random, writing: str, found: Carriers) -> tuple[str, str, bool]:
    if writing in ("sentence", "wrapped", "typeset"):
        chosen = random.randrange(len(found.sentences))
        before, after = found.sentences[chosen].split("{}")
        return before, after, chosen % 2 == 1
    label, held_out = _label(random, found)
    if writing == "label-after":
        return "", f" ({label})", held_out
    between = random.choice((": ", ": ", " ", "\t", ":", "\n"))
    return f"{label}{between}", random.choice(("", "", ".", ";", "\n")), held_out


def _label(random: Random, found: Carriers) -> tuple[str, bool]:
    chosen = random.randrange(len(found.labels))
    label = found.labels[chosen]
    return random.choice((*[label] * 7, label.lower(), label.upper())), chosen % 2 == 1


def _table(random: Random, page: _Page, value: Value, waiting: list[Value], found: Carriers) -> None:
    """Up to three rows of one kind under one label, as markdown, with tabs or with semicolons."""
    rows = [value]
    for other in [each for each in waiting if (each.key, each.place) == (value.key, value.place)][:2]:
        rows.append(other)
        waiting.remove(other)
    label, held_out = _label(random, found)
    left, middle, right = random.choice((("| ", " | ", " |\n"), ("", "\t", "\n"), ("", ";", "\n")))
    page.add(f"{left}{random.choice(('Nr.', '#', 'Id'))}{middle}{label}{right}")
    if left:
        page.add("|---|---|\n")
    for row in rows:
        page.add(f"{left}{random.choice((*_PEOPLE, '1', '17'))}{middle}")
        # An address takes one line in a table.
        page.plant(replace(row, written=row.written.replace("\n", ", ")), "table", held_out)
        page.add(right)


def _bare(random: Random, page: _Page, value: Value, paragraphs: Sequence[str]) -> None:
    """Alone on a line, or between two words of a real paragraph."""
    words = random.choice(paragraphs).split(" ")
    place = random.randrange(1, len(words)) if random.random() < 0.5 and len(words) > 1 else 0
    if place:
        page.add(" ".join(words[:place]) + " ")
    page.plant(value, BARE)
    if place:
        page.add(" " + " ".join(words[place:]))


def with_near_misses(random: Random, language: str, paragraphs: Sequence[str], count: int) -> Iterator[Document]:
    """Yield documents with ``count`` look-alikes of each sort and no personal data."""
    waiting = [kind for kind in near_misses.KINDS for _ in range(count)]
    random.shuffle(waiting)
    for at in range(0, len(waiting), _PER_DOCUMENT):
        page = _Page()
        for kind in waiting[at : at + _PER_DOCUMENT]:
            before, alike, after = near_misses.KINDS[kind](random, language)
            page.add(f"{random.choice(paragraphs)}\n\n{before}")
            page.plant(Value(kind, language, kind, alike), "near-miss")
            page.add(f"{after}\n\n")
        yield page.document(language)
