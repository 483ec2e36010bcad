"""One way to turn plain values into bytes, so that equal values always have equal digests (the spirit of RFC 8785)."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any) -> bytes:
    """Serialise plain values: keys sorted, no spaces, UTF-8; NaN and infinity are refused.

    Raises:
        ValueError: a number has no JSON form.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_of(value: Any) -> str:
    """SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()
