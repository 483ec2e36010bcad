"""Where downloaded packages are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$HERKOMST_CACHE``, or the user's cache folder."""
    named = os.environ.get("HERKOMST_CACHE")
    base = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "herkomst"
    base.mkdir(parents=True, exist_ok=True)
    return base
