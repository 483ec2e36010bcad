"""Reports and statements of a run: what the record and the ledger say, given to the templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from evaluation.report import render_report
from evaluation.run_files import RunFiles
from evaluation.statement import statement_page, statement_values, write_csv
from evaluation.statement_changes import former_statement, read_statement
from evaluation.statement_proof import state_of
from evaluation.statement_remuneration import remuneration_values
from evaluation.words import Language
from licensing.agreement import Agreement, load_agreements
from licensing.canonical import canonical
from licensing.errors import HerkomstError
from licensing.files import atomic_file, file_digest, write_atomically
from licensing.record import Entry
from licensing.remuneration import cents_of, load_remuneration
from pipeline.config import Loaded
from pipeline.run_directory import RunDirectory
from pipeline.trace import Tracer
from pipeline.usage import usage_of
from pipeline.usage_table import usage_table
from pipeline.withdrawal_state import withdrawal_values


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
        extra = {"remuneration": None, "former": _former(files, partner, run.reports)}
        own = replace(files, withdrawals=withdrawal_values(run, partner))
        _write_statements(own, tracer, partner, folder, extra)
    return {"partners": partners, "report": "report.html"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a statement is asked to show besides the run: an amount shared out by a policy file, a former statement."""

    policy: Path | None = None
    amount: str | None = None
    former: Path | None = None


def audit_partner(run: RunDirectory, partner: str, folder: Path, asked: Asked = Asked()) -> list[Path]:
    """Write one partner's statements in both languages, and their content as JSON.

    Raises:
        HerkomstError: nothing was received from a partner of that name, or what was asked for cannot be stated.
    """
    files, tracer = open_for(run, partner)
    extra = statement_extra(run, files, partner, folder, asked)
    folder.mkdir(parents=True, exist_ok=True)
    return _write_statements(files, tracer, partner, folder, extra)


def statement_of(run: RunDirectory, partner: str, asked: Asked = Asked()) -> dict[str, Any]:
    """The content of a partner's statement as plain values."""
    files, tracer = open_for(run, partner)
    extra = statement_extra(run, files, partner, run.path / "statements", asked)
    return statement_values(files, partner, usage_of(tracer, partner), **extra)


def statement_extra(run: RunDirectory, files: RunFiles, partner: str, folder: Path, asked: Asked) -> dict[str, Any]:
    """The parts of a statement that do not follow from the run alone, as `statement_values` takes them by name.

    Raises:
        HerkomstError: an amount without a policy or the other way round, or one of the files cannot be used.
    """
    former = read_statement(asked.former, partner) if asked.former else _former(files, partner, folder)
    return {"remuneration": _remuneration(run, files, partner, asked), "former": former}


def _former(files: RunFiles, partner: str, folder: Path) -> dict[str, Any] | None:
    return former_statement(folder, statement_name(partner), partner, state_of(files))


def _remuneration(run: RunDirectory, files: RunFiles, partner: str, asked: Asked) -> dict[str, Any] | None:
    if asked.policy is None and asked.amount is None:
        return None
    if asked.policy is None or asked.amount is None:
        raise HerkomstError(
            "An amount needs a policy to share it by, and a policy an amount; no statement was written. Give both "
            "--remuneration and --amount, or neither."
        )
    policy = load_remuneration(asked.policy)
    paying = {name for name, one in files.agreements.items() if one.remuneration_key != "none"}
    table = usage_table(run, paying if policy.who == "agreements" else None)
    digest = file_digest(asked.policy)[0]
    return remuneration_values(table, policy, digest, cents_of(asked.amount), partner, files.agreements)


def run_files(
    run: RunDirectory, entries: Mapping[str, Entry], agreements: Mapping[str, Agreement], partner: str | None = None
) -> RunFiles:
    """Where everything of a run lies, for the report or for one partner's statement."""
    return RunFiles(
        ledger=run.ledger,
        corpus=run.corpus,
        tokens=run.tokens,
        training=run.training,
        checkpoints=run.checkpoints,
        evaluation=run.evaluation,
        entries={name: entry.predicate for name, entry in entries.items()},
        agreements=agreements,
        withdrawals=withdrawal_values(run, partner),
    )


def open_for(run: RunDirectory, partner: str) -> tuple[RunFiles, Tracer]:
    """Open a run for one partner's statement.

    Raises:
        HerkomstError: nothing was received from a partner of that name, or nothing is committed yet.
    """
    run.require()
    entries = {entry.stage: entry for entry in run.record().entries()}
    if "commit" not in entries:
        raise HerkomstError(f"{run.path}: there is no ledger yet; no statement was written. Run it up to commit first.")
    files = run_files(run, entries, kept_agreements(run), partner)
    known = [one["partner"] for one in files.partners()]
    if partner not in known:
        raise HerkomstError(
            f"{run.path}: nothing was received from '{partner}'; no statement was written. Partners of this run: "
            f"{'; '.join(known)}."
        )
    return files, Tracer(run)


def kept_agreements(run: RunDirectory) -> dict[str, Agreement]:
    """The agreements as they stood when the decisions were made."""
    return load_agreements(sorted((run.rights / "agreements").iterdir()))


def statement_name(partner: str) -> str:
    """How the files of a partner's statement are called, without their endings."""
    return "statement-" + (re.sub(r"[^a-z0-9]+", "-", partner.lower()).strip("-") or "partner")


def _write_statements(
    files: RunFiles, tracer: Tracer, partner: str, folder: Path, extra: Mapping[str, Any]
) -> list[Path]:
    usage = usage_of(tracer, partner)
    name = statement_name(partner)
    values = statement_values(files, partner, usage, **extra)
    pages: dict[str, Language] = {f"{name}.en.html": "en", f"{name}.nl.html": "nl"}
    for page, language in pages.items():
        write_atomically(folder / page, statement_page(values, language, f"{name}.csv").encode())
    with atomic_file(folder / f"{name}.csv") as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="")
        write_csv(text, files, partner, usage)
        text.detach()
    written = [*pages, f"{name}.csv"]
    if extra["former"]:
        written.append(f"{name}.previous.json")
        write_atomically(folder / written[-1], canonical(extra["former"]))
    # Last, for it is what the next statement takes for the former one.
    written.append(f"{name}.json")
    write_atomically(folder / written[-1], canonical(values))
    return [folder / file for file in written]
