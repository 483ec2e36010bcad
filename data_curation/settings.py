"""What an operator sets about curation: the YAML key ``curation:`` and the rules in ``configs/quality.yaml``.

Every figure here is a documented default; a run's YAML may change each of them. This module imports nothing heavy, so
that a configuration can be checked without loading a language model or datatrove.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from licensing.settings import Section

OFFICIAL_LANGUAGES = (
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr",
    "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv",
)  # fmt: skip
"""The 24 official languages of the EU, as ISO 639-1 codes."""

OTHER_CANDIDATES = ("ar", "ca", "eu", "gl", "he", "is", "ja", "ko", "nn", "no", "ru", "sr", "tr", "uk", "zh")
"""Languages that are told apart from the wanted ones, so that a page in one of them is not taken for its neighbour."""

LanguageCode = Annotated[str, Field(pattern="^[a-z]{2,3}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Kind = Literal["email", "phone", "iban", "card", "ip", "national-id", "licence-plate", "birth-date", "address", "name"]


class LanguageSettings(Section):
    """How a document's language is settled; see ``data_curation.language``."""

    candidates: tuple[LanguageCode, ...] = OFFICIAL_LANGUAGES + OTHER_CANDIDATES
    """Languages the detector may answer with; the wanted ones must be among them."""
    least_confidence: Share = 0.5
    """Below this probability the detector's answer does not count by itself."""
    short_characters: int = Field(default=300, ge=0)
    """Up to this length, an unsure document stays under its declared language if that is among the three likeliest."""
    keep_under_detected: bool = False
    """Keep a document whose detected language differs from the declared one, under the detected language."""


class GopherSettings(Section):
    """Thresholds of datatrove's GopherQualityFilter (Rae et al. 2021, table A1); the paper's values in brackets."""

    min_words: int = Field(default=25, ge=1)
    """Fewest words [50]; manuals have short but whole pages."""
    max_words: int = Field(default=1_000_000, ge=1)
    """Most words [100,000]; a novel is one document here."""
    min_average_word: float = Field(default=2.5, gt=0)
    """Shortest mean word length in characters [3]."""
    max_average_word: float = Field(default=12, gt=0)
    """Longest mean word length in characters [10]; Finnish and Hungarian compounds are long."""
    max_symbol_ratio: Share = 0.1
    """Most hash signs, and most ellipses, for each word [0.1]."""
    max_bullet_lines: Share = 0.95
    """Largest share of lines that start with a bullet [0.9]."""
    max_ellipsis_lines: Share = 0.3
    """Largest share of lines that end with an ellipsis [0.3]."""
    min_alphabetic: Share = 0.6
    """Least share of words with a letter [0.8]; datatrove's own splitter counts punctuation as words."""
    min_stop_words: int = Field(default=2, ge=0)
    """Fewest different stop words of the language [2]."""


class RepetitionSettings(Section):
    """Thresholds of datatrove's GopherRepetitionFilter; the paper's values in brackets."""

    min_words: int = Field(default=50, ge=1)
    """Texts with fewer words are not asked: datatrove counts the most frequent n-gram even where it occurs once, and
    four long words are a fifth of a short page."""
    duplicate_lines: Share = 0.3
    """Share of lines that repeat an earlier one [0.3]."""
    duplicate_line_characters: Share = 0.2
    """Share of characters in such lines [0.2]."""
    duplicate_paragraphs: Share = 0.3
    """Share of paragraphs that repeat an earlier one [0.3]."""
    duplicate_paragraph_characters: Share = 0.2
    """Share of characters in such paragraphs [0.2]."""
    top_grams: dict[int, Share] = Field(default_factory=lambda: {2: 0.25, 3: 0.22, 4: 0.2})
    """Share of characters in the most frequent n-gram [2: 0.2, 3: 0.18, 4: 0.16]; manuals repeat names of menus."""
    duplicate_grams: dict[int, Share] = Field(
        default_factory=lambda: {5: 0.3, 6: 0.28, 7: 0.26, 8: 0.24, 9: 0.22, 10: 0.2}
    )
    """Share of characters in repeated n-grams [5: 0.15 … 10: 0.1]; instructions repeat whole phrases."""


class FineWebSettings(Section):
    """Thresholds of datatrove's FineWebQualityFilter (Penedo et al. 2024); FineWeb's values in brackets."""

    min_terminal_lines: Share = 0
    """Least share of lines that end in punctuation [0.12]; 0 asks for none."""
    short_line_length: int = Field(default=30, ge=1)
    """A line of at most so many characters is short [30]."""
    max_short_lines: Share = 0.9
    """Largest share of short lines [0.67]; above it the page is a menu."""
    max_duplicate_characters: Share = 0.2
    """Largest share of characters in repeated lines [0.01]."""
    max_lines_per_word: Share = 0.45
    """Most line ends for each word [0.3]."""


class QualityThresholds(Section):
    """All quality rules for one language; None switches a group off."""

    max_symbols: Share = 0.35
    """Largest share of the characters other than white space that are neither letter nor digit (our own rule)."""
    drop_lorem_ipsum: bool = True
    """Drop a page with the filler text "lorem ipsum", by datatrove's C4QualityFilter (Raffel et al. 2020)."""
    gopher: GopherSettings | None = GopherSettings()
    repetition: RepetitionSettings | None = RepetitionSettings()
    fineweb: FineWebSettings | None = FineWebSettings()


class LanguageQuality(Section):
    """The rules of one language: its stop words, and thresholds where they differ from the common ones."""

    stop_words: tuple[str, ...] = Field(min_length=2)
    """Frequent words in lower case; written in YAML as one string with blanks, since a bare ``no`` would be False."""
    thresholds: QualityThresholds | None = None

    @field_validator("stop_words", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value


class QualitySettings(Section):
    """The content of ``configs/quality.yaml``: common thresholds and one entry for each language."""

    thresholds: QualityThresholds = QualityThresholds()
    languages: dict[LanguageCode, LanguageQuality] = Field(min_length=1)


Region = Annotated[str, Field(pattern="^[A-Z]{2}$")]
PHONE_REGIONS: dict[str, tuple[str, ...]] = {
    "bg": ("BG",), "cs": ("CZ",), "da": ("DK",), "de": ("DE", "AT"), "el": ("GR", "CY"), "en": ("IE", "GB", "MT"),
    "es": ("ES",), "et": ("EE",), "fi": ("FI",), "fr": ("FR", "BE", "LU"), "ga": ("IE",), "hr": ("HR",),
    "hu": ("HU",), "it": ("IT",), "lt": ("LT",), "lv": ("LV",), "mt": ("MT",), "nl": ("NL", "BE"), "pl": ("PL",),
    "pt": ("PT",), "ro": ("RO",), "sk": ("SK",), "sl": ("SI",), "sv": ("SE", "FI"),
}  # fmt: skip
"""Countries (ISO 3166) whose national phone numbers occur in texts of a language."""


NATIONAL_IDS = (
    "at-vnr", "be-nn", "bg-egn", "ch-ahv", "cy-id", "cy-tic", "cz-rc", "de-idnr", "dk-cpr", "ee-ik", "es-dni",
    "es-nie", "fi-hetu", "fr-nir", "gr-amka", "hr-oib", "hu-adoazonosito", "hu-szemelyi", "hu-taj", "ie-pps",
    "it-codicefiscale", "lt-asmens", "lu-matricule", "lv-pk", "mt-id", "nl-bsn", "no-fodselsnummer", "pl-pesel",
    "pt-cc", "pt-nif", "ro-cnp", "se-personnummer", "si-emso", "sk-rc", "uk-nino",
)  # fmt: skip
"""National identity numbers that can be found: all member states, and Switzerland, Norway and the United Kingdom."""


class PersonalDataSettings(Section):
    """Which personal data is replaced, and by what; see ``data_curation.personal``."""

    kinds: tuple[Kind, ...] = (
        "email", "phone", "iban", "card", "ip", "national-id", "licence-plate", "birth-date", "address",
    )  # fmt: skip
    """Kinds that are replaced. ``name`` is off: it also removes authors, office holders and historical persons."""
    national_ids: tuple[str, ...] = NATIONAL_IDS
    """Which national identity numbers are looked for."""
    regions: dict[LanguageCode, tuple[Region, ...]] = Field(default_factory=lambda: dict(PHONE_REGIONS))
    """Countries whose national phone numbers are looked for in texts of a language, in this order."""
    rules: Path | None = None
    """A file of words and forms; left out, the one that comes with Herkomst (``configs/personal-data.yaml``)."""
    style: Literal["placeholder", "pseudonym"] = "placeholder"
    """``[EMAIL]``, or ``[EMAIL-3f9a2c]``: the same value gets the same hexadecimal digits wherever it occurs, from a
    keyed hash (HMAC-SHA-256). Whoever holds the key can test a guess; destroy it when no more text will come."""
    pseudonym_digits: int = Field(default=6, ge=6, le=16)
    """Hexadecimal digits of a pseudonym. With 6, of 4,800 different values two share one with probability 1/2; with
    12, of 20 million."""
    key_file: Path | None = None
    """A file with the key for pseudonyms, at least 16 bytes; the key itself never stands in a configuration."""
    key_env: str | None = None
    """Name of the environment variable with the key, where there is no file."""

    @field_validator("national_ids")
    @classmethod
    def _known_ids(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in NATIONAL_IDS]
        if unknown:
            raise ValueError(
                f"no rule for {', '.join(unknown)}, so that these numbers would stay in the text; the rules are "
                f"{', '.join(NATIONAL_IDS)}"
            )
        return names

    @model_validator(mode="after")
    def _pseudonyms_have_a_key(self) -> PersonalDataSettings:
        if self.style == "pseudonym" and (self.key_file is None) == (self.key_env is None):
            raise ValueError(
                "style is pseudonym, which needs exactly one of key_file and key_env (where the key is, not the key): "
                "without it nobody could tell which run a pseudonym belongs to"
            )
        return self


class DuplicatesSettings(Section):
    """How near duplicates are found; see ``data_curation.minhash`` for the curve that these values give."""

    shingle_words: int = Field(default=5, ge=1)
    """Words in a shingle; similarity is the Jaccard index of two documents' sets of shingles."""
    permutations: int = Field(default=256, ge=8)
    """Values in a signature, of 4 bytes each."""
    bands: int = Field(default=32, ge=1)
    """Groups of values; two documents meet if all values of one group agree."""
    least_estimate: Share = 0.75
    """A pair counts as duplicate from this *estimated* similarity. It lies two standard errors of the estimate under
    the similarity aimed at (0.8), for with 0.8 itself half of the pairs at 0.8 would be missed."""
    keys_in_memory: int = Field(default=8_000_000, ge=1)
    """Band keys held at once, at about 45 bytes each."""
    leaders_per_bucket: int = Field(default=64, ge=1)
    """How many members of one bucket are compared with all the others; bounds the work on boilerplate."""

    @model_validator(mode="after")
    def _bands_divide(self) -> DuplicatesSettings:
        if self.permutations % self.bands:
            raise ValueError(
                f"permutations ({self.permutations}) is no multiple of bands ({self.bands}): "
                "choose for instance 256 and 32"
            )
        return self


class CurationSettings(Section):
    """The part ``curation:`` of a run's YAML."""

    languages: tuple[LanguageCode, ...] = OFFICIAL_LANGUAGES
    """Languages wanted; documents in others are removed."""
    language: LanguageSettings = LanguageSettings()
    quality_rules: Path | None = None
    """A file of quality rules; left out, the one that comes with Herkomst (``configs/quality.yaml``)."""
    personal_data: PersonalDataSettings = PersonalDataSettings()
    duplicates: DuplicatesSettings = DuplicatesSettings()
    shard_documents: int = Field(default=2000, ge=1)
    """Documents in one piece of work; bounds the memory of a task and what is lost when it dies."""

    @model_validator(mode="after")
    def _wanted_can_be_detected(self) -> CurationSettings:
        missing = [code for code in self.languages if code not in self.language.candidates]
        if missing:
            raise ValueError(
                f"languages {', '.join(missing)} are wanted but not in language.candidates, so that every such "
                "document would be removed: add them there"
            )
        return self
