"""`herkomst check`: say in words what a configuration would run, and which sources would be admitted and why."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from data_curation.readers import snapshot_files
from data_curation.readers.base import resolved
from licensing.agreement import Agreement
from licensing.basis import ALONE, decide_by_basis
from licensing.decide import decide
from licensing.errors import HerkomstError
from licensing.reservations import Reservation, load_agents
from licensing.rights import Decision, Declared, Rights
from licensing.table import LicenceTable, check_policy, load_table
from pipeline.base_model import base_shape, explain_base
from pipeline.check_curation import explain_curation
from pipeline.check_vocabulary import explain_vocabulary
from pipeline.config import Loaded
from pipeline.registered import obeyed_by
from pipeline.run_directory import RunDirectory
from pipeline.stage_inputs import agreements_of
from training.settings import resolve_batch, resolve_learning_rate, resolve_shape


def explain(loaded: Loaded) -> str:
    """The whole configuration in words; every file it names is read, so that a fault shows now and not in an hour."""
    config = loaded.config
    table = load_table(loaded.resolve(config.policy.table))
    check_policy(config.policy, table)
    load_agents(loaded.resolve(config.policy.ai_agents))
    agreements = agreements_of(loaded)
    lines = [f"{loaded.path.name}: run '{config.name}'", "", "Intended use", f"  {_use(loaded)}", ""]
    lines += ["Sources"]
    for source in config.sources:
        lines += _source(loaded, source, table, agreements)
    lines += ["", "Withdrawals", *(f"  {line}" for line in _withdrawals(loaded))]
    lines += ["", "Curation", *(f"  {line}" for line in explain_curation(loaded))]
    if config.base_model:
        lines += ["", "Base model", *(f"  {line}" for line in explain_base(loaded))]
    lines += ["", "Vocabulary", *(f"  {line}" for line in explain_vocabulary(loaded))]
    lines += ["", "Model and training", *(f"  {line}" for line in _training(loaded))]
    lines += ["", "Evaluation", f"  suites: {', '.join(config.evaluation.suites)}"]
    lines += ["", "Report", f"  by {config.report.provider}, contact {config.report.contact}"]
    return "\n".join(lines)


def _use(loaded: Loaded) -> str:
    use = loaded.config.intended_use
    said = [
        f"a {use.purpose} model",
        "weights are released" if use.weights_released else "weights are not released",
        "training text is released" if use.data_released else "training text is not released",
        "what it writes may be sold" if use.outputs_sold else "what it writes is not sold",
    ]
    return ", ".join(said) + f"; periods are judged on {loaded.config.policy.as_of}."


def _source(loaded: Loaded, source: Any, table: LicenceTable, agreements: dict[str, Agreement]) -> list[str]:
    lines = [f"  {source.name} ({source.reader}), from {source.partner}", *_ground(loaded, source)]
    if source.basis in ALONE:
        return lines
    if source.agreement:
        return lines + _by_agreement(loaded, source, agreements, table)
    if source.licence:
        declared = Declared(source.licence, f"config: source {source.name}, key licence", "spdx")
        decision = _decide(loaded, Rights((declared,)), source.name, table, agreements)
        return [*lines, f"      {source.licence}: {decision.outcome}. {decision.explanation}"]
    if source.reader == "debian":
        return lines + _debian(loaded, source, table, agreements)
    return [*lines, "      rights are declared by each document; decided when it is read"]


def _ground(loaded: Loaded, source: Any) -> list[str]:
    """What the source rests on and what its reservations mean for this run."""
    lines: list[str] = []
    if source.basis in ALONE:
        found = Reservation("allowed", (), loaded.config.policy.as_of.isoformat())
        rights = Rights(basis=source.basis, evidence=source.basis_evidence, reservation=found)
        decision = decide_by_basis(rights, loaded.config.intended_use)
        if source.basis == "dsm-art-4" and decision.outcome == "admit":
            lines.append("      basis dsm-art-4: admit where no reservation was found; refuse a reserved document;")
            lines.append("      a document of which that is not known goes to review and stays out")
            lines += [f"      duty: {duty.kind} {duty.value} ({duty.clause})" for duty in decision.duties]
        else:
            lines.append(f"      basis {source.basis}: {decision.outcome}. {decision.explanation}")
    elif source.basis:
        lines.append(f"      basis {source.basis}" + (f": {source.basis_evidence}" if source.basis_evidence else ""))
    return [*lines, *_reservations(loaded, source)]


def _reservations(loaded: Loaded, source: Any) -> list[str]:
    if source.reservations is None:
        told = "      reservations: no stored answers are named, so that every document goes to review"
        return [told] if source.basis == "dsm-art-4" else []
    root, policy = resolved(loaded.root, source.reservations), loaded.config.policy
    places = {path.relative_to(root).parts[:2] for path in snapshot_files(source, loaded.root)}
    days = {place for place in places if len(place) > 1}
    counted = {place for place in days if place[1] <= policy.as_of.isoformat()}
    lines = [
        f"      reservations: stored answers of {len({host for host, _ in counted})} host(s), the newest of each on or "
        f"before {policy.as_of} decides; {len(days) - len(counted)} later one(s) are left out"
    ]
    if source.agreement:
        lines.append("      a reservation is recorded; the agreement goes before it")
    elif source.basis == "dsm-art-3":
        lines.append("      a reservation is recorded; it does not limit art. 3")
    elif source.basis in (None, "licence"):
        lines.append(f"      a licensed document whose publisher reserves mining: {policy.reservations_on_licensed}")
    return lines


def _by_agreement(loaded: Loaded, source: Any, agreements: dict[str, Agreement], table: LicenceTable) -> list[str]:
    known = agreements.get(source.agreement)
    inside = known.content_period.start if known else date(1970, 1, 1)
    decision = _decide(loaded, Rights(agreement=source.agreement, published=inside), source.name, table, agreements)
    lines = [f"      agreement {source.agreement}: {decision.outcome} within its period. {decision.explanation}"]
    if known:
        lines += [f"      duty: {duty.kind} {duty.value} ({duty.clause})" for duty in decision.duties]
        lines += [f"      not enforced by software: {field} ({clause})" for field, _, clause in known.not_enforced()]
    return lines


def _debian(loaded: Loaded, source: Any, table: LicenceTable, agreements: dict[str, Agreement]) -> list[str]:
    from data_curation.download import cache_folder
    from data_curation.readers.debian import package_rights

    lines: list[str] = []
    for package in source.packages:
        try:
            declared = package_rights(package, cache_folder())
        except HerkomstError as fault:
            return [*lines, f"      {fault}"]
        if declared is None:
            lines.append(f"      {package}: not downloaded yet; its copyright file decides when it is read")
            continue
        decision = _decide(loaded, Rights(declared), source.name, table, agreements)
        written = " ".join((declared[0].text if declared else "nothing declared").split())[:60]
        lines.append(f"      {package}: '{written}': {decision.outcome}. {decision.explanation}")
    return lines


def _decide(
    loaded: Loaded, rights: Rights, source: str, table: LicenceTable, agreements: dict[str, Agreement]
) -> Decision:
    return decide(rights, loaded.config.intended_use, loaded.config.policy, table, agreements, source)


def _withdrawals(loaded: Loaded) -> list[str]:
    run = Path("runs") / loaded.config.name
    found = [one.withdrawal for one in obeyed_by(RunDirectory(run), loaded.config.policy.as_of)]
    told = [
        f"{one.run} {one.number}, from {one.effective}: {one.documents} documents and what is like them stay out"
        for one in sorted(found, key=lambda one: (one.run, one.number))
    ]
    return told or [f"none is in effect in {run.parent / 'withdrawals'}"]


def _training(loaded: Loaded) -> list[str]:
    config = loaded.config
    try:
        own = resolve_shape(config.model, config.tokenizer.vocabulary_size) if config.base_model is None else None
    except ValueError as fault:
        raise HerkomstError(f"{loaded.path}: {fault}") from fault
    shape = own or base_shape(loaded)
    batch = resolve_batch(config.training, shape)
    steps = sum(part.steps for part in config.training.segments)
    tokens = steps * batch * shape.sequence_length
    return [
        f"dial {shape.depth}: width {shape.width}, {shape.heads} heads, feed-forward {shape.feed_forward}, "
        f"vocabulary {shape.vocabulary_size:,}: {shape.parameters / 1e6:.1f} million parameters",
        f"{steps:,} steps of {batch} sequences of {shape.sequence_length} tokens = {tokens / 1e6:.1f} million tokens, "
        f"peak learning rate {resolve_learning_rate(config.training, shape):.2g}",
        f"backend {config.training.backend}, {config.training.processes} process(es), {config.training.precision}",
    ]
