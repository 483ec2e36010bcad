"""What changed since a partner's former statement, from the values of both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from licensing.errors import HerkomstError

FORMAT = "herkomst-statement-v2"


class OtherStatement(HerkomstError, ValueError):
    """A former statement that cannot be compared with; the message says why and what to give instead."""


def read_statement(path: Path, partner: str) -> dict[str, Any]:
    """Read the values of a former statement to this partner.

    Raises:
        OtherStatement: it cannot be read, is of another partner, or has another form.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise OtherStatement(
            f"{path}: no statement could be read from it ({error}), so no change can be told and no statement was "
            "written. Give the JSON file of a former statement, or leave --previous out."
        ) from error
    whose, form = (found.get(name) if isinstance(found, dict) else None for name in ("partner", "format"))
    if (whose, form) != (partner, FORMAT):
        raise OtherStatement(
            f"{path}: this is a statement to '{whose}' in the form '{form}', not one to '{partner}' in the form "
            f"'{FORMAT}', so no change can be told and no statement was written. Give a former statement to the same "
            "partner, or leave --previous out."
        )
    return dict(found)


def former_statement(folder: Path, name: str, partner: str, state: str) -> dict[str, Any] | None:
    """Find the statement before this one: ``NAME.json`` if it tells of another state, else the one kept beside it.

    Returns None where there is none, or none in this form.
    """
    for path in (folder / f"{name}.json", folder / f"{name}.previous.json"):
        try:
            found = read_statement(path, partner)
        except OtherStatement:
            continue
        if found["state"] != state:
            return found
    return None


def changes(now: Mapping[str, Any], former: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the former statement's state and days, and each figure that differs; None where there is no former one.

    Differences are ``what`` (a key of `_compared`), for an agreement its ``agreement``, ``before`` and ``now``; None
    on either side is "was not there".
    """
    if former is None:
        return None
    before, after = _compared(former), _compared(now)
    keys = [key for key in {**after, **before} if before.get(key) != after.get(key)]
    return {
        "state": former["state"],
        "dates": former["dates"],
        "run": former["run"]["name"],
        "differences": [
            {"what": what, "agreement": agreement, "before": before.get(key), "now": after.get(key)}
            for key in keys
            for what, agreement in [key]
        ],
    }


def _compared(values: Mapping[str, Any]) -> dict[tuple[str, str | None], Any]:
    usage = values["usage"] or {}
    decided: dict[str, int] = {"admit": 0, "refuse": 0, "review": 0}
    for one in values["rights"]:
        decided[one["decision"]] += one["documents"]
    told: dict[tuple[str, str | None], Any] = {
        ("received", None): values["received"]["documents"],
        ("received_bytes", None): values["received"]["bytes"],
        **{(f"decision_{name}", None): count for name, count in decided.items()},
        ("in_training_text", None): values["ends"].get("train", 0),
        ("documents_read", None): usage.get("documents"),
        ("tokens_read", None): usage.get("tokens_read"),
        ("tokens_scored", None): usage.get("tokens_scored"),
        ("weights", None): values["model"]["weights_sha256"],
        ("licence_table", None): values["digests"]["licence_table"],
        ("policy", None): values["digests"]["policy"],
        ("root", None): values["proof"]["root"],
        ("withdrawals", None): len(values["withdrawals"]),
    }
    return told | {("agreement", name): digest for name, digest in values["digests"]["agreements"].items()}
