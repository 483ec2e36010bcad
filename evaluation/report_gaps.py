"""What a report must say first: what is not measured, not enforced by software, estimated, or waiting for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.ledger_figures import LedgerFigures
from evaluation.lineage import lineage_gaps
from evaluation.page import Numbers
from evaluation.run_files import RunFiles
from evaluation.words import FIELDS, LANGUAGES, PERSONAL_DATA, word
from licensing.agreement import Agreement

STAGES = ("ingest", "admit", "curate", "commit", "tokenizer", "pack", "train", "evaluate")
_SUITES = {
    "bits-per-byte": "how well the model predicts unseen text",
    "continuation": "how well the model chooses the right continuation",
    "memorisation": "what the model repeats literally",
}
_SAY = Numbers("en")
_NO_RESERVATIONS = "No reservation of rights (robots.txt, TDMRep, ai.txt and the like) was looked up."

Gap = tuple[str, list[str]]


def gaps(
    run: RunFiles,
    figures: LedgerFigures,
    config: Mapping[str, Any],
    languages: Sequence[Mapping[str, Any]],
    reservations: bool,
) -> list[Gap]:
    """Return (kind of gap, sentences), kinds without a sentence left out.

    ``reservations`` says that reservations of rights were looked up.
    """
    unmeasured = [
        *lineage_gaps(run),
        *_not_run(run),
        *_not_scored(languages),
        *_too_short(run),
        *_never_measured(config),
    ]
    found = [
        ("Not measured", [*unmeasured, *([] if reservations else [_NO_RESERVATIONS])]),
        ("Not enforced by software", _not_enforced(run.agreements)),
        ("Estimated or drawn from a sample", _estimated(run)),
        ("Waiting for a person", _waiting(figures)),
        ("Worse than it should be", _worse(languages, figures)),
    ]
    return [(kind, sentences) for kind, sentences in found if sentences]


def _not_run(run: RunFiles) -> list[str]:
    missing = [stage for stage in STAGES if stage not in run.entries]
    found = (
        [f"No signed statement of: {', '.join(missing)}. What these stages do is not shown here."] if missing else []
    )
    return found + [
        f"The suite “{name}” did not run: {asks} is not known."
        for name, asks in _SUITES.items()
        if run.suite(name) is None
    ]


def _not_scored(languages: Sequence[Mapping[str, Any]]) -> list[str]:
    missing = [word(LANGUAGES, row["code"]) for row in languages if row["score"].get("model") is None]
    return [f"Prediction of unseen text was not scored in: {', '.join(missing)}."] if missing else []


def _too_short(run: RunFiles) -> list[str]:
    suite = run.suite("memorisation") or {}
    possible = [group.get("long_possible") for group in suite.get("groups", ()) if group.get("group") == "trained"]
    if possible != [0]:
        return []
    return [
        f"Whether the model repeats passages of {_SAY.whole(suite.get('long_span'))} characters or more: no probe of "
        "the training text was long enough to tell."
    ]


def _never_measured(config: Mapping[str, Any]) -> list[str]:
    kinds = config["curation"]["personal_data"]["kinds"]
    skipped = [said[0] for kind, said in PERSONAL_DATA.items() if kind not in kinds]
    looked = ", ".join(word(PERSONAL_DATA, kind) for kind in kinds) or "nothing"
    return [
        "Factual accuracy, bias, safety and robustness of the model were not tested.",
        f"Personal data was searched for by form, checksum and context ({looked}). What is personal by its meaning "
        "alone was not looked for" + (f", nor were: {', '.join(skipped)}." if skipped else "."),
        "How many items of personal data are missed in this text was not measured; the software's documentation gives "
        "the share missed of made items that were planted in real text.",
    ]


def _not_enforced(agreements: Mapping[str, Agreement]) -> list[str]:
    return [
        f"Agreement {agreement.id} with {agreement.partner}: "
        + "; ".join(f"{word(FIELDS, field).lower()} ({clause})" for field, _, clause in agreement.not_enforced())
        + ". People must see to these; the terms stand under Agreements."
        for _, agreement in sorted(agreements.items())
        if agreement.not_enforced()
    ] + [
        f"Agreement {agreement.id} with {agreement.partner}: that no literal passage is longer than "
        f"{_SAY.whole(agreement.verbatim_limit)} characters ({agreement.clause('verbatim_limit')}) is tested on a "
        "sample after training, and not prevented."
        for _, agreement in sorted(agreements.items())
        if agreement.verbatim_limit is not None
    ]


def _estimated(run: RunFiles) -> list[str]:
    found = []
    train = run.figures("train")
    if train and train.get("energy_method") != "measured":
        found.append(f"Energy of training is an estimate: {train.get('energy_detail', 'by what is not recorded')}.")
    if train:
        found.append("Energy covers training alone, not curation, evaluation, cooling or the making of the machine.")
    if run.suite("memorisation") is not None:
        found.append(
            "Literal repetition was probed on a sample of documents. No hit is not proof that none is possible."
        )
    return found


def _waiting(figures: LedgerFigures) -> list[str]:
    found = []
    review, torn = figures.end("review").documents, sum(size.documents for size in figures.conflicts.values())
    if review:
        found.append(f"Held for review, and not used: {_SAY.documents(review)}.")
    if torn:
        found.append(f"Carrying statements of rights that differ: {_SAY.documents(torn)}; see Conflicts.")
    return found


def _worse(languages: Sequence[Mapping[str, Any]], figures: LedgerFigures) -> list[str]:
    found = []
    behind = [word(LANGUAGES, row["code"]) for row in languages if row["score"].get("better_than_unigram") is False]
    if behind:
        found.append(
            f"Not shown to predict better than mere token frequencies, its whole interval counted: {', '.join(behind)}."
        )
    lost = figures.end("unexplained").documents
    if lost:
        found.append(f"Admitted, not used, and no reason recorded: {_SAY.documents(lost)}.")
    return found
