"""What taking text back would mean: documents, copies, tokens, steps, checkpoints and the cost of training again.

Nothing is changed here; `pipeline.withdraw` signs what this finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from data_curation.descendants import descendants
from data_curation.settings import DuplicatesSettings
from data_curation.shards import shards
from data_curation.withdrawn import WITHDRAWN, Copy, Signatures, copies_of, joined, read_signatures
from licensing.withdrawal import WithdrawalError
from pipeline.reach import Reach, reach_of
from pipeline.run_directory import RunDirectory
from pipeline.trace import Tracer
from training.checkpoint import STATE, finished_checkpoints, read_state
from training.retrain import clean_checkpoint, lineage

By = Literal["partner", "agreement", "documents"]
_COLUMNS = ("id", "partner", "native_id", "agreement", "received_sha256", "final_sha256", "stream", "use", "reason")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: everything of a partner, everything under an agreement, or documents by id or by the supplier's id."""

    by: By
    value: tuple[str, ...]
    reason: str
    effective: date | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What training again from ``from_step`` would take; None where no training has been measured."""

    from_step: int
    steps: int
    device_hours: float | None
    kilowatt_hours: float | None


@dataclass(frozen=True)
class WithdrawalPlan:
    """What a withdrawal would mean, before anything is signed; ``shards`` are files that hold the text."""

    asked: Asked
    effective: date
    documents: list[dict[str, Any]]
    copies: list[dict[str, Any]]
    signatures: Signatures
    reach: Reach
    shards: tuple[str, ...]
    clean: int | None
    tainted: tuple[int, ...]
    set_aside: tuple[str, ...]
    cost: Cost | None
    releases: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain values, every step named."""
        return {
            "by": self.asked.by,
            "value": list(self.asked.value),
            "effective": self.effective.isoformat(),
            "documents": [row["id"] for row in self.documents],
            "copies": [{name: row[name] for name in ("id", "copy_of", "similarity")} for row in self.copies],
            "tokens": self.reach.tokens,
            "places": self.reach.positions,
            "shards": list(self.shards),
            "steps": self.reach.steps.tolist(),
            "first_step": self.reach.first_step,
            "last_step": self.reach.last_step,
            "checkpoints_with": list(self.tainted),
            "set_aside_with": list(self.set_aside),
            "clean_checkpoint": self.clean,
            "retraining": None
            if self.cost is None
            else {
                "from_step": self.cost.from_step,
                "steps": self.cost.steps,
                "device_hours": self.cost.device_hours,
                "kilowatt_hours": self.cost.kilowatt_hours,
            },
            "releases_with": list(self.releases),
        }


def plan_withdrawal(run: RunDirectory, asked: Asked) -> WithdrawalPlan:
    """Work out what a withdrawal would mean.

    Raises:
        WithdrawalError: nothing fits the request, or the run cannot answer it.
    """
    run.require()
    config = yaml.safe_load(run.config.read_bytes())
    tracer = Tracer(run)
    documents = list(_asked_rows(tracer, asked))
    if not documents:
        raise WithdrawalError(
            f"{run.path}: nothing received fits {asked.by} {', '.join(asked.value)}, or all of it is withdrawn "
            "already; nothing was changed. `herkomst trace` shows what is known of a document."
        )
    ids = {row["id"] for row in documents}
    signatures, found = _copies(run, ids, DuplicatesSettings.model_validate(config["curation"]["duplicates"]))
    copies = [
        row | {"why": "copy", "copy_of": found[row["id"]].of, "similarity": found[row["id"]].similarity}
        for row in filter(None, (tracer.ledger.find(name) for name in sorted(found)))
        if row["reason"] not in WITHDRAWN
    ]
    ids |= {row["id"] for row in copies}
    copies += [row for row in _made_from(run, tracer, ids) if row["id"] not in ids]
    ids |= {row["id"] for row in copies}
    reach = reach_of(tracer, ids=sorted(ids))
    effective = asked.effective or date.fromisoformat(str(config["policy"]["as_of"]))
    clean, tainted, aside = _checkpoints(run, tracer, reach.first_step)
    return WithdrawalPlan(
        asked=asked,
        effective=effective,
        documents=documents,
        copies=copies,
        signatures=signatures,
        reach=reach,
        shards=tuple(_shards(run, ids, reach)),
        clean=clean,
        tainted=tainted,
        set_aside=aside,
        cost=_cost(run, tracer, clean, reach.first_step, config),
        releases=tuple(_releases(run, config, reach.first_step)),
    )


def _asked_rows(tracer: Tracer, asked: Asked) -> Iterator[dict[str, Any]]:
    rows: Iterable[dict[str, Any]]
    if asked.by == "partner":
        rows = (row for name in asked.value for row in tracer.ledger.rows(name, _COLUMNS))
    elif asked.by == "agreement":
        rows = (row for row in tracer.ledger.rows(columns=_COLUMNS) if row["agreement"] in asked.value)
    else:
        rows = (row for name in asked.value for row in _named(tracer, name))
    for row in rows:
        if row["reason"] not in WITHDRAWN:
            yield row | {"why": "asked", "copy_of": None, "similarity": None}


def _named(tracer: Tracer, name: str) -> list[dict[str, Any]]:
    """A document by its id, or by the id that its supplier gave it."""
    row = tracer.ledger.find(name)
    found = [row] if row else list(tracer.ledger.by_native_id(name))
    partners = sorted({one["partner"] for one in found})
    if not found:
        raise WithdrawalError(f"document {name}: nothing was received under this id; nothing was changed. Correct it.")
    if len(partners) > 1:
        raise WithdrawalError(
            f"document {name}: {' and '.join(partners)} each delivered something under this id, so it does not say "
            "which is meant; nothing was changed. Give the 64 characters of the document's own id."
        )
    return found


def _made_from(run: RunDirectory, tracer: Tracer, ids: set[str]) -> Iterator[dict[str, Any]]:
    """Documents made from one of these, directly or through others."""
    for name, behind in sorted(descendants(run.received, ids).items()):
        found = tracer.ledger.find(name)
        if found is not None and found["reason"] not in WITHDRAWN:
            yield found | {"why": "made-from", "copy_of": behind, "similarity": None}


def _copies(run: RunDirectory, ids: set[str], settings: DuplicatesSettings) -> tuple[Signatures, dict[str, Copy]]:
    folder = run.curated / "signatures"
    if not folder.is_dir():
        raise WithdrawalError(
            f"{folder}: the signatures of curation are missing, so copies of the text cannot be found and nothing was "
            "changed. `herkomst run` makes them again."
        )
    folders = sorted(folder.iterdir())
    own = joined((piece.take(ids) for one in folders for piece in read_signatures(one, settings)), settings)
    corpus = (piece for one in folders for piece in read_signatures(one, settings))
    return own, copies_of(own, corpus, settings) if len(own.keys) else {}


def _shards(run: RunDirectory, ids: set[str], reach: Reach) -> Iterator[str]:
    """Files of the run that hold the text or its tokens."""
    wanted = pa.array(sorted(ids))
    for folder in (run.received, run.curated / "documents"):
        for path in shards(folder):
            with pq.ParquetFile(path) as file:
                batches = file.iter_batches(columns=["id"])
                if any(pc.any(pc.is_in(batch["id"], value_set=wanted)).as_py() for batch in batches):
                    yield path.relative_to(run.path).as_posix()
    for one in reach.streams:
        yield f"corpus/text/{one.stream.name}.{one.stream.use}.parquet"
        yield f"tokens/{one.stream.folder}/tokens.bin"


def _checkpoints(
    run: RunDirectory, tracer: Tracer, first_step: int | None
) -> tuple[int | None, tuple[int, ...], tuple[str, ...]]:
    """The newest clean checkpoint, those in place that read the text, and those set aside that may have."""
    if tracer.plan is None:
        return None, (), ()
    plans = lineage(tracer.plan, run.training)
    clean = clean_checkpoint(run.checkpoints, plans, first_step)
    steps = [read_state(folder).step for folder in finished_checkpoints(run.checkpoints)]
    aside = sorted((run.checkpoints / "superseded").glob("*/step-*"))
    tainted = tuple(step for step in steps if first_step is not None and step > first_step)
    names = tuple(path.relative_to(run.checkpoints).as_posix() for path in aside)
    return (read_state(clean).step if clean else None), tainted, names if first_step is not None else ()


def _cost(
    run: RunDirectory, tracer: Tracer, clean: int | None, first_step: int | None, config: dict[str, Any]
) -> Cost | None:
    if tracer.plan is None or not tracer.steps_done or first_step is None:
        return None
    steps = tracer.plan.steps - (clean or 0)
    state = read_state(finished_checkpoints(run.checkpoints)[-1])
    processes = int(config["training"]["processes"])
    hours = state.seconds / state.step * steps * processes / 3600 if state.seconds else None
    energy = state.joules / state.step * steps / 3.6e6 if state.joules else None
    return Cost(clean or 0, steps, hours, energy)


def _releases(run: RunDirectory, config: dict[str, Any], first_step: int | None) -> Iterator[str]:
    """Released models that contain the text; one whose weights are not at hand counts among them."""
    steps = {
        state.weights_sha256: state.step
        for state in map(read_state, [*finished_checkpoints(run.checkpoints), *_set_aside(run)])
    }
    for release in config.get("releases") or ():
        step = steps.get(release["weights_sha256"])
        if first_step is not None and (step is None or step > first_step):
            yield str(release["name"])


def _set_aside(run: RunDirectory) -> list[Path]:
    found = (run.checkpoints / "superseded").glob("*/step-*")
    return sorted(path for path in found if (path / STATE).exists())
