"""Dates of birth as people write them in 24 languages, in words and in digits."""

from __future__ import annotations

from datetime import date
from random import Random

from .digits import birth

MONTHS = {
    "bg": "януари февруари март април май юни юли август септември октомври ноември декември",
    "cs": "ledna února března dubna května června července srpna září října listopadu prosince",
    "da": "januar februar marts april maj juni juli august september oktober november december",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "el": "Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου Οκτωβρίου Νοεμβρίου "
    "Δεκεμβρίου",
    "en": "January February March April May June July August September October November December",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "et": "jaanuaril veebruaril märtsil aprillil mail juunil juulil augustil septembril oktoobril novembril detsembril",
    "fi": "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta "
    "marraskuuta joulukuuta",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "ga": "Eanáir Feabhra Márta Aibreán Bealtaine Meitheamh Iúil Lúnasa Meán_Fómhair Deireadh_Fómhair Samhain Nollaig",
    "hr": "siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna listopada studenoga prosinca",
    "hu": "január február március április május június július augusztus szeptember október november december",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "lt": "sausio vasario kovo balandžio gegužės birželio liepos rugpjūčio rugsėjo spalio lapkričio gruodžio",
    "lv": "janvārī februārī martā aprīlī maijā jūnijā jūlijā augustā septembrī oktobrī novembrī decembrī",
    "mt": "Jannar Frar Marzu April Mejju Ġunju Lulju Awwissu Settembru Ottubru Novembru Diċembru",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "ro": "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
    "sk": "januára februára marca apríla mája júna júla augusta septembra októbra novembra decembra",
    "sl": "januarja februarja marca aprila maja junija julija avgusta septembra oktobra novembra decembra",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
}
"""The months in the form that a full date takes, January first."""
_IN_WORDS = {
    "es": ("{d} de {m} de {y}",), "pt": ("{d} de {m} de {y}",), "ga": ("{d} {m} {y}",), "mt": ("{d} ta' {m} {y}",),
    "hu": ("{y}. {m} {d}.", "{y}. {m} {d}-én"), "lt": ("{y} m. {m} {d} d.",), "lv": ("{y}. gada {d}. {m}",),
    "bg": ("{d} {m} {y} г.", "{d} {m} {y} година"), "en": ("{d} {m} {y}", "{m} {d}, {y}", "{d}{th} {m} {y}"),
    "fr": ("{d} {m} {y}", "{d1er} {m} {y}"), "nl": ("{d} {m} {y}",), "el": ("{d} {m} {y}", "{d}η {m} {y}"),
    "it": ("{d} {m} {y}",), "pl": ("{d} {m} {y}", "{d} {m} {y} r."), "ro": ("{d} {m} {y}",), "sv": ("{d} {m} {y}",),
    "et": ("{d}. {m} {y}", "{d}. {m} {y}. aastal"), "hr": ("{d}. {m} {y}.", "{d}. {m} {y}. godine"),
}  # fmt: skip
_DOTTED = ("{d:02d}.{n:02d}.{y}", "{d}.{n}.{y}", "{d:02d}.{n:02d}.{s:02d}")
_SLASHED = ("{d:02d}/{n:02d}/{y}", "{d}/{n}/{y}", "{d:02d}/{n:02d}/{s:02d}")
_DASHED = ("{d:02d}-{n:02d}-{y}", "{d}-{n}-{y}")
_ISO = ("{y}-{n:02d}-{d:02d}",)
_IN_DIGITS = {
    "bg": (*_DOTTED, "{d:02d}.{n:02d}.{y} г."), "cs": ("{d}. {n}. {y}", *_DOTTED),
    "da": (*_DASHED, "{d}.{n}.{y}", "{d}/{n} {y}"),
    "de": _DOTTED, "el": _SLASHED, "en": _SLASHED, "es": (*_SLASHED, *_DASHED), "et": _DOTTED, "fi": _DOTTED,
    "fr": (*_SLASHED, "{d:02d}.{n:02d}.{y}"), "ga": _SLASHED, "hr": ("{d:02d}.{n:02d}.{y}.", "{d}. {n}. {y}."),
    "hu": ("{y}. {n:02d}. {d:02d}.", "{y}.{n:02d}.{d:02d}."), "it": (*_SLASHED, *_DASHED), "lt": _ISO,
    "lv": (*_DOTTED, "{d:02d}.{n:02d}.{y}."), "mt": _SLASHED,
    "nl": (*_DASHED, "{d:02d}/{n:02d}/{y}", "{d}-{n}-'{s:02d}"),
    "pl": (*_DOTTED, *_ISO), "pt": (*_SLASHED, *_DASHED), "ro": _DOTTED, "sk": ("{d}. {n}. {y}", *_DOTTED),
    "sl": ("{d}. {n}. {y}", *_DOTTED), "sv": (*_ISO, "{d}/{n} {y}", "{y}{n:02d}{d:02d}"),
}  # fmt: skip


def birth_date(random: Random, language: str) -> str:
    """A date of birth as written in the language, half in words and half in digits."""
    born = birth(random)
    in_words = random.random() < 0.5
    form = random.choice(_IN_WORDS.get(language, ("{d}. {m} {y}",)) if in_words else _IN_DIGITS[language])
    return written(born, form, language)


def written(day: date, form: str, language: str) -> str:
    """The day in the form: d day, n month, m its name, y year, s its last two digits, th and d1er endings."""
    month = MONTHS[language].split()[day.month - 1].replace("_", " ")
    ordinal = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}.get(day.day, "th")
    first = "1er" if day.day == 1 else str(day.day)
    fields = {
        "d": day.day,
        "n": day.month,
        "m": month,
        "y": day.year,
        "s": day.year % 100,
        "th": ordinal,
        "d1er": first,
    }
    return form.format(**fields)
