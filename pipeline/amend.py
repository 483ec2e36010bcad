"""Delete withdrawn text from the tables of finished stages, and sign what they are now.

Doing those stages again would read a million documents to lose one. Their shards are rewritten instead, and each stage
gets a further statement that says so: the same figures and settings, other outputs, and the withdrawals obeyed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from licensing.attestation import SigningKey
from licensing.canonical import canonical
from licensing.files import write_atomically
from licensing.record import Entry
from licensing.withdrawal import Filed
from pipeline.config import Loaded
from pipeline.run_directory import RunDirectory
from pipeline.stage import InputDigests, fingerprint, output_digests, outputs_digest

AMENDED = ("ingest", "admit", "curate")


def delete_withdrawn_text(
    loaded: Loaded,
    run: RunDirectory,
    key: SigningKey,
    digests: InputDigests,
    before: Mapping[str, Entry],
    withdrawals: Sequence[Filed],
) -> dict[str, Entry]:
    """Delete what is withdrawn from received, decided and curated tables; return the statements that then count."""
    from data_curation.purge import purge

    state = {
        "withdrawals": [one.digest for one in withdrawals],
        "of": {name: before[name].predicate["outputs_digest"] for name in AMENDED},
    }
    if _done(run) == state:
        return dict(before)
    gone: set[str] = set()
    for one in withdrawals:
        for row in one.rows(["id", "why", "received_sha256"]):
            # The bytes of what was made from a withdrawn text may have other parents elsewhere.
            gone |= {row["id"]} if row["why"] == "made-from" else {row["id"], row["received_sha256"]}
    changed = purge(run.received, run.decisions, run.curated, gone)
    amended = dict(before)
    if changed:
        for name in AMENDED:
            amended[name] = _sign_again(loaded, run, key, digests, amended, name, withdrawals)
    state["of"] = {name: amended[name].predicate["outputs_digest"] for name in AMENDED}
    write_atomically(_remembered(run), canonical(state))
    return amended


def _remembered(run: RunDirectory) -> Any:
    return run.path / "work" / "withdrawn-text-deleted.json"


def _done(run: RunDirectory) -> Any:
    """What was deleted last; only saves looking again, so that losing it costs nothing but time."""
    try:
        return json.loads(_remembered(run).read_bytes())
    except (OSError, ValueError):
        return None


def _sign_again(
    loaded: Loaded,
    run: RunDirectory,
    key: SigningKey,
    digests: InputDigests,
    before: Mapping[str, Entry],
    name: str,
    withdrawals: Sequence[Filed],
) -> Entry:
    from pipeline.stages import STAGES

    stage = next(one for one in STAGES if one.name == name)
    outputs = output_digests(stage, run)
    former = {key: value for key, value in before[name].predicate.items() if key != "previous"}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    changes = {
        "fingerprint": fingerprint(stage, loaded, digests, before, withdrawals),
        "needs": {one: before[one].predicate["outputs_digest"] for one in stage.needs},
        "outputs_digest": outputs_digest(outputs),
        "output_sizes": {one: size for one, (_, size) in outputs.items()},
        "withdrawn_text_deleted": [one.digest for one in withdrawals],
        "started": now,
        "finished": now,
        "seconds": 0.0,
    }
    record = run.record(key)
    record.append(name, {one: digest for one, (digest, _) in outputs.items()}, former | changes)
    entry = record.latest(name)
    if entry is None:
        raise RuntimeError(f"{record.folder}: the statement of stage {name} vanished after it was written")
    return entry
