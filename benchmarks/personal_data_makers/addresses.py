"""Postal addresses of the Netherlands, Belgium, Germany and France: real forms, made-up streets and places."""

from __future__ import annotations

from random import Random

_LETTERS = "ABCDEGHJKLMNPRSTVWXZ"
_DUTCH = [
    "Linden",
    "Molen",
    "Kerk",
    "Dorps",
    "Beuken",
    "Wilgen",
    "Haven",
    "Markt",
    "School",
    "Prinsen",
    "Water",
    "Veld",
    "Dijk",
    "Vogel",
    "Merel",
    "Koning_Willem",
]
_DUTCH_ENDS = ("straat", "laan", "weg", "plein", "gracht", "kade", "singel", "dreef", "hof", "pad", "steeg")
_DUTCH_PLACES = ("Nieuw-Lindendam", "Oosterveld", "Molenbroek", "Waterhoven", "Sint-Jansdijk", "Den Berghof")
_GERMAN = ("Linden", "Mühlen", "Kirch", "Dorf", "Buchen", "Haupt", "Schul", "Rosen", "Garten", "Bahnhof", "Goethe")
_GERMAN_ENDS = ("straße", "str.", "weg", "gasse", "allee", "platz", "straße", "ring", "ufer")
_GERMAN_OTHER = ("Am Alten Markt", "An der Mühle", "Unter den Buchen", "Lange Straße", "Zum Wiesengrund", "Im Tal")
_GERMAN_PLACES = ("Neu-Lindental", "Oberwiesen", "Mühlbach am See", "Bad Rosenau", "Kirchfeld", "Waldstadt")
_FRENCH = (
    "rue des Tilleuls", "avenue du Moulin", "boulevard de la Gare", "place de l'Église", "chemin des Vignes",
    "impasse du Puits", "rue Neuve", "allée des Roses", "quai du Port", "route de la Forêt", "cours Victor-Lenoir",
)  # fmt: skip
_FRENCH_PLACES = ("Villeneuve-les-Tilleuls", "Saint-Moulin", "Bourg-sur-Rive", "LA FORÊT", "Montclair", "PORT-NEUF")
_WALLOON_PLACES = ("Villers-le-Pont", "Saint-Moulin", "Bois-de-Lune")
_FLEMISH_PLACES = ("Lindenkerke", "Sint-Molens", "Waterdonk")


def _dutch_street(random: Random) -> str:
    return random.choice(_DUTCH).replace("_", " ") + random.choice(_DUTCH_ENDS)


def _house(random: Random, *endings: str) -> str:
    return f"{random.randrange(1, 320)}{random.choice(endings)}"


def dutch(random: Random) -> tuple[str, str]:
    """Street or PO box, then postcode (four digits, two letters) and place."""
    code = (
        f"{random.randrange(1011, 9999)}{random.choice((' ', ' ', '', '  '))}{''.join(random.choices(_LETTERS, k=2))}"
    )
    street = f"{_dutch_street(random)} {_house(random, '', '', '', 'a', '-2', ' bis', ' III', ' B', '-hs')}"
    first = street if random.random() < 0.9 else f"Postbus {random.randrange(100, 99999)}"
    return first, f"{code} {random.choice(_DUTCH_PLACES)}"


def belgian(random: Random, language: str) -> tuple[str, str]:
    """Street with number and box, then postcode of four digits and place; Dutch or French."""
    code = f"{random.choice(('', '', '', 'B-'))}{random.randrange(1000, 9993)}"
    if language == "fr":
        street = random.choice(_FRENCH)
        street = street[0].upper() + street[1:]
        first = f"{street}{random.choice((' ', ', '))}{_house(random, '', '', 'A', ' bte 3', '/12')}"
        return first, f"{code} {random.choice(_WALLOON_PLACES)}"
    return (
        f"{_dutch_street(random)} {_house(random, '', '', 'A', ' bus 3', '/12')}",
        f"{code} {random.choice(_FLEMISH_PLACES)}",
    )


def german(random: Random) -> tuple[str, str]:
    """Street, or PO box, then postcode of five digits and place."""
    code = f"{random.choice(('', '', '', 'D-'))}{random.randrange(1067, 99998):05d}"
    street = random.choice((*_GERMAN, *_GERMAN)) + random.choice(_GERMAN_ENDS)
    street = random.choice((street, street, random.choice(_GERMAN_OTHER)))
    return f"{street} {_house(random, '', '', '', 'a', ' b', '-3', '/2')}", f"{code} {random.choice(_GERMAN_PLACES)}"


def french(random: Random) -> tuple[str, str]:
    """Number (bis, ter), street, then postcode of five digits and place."""
    code = (
        f"{random.choice((1, 6, 13, 21, 29, 33, 35, 44, 59, 67, 69, 75, 80, 92)):02d}{random.randrange(0, 99) * 10:03d}"
    )
    first = f"{_house(random, '', '', '', ' bis', ' ter', 'B')}{random.choice((' ', ', '))}{random.choice(_FRENCH)}"
    return first, f"{code} {random.choice(_FRENCH_PLACES)}"


def address(random: Random, country: str, language: str) -> str:
    """An address in a line or in two, as on an envelope."""
    makers = {"NL": dutch, "DE": german, "FR": french}
    first, second = belgian(random, language) if country == "BE" else makers[country](random)
    return f"{first}{random.choice((', ', ', ', chr(10)))}{second}"
