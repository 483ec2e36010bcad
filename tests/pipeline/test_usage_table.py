"""The table that an amount is shared out by counts what each document's own exposure adds up to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from licensing.errors import HerkomstError
from licensing.remuneration import Use
from pipeline.run_directory import RunDirectory
from pipeline.trace import Tracer
from pipeline.usage_table import usage_table
from tests.pipeline.made_order import make_order


def added_up(run: RunDirectory, agreements: set[str] | None) -> dict[str, Use]:
    """Document by document."""
    tracer, table = Tracer(run), {}
    for one in tracer.ledger.partners():
        rows = [row for row in tracer.rows(one.partner) if agreements is None or row["agreement"] in agreements]
        seen = [(row, tracer.exposure(row)) for row in rows if row["use"] == "train"]
        read = [(row, exposure) for row, exposure in seen if exposure.times]
        if rows:
            scored = sum(exposure.tokens_scored for _, exposure in read)
            table[one.partner] = Use(scored, len(read), len({row["final_sha256"] for row, _ in read}))
    return table


@pytest.mark.parametrize("agreements", [None, {"x"}, {"x", "y"}, set(), {"unknown"}])
@pytest.mark.parametrize(("seed", "done"), [(1, 1.0), (2, 0.4), (3, 1.0)])
def test_the_table_is_what_documents_add_up_to(
    tmp_path: Path, seed: int, done: float, agreements: set[str] | None
) -> None:
    run = make_order(tmp_path / "run", seed, done=done)
    table = usage_table(run, agreements)
    assert table == added_up(run, agreements)
    if agreements is None:
        assert any(0 < use.distinct_documents < use.documents for use in table.values())


def test_a_ledger_of_other_tokens_is_refused(tmp_path: Path) -> None:
    run = make_order(tmp_path / "run", 1)
    index = json.loads((run.tokens / "streams.json").read_text())
    train = next(one for one in index["streams"] if one["use"] == "train")
    for changed in ({**train, "documents": train["documents"] + 1}, {**train, "name": "another"}):
        streams = [changed if one is train else one for one in index["streams"]]
        (run.tokens / "streams.json").write_text(json.dumps({**index, "streams": streams}))
        with pytest.raises(HerkomstError, match="no amount was shared out"):
            usage_table(run)


def test_nothing_trained_is_said(tmp_path: Path) -> None:
    with pytest.raises(HerkomstError, match="nothing was trained"):
        usage_table(make_order(tmp_path / "run", 1, done=0.0))
