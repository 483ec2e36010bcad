"""The signed withdrawals of a run, and the register beside it that every other run there obeys."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from licensing.files import atomic_folder
from licensing.record import PUBLIC_KEY_NAME, Entry
from licensing.withdrawal import (
    STAGE,
    Filed,
    WithdrawalError,
    obeyed,
    read_filed,
    register,
    register_of,
    withdrawals_of,
)
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


def adopt(run: RunDirectory, other: Path) -> None:
    """Copy to the register beside a run what stands in another, so that a run kept elsewhere obeys it all the same.

    Raises:
        WithdrawalError: an entry of the other is not whole.
    """
    into = register_of(run.path)
    if other.resolve() == into or not other.is_dir():
        return
    for folder in sorted(other.iterdir()):
        target = into / folder.name
        if folder.is_dir() and not folder.name.startswith(".") and not target.exists():
            read_filed(folder)
            into.mkdir(parents=True, exist_ok=True)
            with atomic_folder(target) as new:
                new.rmdir()
                shutil.copytree(folder, new)


def obeyed_by(run: RunDirectory, as_of: date) -> tuple[Filed, ...]:
    """Every withdrawal that a run judged on ``as_of`` obeys; one that it has carried out it obeys from then on.

    Raises:
        WithdrawalError: one cannot be read, or is not the one that was signed.
    """
    commits = [entry.predicate["figures"] for entry in run.record().entries() if entry.stage == "commit"]
    return tuple(obeyed(run.path, as_of, {name for figures in commits for name in figures.get("withdrawals", ())}))


def unsigned(run: RunDirectory) -> list[Filed]:
    """Withdrawals that a kill cut off before they were signed: they were never made."""
    signed = entries_by_number(run)
    return [one for one in withdrawals_of(run.path) if one.withdrawal.number not in signed]


def require_signed(run: RunDirectory) -> None:
    """Stop where a withdrawal was begun and not signed.

    Raises:
        WithdrawalError: there is one. Obeying it would delete text on nobody's word, and leaving it out might use what
            somebody took back.
    """
    for one in unsigned(run):
        raise WithdrawalError(
            f"{one.folder}: this withdrawal was begun and never signed, so it can neither be carried out nor left out, "
            "and nothing was run. Give the same `herkomst withdraw` command again, or delete the folder if nobody "
            "asked for it."
        )
