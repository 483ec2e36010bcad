"""Atomic files and folders: every state that a crash or a full disk can leave."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from licensing.files import (
    atomic_file,
    atomic_folder,
    create_atomically,
    file_digest,
    hidden_beside,
    publish,
    recover,
    sync_folder,
    write_atomically,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def folder_of(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "a.txt").write_text(text)
    return path


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB where we may mount one; elsewhere a limit on the size of a file stands in for it."""
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)]
    if os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0:
        yield small
        subprocess.run(["umount", str(small)], check=True)
        return
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 10, limits[1]))
    yield small
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.json"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["file.json"]
    assert path.stat().st_mode & 0o777 == 0o666 & ~current_umask()


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "scratch" / "file")
    write_atomically(tmp_path / "link", b"text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "scratch" / "file").read_bytes() == b"text"
    folder_of(tmp_path / "real", "old")
    (tmp_path / "corpus").symlink_to(tmp_path / "real")
    with atomic_folder(tmp_path / "corpus") as new:
        (new / "a.txt").write_text("new")
    assert (tmp_path / "corpus").is_symlink()
    assert (tmp_path / "real" / "a.txt").read_text() == "new"


def test_of_many_creators_one_wins(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda n: create_atomically(path, b"%d" % n, 0o600), range(40)))
    assert won.count(True) == 1
    assert path.read_bytes() == b"%d" % won.index(True)
    assert names(tmp_path) == ["key"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_leaves_the_old_file(full_disk: Path) -> None:
    path = full_disk / "file.bin"
    write_atomically(path, b"old")
    with pytest.raises(OSError, match=r"make room or give access, then run again.*file\.bin") as caught:
        write_atomically(path, bytes(512 << 10))
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)
    assert path.read_bytes() == b"old"
    assert names(full_disk) == ["file.bin"]
    with pytest.raises(OSError):
        create_atomically(full_disk / "other.bin", bytes(512 << 10))
    assert names(full_disk) == ["file.bin"]


def test_a_full_disk_leaves_the_old_folder(full_disk: Path) -> None:
    path = folder_of(full_disk / "corpus", "old")
    with pytest.raises(OSError) as caught, atomic_folder(path) as new:
        (new / "small.bin").write_bytes(b"fits")
        (new / "large.bin").write_bytes(bytes(512 << 10))
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)
    assert names(full_disk) == ["corpus"]
    assert (path / "a.txt").read_text() == "old"


def test_a_folder_appears_at_the_end_of_the_block(tmp_path: Path) -> None:
    path = tmp_path / "run" / "corpus"
    with atomic_folder(path) as new:
        (new / "inner").mkdir()
        (new / "inner" / "b.txt").write_text("text")
        assert not path.exists()
    assert (path / "inner" / "b.txt").read_text() == "text"
    assert names(path.parent) == ["corpus"]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "corpus", "old")
    (path / "only-old.txt").touch()
    with atomic_folder(path) as new:
        (new / "a.txt").write_text("new")
        assert (path / "a.txt").read_text() == "old"
    assert names(path) == ["a.txt"]
    assert (path / "a.txt").read_text() == "new"
    assert names(tmp_path) == ["corpus"]


def test_an_error_or_interrupt_in_the_block_leaves_the_old_folder(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "corpus", "old")
    for kind in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(kind), atomic_folder(path) as new:
            (new / "a.txt").write_text("half")
            raise kind
        assert names(tmp_path) == ["corpus"]
        assert (path / "a.txt").read_text() == "old"


def test_a_rename_that_fails_is_undone(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "corpus", "old")
    with pytest.raises(OSError), atomic_folder(path) as new:
        (new / "a.txt").write_text("new")
        (tmp_path / ".corpus.new").rename(tmp_path / "taken away")
        (tmp_path / ".corpus.new").write_text("a file stands here")
        (tmp_path / ".corpus.new").unlink()
    assert (path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["corpus", "taken away"]


def test_a_file_in_the_way_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "corpus").write_text("a file")
    with pytest.raises(NotADirectoryError, match="move it away"), atomic_folder(tmp_path / "corpus"):
        raise RuntimeError("the block must not run")
    assert (tmp_path / "corpus").read_text() == "a file"


# What stands on the disk when a replacement is killed at each point, and what must stand there after `recover`.
CRASHES = {
    "while writing, nothing before": ({"new": "half"}, None),
    "while writing over an old one": ({"": "old", "new": "half"}, "old"),
    "between the two renames": ({"old": "old", "new": "new"}, "new"),
    "after the second rename": ({"": "new", "old": "old"}, "new"),
    "after the third rename": ({"": "new", "gone": "half"}, "new"),
    "first rename undone in vain": ({"old": "old"}, "old"),
    "no crash": ({"": "old"}, "old"),
    "nothing there": ({}, None),
    "user deleted the new one while the old was being deleted": ({"gone": "half"}, None),
}


@pytest.mark.parametrize("crash", CRASHES)
def test_recovery(tmp_path: Path, crash: str) -> None:
    before, after = CRASHES[crash]
    for suffix, text in before.items():
        folder_of(tmp_path / (f".corpus.{suffix}" if suffix else "corpus"), text)
    for _ in range(2):
        recover(tmp_path / "corpus")
        assert names(tmp_path) == (["corpus"] if after else [])
        assert not after or (tmp_path / "corpus" / "a.txt").read_text() == after
    with atomic_folder(tmp_path / "corpus") as new:
        (new / "a.txt").write_text("next")
    assert (tmp_path / "corpus" / "a.txt").read_text() == "next"
    assert names(tmp_path) == ["corpus"]


KILLED = """
import os, pathlib, signal, sys
from licensing import files
point, seen = int(sys.argv[2]), 0
real = pathlib.Path.rename
def rename(self, target):
    global seen
    if seen == point:
        os.kill(os.getpid(), signal.SIGKILL)
    seen += 1
    return real(self, target)
pathlib.Path.rename = rename
with files.atomic_folder(pathlib.Path(sys.argv[1])) as new:
    (new / "a.txt").write_text("new")
"""


@pytest.mark.parametrize(("point", "after"), [(0, "old"), (1, "new"), (2, "new")])
def test_killed_before_each_rename(tmp_path: Path, point: int, after: str) -> None:
    path = folder_of(tmp_path / "corpus", "old")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path), str(point)], check=False)
    assert killed.returncode == -signal.SIGKILL
    recover(path)
    assert (path / "a.txt").read_text() == after
    assert names(tmp_path) == ["corpus"]


def test_sync_reaches_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "deep.bin").write_bytes(b"1")
    (tmp_path / "top.bin").write_bytes(b"2")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    synced: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    sync_folder(tmp_path)
    expected = [tmp_path / "x" / "y" / "deep.bin", tmp_path / "x" / "y", tmp_path / "x", tmp_path / "top.bin", tmp_path]
    assert synced == [str(path) for path in expected]


def test_everything_is_synced_before_the_first_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, calls = folder_of(tmp_path / "corpus", "old"), []
    fsync, rename = os.fsync, Path.rename
    monkeypatch.setattr(
        os, "fsync", lambda handle: (calls.append(os.readlink(f"/proc/self/fd/{handle}")), fsync(handle))
    )
    monkeypatch.setattr(Path, "rename", lambda self, target: (calls.append("rename"), rename(self, target)))
    with atomic_folder(path) as new:
        (new / "a.txt").write_text("new")
    assert calls == [str(new / "a.txt"), str(new), "rename", "rename", str(tmp_path), "rename"]


@pytest.mark.parametrize("size", [0, 1, 262_144, 1_048_576, 2_500_000])
def test_file_digest(tmp_path: Path, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "file").write_bytes(data)
    assert file_digest(tmp_path / "file") == (hashlib.sha256(data).hexdigest(), size)


def test_a_file_written_piece_by_piece_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.csv"
    with atomic_file(path) as file:
        file.write(b"one\n")
        assert not path.exists()
        file.write(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    with pytest.raises(RuntimeError), atomic_file(path) as file:
        file.write(b"half")
        raise RuntimeError
    with pytest.raises(FileNotFoundError, match="elsewhere"), atomic_file(path) as file:
        (tmp_path / "elsewhere").read_bytes()
    assert path.read_bytes() == b"one\ntwo\n" and names(path.parent) == ["rows.csv"]


def test_a_file_that_the_disk_refuses_leaves_the_old_one(full_disk: Path) -> None:
    write_atomically(full_disk / "rows.csv", b"old")
    with pytest.raises(OSError, match="nothing was changed here"), atomic_file(full_disk / "rows.csv") as file:
        file.write(bytes(1 << 20))
    assert (full_disk / "rows.csv").read_bytes() == b"old" and names(full_disk) == ["rows.csv"]


def test_a_folder_that_several_write_is_published_whole_or_removed(tmp_path: Path) -> None:
    target = tmp_path / "step-2"
    for text in ("old", "new"):
        hidden_beside(target).mkdir()
        (hidden_beside(target) / "file").write_text(text)
        assert not target.exists() or (target / "file").read_text() == "old"
        publish(target)
        assert (target / "file").read_text() == text
    hidden_beside(target).mkdir()
    recover(target)
    assert [path.name for path in tmp_path.iterdir()] == ["step-2"]
