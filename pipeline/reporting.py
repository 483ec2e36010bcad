"""Reports and statements of a run: what the record and the ledger say, given to the templates."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.report import render_report
from evaluation.run_files import RunFiles
from evaluation.statement import render_statement, statement_values, write_csv
from licensing.agreement import Agreement, load_agreements
from licensing.canonical import canonical
from licensing.errors import HerkomstError
from licensing.files import write_atomically
from licensing.record import Entry
from pipeline.config import Loaded
from pipeline.run_directory import RunDirectory
from pipeline.trace import Tracer
from pipeline.usage import usage_of


def write_reports(
    loaded: Loaded, run: RunDirectory, entries: Mapping[str, Entry], agreements: Mapping[str, Agreement], folder: Path
) -> dict[str, Any]:
    """Write the report and every partner's statements into ``folder``; returns the figures for the record."""
    files = run_files(run, entries, agreements)
    config = loaded.config
    html = render_report(files, config.report, config.model_dump(mode="json"))
    (folder / "report.html").write_text(html, encoding="utf-8")
    partners = [one["partner"] for one in files.partners()]
    tracer = Tracer(run)
    for partner in partners:
        _write_statements(files, tracer, partner, folder)
    return {"partners": partners, "report": "report.html"}


def audit_partner(run: RunDirectory, partner: str, folder: Path) -> list[Path]:
    """Write one partner's statements in both languages, and their content as JSON.

    Raises:
        HerkomstError: nothing was received from a partner of that name.
    """
    files, tracer = _open(run, partner)
    folder.mkdir(parents=True, exist_ok=True)
    return _write_statements(files, tracer, partner, folder)


def statement_of(run: RunDirectory, partner: str) -> dict[str, Any]:
    """The content of a partner's statement as plain values."""
    files, tracer = _open(run, partner)
    return statement_values(files, partner, usage_of(tracer, partner))


def run_files(run: RunDirectory, entries: Mapping[str, Entry], agreements: Mapping[str, Agreement]) -> RunFiles:
    """Where everything of a run lies, for the report."""
    return RunFiles(
        ledger=run.ledger,
        corpus=run.corpus,
        tokens=run.tokens,
        training=run.training,
        checkpoints=run.checkpoints,
        evaluation=run.evaluation,
        entries={name: entry.predicate for name, entry in entries.items()},
        agreements=agreements,
    )


def _open(run: RunDirectory, partner: str) -> tuple[RunFiles, Tracer]:
    run.require()
    entries = {entry.stage: entry for entry in run.record().entries()}
    if "commit" not in entries:
        raise HerkomstError(f"{run.path}: there is no ledger yet; no statement was written. Run it up to commit first.")
    files = run_files(run, entries, kept_agreements(run))
    known = [one["partner"] for one in files.partners()]
    if partner not in known:
        raise HerkomstError(
            f"{run.path}: nothing was received from '{partner}'; no statement was written. Partners of this run: "
            f"{'; '.join(known)}."
        )
    return files, Tracer(run)


def kept_agreements(run: RunDirectory) -> dict[str, Agreement]:
    """The agreements as they stood when the decisions were made."""
    return load_agreements(sorted((run.rights / "agreements").glob("*.yaml")))


def _write_statements(files: RunFiles, tracer: Tracer, partner: str, folder: Path) -> list[Path]:
    usage = usage_of(tracer, partner)
    name = "statement-" + (re.sub(r"[^a-z0-9]+", "-", partner.lower()).strip("-") or "partner")
    rows = io.StringIO()
    write_csv(rows, files, partner, usage)
    pages = {
        f"{name}.en.html": render_statement(files, partner, "en", usage, csv_name=f"{name}.csv").encode(),
        f"{name}.nl.html": render_statement(files, partner, "nl", usage, csv_name=f"{name}.csv").encode(),
        f"{name}.json": canonical(statement_values(files, partner, usage)),
        f"{name}.csv": rows.getvalue().encode(),
    }
    for file, data in pages.items():
        write_atomically(folder / file, data)
    return [folder / file for file in pages]
