"""What an operator sets about personal data: ``curation.personal_data`` in a run's YAML. Imports nothing heavy.

It stands beside `data_curation.personal` and not in it, because importing that package makes its finders.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from licensing.settings import Section

LanguageCode = Annotated[str, Field(pattern="^[a-z]{2,3}$")]
Kind = Literal["email", "phone", "iban", "card", "ip", "national-id", "licence-plate", "birth-date", "address", "name"]
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
    """A file with the key for pseudonyms, at least 16 bytes; the key itself never stands in a configuration. Another
    key makes nothing stale, since the first may have been destroyed: run with ``--force curate`` to use it."""
    key_env: str | None = None
    """Name of the environment variable with the key, where there is no file."""

    def resolved(self, root: Path) -> PersonalDataSettings:
        """With the paths of files as they are found from ``root``, the folder of the configuration file."""
        found = {name: getattr(self, name) and root / getattr(self, name) for name in ("rules", "key_file")}
        return self.model_copy(update=found)

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
