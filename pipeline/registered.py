"""The signed withdrawals of a run, and the register beside it that every other run there obeys."""

from __future__ import annotations

from licensing.record import PUBLIC_KEY_NAME, Entry
from licensing.withdrawal import STAGE, read_filed, register, register_of
from pipeline.run_directory import RunDirectory


def entries_by_number(run: RunDirectory) -> dict[int, Entry]:
    """The signed statement of every withdrawal of a run, by its number."""
    return {
        int(entry.predicate["figures"]["number"]): entry for entry in run.record().entries() if entry.stage == STAGE
    }


def register_all(run: RunDirectory) -> None:
    """See that every signed withdrawal of this run stands in the register beside it."""
    for number, entry in entries_by_number(run).items():
        filed = read_filed(run.withdrawals / f"{number:04d}")
        into = register_of(run.path)
        if not list(into.glob(f"*-{filed.digest[:12]}")):
            into.mkdir(parents=True, exist_ok=True)
            register(filed, entry.path, run.record().folder / PUBLIC_KEY_NAME, into)
