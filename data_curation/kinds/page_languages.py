"""Languages as PAGE names them: in English (its ``LanguageSimpleType``), with a variant in brackets or without."""

from __future__ import annotations

_CODES = {
    "bulgarian": "bg", "czech": "cs", "danish": "da", "german": "de", "greek": "el", "english": "en", "spanish": "es",
    "estonian": "et", "finnish": "fi", "french": "fr", "irish": "ga", "croatian": "hr", "hungarian": "hu",
    "italian": "it", "lithuanian": "lt", "latvian": "lv", "maltese": "mt", "dutch": "nl", "polish": "pl",
    "portuguese": "pt", "romanian": "ro", "slovak": "sk", "slovenian": "sl", "slovene": "sl", "swedish": "sv",
    "latin": "la", "norwegian": "no", "icelandic": "is", "catalan": "ca", "basque": "eu", "galician": "gl",
    "frisian": "fy", "western frisian": "fy", "luxembourgish": "lb", "welsh": "cy", "breton": "br", "yiddish": "yi",
    "russian": "ru", "ukrainian": "uk", "serbian": "sr", "turkish": "tr", "hebrew": "he", "arabic": "ar",
}  # fmt: skip


def code_of(language: str) -> str:
    """The ISO 639-1 code of a language named in English; what is no such name is returned as it stands."""
    name = language.partition("(")[0].partition(",")[0].strip().lower()
    return _CODES.get(name, language)
