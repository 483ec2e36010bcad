"""What an operator may change about personal data: the content of ``configs/personal-data.yaml``.

Forms are explained in ``data_curation.personal.shapes``, context words in ``data_curation.personal.context``.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from data_curation.personal_settings import NATIONAL_IDS, Kind, LanguageCode
from data_curation.settings import Share
from licensing.reading import read_section
from licensing.settings import Section

Words = tuple[Annotated[str, Field(min_length=1)], ...]
Form = Annotated[str, Field(pattern=r"^(?:[9A](?:\{\d-\d{1,2}\})?|[-/.+ (]){1,}$")]
Label = Annotated[str, Field(pattern=r"^[A-Z]+(-[A-Z]+)*$", max_length=24)]
Prefix = Annotated[str, Field(pattern=r"^\d+(-\d+)?$")]
Needs = Literal["context", "own", "any"]


class NationalId(Section):
    """One national identity number; its checksum is in ``data_curation.personal.checks`` under the same name."""

    languages: tuple[LanguageCode, ...]
    """Languages of its country."""
    forms: tuple[Form, ...] = Field(min_length=1)
    chance: Share
    """Probability that random digits and letters in these forms pass the check."""
    bare: Needs
    """What digits alone need beside the check: a word, a text of an own language, or nothing."""
    written: Needs
    """The same for forms with separators or letters."""
    own_forms: tuple[Form, ...] = ()
    """Forms that need nothing more in a text of an own language, whatever ``written`` says."""
    words: Words = Field(min_length=1)


class Card(Section):
    """One issuer of payment cards: prefixes of the number (ISO/IEC 7812) and its possible lengths."""

    name: str
    prefixes: tuple[Prefix, ...] = Field(min_length=1)
    lengths: tuple[Annotated[int, Field(ge=12, le=19)], ...] = Field(min_length=1)
    word: bool = False
    """Whether a word such as "card" must stand near it."""


class IpRules(Section):
    """Which IP addresses count as personal data."""

    exclude: tuple[IPv4Network | IPv6Network, ...]
    """Networks that never do, beside those that are not global by IANA's special-purpose registries."""
    words: Words
    """Words by which even an address of small numbers counts."""
    not_after: Words
    """Words after which four numbers are a version or a section."""
    small_octet: int = Field(ge=0, le=255)
    """Without a word, two of the four numbers must be at least so large."""


class Plates(Section):
    """Licence plates of one country."""

    languages: tuple[LanguageCode, ...]
    forms: tuple[Form, ...]
    alone: tuple[Form, ...] = ()
    """Forms that need no word in a text of the country's languages."""
    letters: str = ""
    """Letters that occur in these."""


class Births(Section):
    """Dates of birth."""

    earliest_year: int
    """Persons born before are taken to be dead, and their dates stay."""
    reach: int = Field(ge=1)
    words: dict[LanguageCode, Words]
    after: dict[LanguageCode, Words]
    """Words that count also after the date, at the end of its sentence: languages whose verb stands last."""
    after_reach: int = Field(ge=1)
    months: dict[LanguageCode, tuple[str, ...]]
    """Beginnings of the names of the twelve months; several for one month are parted by ``|``."""

    @field_validator("months")
    @classmethod
    def _twelve(cls, months: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        wrong = [language for language, names in months.items() if len(names) != 12]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: twelve names of months are needed, January first")
        return months


class Addresses(Section):
    """Postal addresses of one country."""

    languages: tuple[LanguageCode, ...]
    postcode: Form
    place_needed: bool = True
    """Whether the name of a place must follow the postcode."""
    number: Literal["after", "before"]
    """Where the house number stands, seen from the street."""
    before: Words
    """Words that stand before the name of a street."""
    ends: Words
    """Endings of names of streets."""
    any_street: bool = False
    """Whether any capitalised name counts as a street, for postcodes that are rare enough in themselves."""


class Rules(Section):
    """The whole file."""

    placeholders: dict[Kind, Label]
    reach: int = Field(ge=1)
    """Characters between a value and its word."""
    national_ids: dict[str, NationalId]
    id_words: dict[LanguageCode, Words]
    """Words for any identity number, by the language of the text."""
    office_words: dict[LanguageCode, Words]
    """Names of offices and papers, likewise; not for numbers that nearly any digits would be."""
    phone_words: Words
    """Words near a phone number, in texts of any language."""
    phone_words_own: dict[LanguageCode, Words]
    """More of them, by the language of the text."""
    phone_words_after: dict[LanguageCode, Words]
    """Words directly after a phone number, of languages that put them there."""
    phone_not_after: Words
    """Words directly before a number of something else, such as an order or a company."""
    phone_reach: int = Field(ge=1)
    cards: tuple[Card, ...]
    card_words: Words
    ip: IpRules
    plate_words: Words
    plates: dict[str, Plates]
    births: Births
    addresses: dict[str, Addresses]
    titles: dict[LanguageCode, Words]
    """Forms of address by language."""

    @model_validator(mode="after")
    def _complete(self) -> Rules:
        if set(self.national_ids) != set(NATIONAL_IDS):
            raise ValueError(
                f"national_ids must have exactly the rules {', '.join(NATIONAL_IDS)}; to look for fewer, name them in "
                "the run's curation.personal_data.national_ids"
            )
        labels = list(self.placeholders.values())
        if len(labels) != len(get_args(Kind)) or len(set(labels)) != len(labels):
            raise ValueError("placeholders must have a different label for each kind")
        return self


@cache
def read_rules(path: Path | None = None) -> Rules:
    """Read rules from ``path``, or those that come with Herkomst; an error names file, line and key."""
    if path is None:
        with as_file(files("configs") / "personal-data.yaml") as own:
            return read_section(own, Rules)
    return read_section(path, Rules)
