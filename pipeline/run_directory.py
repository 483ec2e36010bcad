"""The folder of one run: where everything lies, who may write to it, and what has been finished in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from licensing.attestation import SigningKey
from licensing.errors import HerkomstError
from licensing.record import Record
from licensing.withdrawal import register_of


class RunError(HerkomstError):
    """The run directory cannot be used for what was asked."""


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """``runs/NAME``; every path of a run is named here and nowhere else."""

    path: Path

    @property
    def config(self) -> Path:
        """The configuration as resolved."""
        return self.path / "config.yaml"

    @property
    def received(self) -> Path:
        """Documents as received, one folder of parquet shards a source."""
        return self.path / "work" / "received"

    @property
    def decisions(self) -> Path:
        """The rights decision of every received document, one file a shard."""
        return self.path / "work" / "decisions"

    @property
    def rights(self) -> Path:
        """The licence table and the agreements as they were when the decisions were made."""
        return self.path / "rights"

    @property
    def curated(self) -> Path:
        """Documents after curation with what happened to each, one file a shard."""
        return self.path / "work" / "curated"

    @property
    def partial(self) -> Path:
        """Finished tasks of stages that are still under way; safe to delete, at the price of doing them again."""
        return self.path / "work" / "partial"

    @property
    def ledger(self) -> Path:
        """One row for every document ever received, sorted by document id."""
        return self.path / "ledger"

    @property
    def corpus(self) -> Path:
        """Streams of curated text and the Merkle trees that commit to them."""
        return self.path / "corpus"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer, as SentencePiece model and as fast tokenizer."""
        return self.path / "tokenizer"

    @property
    def tokens(self) -> Path:
        """Token streams with the span of every document."""
        return self.path / "tokens"

    @property
    def training(self) -> Path:
        """The plan, the log of every step and the summary of the training."""
        return self.path / "training"

    @property
    def checkpoints(self) -> Path:
        """``step-00000100`` and so on."""
        return self.path / "checkpoints"

    @property
    def evaluation(self) -> Path:
        """One JSON file a suite, with every item's score."""
        return self.path / "evaluation"

    @property
    def withdrawals(self) -> Path:
        """``0001`` and so on: what partners took back."""
        return self.path / "withdrawals"

    @property
    def reports(self) -> Path:
        """What people read."""
        return self.path / "reports"

    def record(self, key: SigningKey | None = None) -> Record:
        """The signed account of the run; a key is needed only to add to it."""
        return Record(self.path / "record", key)

    def require(self) -> None:
        """Stop unless this is the directory of a run.

        Raises:
            RunError: there is no run here.
        """
        if not self.config.exists():
            raise RunError(
                f"{self.path}: there is no run here (config.yaml is missing). "
                "Name the folder of a run, for example runs/demo, or make one with `herkomst run CONFIG`."
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for writing; the lock goes with the process, so a killed run leaves none behind.

        Raises:
            RunError: another process holds it, or it would lie in the register of withdrawals.
        """
        if register_of(self.path) == self.path.resolve():
            raise RunError(
                f"{self.path}: this is the register of withdrawals of the runs beside it and holds no run; nothing "
                "was changed. Choose another name, or another folder with --run-dir."
            )
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / ".lock").open("a+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as fault:
                handle.seek(0)
                holder = handle.read().strip() or "unknown"
                raise RunError(
                    f"{self.path}: another run (process {holder}) is writing here; nothing was changed. "
                    "Wait for it, stop it, or give another folder with --run-dir."
                ) from fault
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            yield
