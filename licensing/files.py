"""Files and folders that are finished or not there: written beside their place, synced, then renamed.

A temporary name starts with a dot, so that whoever lists finished outputs leaves it out. A folder that replaces another
passes through two renames; `recover` brings a folder back to one whole state after a crash at any point between them.
One writer per path is assumed (a run holds a lock); `create_atomically` is the one call that is safe between several.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_DIRECTORY_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP)


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, replacing what is there; after a crash either the old or the new bytes are there.

    Missing parent folders are made. Raises OSError (a full disk, no permission) with the old file untouched.
    """
    path = _real(path)
    with _explained(path):
        beside = _write_beside(path, data, 0o666)
        try:
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        sync_entry(path.parent)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file to write into, for what is too much to hold; at the end of the block it becomes ``path``.

    An exception in the block removes it and leaves what was there. Raises OSError where the disk refuses.
    """
    path = _real(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with _explained(path, only_unnamed=True), beside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with _explained(path):
            beside.replace(path)
            sync_entry(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def create_atomically(path: Path, data: bytes, mode: int = 0o666) -> bool:
    """Write ``data`` to ``path`` only if nothing is there; return whether this call created it.

    Of several processes at once exactly one gets True, and nobody ever reads half a file. Raises OSError.
    """
    path = _real(path)
    with _explained(path):
        beside = _write_beside(path, data, mode)
        try:
            os.link(beside, path)
        except FileExistsError:
            return False
        finally:
            beside.unlink(missing_ok=True)
        sync_entry(path.parent)
    return True


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to write into; at the end of the block it becomes ``path``, replacing what was there.

    An exception in the block removes the new folder and leaves the old one as it was. Raises NotADirectoryError where
    a file stands in the way and OSError where the disk refuses.
    """
    path = _real(path)
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(
            errno.ENOTDIR, "a file stands where a folder is to be written; move it away", str(path)
        )
    recover(path)
    new = _new(path)
    with _explained(path):
        new.mkdir(parents=True)
    try:
        yield new
        with _explained(path):
            sync_folder(new)
            _swap_in(path)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def hidden_beside(path: Path) -> Path:
    """Where several writers together make what `publish` then turns into folder ``path``; `recover` removes it."""
    return _new(_real(path))


def publish(path: Path) -> None:
    """Turn the folder `hidden_beside` ``path``, whose files are written and synced, into ``path``; raises OSError."""
    path = _real(path)
    with _explained(path):
        sync_entry(_new(path))
        _swap_in(path)


def recover(path: Path) -> None:
    """Finish or undo a replacement of folder ``path`` that a crash cut short; do nothing where there was none.

    Only a synced new folder ever meets an old one that was moved aside, so that pair is finished; a new folder alone
    may be half written and is removed.
    """
    path = _real(path)
    if _old(path).exists():
        if not path.exists():
            (_new(path) if _new(path).exists() else _old(path)).rename(path)
            sync_entry(path.parent)
        _discard_old(path)
    for leftover in (_new(path), _gone(path)):
        if leftover.exists():
            shutil.rmtree(leftover)


def sync_folder(path: Path) -> None:
    """Flush every file and folder under ``path`` to the disk; raises OSError where the disk cannot take them."""
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            _sync_file(Path(folder) / name)
        sync_entry(Path(folder))


def sync_entry(folder: Path) -> None:
    """Flush the list of names of one folder, so that a rename in it survives a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems sync names by themselves and refuse the call.
        if error.errno not in _DIRECTORY_CANNOT_SYNC:
            raise
    finally:
        os.close(handle)


def file_digest(path: Path) -> tuple[str, int]:
    """Return a file's SHA-256 (hexadecimal) and its size in bytes, read in blocks."""
    with path.open("rb", buffering=0) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, file.tell()


def _sync_file(path: Path) -> None:
    if path.is_symlink():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_beside(path: Path, data: bytes, mode: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return beside


def _swap_in(path: Path) -> None:
    try:
        if path.exists():
            path.rename(_old(path))
        _new(path).rename(path)
    except BaseException:
        if not path.exists():
            with suppress(OSError):
                _old(path).rename(path)
        raise
    sync_entry(path.parent)
    _discard_old(path)


def _discard_old(path: Path) -> None:
    """Delete the replaced folder, under a third name: what is half deleted must never be taken for the old one."""
    if _old(path).exists():
        shutil.rmtree(_gone(path), ignore_errors=True)
        _old(path).rename(_gone(path))
        shutil.rmtree(_gone(path), ignore_errors=True)


@contextmanager
def _explained(path: Path, *, only_unnamed: bool = False) -> Iterator[None]:
    """Name the file and the remedy in errors; a write to an open file has no name, what is read meanwhile has one."""
    try:
        yield
    except OSError as error:
        if only_unnamed and error.filename is not None:
            raise
        text = f"{error.strerror}; nothing was changed here: make room or give access, then run again"
        raise OSError(error.errno, text, str(path)) from error


def _real(path: Path) -> Path:
    """Follow links: what is replaced is the folder or file itself, on its own file system, not the link to it."""
    return Path(os.path.realpath(path))


def _new(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _old(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def _gone(path: Path) -> Path:
    return path.with_name(f".{path.name}.gone")
