"""Where each withdrawal of a run stands: requested, frozen, removed, retrained, recalled; each with the day.

A state is read off signed statements, never set by hand: a withdrawal is *frozen* while it is in effect and the run
has not been made again, *removed* when corpus and tokens were made without the text, *retrained* when the model was
too, and *recalled* when every released model that contains it is recorded as recalled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import yaml

from licensing.record import Entry
from licensing.withdrawal import Filed, withdrawals_of
from pipeline.run_directory import RunDirectory
from training.checkpoint import finished_checkpoints, read_state

State = dict[str, str]
STATED = "withdrawals"
"""The figure of the stage ``commit`` that names the withdrawals it obeyed."""


def withdrawal_values(run: RunDirectory, partner: str | None = None) -> list[dict[str, Any]]:
    """What reports say of each withdrawal of a run, as plain values; of one partner's documents, or of all.

    Withdrawals that touch no document of ``partner`` are left out.
    """
    filed = withdrawals_of(run.path)
    if not filed:
        return []
    entries, config = run.record().entries(), yaml.safe_load(run.config.read_bytes())
    as_of = date.fromisoformat(str(config["policy"]["as_of"]))
    found = []
    for one in filed:
        documents, copies, tokens = _counts(one, partner)
        if documents or copies:
            states = list(_states(one, entries, as_of, config))
            found.append(
                {
                    "number": one.withdrawal.number,
                    "reason": one.withdrawal.reason if documents else None,
                    "requested": one.withdrawal.requested.isoformat(),
                    "effective": one.withdrawal.effective.isoformat(),
                    "documents": documents,
                    "near_duplicates": copies,
                    "tokens": tokens,
                    "states": states,
                    "clean_checkpoint": one.withdrawal.clean_checkpoint,
                    "checkpoints_with": _with_text(run, one, states),
                    "set_aside_with": _set_aside(run, one, entries),
                    "releases": _releases(one, config),
                }
            )
    return found


def _counts(one: Filed, partner: str | None) -> tuple[int, int, int]:
    documents = copies = tokens = 0
    for row in one.rows(["partner", "why", "first_token", "end_token"]):
        if partner in (None, row["partner"]):
            documents += row["why"] == "asked"
            copies += row["why"] != "asked"
            tokens += (row["end_token"] or 0) - (row["first_token"] or 0)
    return documents, copies, tokens


def _states(one: Filed, entries: Sequence[Entry], as_of: date, config: Mapping[str, Any]) -> Iterator[State]:
    asked = one.withdrawal
    yield {"state": "requested", "date": asked.requested.isoformat()}
    commits = [entry for entry in _of(entries, "commit") if one.digest in entry.predicate["figures"].get(STATED, ())]
    if not commits and not asked.in_effect(as_of):
        return
    yield {"state": "frozen", "date": max(asked.requested, asked.effective).isoformat()}
    removed = _resting_on(entries, "pack", "commit", commits)
    if not removed:
        return
    yield {"state": "removed", "date": _day(removed[0])}
    trained = _resting_on(entries, "train", "pack", removed)
    if not trained:
        return
    yield {"state": "retrained", "date": _day(trained[0])}
    releases = _releases(one, config)
    if releases and all(release["recalled"] for release in releases):
        yield {"state": "recalled", "date": max(str(release["recalled"]) for release in releases)}


def _of(entries: Sequence[Entry], stage: str) -> Iterator[Entry]:
    return (entry for entry in entries if entry.stage == stage)


def _resting_on(entries: Sequence[Entry], stage: str, needs: str, before: Sequence[Entry]) -> list[Entry]:
    """The statements of a stage that rest on one of ``before``, in their order; a stop between two is no matter."""
    digests = {_digest(entry) for entry in before}
    return [entry for entry in _of(entries, stage) if entry.predicate["needs"][needs] in digests]


def _digest(entry: Entry) -> str:
    return str(entry.predicate["outputs_digest"])


def _day(entry: Entry) -> str:
    return str(entry.predicate["finished"])[:10]


def _with_text(run: RunDirectory, one: Filed, states: Sequence[State]) -> list[int]:
    """Checkpoints in place that have read the text, by steps done; none once the model was trained without it."""
    first = one.withdrawal.first_step
    if first is None or any(state["state"] == "retrained" for state in states):
        return []
    return [
        step for step in (read_state(folder).step for folder in finished_checkpoints(run.checkpoints)) if step > first
    ]


def _set_aside(run: RunDirectory, one: Filed, entries: Sequence[Entry]) -> list[str]:
    """Checkpoints that were set aside and have read the text; they stay until somebody deletes them."""
    first = one.withdrawal.first_step
    if first is None:
        return []
    commits = [entry for entry in entries if entry.stage == "commit"]
    with_it = [entry for entry in commits if one.digest not in entry.predicate["figures"].get("withdrawals", ())]
    roots = {entry.predicate["figures"]["root"] for entry in with_it}
    found = []
    for path in sorted((run.checkpoints / "superseded").glob("*/step-*")):
        state = read_state(path)
        if state.step > first and state.corpus_root in roots:
            found.append(path.relative_to(run.checkpoints).as_posix())
    return found


def _releases(one: Filed, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    named = {release["name"]: release for release in config.get("releases") or ()}
    return [
        {"name": name, "recalled": str(named[name]["recalled"]) if named.get(name, {}).get("recalled") else None}
        for name in one.withdrawal.releases_with
    ]
