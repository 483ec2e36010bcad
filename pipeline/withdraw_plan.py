"""What taking text back would mean: documents, copies, tokens, steps, checkpoints and the cost of training again.

Nothing is changed here; `pipeline.withdraw` signs what this finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from data_curation.settings import DuplicatesSettings
from data_curation.sieves import Digests
from data_curation.withdrawn_copies import Signatures
from licensing.withdrawal import WithdrawalError
from pipeline.reach import Reach, reach_of_rows
from pipeline.run_directory import RunDirectory
from pipeline.trace import Tracer
from pipeline.withdraw_documents import (
    Asked,
    asked_documents,
    digests_of,
    files_with,
    made_from,
    near_copies,
    with_copies,
)
from training.checkpoint import STATE, finished_checkpoints, read_state
from training.retrain import clean_checkpoint, lineage


@dataclass(frozen=True, slots=True)
class Cost:
    """What training again from ``from_step`` would take; None where no training has been measured."""

    from_step: int
    steps: int
    device_hours: float | None
    kilowatt_hours: float | None


@dataclass(frozen=True)
class WithdrawalPlan:
    """What a withdrawal would mean, before anything is signed.

    ``documents`` were asked for, ``copies`` are refused besides: tables of `withdraw_documents.FOUND`. ``shards`` are
    files that hold the text.
    """

    asked: Asked
    effective: date
    documents: pa.Table
    copies: pa.Table
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
            "documents": self.documents["id"].to_pylist(),
            "copies": self.copies.select(["id", "copy_of", "similarity"]).to_pylist(),
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
    documents = asked_documents(tracer, asked)
    if not len(documents):
        raise WithdrawalError(
            f"{run.path}: nothing received fits {asked.by} {', '.join(asked.value)}, or all of it is withdrawn "
            "already; nothing was changed. `herkomst trace` shows what is known of a document."
        )
    settings = DuplicatesSettings.model_validate(config["curation"]["duplicates"])
    signatures, found = near_copies(run, digests_of(documents), settings)
    copies = with_copies(tracer, found)
    copies = pa.concat_tables([copies, made_from(tracer, digests_of(documents, copies))])
    return weighed(run, tracer, config, asked, documents, copies, signatures)


def weighed(
    run: RunDirectory,
    tracer: Tracer,
    config: dict[str, Any],
    asked: Asked,
    documents: pa.Table,
    copies: pa.Table,
    signatures: Signatures,
) -> WithdrawalPlan:
    """What taking these documents out would mean for tokens, steps, checkpoints, released models and cost."""
    reach = reach_of_rows(tracer, pa.concat_tables([documents, copies]).to_batches())
    clean, tainted, aside = _checkpoints(run, tracer, reach.first_step)
    return WithdrawalPlan(
        asked=asked,
        effective=asked.effective or date.fromisoformat(str(config["policy"]["as_of"])),
        documents=documents,
        copies=copies,
        signatures=signatures,
        reach=reach,
        shards=tuple(_shards(run, digests_of(documents, copies), reach)),
        clean=clean,
        tainted=tainted,
        set_aside=aside,
        cost=_cost(run, tracer, clean, reach.first_step, config),
        releases=tuple(_releases(run, config, reach.first_step)),
    )


def _shards(run: RunDirectory, wanted: Digests, reach: Reach) -> Iterator[str]:
    """Files of the run that hold the text or its tokens."""
    for path in files_with([run.received, run.curated / "documents"], wanted):
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
