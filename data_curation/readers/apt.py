"""Debian packages through apt: which version, which digest, and the file itself in a cache.

No root is needed. Names of package servers, which apt prints, go neither into messages nor into any file.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from data_curation.readers.base import SourceBase, SourceError

_LINE = re.compile(r"'[^']*' (?P<file>\S+) (?P<size>\d+) (?P<kind>SHA256|SHA512):(?P<digest>[0-9a-f]+)")
_COMPLAINT = re.compile(r"^E: .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Package:
    """One binary package as the archive offers it: name, version, file name in the cache, digest, and whose lists."""

    name: str
    version: str
    file: str
    kind: str
    digest: str
    lists: Path | None = None


def require_tools(source: SourceBase) -> None:
    """Stop where this machine is no Debian.

    Raises:
        SourceError: apt-get or dpkg-deb is not on PATH.
    """
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise SourceError(
            f"source {source.name}: {' and '.join(missing)} not found on PATH, so Debian packages cannot be read here. "
            "Run on Debian or Ubuntu, or use configs/demo-hub.yaml, which takes its text from the hub instead."
        )


def located(source: SourceBase, wanted: str, cache: Path) -> Package:
    """Ask apt where a package (``NAME`` or ``NAME=VERSION``) is; nothing but package lists is fetched.

    Where this machine's own lists do not have it (a container has none), lists of our own are fetched once into
    ``cache``, which needs no root and changes nothing outside it.

    Raises:
        SourceError: apt does not know it, or gives no digest.
    """
    for lists in (None, _own_lists(cache)):
        if lists:
            _fetch_lists(lists)
        found = _offered(_apt(["download", "--print-uris", wanted], Path.cwd(), lists))
        if found:
            return _package(found, lists)
    raise SourceError(
        f"source {source.name}: apt has no package '{wanted}'; the source cannot be read. Correct its name, or refresh "
        f"the lists (apt-get update as root, or delete {_own_lists(cache)})."
    )


def _own_lists(cache: Path) -> Path:
    return cache / "apt-lists"


def _fetch_lists(lists: Path) -> None:
    """Fetch package lists unless they are there; of several processes one does it and the others wait for it."""
    lists.mkdir(parents=True, exist_ok=True)
    with (lists.parent / "apt-lists.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not any(lists.glob("*Packages*")):
            _apt(["update"], Path.cwd(), lists)


def _offered(answer: subprocess.CompletedProcess[str]) -> re.Match[str] | None:
    return None if answer.returncode or _COMPLAINT.search(answer.stderr) else _LINE.search(answer.stdout)


def fetched(source: SourceBase, package: Package, cache: Path) -> Path:
    """Return the package's file in ``cache``, downloading it unless one with the right digest is there.

    Raises:
        SourceError: it could not be downloaded, or came with another digest than the archive's lists give.
    """
    place = cache / package.file
    if place.is_file() and _digest(place, package.kind) == package.digest:
        return place
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=cache) as folder:
        _apt(["download", f"{package.name}={package.version}"], Path(folder), package.lists)
        new = Path(folder) / package.file
        if not new.is_file() or _digest(new, package.kind) != package.digest:
            what = "came with another digest than apt's lists give" if new.is_file() else "could not be downloaded"
            raise SourceError(
                f"source {source.name}: package {package.name} {package.version} {what}; nothing of it was read. Check "
                "the network and refresh the lists (apt-get update, as root), then run again."
            )
        new.replace(place)
    return place


def _package(line: re.Match[str], lists: Path | None) -> Package:
    name, version = line["file"].removesuffix(".deb").split("_")[:2]
    return Package(name, unquote(version), line["file"], line["kind"].lower(), line["digest"], lists)


def _apt(arguments: list[str], folder: Path, lists: Path | None) -> subprocess.CompletedProcess[str]:
    # As root, apt would hand the download to the user _apt, who may not write here, and warn about it.
    sandbox = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []
    own: list[str] = []
    if lists is not None:
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        own = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={lists.parent / 'apt-cache'}"]
        (lists.parent / "apt-cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        ["apt-get", "--quiet=2", "-o", "Acquire::Retries=3", *sandbox, *own, *arguments],
        cwd=folder,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()
