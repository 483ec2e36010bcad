"""Sign a withdrawal, and put it where every run beside this one finds it.

Nothing is deleted here. The signed entry freezes what it names; `herkomst run` then takes the text out and trains again
from the last checkpoint that had not read it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from data_curation.settings import DuplicatesSettings
from data_curation.signatures import write_signatures
from licensing.attestation import SigningKey
from licensing.files import atomic_folder, file_digest
from licensing.record import Entry
from licensing.withdrawal import (
    DOCUMENTS,
    DOCUMENTS_FILE,
    SIGNATURES,
    STAGE,
    VALUES,
    Withdrawal,
    withdrawals_of,
)
from pipeline.reach import Reach
from pipeline.registered import register_all, unsigned
from pipeline.run_directory import RunDirectory
from pipeline.withdraw_plan import WithdrawalPlan
from training.pack import PackedCorpus, read_packed


def confirm(run: RunDirectory, plan: WithdrawalPlan, key: SigningKey, today: date) -> tuple[Withdrawal, Entry]:
    """Sign a withdrawal and put it into the register; from then on every run beside this one obeys it.

    ``today`` is the day that the request is recorded under. The caller holds the run's lock.
    """
    for one in unsigned(run):
        shutil.rmtree(one.folder)
    number = len(withdrawals_of(run.path)) + 1
    config = yaml.safe_load(run.config.read_bytes())
    withdrawal = Withdrawal(
        run=str(config["name"]),
        number=number,
        by=plan.asked.by,
        value=plan.asked.value,
        reason=plan.asked.reason,
        requested=today,
        effective=plan.effective,
        documents=len(plan.documents),
        copies=len(plan.copies),
        tokens=plan.reach.tokens,
        first_step=plan.reach.first_step,
        clean_checkpoint=plan.clean,
        checkpoints_with=plan.tainted,
        releases_with=plan.releases,
    )
    folder = run.withdrawals / f"{number:04d}"
    settings = DuplicatesSettings.model_validate(config["curation"]["duplicates"])
    run.withdrawals.mkdir(exist_ok=True)
    with atomic_folder(folder) as new:
        (new / VALUES).write_bytes(withdrawal.to_json())
        spans = _spans(read_packed(run.tokens), plan.reach) if plan.reach.streams else {}
        _write_documents(new / DOCUMENTS_FILE, [*plan.documents, *plan.copies], spans)
        write_signatures(new / SIGNATURES, plan.signatures.keys, plan.signatures.values, settings)
    entry = _signed(run, key, withdrawal)
    register_all(run)
    return withdrawal, entry


def _spans(packed: PackedCorpus, reach: Reach) -> dict[str, tuple[int, int]]:
    """First token and the one behind the last of each document that has any, by id."""
    found: dict[str, tuple[int, int]] = {}
    for one in reach.streams:
        tokens = packed.open(one.stream, 1)
        for place, begin, end in zip(*(part.tolist() for part in (one.places, one.begin, one.end)), strict=True):
            found[tokens.id_of(place)] = (begin, end)
    return found


def _write_documents(path: Path, rows: Sequence[dict[str, Any]], spans: Mapping[str, tuple[int, int]]) -> None:
    values = []
    for row in sorted(rows, key=lambda row: str(row["id"])):
        first, end = spans.get(row["id"], (None, None))
        values.append({name: row.get(name) for name in DOCUMENTS.names} | {"first_token": first, "end_token": end})
    pq.write_table(pa.Table.from_pylist(values, schema=DOCUMENTS), path, compression="zstd")


def _signed(run: RunDirectory, key: SigningKey, withdrawal: Withdrawal) -> Entry:
    folder = run.withdrawals / f"{withdrawal.number:04d}"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {path.relative_to(run.path).as_posix(): file_digest(path)[0] for path in files}
    record = run.record(key)
    figures = {
        "number": withdrawal.number,
        "documents": withdrawal.documents,
        "copies": withdrawal.copies,
        "tokens": withdrawal.tokens,
        "first_step": withdrawal.first_step,
        "clean_checkpoint": withdrawal.clean_checkpoint,
    }
    moment = withdrawal.requested.isoformat()
    predicate = {
        "stage": STAGE,
        "config_sha256": file_digest(run.config)[0],
        "figures": figures,
        "started": moment,
        "finished": moment,
    }
    record.append(STAGE, digests, predicate)
    entry = record.latest(STAGE)
    if entry is None:
        raise RuntimeError(f"{record.folder}: the statement of the withdrawal vanished after it was written")
    return entry
