"""What others remove from the same planted text: datatrove's formatter, and presidio's pattern recognisers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version

from .contacts import COUNTRIES
from .measures import Span
from .planting import Document

KINDS = {
    "CREDIT_CARD": "card",
    "DE_KFZ": "licence-plate",
    "EMAIL_ADDRESS": "email",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
    "PHONE_NUMBER": "phone",
}
"""Presidio's entities that are no national identifiers."""
_NATIONAL = {
    "de": ("DeTaxIdRecognizer", "DeKfzRecognizer"), "es": ("EsNifRecognizer", "EsNieRecognizer"),
    "fi": ("FiPersonalIdentityCodeRecognizer",), "it": ("ItFiscalCodeRecognizer",), "pl": ("PlPeselRecognizer",),
    "sv": ("SePersonnummerRecognizer",),
}  # fmt: skip
"""All recognisers of the package for persons of member states, by the language for which it turns them on."""
_LEAST_SCORE = 0.4
"""Presidio's own advice for a threshold is 0.35 to 0.5; below lie patterns that need a word it takes from a model."""

Finder = Callable[[Document], Sequence[Span]]


def datatrove() -> tuple[str, Finder]:
    """Stock `PIIFormatter`, its two patterns with its own validation, as it would replace them."""
    from datatrove.pipeline.formatters.pii import PIIFormatter

    formatter = PIIFormatter()
    replacers = (("email", formatter.emails_replacer), ("ip", formatter.ip_replacer))

    def find(document: Document) -> list[Span]:
        return [
            Span(kind, *match.span())
            for kind, replacer in replacers
            for match in replacer.regex.finditer(document.text)
            if replacer.validator is None or replacer.validator(match.group())
        ]

    return f"datatrove {version('datatrove')}", find


def presidio() -> tuple[str, Finder] | None:
    """Presidio's recognisers that need no language model; None where the package is not installed."""
    try:
        from presidio_analyzer import predefined_recognizers as all_of
    except ImportError:
        return None
    general = [
        all_of.EmailRecognizer(), all_of.IpRecognizer(), all_of.IbanRecognizer(), all_of.CreditCardRecognizer(),
    ]  # fmt: skip
    phones = {code: all_of.PhoneRecognizer(supported_regions=where) for code, where in COUNTRIES.items()}
    national = {code: [getattr(all_of, name)() for name in names] for code, names in _NATIONAL.items()}

    def find(document: Document) -> list[Span]:
        return [
            Span(KINDS.get(each.entity_type, "national-id"), each.start, each.end)
            for recogniser in (*general, phones[document.language], *national.get(document.language, ()))
            for each in recogniser.analyze(document.text, recogniser.supported_entities, None)
            if each.score >= _LEAST_SCORE
        ]

    return f"presidio {version('presidio-analyzer')}", find
