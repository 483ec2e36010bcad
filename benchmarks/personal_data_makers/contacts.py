"""Phone numbers in the habits of each country, e-mail addresses with national letters, and public IP addresses."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random

import yaml

COUNTRIES = {
    "bg": ("BG",), "cs": ("CZ",), "da": ("DK",), "de": ("DE", "DE", "AT", "LU"), "el": ("GR", "GR", "CY"),
    "en": ("IE", "MT"), "es": ("ES",), "et": ("EE",), "fi": ("FI",), "fr": ("FR", "FR", "BE", "LU"), "ga": ("IE",),
    "hr": ("HR",), "hu": ("HU",), "it": ("IT",), "lt": ("LT",), "lv": ("LV",), "mt": ("MT",), "nl": ("NL", "NL", "BE"),
    "pl": ("PL",), "pt": ("PT",), "ro": ("RO",), "sk": ("SK",), "sl": ("SI",), "sv": ("SE", "SE", "FI"),
}  # fmt: skip
"""The countries whose people write in a language; a country that stands twice is drawn twice as often."""


@cache
def phones() -> dict[str, list[str]]:
    """The writings of phone numbers by country."""
    found: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("phones.yaml").read_text(encoding="utf-8"))
    return found


def phone(random: Random, country: str) -> str:
    """A phone number as people of the country write it, national or international."""
    pattern = random.choice(phones()[country])
    return "".join(
        str(random.randrange(2, 10)) if each == "N" else str(random.randrange(10)) if each == "X" else each
        for each in pattern
    )


_NAMES = {
    "bg": "мария иван petrov elena", "cs": "novák dvořáková jiri tereza", "da": "søren jørgensen mette kåre",
    "de": "müller jürgen weiß anna", "el": "maria giorgos νίκος papadopoulou", "en": "mary oconnor seán kevin",
    "es": "muñoz garcía lucia jose", "et": "tõnu mägi kadri jaan", "fi": "väinö mäkinen liisa pekka",
    "fr": "françois lefèvre marie benoît", "ga": "seán órla ciaran niamh", "hr": "željko kovačević ana ivan",
    "hu": "györgy szabó zsofia istvan", "it": "rossi nicolò giulia marco", "lt": "jonas žukauskas ruta daiva",
    "lv": "jānis bērziņš liga andris", "mt": "għawdex borg maria karmenu", "nl": "jan devries zoë bakker",
    "pl": "kowalski łukasz zofia ania", "pt": "joão conceição silva ines", "ro": "ștefan ionescu ioana andrei",
    "sk": "ľubica kováč jozef zuzana", "sl": "žiga novak ana janez", "sv": "åsa öberg erik lindqvist",
}  # fmt: skip
_TOP = {"el": "gr", "en": "ie", "ga": "ie", "cs": "cz", "da": "dk", "et": "ee", "sl": "si", "sv": "se"}
_SYLLABLES = [
    "bal",
    "cor",
    "den",
    "fil",
    "gan",
    "hul",
    "jor",
    "kem",
    "lin",
    "mar",
    "nol",
    "pir",
    "ros",
    "tam",
    "vel",
    "wim",
    "zan",
]


def email(random: Random, language: str) -> str:
    """An address: initials, tags, subdomains, national letters; a third lie in international domains."""
    first, last = random.sample(_NAMES[language].split(), 2)
    local = random.choice((
        first, f"{first}.{last}", f"{first[0]}.{last}", f"{first}_{last}{random.randrange(50, 99)}", f"{last}+krant",
        f"{first}-{last}", f"{first[0]}{last}", f"{first.capitalize()}.{last.capitalize()}",
    ))  # fmt: skip
    domain = "".join(random.sample(_SYLLABLES, 3))
    domain = random.choice(
        (domain, domain, f"mail.{domain}", f"{domain}-{random.choice(_SYLLABLES)}", f"post.intern.{domain}")
    )
    top = _TOP.get(language, language)
    return f"{local}@{domain}.{random.choice((top, top, 'eu', 'org', 'com'))}"


def ip(random: Random, _: str = "") -> str:
    """A public address: three of four IPv4 (no reserved block), else IPv6 of the European registry, short or long."""
    if random.random() < 0.75:
        first = random.choice(
            (31, 46, 62, 77, 80, 81, 82, 83, 84, 87, 89, 91, 93, 95, 109, 145, 176, 178, 185, 188, 212, 213)
        )
        return ".".join(str(part) for part in (first, *(random.randrange(1, 255) for _ in range(3))))
    groups = [f"2a{random.randrange(1, 15):02x}", *(f"{random.randrange(1, 65536):x}" for _ in range(7))]
    return random.choice(
        (":".join(groups), f"{':'.join(groups[:3])}::{groups[-1]}", f"{':'.join(groups[:2])}::{groups[-1]}")
    )
