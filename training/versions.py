"""Which code trains: the package's version and, in a clone, the commit."""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def code_version() -> str:
    """For example ``0.5.0`` or, in a clone, ``0.5.0 1a2b3c4d5e6f``, with ``-modified`` where files were changed."""
    try:
        released = version("herkomst")
    except PackageNotFoundError:
        released = "unknown"
    return " ".join(filter(None, [released, _commit(Path(__file__).resolve().parent.parent)]))


def _commit(clone: Path) -> str:
    if not (clone / ".git").exists():
        return ""
    asked = ["git", "-C", str(clone), "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=-modified"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip()
