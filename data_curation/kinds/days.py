"""Days as documents write them, brought to ISO 8601."""

from __future__ import annotations

import re
from datetime import date

_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?", re.DOTALL)


def day(text: str | None) -> str | None:
    """The day of a date or time (``2026-11-24``, ``20261124T101500Z``); None for less than a whole day, or none."""
    found = _DAY.fullmatch((text or "").strip())
    try:
        return date(int(found[1]), int(found[2]), int(found[3])).isoformat() if found else None
    except ValueError:
        return None
