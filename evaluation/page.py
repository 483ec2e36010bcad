"""From values to a page: one Jinja environment with escaping always on, numbers as each language writes them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from evaluation import words
from evaluation.words import Language

_NOT_MEASURED = {"en": "not measured", "nl": "niet gemeten"}
_MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    "nl": (
        "januari", "februari", "maart", "april", "mei", "juni",
        "juli", "augustus", "september", "oktober", "november", "december",
    ),
}  # fmt: skip
_SIGNS = {"EUR": "€"}
_SECONDS = {"en": ("hours", "minutes", "seconds"), "nl": ("uur", "minuten", "seconden")}


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers in words of one language; None is "not measured", never zero."""

    language: Language

    def whole(self, value: float | None) -> str:
        """A whole number with separators of thousands."""
        return self._said(value, "{:,.0f}")

    def decimal(self, value: float | None, digits: int = 2) -> str:
        """A number with a fixed count of digits behind the point."""
        return self._said(value, f"{{:,.{digits}f}}")

    def share(self, value: float | None, digits: int = 1) -> str:
        """A share from 0 to 1 as a percentage; one too small to show is not shown as nothing."""
        if value is not None and 0 < value < 0.5 * 10 ** -(digits + 2):
            return f"< {self._said(10**-digits, f'{{:.{digits}f}}')}%"
        return self._said(None if value is None else 100 * value, f"{{:,.{digits}f}}%")

    def size(self, value: float | None) -> str:
        """Bytes in the decimal unit that suits them."""
        if value is None:
            return self._said(None, "")
        for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
            if value >= factor:
                return self._said(value / factor, "{:,.1f}\N{NO-BREAK SPACE}" + unit)
        return self._said(value, "{:,.0f}\N{NO-BREAK SPACE}bytes")

    def duration(self, seconds: float | None) -> str:
        """Seconds in the unit that suits them."""
        if seconds is None:
            return self._said(None, "")
        hours, minutes, plain = _SECONDS[self.language]
        for unit, factor in ((hours, 3600), (minutes, 60)):
            if seconds >= 2 * factor:
                return self._said(seconds / factor, "{:,.1f}\N{NO-BREAK SPACE}" + unit)
        return self._said(seconds, "{:,.0f}\N{NO-BREAK SPACE}" + plain)

    def documents(self, count: int) -> str:
        """A count of documents with its noun."""
        one, several = ("document", "documents") if self.language == "en" else ("document", "documenten")
        return f"{self.whole(count)} {one if count == 1 else several}"

    def between(self, low: float | None, high: float | None, kind: str = "share", digits: int = 1) -> str:
        """An interval of shares or decimals; a dash where the data give none."""
        if low is None or high is None:
            return "–"
        said = self.share if kind == "share" else self.decimal
        return f"{said(low, digits)} {'to' if self.language == 'en' else 'tot'} {said(high, digits)}"

    def money(self, cents: int | None, currency: str) -> str:
        """An amount with its currency, two digits behind the point."""
        if cents is None:
            return self._said(None, "")
        gap = "" if self.language == "en" and currency in _SIGNS else "\N{NO-BREAK SPACE}"
        # Whole numbers all the way: a float would lose cents of a large amount.
        whole, part = divmod(abs(cents), 100)
        said = f"{self.whole(whole)}{',' if self.language == 'nl' else '.'}{part:02d}"
        return f"{'−' if cents < 0 else ''}{_SIGNS.get(currency, currency)}{gap}{said}"

    def day(self, iso: str) -> str:
        """A day as it is written: 24 November 2026."""
        year, month, day = iso[:10].split("-")
        return f"{int(day)}\N{NO-BREAK SPACE}{_MONTHS[self.language][int(month) - 1]} {year}"

    def energy(self, joules: float | None) -> str:
        """Joules as kilowatt-hours, or watt-hours where that is little."""
        if joules is None:
            return self._said(None, "")
        hours = joules / 3600
        return self._said(hours / 1000, "{:,.2f} kWh") if hours >= 1000 else self._said(hours, "{:,.1f} Wh")

    def _said(self, value: float | None, pattern: str) -> str:
        if value is None:
            return _NOT_MEASURED[self.language]
        said = pattern.format(value).replace("-", "\N{MINUS SIGN}")
        return said.translate(str.maketrans(",.", ".,")) if self.language == "nl" else said


def render(template: str, language: Language, **values: Any) -> str:
    """Render one of the templates to a page of its own; every value is escaped and a missing name is an error."""
    return _environment(language).get_template(template).render(page_language=language, **values)


@cache
def _environment(language: Language) -> Environment:
    """Templates are compiled once in a process."""
    environment = Environment(
        loader=FunctionLoader(template_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    numbers = Numbers(language)
    environment.filters.update(
        whole=numbers.whole,
        decimal=numbers.decimal,
        share=numbers.share,
        size=numbers.size,
        duration=numbers.duration,
        energy=numbers.energy,
        money=numbers.money,
        day=numbers.day,
        documents=numbers.documents,
        reason=lambda code: words.reason(code, language),
        tongue=lambda code: words.word(words.LANGUAGES, code, language),
        said=lambda code, table: words.word(getattr(words, table), code, language),
    )
    environment.globals["between"] = numbers.between
    return environment


def template_text(name: str) -> str:
    """Return the text of a template that comes with this package."""
    return (files("evaluation") / "templates" / name).read_text(encoding="utf-8")
