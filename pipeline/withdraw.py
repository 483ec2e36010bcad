"""Sign a withdrawal, and put it where every run beside this one finds it.

Nothing is deleted here. The signed entry freezes what it names; `herkomst run` then takes the text out and trains again
from the last checkpoint that had not read it.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from data_curation.settings import DuplicatesSettings
from data_curation.signatures import write_signatures
from licensing.attestation import SigningKey
from licensing.files import atomic_folder, file_digest
from licensing.ledger import Ledger
from licensing.record import Entry
from licensing.sorted_ids import Ids, SortedIds, packed_column
from licensing.withdrawal import (
    DOCUMENTS,
    DOCUMENTS_FILE,
    SIGNATURES,
    STAGE,
    VALUES,
    Withdrawal,
    file_digests,
    withdrawals_of,
)
from pipeline.reach import Reach
from pipeline.registered import register_all, unsigned
from pipeline.run_directory import RunDirectory
from pipeline.withdraw_plan import WithdrawalPlan
from training.token_stream import IDS

_FROM_LEDGER = ("native_id", "received_sha256", "final_sha256")
_GROUP_ROWS = 1 << 14  # whoever obeys the withdrawal reads it group by group


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
        files={},
    )
    folder = run.withdrawals / f"{number:04d}"
    settings = DuplicatesSettings.model_validate(config["curation"]["duplicates"])
    run.withdrawals.mkdir(exist_ok=True)
    with atomic_folder(folder) as new:
        found = pa.concat_tables([plan.documents, plan.copies]).sort_by("id")
        _write_documents(new / DOCUMENTS_FILE, found, run, plan.reach)
        write_signatures(new / SIGNATURES, plan.signatures.keys, plan.signatures.values, settings)
        withdrawal = replace(withdrawal, files=file_digests(new))
        (new / VALUES).write_bytes(withdrawal.to_json())
    entry = _signed(run, key, withdrawal)
    register_all(run)
    return withdrawal, entry


def _write_documents(path: Path, found: pa.Table, run: RunDirectory, reach: Reach) -> None:
    """Write the table of refused documents, with their digests and the place that their tokens had.

    ``found`` is sorted by id and has the columns that a plan needs.
    """
    ids = packed_column(found["id"])
    more = {**_from_ledger(run, ids), **_tokens(run, ids, reach)}
    columns = [more[name] if name in more else found[name] for name in DOCUMENTS.names]
    table = pa.Table.from_arrays(columns, schema=DOCUMENTS)
    pq.write_table(table, path, compression="zstd", row_group_size=_GROUP_ROWS)


def _from_ledger(run: RunDirectory, ids: Ids) -> dict[str, pa.ChunkedArray]:
    batches, places = [], []
    for batch, which in Ledger(run.ledger).batches_of(ids, _FROM_LEDGER):
        batches.append(batch)
        places.append(which)
    table = pa.Table.from_batches(batches).take(pa.array(np.unique(np.concatenate(places), return_index=True)[1]))
    return dict(zip(_FROM_LEDGER, table.columns, strict=True))


def _tokens(run: RunDirectory, ids: Ids, reach: Reach) -> dict[str, pa.Array]:
    first, end = np.zeros(len(ids), dtype=np.int64), np.zeros(len(ids), dtype=np.int64)
    known = np.zeros(len(ids), dtype=np.bool_)
    for one in reach.streams:
        rows = np.searchsorted(ids, SortedIds(run.tokens / one.stream.folder / IDS).array[one.places])
        known[rows], first[rows], end[rows] = True, one.begin, one.end
    return {"first_token": pa.array(first, mask=~known), "end_token": pa.array(end, mask=~known)}


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
