"""`herkomst run`: do what is stale, in order, and sign each stage as it is done."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from licensing.attestation import SigningKey, load_or_create_key
from licensing.errors import HerkomstError
from licensing.files import write_atomically
from licensing.record import Entry
from pipeline.amend import delete_withdrawn_text
from pipeline.base_model import prepare_base
from pipeline.check_curation import prepare_curation
from pipeline.config import Loaded
from pipeline.progress import duration
from pipeline.registered import obeyed_by, register_all, require_signed
from pipeline.run_directory import RunDirectory, RunError
from pipeline.stage import Context, InputDigests, Stage, fingerprint, is_fresh, perform, recover_outputs
from pipeline.stages import NAMES, STAGES

_BEFORE_CURATION = ("ingest", "admit", "curate")
"""What is wrong with curation's own files must not show only after these have worked for hours."""


def signing_key() -> SigningKey:
    """The key that signs records: ``$HERKOMST_KEY``, or one kept for this user."""
    return load_or_create_key(signing_key_path())


def signing_key_path() -> Path:
    """Where the signing key is, or would be made."""
    named = os.environ.get("HERKOMST_KEY")
    return Path(named) if named else Path.home() / ".config" / "herkomst" / "signing-key.pem"


def run(
    loaded: Loaded,
    directory: RunDirectory,
    *,
    until: str | None = None,
    only: str | None = None,
    force: Collection[str] = (),
    workers: int | None = None,
) -> list[str]:
    """Bring a run up to date; returns the names of the stages that were run.

    Raises:
        RunError: an unknown stage, a stage that another needs is stale with ``only``, or another process is writing.
        HerkomstError: whatever stopped a stage; finished stages and tasks are kept.
    """
    for name in [*filter(None, [until, only]), *force]:
        if name not in NAMES:
            raise RunError(f"There is no stage '{name}'; nothing was run. The stages are: {', '.join(NAMES)}.")
    wanted = STAGES[: NAMES.index(until) + 1] if until else STAGES
    prepare_base(loaded)
    with directory.locked():
        config = loaded.as_resolved()
        write_atomically(directory.config, config)
        key, digests = signing_key(), InputDigests(directory)
        known = _newest(directory)
        require_signed(directory)
        register_all(directory)
        withdrawals = obeyed_by(directory, loaded.config.policy.as_of)
        before: dict[str, Entry] = {}
        done: list[str] = []
        prepared, names = False, {stage.name for stage in wanted}
        for stage in wanted:
            recover_outputs(stage, directory)
            if stage.obeys and withdrawals:
                before = delete_withdrawn_text(loaded, directory, key, digests, before, withdrawals)
            expected = fingerprint(stage, loaded, digests, before, withdrawals)
            fresh = stage.name not in force and is_fresh(known.get(stage.name), expected, directory)
            if only and stage.name != only and not fresh:
                raise RunError(
                    f"stage '{stage.name}' is stale and '{only}' rests on it; nothing was run. Run it first, or leave "
                    "out --only."
                )
            if not fresh:
                if not prepared and stage.name in _BEFORE_CURATION and "curate" in names and only in (None, "curate"):
                    prepare_curation(loaded)
                    prepared = True
                context = replace(
                    _context(loaded, directory, stage, expected, before, workers, stage.name in force),
                    known=dict(known),
                    withdrawals=withdrawals,
                )
                known[stage.name] = _perform(stage, context, key, hashlib.sha256(config).hexdigest())
                done.append(stage.name)
            else:
                # Half-done work of a configuration that was given up holds text that a withdrawal would not reach.
                _discard_other_partials(directory, stage, None)
            before[stage.name] = known[stage.name]
            if stage.name == only:
                break
        digests.save()
    return done


def newest_entries(directory: RunDirectory) -> dict[str, Entry]:
    """The newest signed statement of every finished stage."""
    return _newest(directory)


def _newest(directory: RunDirectory) -> dict[str, Entry]:
    return {entry.stage: entry for entry in directory.record().entries()}


def _context(
    loaded: Loaded,
    directory: RunDirectory,
    stage: Stage,
    expected: str,
    before: dict[str, Entry],
    workers: int | None,
    forced: bool,
) -> Context:
    partial = directory.partial / f"{stage.name}-{expected[:16]}"
    _discard_other_partials(directory, stage, partial)
    if forced:
        shutil.rmtree(partial, ignore_errors=True)
    count = workers or loaded.config.compute.workers
    return Context(loaded, directory, count, partial, expected, dict(before), forced)


def _discard_other_partials(directory: RunDirectory, stage: Stage, keep: Path | None) -> None:
    """Delete half-done work of an older configuration; work of this one is continued."""
    for folder in directory.partial.glob(f"{stage.name}-*"):
        if folder != keep:
            shutil.rmtree(folder)


def _perform(stage: Stage, context: Context, key: SigningKey, config_digest: str) -> Entry:
    number = NAMES.index(stage.name) + 1
    print(f"[{number}/{len(NAMES)}] {stage.name} …", file=sys.stderr, flush=True)
    began = time.monotonic()
    try:
        entry = perform(stage, context, key, config_digest)
    except OSError as fault:
        raise HerkomstError(
            f"stage {stage.name}: {fault}. What was finished is kept and nothing half-written stands under a final "
            "name; mend the cause and run the same command again."
        ) from fault
    shutil.rmtree(context.partial, ignore_errors=True)
    print(f"      {stage.name} done in {duration(time.monotonic() - began)}", file=sys.stderr, flush=True)
    return entry


__all__ = ["newest_entries", "run", "signing_key", "signing_key_path"]
