"""What looks like personal data and is none: wrong check digits, numbers of orders, books, companies, laws, times.

Each maker takes a `Random` and a language, and returns the sentence before, the look-alike and the sentence after.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from .banking import card, compact_iban
from .contacts import COUNTRIES
from .dates import birth_date
from .digits import digits, grouped, luhn, weighted
from .registered import IDENTIFIERS, Identifier

_ORDER = {
    "bg": "Поръчка №", "cs": "Objednávka č.", "da": "Ordrenummer", "de": "Bestellnummer", "el": "Αριθμός παραγγελίας",
    "en": "Order number", "es": "Pedido n.º", "et": "Tellimuse nr", "fi": "Tilausnumero", "fr": "Commande n°",
    "ga": "Uimhir ordaithe", "hr": "Narudžba br.", "hu": "Rendelésszám", "it": "Ordine n.", "lt": "Užsakymo Nr.",
    "lv": "Pasūtījuma Nr.", "mt": "Ordni nru", "nl": "Ordernummer", "pl": "Zamówienie nr", "pt": "Encomenda n.º",
    "ro": "Comanda nr.", "sk": "Objednávka č.", "sl": "Naročilo št.", "sv": "Ordernummer",
}  # fmt: skip
_DECIDED = {
    "bg": "Решението е от {}.", "cs": "Rozhodnutí je ze dne {}.", "da": "Afgørelsen er fra {}.",
    "de": "Der Beschluss ist vom {}.", "el": "Η απόφαση εκδόθηκε στις {}.", "en": "The decision is dated {}.",
    "es": "La decisión es del {}.", "et": "Otsus tehti {}.", "fi": "Päätös tehtiin {}.", "fr": "La décision est du {}.",
    "ga": "Rinneadh an cinneadh ar {}.", "hr": "Odluka je donesena {}", "hu": "A határozat kelte: {}",
    "it": "La decisione è del {}.", "lt": "Sprendimas priimtas {}", "lv": "Lēmums pieņemts {}",
    "mt": "Id-deċiżjoni ttieħdet fi {}.", "nl": "Het besluit is van {}.", "pl": "Decyzja jest z dnia {}.",
    "pt": "A decisão é de {}.", "ro": "Decizia este din {}.", "sk": "Rozhodnutie je zo dňa {}.",
    "sl": "Odločba je z dne {}.", "sv": "Beslutet är från den {}.",
}  # fmt: skip
_COMPANY = {
    "bg": "ДДС № BG{9}", "cs": "DIČ CZ{8}", "da": "CVR-nr. {8}", "de": "USt-IdNr. DE{9}", "el": "ΑΦΜ EL{9}",
    "en": "VAT No. IE{7}T", "es": "CIF B{8}", "et": "KMKR EE{9}", "fi": "Y-tunnus {7}-4", "fr": "SIRET {3} {3} {3} {5}",
    "ga": "Uimhir CBL IE{7}T", "hr": "MBS {8}", "hu": "Cégjegyzékszám 01-09-{6}", "it": "REA MI-{7}", "lt": "PVM LT{9}",
    "lv": "Reģ. Nr. 4{10}", "mt": "VAT MT{8}", "nl": "KvK {8}, btw NL{9}B01", "pl": "NIP {3}-{3}-{2}-{2}, REGON {9}",
    "pt": "NIPC 5{8}", "ro": "CUI RO{8}", "sk": "IČO {8}, DIČ {10}", "sl": "ID za DDV SI{8}", "sv": "Org.nr 556{3}-{4}",
}  # fmt: skip
"""Numbers of companies, which are public and no personal data."""
_LAWS = (
    "Richtlijn 9#/4#/EG", "(EU) 201%/#%9", "200%/2%/EC, 201%/7##", "ECLI:NL:HR:201%:1###", "ECLI:EU:C:201%:3##",
    "§ 2## Abs. % StGB, BGBl. I S. 2###", "C-1##/1%, C-%3#/1%", "OJ L 1##, %.%.201%, p. 1-8%", "art. 6:1## BW",
    "CELEX 3201%R0###", "Stb. 201%, 1##", "%2 O 3##/1%", "1 BvR 1%/1%, 1 BvR 2##/1%", "L. n. 2##/201%, art. %",
)  # fmt: skip
"""# stands for a digit, % for one from 1 to 9, here and below."""
_VERSIONS = ("2.1%.0.%", "10.0.1904#.%", "4.1%.0-2#", "%.2.3.4-5", "v3.1%.2", "7.4.%-1+deb12u1%", "0.10.%.2024031%")
_FIGURES = (
    "% 2## ###,00", "1%.3##.7##,9#", "201% 202% 203% 204%", "08.00-12.30, 13.%5-17.00", "52.37####, 4.8#####",
    "01%%-0%45", "1914-1918, 19%9-1945", "202%-01-1% 10:42:0%", "0,5772%%6649", "3,14159265%5", "%00 000 - 2#0 000",
    "2023%12409301#", "06.30 07.%5 08.00 08.45", "9.8% 6.022 1.60% 2.998", "12:30-13:%5", "1%2-194, 20%-209",
    "%2 %4 18 %7 36 41", "1 : 2% 000 000", "12 x 34# x 5#", "%#.### km²", "+ 1%,4 / - 0,%#",
)  # fmt: skip
_HANDLES = ("user%@localhost", "@europa_e%", "git@:refs/heads/%#", "a@b%", "%@5", "0x7ffe%#67", "b26b%f5a9b7b5a%c")
_PRIVATE = ("127.0.0.%", "192.168.%.1#", "10.0.#.%", "0.0.0.0", "255.255.%.0", "::%", "fe80::%", "172.16.%.%")


def wrong_identifier(random: Random, language: str) -> tuple[str, str, str]:
    """A national identifier of the language's countries with one digit changed, as an order number."""
    checked = [each for each in IDENTIFIERS if each.country != "MT"]
    own = [each for each in checked if language in each.languages] or checked
    return f"{_ORDER[language]} ", _changed(random, random.choice(own)), "."


def _changed(random: Random, identifier: Identifier) -> str:
    while True:
        written = identifier.make(random)
        place = random.choice([at for at, each in enumerate(written) if each.isdigit()])
        changed = f"{written[:place]}{(int(written[place]) + random.randrange(1, 10)) % 10}{written[place + 1 :]}"
        # Denmark gives numbers without check digit; a date that cannot be is a near miss there.
        if identifier.country == "DK":
            changed = f"{random.randrange(32, 40)}{written[2:]}"
        if identifier.name != "rc" or len(re.sub(r"\D", "", changed)) == 10:
            return changed


def wrong_iban(random: Random, language: str) -> tuple[str, str, str]:
    """An IBAN with one digit changed."""
    number = compact_iban(random, random.choice(COUNTRIES[language]))
    number = f"{number[:3]}{(int(number[3]) + random.randrange(1, 10)) % 10}{number[4:]}"
    return f"{_ORDER[language]} ", random.choice((number, grouped(number, *[4] * 9))), "."


def wrong_card(random: Random, language: str) -> tuple[str, str, str]:
    """A card number with its check digit changed."""
    number = card(random)
    return f"{_ORDER[language]} ", f"{number[:-1]}{(int(number[-1]) + random.randrange(1, 10)) % 10}", "."


def order(random: Random, language: str) -> tuple[str, str, str]:
    """An order number of 6 to 13 digits, sometimes with the year or letters."""
    number = digits(random, random.randrange(6, 12))
    form = random.choice(("{}", "{}", "2023-{}", "20{}", "AB{}", "{}-01", "W{}/24"))
    return f"{_ORDER[language]} ", form.format(number), "."


def isbn(random: Random, language: str) -> tuple[str, str, str]:
    """A book number of ten or thirteen digits with its check digit, or an ISSN."""
    if random.random() < 0.6:
        number = "978" + digits(random, 9)
        number += str(-weighted(number, (1, 3) * 6) % 10)
        return "ISBN ", grouped(number, 3, 2, 3, 4, by=random.choice("- ")), "."
    number = digits(random, 9)
    check = -weighted(number, range(10, 1, -1)) % 11
    return "ISBN ", grouped(f"{number}{'X' if check == 10 else check}", 2, 3, 4, by="-"), "."


def company(random: Random, language: str) -> tuple[str, str, str]:
    """The number of a company in its country's register, or for VAT."""
    written = re.sub(r"\{(\d+)\}", lambda count: digits(random, int(count[1])), _COMPANY[language])
    return "", written, "."


def plain_date(random: Random, language: str) -> tuple[str, str, str]:
    """A date on which nobody was born."""
    before, after = _DECIDED[language].split("{}")
    return before, birth_date(random, language), after


def _from(values: tuple[str, ...], lead: str) -> Callable[[Random, str], tuple[str, str, str]]:
    return lambda random, language: (lead, _filled(random, random.choice(values)), ".")


def _filled(random: Random, form: str) -> str:
    return re.sub("[#%]", lambda sign: str(random.randrange(int(sign[0] == "%"), 10)), form)


def serial(random: Random, language: str) -> tuple[str, str, str]:
    """A serial number of a device (IMEI) or of a parcel, which have Luhn digits as cards have."""
    number = "35" + digits(random, 12)
    return "IMEI ", number + luhn(number), "."


KINDS: dict[str, Callable[[Random, str], tuple[str, str, str]]] = {
    "id, wrong digit": wrong_identifier,
    "iban, wrong digit": wrong_iban,
    "card, wrong digit": wrong_card,
    "order number": order,
    "isbn": isbn,
    "company number": company,
    "plain date": plain_date,
    "law citation": _from(_LAWS, ""),
    "version": _from(_VERSIONS, "Version "),
    "figures and times": _from(_FIGURES, ""),
    "handle or hash": _from(_HANDLES, ""),
    "private address": _from(_PRIVATE, "Host "),
    "serial number": serial,
}
"""By name; in private address, IP addresses that belong to nobody."""
