"""The report of a run: one HTML page from the ledger, the signed statements and the evaluation, and from nothing else.

A figure that nobody measured is None here and "not measured" on the page; nothing is inferred.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from evaluation.charts import Axis, bar, binned, line_chart
from evaluation.ledger_figures import Credit, End, LedgerFigures, Size, read_figures
from evaluation.lineage import base_model, lineage_rows
from evaluation.page import render
from evaluation.report_gaps import gaps
from evaluation.report_vocabulary import vocabulary_values
from evaluation.run_files import Publisher, RunFiles, replayed
from evaluation.statement_figures import read_statement_figures
from evaluation.words import FIELDS, REMUNERATION, reason, word
from licensing.agreement import Agreement

_STEPS: tuple[tuple[str, tuple[End, ...]], ...] = (
    ("Received", ()),
    ("Could be read", ("unreadable",)),
    ("Admitted on rights", ("refused", "review")),
    ("In a wanted language", ("language",)),
    ("Of sufficient quality", ("quality", "unexplained")),
    ("Within this run's other rules", ("other",)),
    ("Not a duplicate", ("duplicates",)),
    ("In the training text", ("held-out",)),
)
"""The funnel: each step is the one before it less the documents that ended in one of these ways."""


def render_report(run: RunFiles, publisher: Publisher, config: Mapping[str, Any]) -> str:
    """Render the report as one self-contained page in English; ``config`` is the resolved one as plain values."""
    return render("report.html", "en", **report_values(run, publisher, config))


def report_values(run: RunFiles, publisher: Publisher, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that the report shows, by section, as its template reads it."""
    figures = read_figures(run.ledger)
    reservations = read_statement_figures(run.ledger).reservations
    languages = _languages(run, figures)
    base = base_model(run)
    return {
        "name": config["name"],
        "path": run.shown_path,
        "key_id": run.key_id(),
        "publisher": publisher,
        "title": publisher.title or f"Account of the run “{config['name']}”",
        "use": config["intended_use"],
        "as_of": config["policy"]["as_of"],
        "dates": run.dates(),
        "total": figures.total,
        "trained": figures.end("train"),
        "held_out": figures.end("held-out"),
        "train": run.figures("train"),
        "base": base,
        "lineage": lineage_rows(base) if base else [],
        "repeated_deliveries": figures.repeated_deliveries,
        "sources": [_source(figures, name) for name in figures.sources()],
        "problems": _problems(run),
        "verdicts": _verdicts(figures),
        "funnel": _funnel(figures),
        "removed": _removed(figures),
        "languages": languages,
        "vocabulary": vocabulary_values(run.figures("tokenizer")),
        "credits": _credits(figures),
        "branches": sorted(figures.branches.items()),
        "bases": sorted(figures.bases.items()),
        "conflicts": sorted(figures.conflicts.items()),
        "conflict_examples": figures.conflict_examples,
        "alterations": sorted(figures.alterations.items()),
        "personal_data": sorted(figures.personal_data.items()),
        "kinds": config["curation"]["personal_data"]["kinds"],
        "pseudonyms": config["curation"]["personal_data"].get("style") == "pseudonym",
        "duplicates": [(code, size) for (end, code), size in sorted(figures.reasons.items()) if end == "duplicates"],
        "curve": training_curve(run),
        "replayed": replayed(run.entries),
        "streams": run.figures("train").get("streams", ()),
        "continuation": run.suite("continuation"),
        "memorisation": run.suite("memorisation"),
        "agreements": [_agreement(figures, one) for _, one in sorted(run.agreements.items())],
        "gaps": gaps(run, figures, config, languages, reservations is not None and bool(reservations.states)),
        "reservations": reservations.values() if reservations else None,
        "withdrawals": run.withdrawals,
        "commit": run.figures("commit"),
        "partners": run.partners(),
        "stages": [(name, run.entry(name)) for name in run.entries],
        "software": _software(run),
    }


def _source(figures: LedgerFigures, name: str) -> dict[str, Any]:
    """Documents of one source by where their way ended; admitted ones are all that rights did not stop."""
    ends = {end: size for (source, end), size in figures.ends.items() if source == name}
    received = _sum(ends.values())
    stopped: tuple[End, ...] = ("unreadable", "refused", "review")
    return {
        "name": name,
        "received": received,
        "admitted": received.documents - sum(ends[end].documents for end in stopped if end in ends),
        "ends": {end: size.documents for end, size in ends.items()},
    }


def _sum(sizes: Iterable[Size]) -> Size:
    total = Size()
    for size in sizes:
        total.add(size.documents, size.received_bytes, size.text_bytes)
    return total


def _problems(run: RunFiles) -> list[tuple[str, str, int]]:
    """(source, problem, documents) as ingest counted them; a bare number has no problem's name."""
    found: list[tuple[str, str, int]] = []
    for source in run.figures("ingest").get("sources", ()):
        problems = source.get("problems") or {}
        items = problems.items() if isinstance(problems, Mapping) else [("", problems)]
        found += [(source["source"], str(name), int(count)) for name, count in sorted(items) if count]
    return found


def _verdicts(figures: LedgerFigures) -> list[dict[str, Any]]:
    """One line for each source, licence, decision and reason: what must be looked at first, then what was let in."""
    order = {"refuse": 0, "review": 1, "admit": 2}
    found = sorted(figures.verdicts.items(), key=lambda item: (order.get(item[0][2], 3), *item[0]))
    return [
        {"source": source, "licence": licence, "decision": decision, "reason": code, "found": verdict}
        for (source, licence, decision, code), verdict in found
    ]


def _funnel(figures: LedgerFigures) -> list[dict[str, Any]]:
    left, steps = figures.total.documents, []
    size = figures.total.received_bytes
    for name, ends in _STEPS:
        gone = figures.end(*ends)
        left, size = left - gone.documents, size - gone.received_bytes
        share = left / figures.total.documents if figures.total.documents else 0.0
        strip = bar(share, f"{name}: {left:,} of {figures.total.documents:,} documents")
        steps.append(
            {"name": name, "documents": left, "bytes": size, "lost": gone.documents, "share": share, "bar": strip}
        )
    return steps


def _removed(figures: LedgerFigures) -> list[tuple[str, str, Size]]:
    """(end, sentence, size) of what all rules but duplicates took away; codes that say the same are one line."""
    found: dict[tuple[str, str], Size] = {}
    for (end, code), size in sorted(figures.reasons.items()):
        if end in ("language", "quality", "other"):
            told = found.setdefault((end, reason(code)), Size())
            told.add(size.documents, size.received_bytes, size.text_bytes)
    order = sorted(found.items(), key=lambda item: (item[0][0], -item[1].documents, item[0][1]))
    return [(end, sentence, size) for (end, sentence), size in order]


def _languages(run: RunFiles, figures: LedgerFigures) -> list[dict[str, Any]]:
    """One line a language, largest first; what a stage or suite did not give is None."""
    scores = {row.get("language"): row for row in (run.suite("bits-per-byte") or {}).get("languages", ())}
    packed, words = run.figures("pack").get("by_language", {}), run.figures("tokenizer").get("by_language", {})
    rows = [
        {
            "code": code,
            "trained": figures.languages[code, "train"] if (code, "train") in figures.languages else Size(),
            "held_out": figures.languages[code, "held-out"] if (code, "held-out") in figures.languages else Size(),
            "tokens": packed.get(code, {}).get("tokens"),
            "tokens_per_word": words.get(code, {}).get("tokens_per_word"),
            "tokens_per_whitespace_word": words.get(code, {}).get("tokens_per_whitespace_word"),
            "bytes_per_token": words.get(code, {}).get("bytes_per_token"),
            "score": scores.get(code, {}),
        }
        for code in sorted({code for code, _ in figures.languages})
    ]
    return sorted(rows, key=lambda row: (-row["trained"].text_bytes, row["code"]))


def _credits(figures: LedgerFigures) -> list[dict[str, Any]]:
    """Whom the licences and agreements oblige us to name, by what they ask."""
    return [
        _credit(source, value, agreement, credit)
        for (source, value, agreement), credit in sorted(figures.credits.items())
    ]


def _credit(source: str, value: str, agreement: str, credit: Credit) -> dict[str, Any]:
    """A public licence's duty reads "ID (address)"; an agreement's is the words that were agreed."""
    named = None if agreement else re.fullmatch(r"(\S+) \((https?://\S+)\)", value)
    return {
        "source": source,
        "agreement": agreement,
        "words": value,
        "licence": named[1] if named else None,
        "url": named[2] if named else None,
        "credit": credit,
        "authors": sorted(credit.authors.items(), key=lambda item: item[0].casefold()),
    }


def _agreement(figures: LedgerFigures, agreement: Agreement) -> dict[str, Any]:
    ends = {end: size for (name, end), size in figures.agreements.items() if name == agreement.id}
    return {
        "agreement": agreement,
        "received": sum(size.documents for size in ends.values()),
        "ends": {end: size.documents for end, size in ends.items()},
        "not_enforced": [
            (word(FIELDS, field), word(REMUNERATION, said), clause) for field, said, clause in agreement.not_enforced()
        ],
    }


def training_curve(run: RunFiles) -> Markup | None:
    """Draw the training loss over the steps, neighbouring steps averaged; None with fewer than two steps."""
    points = binned([(line["step"] + 1, line["loss"]) for line in run.training_log() if line["loss"] is not None])
    if len(points) < 2:
        return None
    title = "Training loss by step"
    return line_chart(points, title, Axis("step"), Axis("loss (nats per token)"))


def _software(run: RunFiles) -> list[tuple[str, Sequence[str]]]:
    """Packages with every version that any stage ran with."""
    found: dict[str, set[str]] = {}
    for entry in run.entries.values():
        for name, version in entry.get("software", {}).items():
            found.setdefault(name, set()).add(str(version))
    return [(name, sorted(versions)) for name, versions in sorted(found.items())]
