"""What stands in the place of a value: a placeholder of its kind, or one that is the same for the same value."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from data_curation.personal_settings import Kind, PersonalDataSettings
from licensing.errors import HerkomstError
from licensing.files import write_atomically

Stand = Callable[[Kind, str], str]
"""From kind and value to what stands in the value's place."""

LEAST_KEY_BYTES = 16
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


class NoKey(HerkomstError):
    """Pseudonyms are asked for and there is no usable key; nothing is replaced, for no placeholder could be linked."""


def stand_in(settings: PersonalDataSettings, labels: Mapping[Kind, str]) -> Stand:
    """Return what makes stand-ins; raises ``NoKey`` where pseudonyms are asked for without a usable key."""
    if settings.style == "placeholder":
        return lambda kind, value: f"[{labels[kind]}]"
    key = read_key(settings.key_file, settings.key_env)
    return lambda kind, value: f"[{labels[kind]}-{pseudonym(key, kind, value, settings.pseudonym_digits)}]"


def pseudonym(key: bytes, kind: Kind, value: str, digits: int) -> str:
    """Return the first hexadecimal digits of HMAC-SHA-256 over kind and value.

    A value counts as the same with other capitals, spaces and punctuation (``06-1234 5678`` and ``0612345678``).
    """
    plain = value.casefold() if kind == "email" else _NOT_ALPHANUMERIC.sub("", value.casefold())
    return hmac.new(key, f"{kind}\0{plain}".encode(), hashlib.sha256).hexdigest()[:digits]


def read_key(file: Path | None, variable: str | None) -> bytes:
    """Read the key from a file, or else from an environment variable; raises ``NoKey`` if absent or too short."""
    where = f"file {file}" if file else f"environment variable {variable}"
    try:
        key = file.read_bytes().strip() if file else os.environ.get(variable or "", "").encode()
    except OSError as error:
        raise NoKey(f"{where}: {error.strerror}. {_REMEDY}") from error
    if len(key) < LEAST_KEY_BYTES:
        raise NoKey(f"{where}: {len(key)} bytes, of at least {LEAST_KEY_BYTES} that a key needs. {_REMEDY}")
    return key


def require_same_key(settings: PersonalDataSettings, mark: Path) -> None:
    """Stop where finished tasks beside the file ``mark`` were made with another key for pseudonyms.

    The file holds what the key makes of a fixed text, which does not tell the key.

    Raises:
        NoKey: there is no usable key, or it is another one.
    """
    if settings.style == "placeholder":
        return
    key = read_key(settings.key_file, settings.key_env)
    made = hmac.new(key, b"herkomst-pseudonym-key-v1", hashlib.sha256).hexdigest()
    if not mark.exists():
        write_atomically(mark, made.encode())
    elif mark.read_bytes() != made.encode():
        raise NoKey(
            "The key for pseudonyms is not the one with which this curation began, so that the same value would have "
            "two pseudonyms in one corpus. Put the first key back, or begin again with `herkomst run CONFIG --force "
            "curate`."
        )


_REMEDY = (
    "Without a key no pseudonyms can be made and curation stops: put a random key there (for instance of "
    "`openssl rand -hex 32`), or set curation.personal_data.style to placeholder"
)
