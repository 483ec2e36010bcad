"""The command line. Heavy libraries are loaded by the stage that needs them, so that a question is answered at once."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from licensing.errors import HerkomstError

# Nothing here is ever sent anywhere; the libraries below would ask a hub for news at import.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DO_NOT_TRACK", "1")
# Threads that wait by spinning cost four times their time as soon as anything else runs on the same cores. It must be
# set before the first library with OpenMP is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

app = typer.Typer(
    name="herkomst",
    help="Train and evaluate language models whose every token can be accounted for.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ConfigPath = Annotated[Path, typer.Argument(help="The run's YAML file, for example configs/demo.yaml.")]
RunPath = Annotated[Path, typer.Argument(help="The run's folder, for example runs/demo.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for a program.")]


@app.command()
def check(config: ConfigPath) -> None:
    """Say in words what a configuration would run, and which sources would be admitted and why.

    Example: herkomst check configs/demo.yaml
    """
    from pipeline.check import explain
    from pipeline.config import load_config

    typer.echo(explain(load_config(config)))


@app.command()
def run(
    config: ConfigPath,
    run_dir: Annotated[Path | None, typer.Option(help="Where the run lies; default runs/NAME.")] = None,
    until: Annotated[str | None, typer.Option(help="Stop after this stage.")] = None,
    only: Annotated[str | None, typer.Option(help="Do this stage alone; what it needs must be up to date.")] = None,
    force: Annotated[list[str] | None, typer.Option(help="Do this stage even if it is up to date.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that curate; the result does not depend on it.")
    ] = None,
) -> None:
    """Do what is stale, in order. Stop it at any moment; the same command continues.

    Stages: ingest, admit, curate, commit, tokenizer, pack, train, evaluate, report.

    Example: herkomst run configs/demo.yaml --until curate
    """
    from licensing.withdrawal import register_of
    from pipeline.config import load_config
    from pipeline.registered import adopt
    from pipeline.run_directory import RunDirectory
    from pipeline.runner import run as run_stages

    loaded = load_config(config)
    usual = RunDirectory(Path("runs") / loaded.config.name)
    directory = RunDirectory(run_dir) if run_dir else usual
    adopt(directory, register_of(usual.path))
    done = run_stages(loaded, directory, until=until, only=only, force=force or [], workers=workers)
    typer.echo(f"Done: {', '.join(done)}." if done else "Nothing to do: every stage is up to date.")
    report = directory.reports / "report.html"
    if report.exists() and (not until or until == "report") and not only:
        typer.echo(f"Report: {report}")


@app.command()
def trace(
    run: RunPath,
    document: Annotated[str | None, typer.Option(help="A document's id: 64 hexadecimal characters.")] = None,
    partner_id: Annotated[str | None, typer.Option(help="The supplier's own id of a document.")] = None,
    step: Annotated[int | None, typer.Option(help="A training step, counted from 0.")] = None,
    json: AsJson = False,
) -> None:
    """Follow a document to the training steps that read it, or a step to its documents.

    Example: herkomst trace runs/demo --partner-id DK-2025-0412
    """
    from pipeline.run_directory import RunDirectory
    from pipeline.trace import Tracer, as_text, dump, step_as_text

    if sum(value is not None for value in (document, partner_id, step)) != 1:
        raise HerkomstError("Give exactly one of --document, --partner-id and --step; nothing was looked up.")
    tracer = Tracer(RunDirectory(run))
    if step is not None:
        answer = tracer.step(step)
        typer.echo(dump(answer) if json else step_as_text(answer))
        return
    answers = [tracer.document(document)] if document else tracer.by_native_id(str(partner_id))
    if json:
        typer.echo(dump(answers[0] if len(answers) == 1 else answers))
    else:
        typer.echo("\n\n".join(as_text(answer) for answer in answers))


@app.command()
def audit(
    run: RunPath,
    partner: Annotated[str, typer.Option(help="The partner's name, as the report gives it.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write to; default RUN/statements.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="Write one signed zip file that the partner can check.")] = None,
    remuneration: Annotated[Path | None, typer.Option(help="Policy file by which --amount is shared out.")] = None,
    amount: Annotated[str | None, typer.Option(help="Amount to be shared among the partners: 10000.00.")] = None,
    previous: Annotated[
        Path | None, typer.Option(help="JSON of the former statement; default: the one in the folder written to.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Write a partner's statement, in English and in Dutch, or all its evidence as one file to send.

    Example: herkomst audit runs/demo --partner "De Kade Pers B.V." --bundle de-kade.zip
    """
    from pipeline.reporting import Asked, audit_partner, statement_of
    from pipeline.run_directory import RunDirectory
    from pipeline.trace import dump

    directory, asked = RunDirectory(run), Asked(remuneration, amount, previous)
    if json:
        typer.echo(dump(statement_of(directory, partner, asked)))
        return
    if bundle is not None:
        from pipeline.bundle import write_bundle

        fingerprint = write_bundle(directory, partner, bundle, asked)
        typer.echo(f"Bundle: {bundle}\nSigned with key {fingerprint}: tell the partner by another way than the bundle.")
        typer.echo(f"To check it: python3 -I -S verify.py {bundle.name} --key {fingerprint} --files FOLDER")
        return
    for path in audit_partner(directory, partner, out or directory.path / "statements", asked):
        typer.echo(f"Statement: {path}")


@app.command()
def withdraw(
    run: RunPath,
    reason: Annotated[str, typer.Option(help="Why, in words for the record.")],
    partner: Annotated[str | None, typer.Option(help="Everything of this partner, by its name.")] = None,
    agreement: Annotated[str | None, typer.Option(help="Everything under this agreement, by its id.")] = None,
    document: Annotated[
        list[str] | None, typer.Option(help="A document, by its id or by the supplier's own; may be repeated.")
    ] = None,
    effective: Annotated[
        str | None, typer.Option(help="First day in effect (ISO); default at once. A later one waits for policy.as_of.")
    ] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Sign it. Without this nothing is changed.")] = False,
    json: AsJson = False,
) -> None:
    """Take text back: say what it would mean, and with --confirm sign it.

    Then `herkomst run` takes the text out and trains again from the last checkpoint that had not read it. Every other
    run beside this one refuses it from now on, and near copies of it.

    Example: herkomst withdraw runs/demo --document DK-2025-0412 --reason "letter of 3 November"
    """
    from pipeline.run_directory import RunDirectory
    from pipeline.trace import dump
    from pipeline.withdraw_documents import Asked
    from pipeline.withdraw_plan import plan_withdrawal
    from pipeline.withdraw_words import as_text

    asked = Asked(*_what(partner, agreement, document), reason, _day(effective) or _today())
    directory = RunDirectory(run)
    if not confirm:
        plan = plan_withdrawal(directory, asked)
        typer.echo(dump(plan.as_dict()) if json else as_text(plan))
        typer.echo("Nothing was changed. Add --confirm to sign this withdrawal.", err=True)
        return
    told = _sign_withdrawal(directory, asked)
    typer.echo(dump(told[0]) if json else told[1])


def _what(partner: str | None, agreement: str | None, document: list[str] | None) -> tuple[Any, tuple[str, ...]]:
    given = [(by, value) for by, value in (("partner", partner), ("agreement", agreement)) if value]
    asked: list[tuple[str, tuple[str, ...]]] = [(by, (value,)) for by, value in given]
    asked += [("documents", tuple(document))] if document else []
    if len(asked) != 1:
        raise HerkomstError("Give exactly one of --partner, --agreement and --document; nothing was changed.")
    return asked[0]


def _day(text: str | None) -> Any:
    from datetime import date

    try:
        return date.fromisoformat(text) if text else None
    except ValueError as fault:
        raise HerkomstError(f"--effective {text}: {fault}; nothing was changed. Write it as 2026-11-24.") from fault


def _today() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC).date()


def _sign_withdrawal(directory: Any, asked: Any) -> tuple[dict[str, Any], str]:
    from licensing.withdrawal import register_of
    from pipeline.runner import signing_key
    from pipeline.withdraw import confirm
    from pipeline.withdraw_plan import plan_withdrawal
    from pipeline.withdraw_words import as_text

    with directory.locked():
        plan = plan_withdrawal(directory, asked)
        withdrawal, entry = confirm(directory, plan, signing_key(), _today())
    told = (
        f"{as_text(plan)}\n\nSigned as withdrawal {withdrawal.number}: {entry.path}\n"
        f"Every run in {directory.path.parent} refuses this text from now on ({register_of(directory.path)}).\n"
        "Run `herkomst run CONFIG` to take it out of this run and to train again."
    )
    return plan.as_dict() | {"number": withdrawal.number, "statement": str(entry.path)}, told


@app.command()
def replay(
    run: RunPath,
    steps: Annotated[str, typer.Option(help="First step and the one after the last, counted from 0: 100:120.")],
    tolerance: Annotated[
        float,
        typer.Option(
            min=0, max=0.1, help="Nats a token that losses may differ by where weights are not equal in bits."
        ),
    ] = 1e-3,
    json: AsJson = False,
) -> None:
    """Run some steps of the training again from the checkpoint before them, compare, and sign what was found.

    On the same kind of machine the weights are equal bit for bit. The exit code is 0 only where the two agree.

    Example: herkomst replay runs/demo --steps 350:400
    """
    from pipeline.progress import Meter
    from pipeline.replay import as_text, read_steps, replay_run
    from pipeline.run_directory import RunDirectory
    from pipeline.runner import signing_key
    from pipeline.trace import dump

    with Meter("replay", "steps") as meter:

        def tick(done: int, total: int, note: str) -> None:
            if meter.total is None:
                meter.expect(total, done - 1)
            meter.advance(1, note)

        result = replay_run(RunDirectory(run), read_steps(steps), tolerance, signing_key(), tick)
    typer.echo(dump({**result.figures, "agrees": result.agrees}) if json else as_text(result))
    if not result.agrees:
        raise typer.Exit(1)


@app.command()
def export(
    run: RunPath,
    to: Annotated[Path, typer.Option("--to", help="Folder to write; it must not exist yet.")],
    json: AsJson = False,
) -> None:
    """Write a finished run as a release: weights, tokenizer, model card, digests and a signed statement over all.

    Refused where `herkomst verify` finds anything, or where text of the run is to be withdrawn.

    Example: herkomst export runs/demo --to release/
    """
    from pipeline.export import export as export_run
    from pipeline.run_directory import RunDirectory
    from pipeline.trace import dump

    done = export_run(RunDirectory(run), to)
    if json:
        named = {"folder": str(done.folder), "key": done.key, "weights_sha256": done.weights_sha256}
        typer.echo(dump(named | {"notes": list(done.notes)}))
        return
    typer.echo(f"Release: {done.folder}\nSigned with key {done.key}. To check it: sha256sum -c SHA256SUMS")
    typer.echo(f"Once it is handed out, name it under releases, with weights_sha256: {done.weights_sha256}")
    for note in done.notes:
        typer.echo(f"Note: {note}")


@app.command()
def verify(
    run: RunPath,
    key: Annotated[Path | None, typer.Option(help="The signer's public key, as known from elsewhere (PEM).")] = None,
    json: AsJson = False,
) -> None:
    """Check digests, signatures and Merkle roots, and that ledger, corpus, plan and checkpoints agree.

    Example: herkomst verify runs/demo
    """
    from licensing.attestation import read_public_key_pem
    from pipeline.run_directory import RunDirectory
    from pipeline.runner import newest_entries
    from pipeline.trace import dump
    from pipeline.verify import missing_stages
    from pipeline.verify import verify as verify_run

    directory = RunDirectory(run)
    findings = verify_run(directory, read_public_key_pem(key.read_bytes(), str(key)) if key else None)
    missing = [] if findings else missing_stages(newest_entries(directory))
    if json:
        told: dict[str, Any] = {"verified": not findings, "missing": missing}
        typer.echo(dump(told | {"findings": [str(one) for one in findings]}))
    else:
        for finding in findings:
            typer.echo(f"NOT VERIFIED  {finding}")
        if not findings:
            typer.echo(_verified(directory, key is not None))
            if missing:
                typer.echo(f"Not yet run, so not verified: {', '.join(missing)}.")
    raise typer.Exit(1 if findings else 0)


def _verified(directory: Any, pinned: bool) -> str:
    from licensing.attestation import key_id, read_public_key_pem

    path = directory.path / "record" / "public-key.pem"
    name = key_id(read_public_key_pem(path.read_bytes(), str(path)))
    trust = "the key you gave" if pinned else f"key {name}, which the run itself names; give --key to check the signer"
    return f"{directory.path}: verified. Files, signatures, roots, plan and checkpoints agree. Signed with {trust}."


def main() -> None:
    """Run the command line; a fault the user can act on is a sentence and exit code 1, never a traceback."""
    try:
        # Without its own error handling, typer returns the code of an Exit instead of raising it.
        code = app(standalone_mode=False)
        raise SystemExit(code if isinstance(code, int) else 0)
    except HerkomstError as fault:
        print(f"herkomst: {fault}", file=sys.stderr)
        raise SystemExit(fault.exit_code) from None
    except OSError as fault:
        if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        what = f"{fault}. What was finished is kept and nothing half-written stands under a final name"
        print(f"herkomst: {what}; make room and run the same command again.", file=sys.stderr)
        raise SystemExit(1) from None
    except (KeyboardInterrupt, typer.Abort):
        print("herkomst: stopped. What was finished is kept; the same command continues.", file=sys.stderr)
        raise SystemExit(130) from None
    except Exception as fault:
        if hasattr(fault, "format_message") and hasattr(fault, "exit_code"):
            print(f"herkomst: {fault.format_message()}", file=sys.stderr)
            raise SystemExit(fault.exit_code) from None
        raise


if __name__ == "__main__":
    main()
