"""What a stage is, when it is stale, and how a finished one is signed.

A stage is a function of its part of the configuration and of its inputs. Its *fingerprint* is the digest of both: its
own settings, the digests of what earlier stages made, and the digests of local input files. A stage whose newest signed
statement has that fingerprint, and whose outputs are in place, is not run again.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from licensing.attestation import SigningKey
from licensing.canonical import canonical, digest_of
from licensing.files import file_digest, recover, write_atomically
from licensing.record import Entry
from licensing.withdrawal import Filed
from pipeline.config import Loaded
from pipeline.progress import Meter
from pipeline.run_directory import RunDirectory

_PACKAGES = ("torch", "transformers", "accelerate", "datatrove", "sentencepiece", "lm_eval", "numpy", "pyarrow")


@dataclass(frozen=True)
class Context:
    """What a stage gets to work with.

    ``partial`` is a folder of its own that survives a kill, ``before`` the statements of the stages it comes after,
    ``known`` the newest of every stage as they were when this one began, ``withdrawals`` what it must not use;
    ``forced`` asks to do everything anew.
    """

    loaded: Loaded
    run: RunDirectory
    workers: int
    partial: Path
    fingerprint: str
    before: Mapping[str, Entry]
    forced: bool = False
    known: Mapping[str, Entry] = field(default_factory=dict)
    withdrawals: tuple[Filed, ...] = ()

    def meter(self, label: str, unit: str, total: int | None = None) -> Meter:
        """Make a progress meter."""
        return Meter(label, unit, total)

    def figures(self, stage: str) -> dict[str, Any]:
        """What an earlier stage stated in figures."""
        return dict(self.before[stage].predicate["figures"])


@dataclass(frozen=True)
class Stage:
    """One stage: its name, what it needs, what it makes, and the work itself.

    ``version`` goes up whenever the same inputs give other outputs than before. ``work`` returns the figures for its
    statement. ``outputs`` are paths of the run directory that it makes whole. A stage that ``obeys`` withdrawals is
    stale as soon as there is a new one.
    """

    name: str
    version: int
    needs: tuple[str, ...]
    outputs: Callable[[RunDirectory], list[Path]]
    settings: Callable[[Loaded], Any]
    work: Callable[[Context], dict[str, Any]]
    inputs: Callable[[Loaded], Iterable[Path]] = field(default=lambda _: ())
    obeys: bool = False


class InputDigests:
    """Digests of local input files, remembered by path, size and time of change, so that a fresh run stays fast."""

    def __init__(self, run: RunDirectory) -> None:
        self._path = run.path / "work" / "input-digests.json"
        self._changed = False

    @cached_property
    def _known(self) -> dict[str, list[Any]]:
        try:
            return dict(json.loads(self._path.read_bytes()))
        except (OSError, ValueError):
            return {}

    def of(self, path: Path) -> str:
        """SHA-256 of a file."""
        status = path.stat()
        key = [status.st_size, status.st_mtime_ns, status.st_ino]
        known = self._known.get(str(path))
        if known is None or known[:3] != key:
            known = [*key, file_digest(path)[0]]
            self._known[str(path)] = known
            self._changed = True
        return str(known[3])

    def save(self) -> None:
        """Remember what was digested."""
        if self._changed:
            write_atomically(self._path, canonical(self._known))


def fingerprint(
    stage: Stage, loaded: Loaded, digests: InputDigests, before: Mapping[str, Entry], withdrawals: Sequence[Filed] = ()
) -> str:
    """What a stage's outputs depend on, as one digest."""
    obeyed = {"withdrawals": [one.digest for one in withdrawals]} if stage.obeys and withdrawals else {}
    return digest_of(
        obeyed
        | {
            "stage": stage.name,
            "version": stage.version,
            "settings": stage.settings(loaded),
            "inputs": sorted(digests.of(path) + " " + path.name for path in stage.inputs(loaded)),
            "needs": {name: before[name].predicate["outputs_digest"] for name in stage.needs},
        }
    )


def is_fresh(entry: Entry | None, expected: str, run: RunDirectory) -> bool:
    """Say whether a finished stage can stand: same fingerprint, and every output in place with its size."""
    return entry is not None and entry.predicate["fingerprint"] == expected and in_place(entry, run)


def in_place(entry: Entry, run: RunDirectory) -> bool:
    """Say whether every output of a finished stage is there with its size."""
    sizes: Mapping[str, int] = entry.predicate["output_sizes"]
    for name, size in sizes.items():
        try:
            if (run.path / name).stat().st_size != size:
                return False
        except OSError:
            return False
    return True


def recover_outputs(stage: Stage, run: RunDirectory) -> None:
    """Finish or undo a replacement of output folders that a kill cut short."""
    for path in stage.outputs(run):
        if path.parent.exists():
            recover(path)


def perform(stage: Stage, context: Context, key: SigningKey, config_digest: str) -> Entry:
    """Run a stage and add its signed statement to the record; returns the new entry."""
    began, started = time.monotonic(), datetime.now(UTC)
    figures = stage.work(context)
    outputs = output_digests(stage, context.run)
    record = context.run.record(key)
    record.append(
        stage.name,
        {name: digest for name, (digest, _) in outputs.items()},
        {
            "stage": stage.name,
            "version": stage.version,
            "fingerprint": context.fingerprint,
            "config_sha256": config_digest,
            "settings_digest": digest_of(stage.settings(context.loaded)),
            "needs": {name: context.before[name].predicate["outputs_digest"] for name in stage.needs},
            "outputs_digest": outputs_digest(outputs),
            "output_sizes": {name: size for name, (_, size) in outputs.items()},
            "figures": figures,
            "started": started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - began, 3),
            "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "workers": context.workers,
            "software": _software(),
            "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.system()},
        },
    )
    entry = record.latest(stage.name)
    if entry is None:
        raise RuntimeError(f"{record.folder}: the statement of stage {stage.name} vanished after it was written")
    return entry


def output_digests(stage: Stage, run: RunDirectory) -> dict[str, tuple[str, int]]:
    """SHA-256 and size of every file that a stage made, by path below the run directory."""
    files: list[Path] = []
    for output in stage.outputs(run):
        files += [output] if output.is_file() else [path for path in output.rglob("*") if path.is_file()]
    return {path.relative_to(run.path).as_posix(): file_digest(path) for path in sorted(files)}


def outputs_digest(outputs: Mapping[str, tuple[str, int]]) -> str:
    """One digest over all outputs of a stage."""
    return digest_of({name: digest for name, (digest, _) in outputs.items()})


def _software() -> dict[str, str]:
    found = {"python": platform.python_version(), "herkomst": _version("herkomst")}
    return found | {name: _version(name) for name in _PACKAGES if name in sys.modules}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
