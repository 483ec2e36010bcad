"""Where the outputs of a run lie, and how reports read them: what is missing is None and is shown as not measured."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import yaml

from licensing.agreement import Agreement
from licensing.attestation import key_id, read_public_key_pem
from licensing.record import PUBLIC_KEY_NAME

_CHECKPOINT = re.compile(r"step-(\d+)")


class Publisher(Protocol):
    """Who answers for a report: a name, a way to reach them, and a title of their own or None."""

    @property
    def provider(self) -> str:
        """Name of the provider of the model."""

    @property
    def contact(self) -> str:
        """How a reader reaches the provider."""

    @property
    def title(self) -> str | None:
        """A title for the report, or None for one made from the run's name."""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """One run as reports see it.

    ``withdrawals`` are those asked for so far, in order: ``number``, ``reason``, ``requested``, ``effective`` (ISO
    days), ``documents``, ``near_duplicates``, ``tokens``, ``states`` (list of ``state`` and ``date``),
    ``clean_checkpoint`` (steps or None), ``checkpoints_with`` (list of steps) and ``releases`` (list of ``name`` and
    ``recalled``, a day or None).

    ``entries`` maps each stage to the predicate of its newest signed statement and ``agreements`` are the contracts as
    they stood when decisions were made, by id. A path that does not exist means that nothing was made. The folder that
    holds the ledger is the run directory: its configuration and public key are read from there.
    """

    ledger: Path
    corpus: Path
    tokens: Path
    training: Path
    checkpoints: Path
    evaluation: Path
    entries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    agreements: Mapping[str, Agreement] = field(default_factory=dict)
    withdrawals: Sequence[Mapping[str, Any]] = ()

    @property
    def root(self) -> Path:
        """The run directory."""
        return self.ledger.parent

    @property
    def shown_path(self) -> str:
        """How commands in a report name the run: as given if relative, else its last part, for machines differ."""
        return self.root.name if self.root.is_absolute() else self.root.as_posix()

    def config(self) -> dict[str, Any]:
        """Return the resolved configuration of the run.

        Raises:
            ValueError: it is missing or is no mapping; without it nobody can say what the run was for.
        """
        path = self.root / "config.yaml"
        try:
            found = yaml.safe_load(path.read_bytes())
        except (OSError, yaml.YAMLError) as error:
            raise ValueError(f"{path}: cannot be read ({error}); no report was written. Restore the file.") from error
        if not isinstance(found, dict):
            raise ValueError(f"{path}: not a mapping; no report was written. Restore the file.")
        return found

    def key_id(self) -> str | None:
        """Return the id of the key that signs the record, or None where there is no record yet."""
        path = self.root / "record" / PUBLIC_KEY_NAME
        return key_id(read_public_key_pem(path.read_bytes(), str(path))) if path.exists() else None

    def dates(self) -> tuple[str, str] | None:
        """Return the days of the first start and of the last end of any stage, ISO; None where no stage ran."""
        moments = [
            str(entry[key]) for entry in self.entries.values() for key in ("started", "finished") if key in entry
        ]
        return (min(moments)[:10], max(moments)[:10]) if moments else None

    def entry(self, stage: str) -> Mapping[str, Any]:
        """Return what a stage stated, empty where it has not run."""
        return self.entries.get(stage, {})

    def figures(self, stage: str) -> Mapping[str, Any]:
        """Return the figures of a stage, empty where it has not run."""
        found = self.entry(stage).get("figures")
        return found if isinstance(found, Mapping) else {}

    def partners(self) -> list[dict[str, Any]]:
        """Return each partner with the root and the size of its tree, from ``corpus/roots.json``; empty before commit.

        They stand there and not in the signed figures, so that a statement can be shown to one partner without naming
        the others; the file's digest is signed.

        Raises:
            ValueError: the file is there and is not what commit wrote.
        """
        path = self.corpus / "roots.json"
        if not path.exists():
            return []
        try:
            return [dict(one) for one in json.loads(path.read_bytes())["partners"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path}: no list of partners and roots ({error!r}); no report was written. Run the commit stage again."
            ) from error

    def suite(self, name: str) -> dict[str, Any] | None:
        """Return what an evaluation suite wrote, or None where it did not run.

        Raises:
            ValueError: the file is there and is not a JSON object; a damaged file must not read as "not measured".
        """
        path = self.evaluation / f"{name}.json"
        if not path.exists():
            return None
        try:
            found = json.loads(path.read_bytes())
        except ValueError as error:
            raise ValueError(
                f"{path}: not JSON ({error}); no report was written. Run the evaluation stage again."
            ) from error
        if not isinstance(found, dict):
            raise ValueError(f"{path}: not a JSON object; no report was written. Run the evaluation stage again.")
        return found

    def training_log(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of the training log in order; none where nothing was trained."""
        path = self.training / "log.jsonl"
        if not path.exists():
            return
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise ValueError(
                        f"{path}:{number}: not JSON; no report was written. Run the training stage again."
                    ) from error

    def checkpoint_steps(self) -> list[int]:
        """Return how many steps each checkpoint in place had seen, ascending."""
        if not self.checkpoints.is_dir():
            return []
        found = (_CHECKPOINT.fullmatch(path.name) for path in self.checkpoints.iterdir())
        return sorted(int(match[1]) for match in found if match)


def replayed(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """What the last replay of this training's steps found, with its day; None where none was made of it.

    One that did not agree is told of rather than a later one that did.
    """
    entry, train = entries.get("replay"), entries.get("train")
    if entry is None or train is None or entry.get("training") != train.get("outputs_digest"):
        return None
    told = entry if not entry["figures"]["agrees"] else entry.get("disagreed") or entry
    return {**told["figures"], "on": str(told["finished"])[:10]}
