"""The statement for one partner: what came from it, what became of it, and how it can check that; English or Dutch.

The values are language-free (codes and numbers) and can be handed over as JSON; the page is made from them and from the
sentences in ``templates/statement.yaml``.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any, TextIO

import yaml
from markupsafe import Markup

from evaluation import words
from evaluation.ledger_figures import LedgerFigures, documents_of, read_figures
from evaluation.page import Numbers, render, template_text
from evaluation.run_files import RunFiles, replayed
from evaluation.statement_changes import FORMAT, changes
from evaluation.statement_figures import StatementFigures, read_statement_figures
from evaluation.statement_memorisation import memorisation_values
from evaluation.statement_proof import commands, digests, proof, state_of
from evaluation.statement_terms import agreement_values
from evaluation.statement_vocabulary import vocabulary_values
from evaluation.words import Language
from licensing.errors import HerkomstError

MOST_DOCUMENTS = 500
"""Documents listed in a statement; all of them come as CSV."""

_REMOVED = ("unreadable", "language", "quality", "duplicates", "other", "unexplained")
_ORDER = ("train", "held-out", "review", "refused", *_REMOVED)
_COLUMNS = (
    "native_id", "id", "title", "published", "source", "licence", "branch", "decision", "reason", "use", "tokens",
    "times_read", "received_bytes", "text_bytes", "received_sha256", "final_sha256", "survivor", "conflict", "iscc",
)  # fmt: skip


class UnknownPartner(HerkomstError, ValueError):
    """No document of this partner was ever received; the message names those that are known."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the training order says of one partner; steps are counted from 0.

    ``epochs`` is the mean number of times a trained document was read, ``share`` the partner's part (0 to 1) of all
    tokens read, ``per_document`` maps a document's id to its tokens read, repeats included, and the times that its
    most read part was. ``tokens_scored`` counts the tokens read that the model had to predict, where that is known;
    ``left_out`` those that a goldfish rule kept it from learning.
    """

    documents: int
    tokens_read: int
    share: float
    first_step: int | None
    last_step: int | None
    epochs: float
    per_document: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    tokens_scored: int | None = None
    left_out: int = 0

    @property
    def most_read(self) -> float | None:
        """The largest number of times any one document was read."""
        return max((times for _, times in self.per_document.values()), default=None)


def render_statement(
    run: RunFiles,
    partner: str,
    language: Language,
    usage: Usage | None,
    *,
    csv_name: str | None = None,
    remuneration: Mapping[str, Any] | None = None,
    former: Mapping[str, Any] | None = None,
) -> str:
    """Render the statement as one self-contained page.

    ``usage`` is None where nothing was trained; ``csv_name`` names the full list that goes with the page;
    ``remuneration`` is as `remuneration_values` gives it, ``former`` the values of the statement before this one.

    Raises:
        UnknownPartner: the ledger has no document of this partner.
    """
    values = statement_values(run, partner, usage, remuneration=remuneration, former=former)
    return statement_page(values, language, csv_name)


def statement_page(values: Mapping[str, Any], language: Language, csv_name: str | None = None) -> str:
    """Render what `statement_values` returned, as `render_statement` does."""
    say, numbers = sentences(language), Numbers(language)
    return render(
        "statement.html",
        language,
        t=say,
        csv_name=csv_name,
        told_reasons=_told(values["reasons"], language),
        say_term=lambda says: _say_term(says, say, language),
        say_found=lambda term: say(f"how_{term['field']}", **_in_words(term["found"], numbers)),
        say_change=lambda what, value: _say_change(what, value, say, numbers),
        **values,
    )


def statement_values(
    run: RunFiles,
    partner: str,
    usage: Usage | None,
    *,
    remuneration: Mapping[str, Any] | None = None,
    former: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what the statement says, as plain values for JSON; see `render_statement` for arguments and errors."""
    config = run.config()
    figures = read_figures(run.ledger, partner)
    if not figures.total.documents:
        known = ", ".join(one["partner"] for one in run.partners()) or "none"
        raise UnknownPartner(
            f"partner '{partner}': the ledger {run.ledger} holds no document of it, so there is nothing to state. "
            f"Known partners: {known}."
        )
    more = read_statement_figures(run.ledger, partner)
    agreements = [
        run.agreements[name] for name in sorted({name for name, _ in figures.agreements} & set(run.agreements))
    ]
    probes = memorisation_values(run, [agreement.id for agreement in agreements])
    values = {
        "format": FORMAT,
        "state": state_of(run),
        "partner": partner,
        "provider": {"name": config["report"]["provider"], "contact": config["report"]["contact"]},
        "run": {"name": config["name"], "path": run.shown_path},
        "dates": run.dates(),
        "use": dict(config["intended_use"]),
        "model": _model(run),
        "digests": digests(run, config, [agreement.id for agreement in agreements]),
        **_documents(figures, more),
        "rights": _rights(figures),
        "agreements": [
            agreement_values(agreement, figures, usage.most_read if usage else None, probes, _counts(usage))
            for agreement in agreements
        ],
        "usage": _usage(usage),
        "checkpoints": _checkpoints(run, usage),
        "replayed": replayed(run.entries),
        "vocabulary": vocabulary_values(run, partner),
        "memorisation": probes,
        "remuneration": remuneration,
        "withdrawals": [dict(one) for one in run.withdrawals if one["documents"] or one["near_duplicates"]],
        "proof": proof(run, partner),
        "commands": commands(run, partner),
    }
    shown = sorted(islice(document_rows(run, partner, usage), MOST_DOCUMENTS), key=lambda row: str(row["native_id"]))
    return values | {
        "changes": changes(values, former),
        "documents": shown,
        "documents_left_out": figures.total.documents - len(shown),
    }


def _model(run: RunFiles) -> dict[str, Any]:
    train = run.figures("train")
    return {"parameters": train.get("parameters"), "weights_sha256": train.get("weights_sha256")}


def _documents(figures: LedgerFigures, more: StatementFigures) -> dict[str, Any]:
    """What was received, how it is identified, where each document's way ended, and what was found in them."""
    ends: dict[str, int] = {end: figures.end(end).documents for end in sorted({end for _, end in figures.ends})}
    return {
        "received": {
            "documents": figures.total.documents,
            "bytes": figures.total.received_bytes,
            "repeated": figures.repeated_deliveries,
        },
        "identified": {"content_ids": figures.total.documents, "own_ids": more.own_ids, "isccs": more.isccs},
        "ends": ends,
        "removed": sum(ends.get(end, 0) for end in _REMOVED),
        "reasons": _reasons(figures),
        "conflicts": {
            "documents": sum(size.documents for size in figures.conflicts.values()),
            "examples": figures.conflict_examples,
        },
        "bases": [
            {"basis": basis, "documents": n, "with_evidence": more.with_evidence.get(basis, 0)}
            for basis, n in sorted(more.bases.items())
        ],
        "reservations": more.reservations.values() if more.reservations else None,
        "alterations": [{"reason": code, "documents": count} for code, count in sorted(figures.alterations.items())],
        "personal_data": [
            {"kind": kind, "places": found.places, "documents": found.documents}
            for kind, found in sorted(figures.personal_data.items())
        ],
        "withdrawn": sum(size.documents for (_, code), size in figures.reasons.items() if code == "withdrawn"),
    }


def document_rows(run: RunFiles, partner: str, usage: Usage | None) -> Iterator[dict[str, Any]]:
    """Yield every document of a partner in ledger order, with its tokens and the times it was read where known."""
    for row in documents_of(run.ledger, partner):
        tokens, times = usage.per_document.get(row["id"], (None, None)) if usage else (None, None)
        yield {name: row.get(name) for name in _COLUMNS} | {"tokens": tokens, "times_read": times}


def write_csv(file: TextIO, run: RunFiles, partner: str, usage: Usage | None) -> int:
    """Write all documents of a partner as CSV (UTF-8, comma, header); returns how many.

    A text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV Injection").
    """
    writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    written = 0
    for row in document_rows(run, partner, usage):
        writer.writerow({name: _as_text(value) for name, value in row.items()})
        written += 1
    return written


def _as_text(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


@cache
def _table() -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load(template_text("statement.yaml")))


def sentences(language: Language) -> Callable[..., Markup]:
    """Return a function from a key and its values to a sentence; values are escaped, ``count`` chooses the plural."""
    table = _table()

    def say(key: str, /, count: float | None = None, **values: object) -> Markup:
        sentence = table[key][language]
        if isinstance(sentence, list):
            sentence = sentence[0 if count == 1 else 1]
        return Markup(sentence).format(**values)  # noqa: S704 - the table is ours; format() escapes the values

    return say


def _told(reasons: Sequence[Mapping[str, Any]], language: Language) -> list[list[Any]]:
    """[end, sentence, documents, bytes], what was used first; codes that say the same are one line."""
    lines: dict[tuple[str, str], list[Any]] = {}
    for one in sorted(reasons, key=lambda one: _ORDER.index(one["end"])):
        sentence = words.reason(one["reason"], language)
        line = lines.setdefault((one["end"], sentence), [one["end"], sentence, 0, 0])
        line[2] += one["documents"]
        line[3] += one["bytes"]
    return list(lines.values())


def _in_words(found: Mapping[str, Any], numbers: Numbers) -> dict[str, str]:
    return {name: numbers.share(value) if name == "share" else numbers.whole(value) for name, value in found.items()}


def _say_term(says: Any, say: Callable[..., Markup], language: Language) -> str:
    """Put what a clause says in words: a period, permissions, a number or the contract's own text."""
    if isinstance(says, Mapping) and "start" in says:
        days = {name: Numbers(language).day(day) for name, day in says.items() if day}
        return say("period_to" if says["until"] else "period_open", **days)
    if isinstance(says, Mapping):
        parts = []
        for key, wanted in (("uses_yes", True), ("uses_no", False)):
            named = [words.word(words.PERMISSIONS, use, language) for use, given in says.items() if given is wanted]
            parts += [say(key, uses=", ".join(named))] if named else []
        return Markup("; ").join(parts)
    if isinstance(says, float):
        return Numbers(language).share(says)
    return Numbers(language).whole(says) if isinstance(says, int) else str(says)


def _say_change(what: str, value: Any, say: Callable[..., Markup], numbers: Numbers) -> str:
    """A figure or digest of one of two statements that are compared."""
    if value is None:
        return say("not_there")
    if isinstance(value, str):
        return f"{value[:16]}…"
    return numbers.size(value) if what == "received_bytes" else numbers.whole(value)


def _reasons(figures: LedgerFigures) -> list[dict[str, Any]]:
    return [
        {"end": end, "reason": code, "documents": size.documents, "bytes": size.received_bytes}
        for (end, code), size in sorted(figures.reasons.items())
    ]


def _rights(figures: LedgerFigures) -> list[dict[str, Any]]:
    return [
        {
            "source": source,
            "licence": licence,
            "decision": decision,
            "reason": code,
            "documents": found.size.documents,
            "clauses": found.clauses,
            "more_clauses": found.more_clauses,
        }
        for (source, licence, decision, code), found in sorted(figures.verdicts.items())
    ]


def _usage(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    names = ["documents", "tokens_read", "tokens_scored", "share", "first_step", "last_step", "epochs", "most_read"]
    if usage.left_out:
        names.append("left_out")
    return {name: getattr(usage, name) for name in names}


def _counts(usage: Usage | None) -> dict[str, int | None]:
    """The count behind each key for remuneration; None where it is not known."""
    documents = usage.documents if usage else None
    return {
        "tokens-scored": usage.tokens_scored if usage else None,
        "documents": documents,
        "distinct-documents": documents,
    }


def _checkpoints(run: RunFiles, usage: Usage | None) -> dict[str, list[int]]:
    """A checkpoint after N steps has read steps 0 to N-1, so it has read the partner's text if N is past the first."""
    steps = run.checkpoint_steps()
    first = usage.first_step if usage else None
    tainted = [step for step in steps if first is not None and step > first]
    return {"with_your_text": tainted, "without": [step for step in steps if step not in tainted]}
