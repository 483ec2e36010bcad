"""Digests of what decided and what was made, and the commands with which a partner or the provider checks them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.run_files import RunFiles
from licensing.agreement import load_agreement
from licensing.canonical import digest_of
from licensing.files import file_digest

# Neither changes what a statement is about: one is rendered from it, the other is a check of it.
_APART = ("report", "replay")


def digests(run: RunFiles, config: Mapping[str, Any], agreements: Sequence[str]) -> dict[str, Any]:
    """SHA-256 of a partner's agreements and of the licence table, as kept with the decisions, and of the policy.

    The policy is digested as canonical JSON of its section in the resolved configuration. None is "not kept".
    """
    rights = run.root / "rights"
    kept = {load_agreement(path).id: file_digest(path)[0] for path in sorted((rights / "agreements").glob("*"))}
    table = rights / "licences.yaml"
    return {
        "agreements": {name: kept.get(name) for name in agreements},
        "licence_table": file_digest(table)[0] if table.exists() else None,
        "policy": digest_of(_plain(config["policy"])),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def state_of(run: RunFiles) -> str:
    """One digest over what every stage made, reports left out: two statements of one state tell of the same run."""
    return digest_of({name: entry.get("outputs_digest") for name, entry in run.entries.items() if name not in _APART})


def proof(run: RunFiles, partner: str) -> dict[str, Any]:
    """The partner's root and the root over all, with the key that signed the record."""
    own: Mapping[str, Any] = next((one for one in run.partners() if one["partner"] == partner), {})
    return {
        "root": own.get("root"),
        "size": own.get("size"),
        "overall_root": run.figures("commit").get("root"),
        "key_id": run.key_id(),
    }


def commands(run: RunFiles, partner: str) -> dict[str, list[str]]:
    """What a partner runs on the bundle it was given, what the provider runs on the run, and what withdraws."""
    path, name = shlex.quote(run.shown_path), shlex.quote(partner)
    return {
        "partner": ["python3 verify.py BUNDLE.zip", "python3 verify.py BUNDLE.zip --files FOLDER"],
        "provider": [
            f"herkomst verify {path}",
            f"herkomst trace {path} --partner-id ID",
            f"herkomst audit {path} --partner {name}",
        ],
        "withdraw": [f'herkomst withdraw {path} --partner {name} --reason "..."'],
    }
