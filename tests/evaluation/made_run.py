"""A small run made for tests of the report: a real ledger in its own schema, statements and suites beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from data_curation.ledger_table import LEDGER, LedgerWriter
from evaluation.run_files import RunFiles
from evaluation.statement import Usage
from licensing.agreement import Agreement

PARTNER = "De Kade <Pers> B.V."
NASTY = '<script>alert("x")</script>'


@dataclass(frozen=True)
class Provider:
    provider: str = "Voorbeeld Lab"
    contact: str = "rechten@voorbeeld.example"
    title: str | None = None


CONFIG: dict[str, Any] = {
    "name": "proef",
    "report": {"provider": "Voorbeeld Lab", "contact": "rechten@voorbeeld.example", "title": None},
    "intended_use": {"purpose": "commercial", "weights_released": True, "data_released": False, "outputs_sold": True},
    "policy": {"as_of": "2026-06-01"},
    "curation": {"personal_data": {"kinds": ["email", "phone", "iban"]}},
}

AGREEMENT = Agreement.model_validate(
    {
        "id": "de-kade-2026",
        "partner": PARTNER,
        "sources": ["de-kade"],
        "permitted_uses": {
            "training": True,
            "commercial": True,
            "share_weights": True,
            "share_data": False,
            "sell_outputs": True,
        },
        "purpose": "Training of language models.",
        "territory": "European Union",
        "content_period": {"from": date(2024, 1, 1), "until": date(2025, 12, 31)},
        "use_period": {"from": date(2026, 1, 1), "until": None},
        "most_epochs": 4,
        "verbatim_limit": 160,
        "hold_out_share": 0.1,
        "attribution": "Bron: De Kade",
        "deletion_duty": "Delete all copies within 30 days.",
        "remuneration_key": "tokens-scored",
        "notice_period_days": 60,
        "contact": "rechten@dekade.example",
        "clauses": {
            name: f"art. {number}"
            for number, name in enumerate(
                (
                    "sources", "permitted_uses", "content_period", "use_period", "most_epochs", "verbatim_limit",
                    "hold_out_share", "attribution", "deletion_duty", "remuneration_key", "notice_period_days",
                ),
                2,
            )
        },
    }
)  # fmt: skip
AGREEMENTS = {AGREEMENT.id: AGREEMENT}

CUT = [
    {"stage": "curate", "outcome": "changed", "reason": "personal-data", "detail": "2 x email"},
    {"stage": "curate", "outcome": "changed", "reason": "repeats-cut", "detail": "1 paragraphs and 0 runs"},
]
_KADE = {
    "source": "de-kade",
    "group": "de-kade",
    "partner": PARTNER,
    "licence": "LicenseRef-de-kade-2026",
    "branch": "LicenseRef-de-kade-2026",
    "basis": "agreement",
    "agreement": "de-kade-2026",
    "language": "nl",
    "decision_reason": "agreement-admitted",
    "decision_clause": "art. 3",
    "decision_explanation": "Agreement de-kade-2026 permits the intended use.",
    "duties": [{"kind": "attribution", "value": "Bron: De Kade", "clause": "art. 9"}],
}
_DEBIAN = {
    "source": "debian",
    "group": "debian",
    "partner": "Debian",
    "licence": "GPL-2.0-or-later OR CC-BY-SA-3.0",
    "branch": "CC-BY-SA-3.0",
    "basis": "licence",
    "language": "de",
    "author": "A. Müller",
    "decision_reason": "policy-admitted",
    "decision_clause": "policy.licences.CC-BY-SA-3.0",
    "decision_explanation": "The policy of this run says 'admit' for CC-BY-SA-3.0 by name.",
    "duties": [
        {
            "kind": "attribution",
            "value": "CC-BY-SA-3.0 (https://creativecommons.org/licenses/by-sa/3.0/)",
            "clause": "s. 4(c)",
        },
        {
            "kind": "notice",
            "value": "CC-BY-SA-3.0 (https://creativecommons.org/licenses/by-sa/3.0/)",
            "clause": "s. 4(a)",
        },
    ],
}


def row(number: int, base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """One ledger row: admitted and trained on unless changed."""
    made = dict.fromkeys(LEDGER.names) | {
        "id": hashlib.sha256(str(number).encode()).hexdigest(),
        "native_id": f"stuk-{number:03d}",
        "title": f"Titel {number}",
        "received_sha256": "0" * 64,
        "received_bytes": 1000,
        "text_bytes": 900,
        "times_received": 1,
        "decision": "admit",
        "use": "train",
        "events": [],
        "personal_data": [],
    }
    made |= base | changes
    if made["use"] == "none":
        made["text_bytes"] = 0
    return made | {"reason": changes.get("reason", made["decision_reason"])}


def rows() -> list[dict[str, Any]]:
    """Ten of the partner and six of Debian, with every way a document can end."""
    refused = {"decision": "refuse", "use": "none", "duties": []}
    kade = [
        row(1, _KADE, title=NASTY, personal_data=[{"kind": "email", "count": 3}, {"kind": "phone", "count": 1}]),
        row(2, _KADE, personal_data=[{"kind": "email", "count": 2}], events=CUT),
        row(3, _KADE, times_received=3),
        row(4, _KADE, use="held-out"),
        row(5, _KADE, **refused, decision_reason="agreement-period", decision_clause="art. 4"),
        row(6, _KADE, **refused, decision_reason="withdrawn", decision_clause=""),
        row(7, _KADE, use="none", reason="duplicate-near", survivor="f" * 64, similarity=0.9),
        row(8, _KADE, use="none", reason="quality-too-short"),
        row(9, _KADE, **(refused | {"decision": "review"}), decision_reason="licence-conflict", conflict="'CC0' (a:1)"),
        row(10, _KADE, **refused, decision_reason="unreadable-empty", licence="NOASSERTION", basis="none"),
    ]
    debian = [
        row(11, _DEBIAN),
        row(12, _DEBIAN, author=None),
        row(13, _DEBIAN, use="held-out"),
        row(14, _DEBIAN, use="none", reason="language-mismatch"),
        row(15, _DEBIAN, use="none", reason="duplicate-exact"),
        row(
            16,
            _DEBIAN,
            **refused,
            licence="GPL-3.0-only",
            branch="GPL-3.0-only",
            decision_reason="strong-copyleft",
            decision_clause="s. 5(c)",
        ),
    ]
    return kade + debian


def write_ledger(folder: Path, made: list[dict[str, Any]]) -> None:
    """Write rows in the order of their ids, as commit does."""
    writer = LedgerWriter(folder)
    for one in sorted(made, key=lambda one: str(one["id"])):
        writer.add(one)
    writer.finish()


def write_roots(corpus: Path, size: int) -> None:
    """Write the roots as commit does: one tree, of the partner."""
    corpus.mkdir(exist_ok=True)
    partners = [{"partner": PARTNER, "root": "b" * 64, "size": size}]
    (corpus / "roots.json").write_text(json.dumps({"root": "a" * 64, "partners": partners}))


def usage() -> Usage:
    """What the training order would say of the partner's three trained documents."""
    trained = [one for one in rows() if one["partner"] == PARTNER and one["use"] == "train"]
    return Usage(3, 1234, 0.0567, 12, 96, 2.5, {one["id"]: (200, 2 + n) for n, one in enumerate(trained)}, 1200)


def make_run(folder: Path, *, trained: bool = True) -> RunFiles:
    """Make the run; ``trained`` leaves out everything after commit if False."""
    write_ledger(folder / "ledger", rows())
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    write_roots(folder / "corpus", size=10)
    when = {"started": "2026-06-02T08:00:00+00:00", "finished": "2026-06-03T09:00:00+00:00", "seconds": 12.5}
    software = {"software": {"python": "3.11.9"}, "machine": {"processor": "x86_64"}, "peak_memory_mib": 300}
    figures: dict[str, dict[str, Any]] = {
        "ingest": {"sources": [{"source": "de-kade", "documents": 10, "problems": {"empty": 1}}]},
        "admit": {"counts": {}},
        "curate": {},
        "commit": {"root": "a" * 64},
    }
    if trained:
        figures |= {
            "tokenizer": {"by_language": {"nl": {"tokens_per_word": 1.71, "bytes_per_token": 3.4}}},
            "pack": {"by_language": {"nl": {"tokens": 4321}, "de": {"tokens": 987}}},
            "train": {
                "steps": 100, "parameters": 1_234_567, "tokens_read": 21_765, "tokens_scored": 21_000, "seconds": 90.0,
                "tokens_per_second": 241.8, "joules": 7200.0, "energy_method": "estimated",
                "energy_detail": "80 W assumed", "weights_sha256": "c" * 64, "plan_digest": "d" * 64,
                "streams": [{"name": "s", "group": "de-kade", "licence": "L", "language": "nl", "documents": 3,
                             "tokens": 700, "read": 20, "epochs": 2.5}],
            },
        }  # fmt: skip
        _write_evaluation(folder)
    return RunFiles(
        ledger=folder / "ledger",
        corpus=folder / "corpus",
        tokens=folder / "tokens",
        training=folder / "training",
        checkpoints=folder / "checkpoints",
        evaluation=folder / "evaluation",
        entries={stage: {"figures": found, **when, **software} for stage, found in figures.items()},
        agreements=AGREEMENTS,
    )


def _write_evaluation(folder: Path) -> None:
    for step in (10, 12, 50, 100):
        (folder / "checkpoints" / f"step-{step:08d}").mkdir(parents=True)
    (folder / "training").mkdir()
    lines = (json.dumps({"step": step, "loss": 9 - step / 20, "tokens": 1}) for step in range(100))
    (folder / "training" / "log.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "evaluation").mkdir()
    group = {"documents": 40, "probes": 80, "mean_leading": 1.5, "long": 0, "long_possible": 30}
    suites = {
        "bits-per-byte": {
            "languages": [
                {"language": "nl", "documents": 4, "bytes": 3600, "model": 2.1, "low": 2.0, "high": 2.2,
                 "unigram": 2.9, "xz": 2.4, "better_than_unigram": True},
                {"language": "de", "documents": 1, "bytes": 900, "model": 3.1, "low": None, "high": None,
                 "unigram": 2.9, "xz": 2.4, "better_than_unigram": False},
            ]
        },
        "memorisation": {
            "groups": [
                {"group": "trained", "exact": 2, "share": 0.025, "low": 0.003, "high": 0.087, "longest_characters": 77}
                | group,
                {"group": "held-out", "exact": 0, "share": 0.0, "low": 0.0, "high": 0.045, "longest_characters": 19}
                | group,
            ],
            "difference": {"share": 0.025, "low": -0.02, "high": 0.08},
        },
    }  # fmt: skip
    for name, found in suites.items():
        (folder / "evaluation" / f"{name}.json").write_text(json.dumps(found))
