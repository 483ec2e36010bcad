"""Dutch names of persons, put together at random from common given names and surnames."""

from __future__ import annotations

from random import Random

_GIVEN = (
    "Anna", "Bram", "Cornelia", "Daan", "Elisabeth", "Femke", "Geert", "Hendrik", "Ingrid", "Johannes", "Karin",
    "Lotte", "Maria", "Noor", "Pieter", "Roos", "Sanne", "Thijs", "Willem", "Yvonne", "Fatima", "Mohammed", "Agnieszka",
    "Anne-Marie",
)  # fmt: skip
_BEFORE = ("", "", "", "", "de ", "van ", "van den ", "van der ", "van de ", "ter ", "'t ")
_SURNAMES = (
    "Jansen", "Bakker", "Visser", "Smit", "Meijer", "Mulder", "Bos", "Vos", "Peters", "Hendriks", "Dekker",
    "Brouwer", "Berg", "Dijk", "Vries", "Boer", "Heuvel", "Velde", "Hart", "Yilmaz", "El Amrani",
    "Kowalska", "Jansen-de Vries",
)  # fmt: skip


def dutch_name(random: Random) -> str:
    """Given name or initials, what stands before a surname, surname."""
    given = random.choice(_GIVEN)
    initials = "".join(f"{letter}." for letter in random.sample("ABCDEFGHJKLMPRSTW", random.choice((1, 2, 3))))
    first = random.choice((given, given, initials, f"{given} {random.choice('ABCJM')}."))
    return f"{first} {random.choice(_BEFORE)}{random.choice(_SURNAMES)}"
