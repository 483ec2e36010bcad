"""Figures counted by columns are those counted row by row."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_curation.ledger_table import LEDGER
from evaluation import ledger_figures
from evaluation.ledger_figures import read_figures
from tests.evaluation.made_run import write_ledger

NAMES = st.sampled_from(["a", "b", "c"])
DUTY = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["attribution", "notice", "share-alike", "most-epochs"]),
        "value": st.sampled_from(["X", "Y", ""]),
        "clause": st.sampled_from(["s. 1", "s. 2", None]),
    }
)
FOUND = st.fixed_dictionaries({"kind": st.sampled_from(["email", "iban"]), "count": st.integers(0, 5)})
ROW = st.fixed_dictionaries(
    {
        "source": NAMES,
        "partner": st.sampled_from(["P", "Q"]),
        "agreement": st.none() | st.sampled_from(["", "k-1", "k-2"]),
        "author": st.none() | st.sampled_from(["", "An", "Bo", "Cy", "Di"]),
        "duties": st.none() | st.lists(DUTY, max_size=4),
        "personal_data": st.none() | st.lists(FOUND, max_size=3),
        "use": st.sampled_from(["train", "held-out", "none"]),
        "decision": st.just("admit"),
        "decision_reason": st.just("licence-admitted"),
        "reason": st.just("licence-admitted"),
        "received_bytes": st.integers(0, 9),
        "text_bytes": st.integers(0, 9),
        "times_received": st.integers(1, 3),
    }
)


def completed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    named = [
        dict.fromkeys(LEDGER.names) | row | {"id": hashlib.sha256(str(number).encode()).hexdigest()}
        for number, row in enumerate(rows)
    ]
    return sorted(named, key=lambda row: (row["partner"], row["id"]))


def credits_of(rows: list[dict[str, Any]], most: int) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Credits as one would count them with a pencil."""
    counted: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        kinds = ("attribution",) if row["agreement"] else ("attribution", "notice", "share-alike")
        asked: dict[str, dict[str, str]] = defaultdict(dict)
        for duty in row["duties"] or ():
            if duty["kind"] in kinds and row["use"] != "none":
                asked[duty["value"]][duty["kind"]] = duty["clause"]
        for value, duties in asked.items():
            one = counted.setdefault(
                (row["source"], value, row["agreement"] or ""),
                {"duties": {}, "documents": 0, "without": 0, "authors": Counter(), "more": 0},
            )
            one["duties"] |= duties
            one["documents"] += 1
            if not row["author"]:
                one["without"] += 1
            elif row["author"] in one["authors"] or len(one["authors"]) < most:
                one["authors"][row["author"]] += 1
            else:
                one["more"] += 1
    return counted


@settings(max_examples=40, deadline=None)
@given(st.lists(ROW, max_size=25), st.sampled_from([None, "P", "Q"]))
def test_credits_and_personal_data(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[dict[str, Any]], partner: str | None
) -> None:
    rows = completed(drawn)
    folder: Path = tmp_path_factory.mktemp("figures") / "ledger"
    write_ledger(folder, rows)
    mine = [row for row in rows if partner in (None, row["partner"])]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ledger_figures, "_MOST_AUTHORS", 2)
        patched.setattr(ledger_figures, "_BATCH_ROWS", 7)
        figures = read_figures(folder, partner)
    expected = credits_of(mine, 2)
    assert list(figures.credits) == list(expected)
    for key, credit in figures.credits.items():
        one = expected[key]
        assert list(credit.duties.items()) == list(one["duties"].items())
        assert list(credit.authors.items()) == list(one["authors"].items())
        assert (credit.documents, credit.without_author) == (one["documents"], one["without"])
        assert credit.more_authors == one["more"]
    places: Counter[str] = Counter()
    documents: Counter[str] = Counter()
    for row in mine:
        for found in row["personal_data"] or ():
            places[found["kind"]] += found["count"]
            documents[found["kind"]] += 1
    assert {kind: (one.places, one.documents) for kind, one in figures.personal_data.items()} == {
        kind: (places[kind], documents[kind]) for kind in documents
    }
    assert figures.total.documents == len(mine)
    assert figures.repeated_deliveries == sum(row["times_received"] - 1 for row in mine)
