"""`herkomst replay`: run some steps of a finished training again, compare, and sign what was found.

Three things are compared: the losses with the training's log; the weights with the training's own checkpoint, where it
kept one at the last step; and the rows that were fed with what `herkomst trace` says of the same steps, both forwards
(the row's tokens) and backwards (each document in it names the step and the row).
"""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from licensing.attestation import SigningKey
from licensing.errors import HerkomstError
from licensing.files import file_digest
from pipeline.run_directory import RunDirectory
from pipeline.runner import newest_entries
from pipeline.trace import Tracer
from training.batches import HASH_BYTES, row_hash
from training.checkpoint import checkpoint_folder
from training.job import TrainingJob
from training.loop import Tick
from training.plan import Plan
from training.replay import Replay, replay

STAGE = "replay"
# A row's documents are looked up backwards one by one; more rows than this show nothing more.
_MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Result:
    """What a replay found; ``agrees`` is the answer, the figures say why."""

    agrees: bool
    figures: dict[str, Any]


def replay_run(run: RunDirectory, steps: tuple[int, int], tolerance: float, key: SigningKey, tick: Tick) -> Result:
    """Replay steps ``[first, end)`` of a run and add a signed statement to its record.

    ``tolerance`` is in nats a token, for the losses where the weights are not equal bit for bit.

    Raises:
        HerkomstError: the run was not trained, or these steps cannot be run again.
    """
    run.require()
    # A key that may not sign here is found out now, not after hours of training.
    run.record(key).entries()
    job = _job(run)
    folder = run.path / "work" / "replay"
    with run.locked():
        shutil.rmtree(folder, ignore_errors=True)
        began = datetime.now(UTC)
        try:
            done = replay(job, *steps, folder, tick)
            result = _result(run, done, tolerance)
        except (OSError, ValueError) as fault:
            raise HerkomstError(
                f"{run.path}: steps {steps[0]}:{steps[1]} could not be replayed ({fault}); nothing was signed. "
                f"`herkomst verify {run.path}` names files that are missing or damaged."
            ) from fault
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        _sign(run, key, result, began)
    return result


def _job(run: RunDirectory) -> TrainingJob:
    """The training as it was, with the paths where the run lies now."""
    path = run.training / "job.json"
    try:
        job = TrainingJob.read(path)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise HerkomstError(
            f"{path}: there is no training to replay ({fault}); nothing was run. Run `herkomst run CONFIG` first."
        ) from fault
    return replace(
        job,
        tokens=str(run.tokens.resolve()),
        plan=str((run.training / "plan.json").resolve()),
        checkpoints=str(run.checkpoints.resolve()),
        log=str((run.training / "log.jsonl").resolve()),
    )


def _result(run: RunDirectory, done: Replay, tolerance: float) -> Result:
    rows, disagreeing = _rows(run, done)
    losses = done.largest_difference <= tolerance
    signed, changed = _changed(run, done)
    figures = {
        "steps": [done.first, done.end],
        "checkpoint": done.checkpoint,
        "steps_run": done.end - done.begin,
        "weights": {None: "not compared", True: "equal", False: "different"}[done.bitwise],
        "weights_sha256": done.now.weights_sha256,
        "order": {None: "not compared", True: "equal", False: "different"}[done.same_order],
        "largest_loss_difference": done.largest_difference,
        "tolerance": tolerance,
        "rows_traced": rows,
        "rows_disagreeing": disagreeing,
        "files": "changed" if changed else "as signed" if signed else "not signed",
        "files_changed": changed,
    }
    agrees = not changed and not disagreeing and done.same_order is not False and (bool(done.bitwise) or losses)
    return Result(agrees, figures)


def _changed(run: RunDirectory, done: Replay) -> tuple[bool, list[str]]:
    """Whether the training is signed, and which files that this rests on are not what it signed.

    Else a plan, a log and a checkpoint that were all exchanged for those of another training would agree.
    """
    entry = newest_entries(run).get("train")
    if entry is None:
        return False, []
    names = {f"training/{name}" for name in ("plan.json", "job.json", "log.jsonl")}
    for folder in filter(None, (done.checkpoint, checkpoint_folder(run.checkpoints, done.end).name)):
        # One that was signed and is gone is not one that was never there.
        names |= {name for name in entry.subjects if name.startswith(f"checkpoints/{folder}/")}
        names |= {path.relative_to(run.path).as_posix() for path in (run.checkpoints / folder).glob("*")}
    return True, sorted(name for name in names if _digest(run.path / name) != entry.subjects.get(name))


def _digest(path: Path) -> str:
    return file_digest(path)[0] if path.is_file() else "no file"


def _rows(run: RunDirectory, done: Replay) -> tuple[int, int]:
    """How many of the rows fed were compared with the trace, and how many differ from it."""
    tracer = Tracer(run)
    plan = tracer.plan
    if plan is None:
        return 0, 0
    fed = np.fromfile(done.row_hashes, dtype=np.uint8).reshape(-1, HASH_BYTES)
    places = [(step, row) for step in range(done.begin, done.end) for row in range(plan.segment_of(step).batch)]
    chosen = [at for at, (step, _) in enumerate(places) if step >= done.first]
    chosen = chosen[:: max(1, -(-len(chosen) // _MOST_ROWS))]
    wrong = sum(not row_agrees(tracer, plan, *places[at], fed[at].tobytes()) for at in chosen)
    return len(chosen), wrong


def row_agrees(tracer: Tracer, plan: Plan, step: int, row: int, fed: bytes) -> bool:
    """Whether the row that was fed is the one the trace names, and each of its documents names the row.

    Unless the step's update was dropped: what it read was not learnt, and its documents must not name it.
    """
    streams, sequences = plan.at(step)
    known = tracer.stream(plan.streams[int(streams[row])].name, "train")
    if known is None:
        return False
    _, tokens = known
    sequence = int(sequences[row])
    if row_hash(tokens.sequence(sequence)).tobytes() != fed:
        return False
    documents = [tokens.id_of(place) for place in tokens.documents_in(sequence)]
    learnt = step not in plan.segment_of(step).skipped_steps
    return all(([step, row] in tracer.document(document)["positions"]) == learnt for document in documents)


def _sign(run: RunDirectory, key: SigningKey, result: Result, began: datetime) -> None:
    subjects = {
        path.relative_to(run.path).as_posix(): file_digest(path)[0]
        for path in (run.training / "plan.json", run.training / "log.jsonl")
    }
    record = run.record(key)
    train = newest_entries(run).get("train")
    trained = train.predicate["outputs_digest"] if train else None
    before = [entry.predicate for entry in record.entries() if entry.stage == STAGE]
    disagreed = [one for one in before if one.get("training") == trained and not one["figures"]["agrees"]]
    record.append(
        STAGE,
        subjects,
        {
            "stage": STAGE,
            "config_sha256": file_digest(run.config)[0],
            "training": trained,
            "figures": {**result.figures, "agrees": result.agrees},
            # A later replay that agrees must not hide it.
            "disagreed": {name: disagreed[-1][name] for name in ("figures", "finished")} if disagreed else None,
            "started": began.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.system()},
        },
    )


def as_text(result: Result) -> str:
    """The result for a person."""
    f = result.figures
    first, end = f["steps"]
    weights = {
        "equal": f"the same, bit for bit, as the training's own checkpoint after step {end}",
        "different": f"not bit for bit those of the training's own checkpoint after step {end}",
        "not compared": f"not compared: the training kept no checkpoint after {end} steps",
    }[f["weights"]]
    order = {
        "equal": "the same rows in the same order as the training's own digest says",
        "different": "OTHER ROWS than the training's own digest says",
        "not compared": "no digest of the training's own to compare with at this step",
    }[f["order"]]
    files = {
        "as signed": "plan, job, log and checkpoints are those that the training stage signed",
        "not signed": "the training is not signed yet: there is nothing to hold them against",
        "changed": f"NOT AS SIGNED: {', '.join(f['files_changed'])}",
    }[f["files"]]
    traced = f"{f['rows_traced'] - f['rows_disagreeing']:,} of {f['rows_traced']:,} rows looked up"
    return "\n".join(
        [
            f"replayed     steps {first} to {end - 1}, from {f['checkpoint'] or 'the model that training began with'}",
            f"files        {files}",
            f"losses       largest difference {f['largest_loss_difference']:.2g} nats a token (tolerance "
            f"{f['tolerance']:g})",
            f"weights      {weights}",
            f"order        {order}",
            f"trace        {traced} are what the trace names",
            f"result       {'AGREES' if result.agrees else 'DOES NOT AGREE'} with the record of the training",
        ]
    )


def read_steps(text: str) -> tuple[int, int]:
    """``A:B`` as two numbers.

    Raises:
        HerkomstError: it is not written so.
    """
    first, _, end = text.partition(":")
    if not (first.isdigit() and end.isdigit()):
        raise HerkomstError(
            f"--steps {text}: write the first step and the one after the last, as 100:120. Nothing ran."
        )
    return int(first), int(end)


__all__ = ["Result", "as_text", "read_steps", "replay_run", "row_agrees"]
