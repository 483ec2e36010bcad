"""Read documents out of Debian packages, as a stream: nothing is unpacked to disk, so no path in one can do harm.

A link in a package is another name of a file that is there under its own, and no document. Rights are what the
package's ``usr/share/doc/PACKAGE/copyright`` declares for the path, and what the file says of itself.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from pydantic import Field, field_validator

from data_curation.extract import extract
from data_curation.page_elements import page_elements
from data_curation.readers.apt import Package, fetched, located, require_tools
from data_curation.readers.base import Pattern, SourceBase, SourceError, hashed, refused, shown, too_large
from data_curation.readers.languages import from_package, from_path, primary
from data_curation.readers.lines import Damaged
from data_curation.readers.own_statements import own_statements
from data_curation.readers.patterns import Chosen
from data_curation.readers.tar_entries import tar_breaks, tar_entries
from data_curation.readers.zip_entries import unsafe_name
from data_curation.received import Received
from licensing import dep5
from licensing.rights import Declared

_LARGEST_COPYRIGHT = 16 << 20
LanguageFrom = Literal["document", "path", "package"]


class DebianSource(SourceBase):
    """Keys: ``packages`` (``NAME`` or ``NAME=VERSION``), ``include``, ``exclude`` (patterns on the path in a package).

    ``language_from`` is the order in which a language is looked for: in the document, in its path (``nl``, ``nl-NL``,
    ``x.nl.html``), at the end of the package's name.
    """

    reader: Literal["debian"]
    packages: tuple[str, ...] = Field(min_length=1)
    include: tuple[Pattern, ...] = Field(min_length=1)
    exclude: tuple[Pattern, ...] = ()
    language_from: tuple[LanguageFrom, ...] = ("document", "path", "package")

    @field_validator("packages")
    @classmethod
    def _are_names(cls, packages: tuple[str, ...]) -> tuple[str, ...]:
        for package in packages:
            if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?", package):
                raise ValueError(f"'{package}' is no package name; write NAME or NAME=VERSION")
        names = [package.partition("=")[0] for package in packages]
        if len(set(names)) < len(names):
            raise ValueError("a package stands twice; its documents would come in twice")
        return packages


def read_debian(source: DebianSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield the chosen files of each package, in the order of the configuration and of the package's archive.

    The partner's id is ``PACKAGE/path``; the version stands in the address ``debian:PACKAGE=VERSION/path``. The bytes
    are those in the package (a ``.gz`` as it is; its text is what it unpacks to).

    Raises:
        SourceError: no apt, an unknown package, a failed download, or a package in which nothing is chosen.
    """
    require_tools(source)
    # All of them before the first is read: a misspelt name shows at once, not after an hour.
    for package in [located(source, wanted, cache / "debian") for wanted in source.packages]:
        yield from read_package(source, package, fetched(source, package, cache / "debian"))


def read_package(source: DebianSource, package: Package, deb: Path) -> Iterator[Received]:
    """Yield the chosen files of one ``.deb``.

    Raises:
        SourceError: the archive is damaged, or nothing in it is chosen.
    """
    rights = _Rights.of(package, deb)
    chosen = Chosen(source.include, source.exclude)
    count = 0
    try:
        with _archive(deb) as files:
            for path, size, content in files:
                if path in chosen:
                    count += 1
                    yield _document(source, package, rights, path, size, content)
    except Damaged as fault:
        raise _damaged(deb) from fault
    if not count:
        raise SourceError(
            f"source {source.name}: no file in package {package.name} {package.version} matches include "
            f"({', '.join(source.include)}); it would be missed silently. Correct include or leave the package out."
        )


def package_rights(package: str, cache: Path) -> tuple[Declared, ...] | None:
    """What the newest cached file of a package (``NAME`` or ``NAME=VERSION``) declares for itself as a whole.

    None where it was not downloaded yet; nothing is fetched.
    """
    name = package.partition("=")[0]
    cached = sorted((cache / "debian").glob(f"{name}_*.deb"), key=lambda path: path.stat().st_mtime)
    if not cached:
        return None
    declared: tuple[Declared, ...] = _Rights.of(Package(name, "", "", "", ""), cached[-1]).known("")["declared"]
    return declared


def _document(
    source: DebianSource, package: Package, rights: _Rights, path: str, size: int, content: BinaryIO
) -> Received:
    native_id = f"{package.name}/{path}"
    known = rights.known(path) | {"url": f"debian:{package.name}={package.version}/{path}"}
    unsafe = unsafe_name(path)
    if unsafe:
        return refused(source, native_id, b"", "unsafe-name", f"{native_id}: {unsafe}.", **known)
    with tar_breaks():
        if size > source.largest_document:
            return hashed(source, native_id, content, *too_large(source, native_id), **known)
        data = content.read()
    own = own_statements(native_id, data, source.largest_document)
    known["declared"] = tuple(dict.fromkeys((*known["declared"], *own)))
    found = extract(native_id, data, source.largest_document)
    return Received.of(
        source.name,
        native_id,
        data,
        found.text,
        language=_language(source, found.language, path, package.name),
        title=found.title,
        withdrawn=found.withdrawn,
        problem=found.problem,
        detail=found.detail,
        page=page_elements(native_id, data, source.largest_document),
        **known,
    )


@dataclass(frozen=True)
class _Rights:
    """What one package's copyright file says; without such a file nothing is declared."""

    parsed: dep5.Copyright | None
    prose: tuple[Declared, ...]

    @classmethod
    def of(cls, package: Package, deb: Path) -> _Rights:
        where = f"usr/share/doc/{package.name}/copyright"
        try:
            with _archive(deb) as files, tar_breaks():
                text = next(
                    (_legal_text(content.read(_LARGEST_COPYRIGHT)) for path, _, content in files if path == where), ""
                )
        except Damaged as fault:
            raise _damaged(deb) from fault
        parsed = dep5.parse(text, where)
        return cls(parsed, () if parsed or not text.strip() else (dep5.prose(text, where),))

    def known(self, path: str) -> dict[str, Any]:
        """The fields ``declared`` and ``author`` (the copyright holders) for a path in the package."""
        if self.parsed is None:
            return {"declared": self.prose}
        holders = [holder for stanza in self.parsed.matching(path) for holder in stanza.copyright]
        author = "; ".join(dict.fromkeys(holders)) or None
        return {"declared": dep5.declared_for(self.parsed, path), "author": author}


def _legal_text(data: bytes) -> str:
    """Old copyright files are Latin-1; only names in them depend on it."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _language(source: DebianSource, in_document: str | None, path: str, package: str) -> str | None:
    """The first of the places named in ``language_from`` that says something."""
    for place in source.language_from:
        if place == "document":
            found = primary(in_document)
        else:
            found = from_path(path) if place == "path" else from_package(package)
        if found:
            return found
    return None


@contextmanager
def _archive(deb: Path) -> Iterator[Iterator[tuple[str, int, BinaryIO]]]:
    """The regular files of a package as (path, size in bytes, content), each to be read before the next is taken.

    Raises:
        SourceError: the package is damaged.
    """
    process = subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield _files(process, deb)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _files(process: subprocess.Popen[bytes], deb: Path) -> Iterator[tuple[str, int, BinaryIO]]:
    try:
        for member, content in tar_entries(cast(BinaryIO, process.stdout)):
            if content is not None:
                yield shown(member.name.removeprefix("./").lstrip("/")), member.size, content
    except Damaged as fault:
        raise _damaged(deb) from fault
    if process.wait():
        raise _damaged(deb)


def _damaged(deb: Path) -> SourceError:
    return SourceError(
        f"{deb.name}: the package is damaged; what came after the damage was not read. Remove it from the cache and "
        "run again."
    )
