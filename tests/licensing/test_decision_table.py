"""Every licence of the shipped table against every intended use; the expected outcomes stand in three CSV files.

They were written by hand from the licence texts, never from what the program said: ``decision-table.csv`` has a row for
each licence, a column for each use, and the clause that each outcome rests on, all under the policy that a run has when
it sets nothing. ``*`` stands for the ports of a licence to national law. ``decision-table-policies.csv`` holds what
changes under other policies, ``decision-table-expressions.csv`` what follows from expressions and addresses.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from licensing.decide import decide
from licensing.expression import canonical, plain_address
from licensing.policy import Policy
from licensing.rights import Decision, Declared, IntendedUse, Rights
from licensing.table import load_table

HERE = Path(__file__).parent
TABLE = load_table(HERE.parents[1] / "configs" / "licences.yaml")
DEFAULT = Policy.model_validate({"as_of": "2026-11-01"})
"""Share-alike and unsettled uses go to review, strong copyleft is refused, file copyleft admitted."""


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def use(column: str) -> IntendedUse:
    """Read a column's name; what a commercial model writes may be sold, what a research model writes is not."""
    purpose, *passed_on = column.split(" + ")
    wanted = {"weights_released": "weights" in passed_on, "data_released": "data" in passed_on}
    return IntendedUse.model_validate({"purpose": purpose, **wanted, "outputs_sold": purpose == "commercial"})


def policy(setting: str) -> Policy:
    field, _, outcome = setting.partition("=")
    group, _, licence = field.partition(".")
    return Policy.model_validate({"as_of": "2026-11-01", group: {licence: outcome} if licence else outcome})


def decided(text: str, column: str, form: str = "spdx", chosen: Policy = DEFAULT) -> Decision:
    rights = Rights((Declared(text, "FILE:1", form),))  # type: ignore[arg-type]
    return decide(rights, use(column), chosen, TABLE, {}, "source")


def row_of(licence: str) -> str:
    """Name the row that holds for a licence: its own, or that of all ports of the licence it is judged as."""
    base = TABLE.licences[licence].same_as
    is_port = base is not None and licence == f"LicenseRef-{base}-{licence.rpartition('-')[2]}"
    return f"LicenseRef-{base}-*" if is_port else licence


ROWS = {row["licence"]: row for row in rows("decision-table.csv")}
USES = [column for column in next(iter(ROWS.values())) if column != "licence" and not column.startswith("clause")]
PORTS = [licence for licence in TABLE.licences if row_of(licence) != licence]


def test_the_columns_are_the_eight_uses() -> None:
    assert len({use(column) for column in USES}) == 8 == len(USES)


def test_every_licence_has_one_row_and_every_row_a_licence() -> None:
    assert len(ROWS) == len(rows("decision-table.csv"))
    assert {row_of(licence) for licence in TABLE.licences} == set(ROWS)
    assert len(set(ROWS)) - len([name for name in ROWS if name.endswith("*")]) >= 80


@pytest.mark.parametrize("column", USES)
def test_outcomes_and_clauses_are_as_written(column: str) -> None:
    wrong = []
    for licence in TABLE.licences:
        row, found = ROWS[row_of(licence)], decided(licence, column)
        expected = (row[column], row[f"clause of {row[column]}"], licence)
        if (found.outcome, found.clause, found.branch) != expected or not found.clause:
            wrong.append(f"{licence}: expected {expected[:2]}, decided {found.outcome, found.clause}")
    assert not wrong, "\n".join(wrong)


def test_a_row_gives_clauses_for_its_outcomes_and_no_others() -> None:
    for licence, row in ROWS.items():
        met = {row[column] for column in USES}
        assert met == {o for o in ("admit", "review", "refuse") if row[f"clause of {o}"]}, licence


@pytest.mark.parametrize("row", rows("decision-table-policies.csv"), ids=lambda row: " ".join(row.values())[:80])
def test_other_policies(row: dict[str, str]) -> None:
    found = decided(row["licence"], row["use"], chosen=policy(row["policy"]))
    assert (found.outcome, found.reason, found.clause) == (row["outcome"], row["reason"], row["clause"])


@pytest.mark.parametrize("row", rows("decision-table-expressions.csv"), ids=lambda row: " ".join(row.values())[:80])
def test_expressions_and_addresses(row: dict[str, str]) -> None:
    found = decided(row["expression"], row["use"], row["form"])
    assert (found.outcome, found.reason, found.branch, found.clause) == (
        row["outcome"],
        row["reason"],
        row["branch"],
        row["clause"],
    )
    held = {duty.value.partition(" (")[0] for duty in found.duties}
    due = {name for name in found.branch.split(" AND ") if name in TABLE.licences and TABLE.licences[name].duties}
    assert held == (due if found.outcome == "admit" else set())


def test_a_port_is_judged_as_the_licence_it_is_a_port_of() -> None:
    assert len(PORTS) > 500
    for licence in PORTS:
        port = TABLE.licences[licence]
        base = TABLE.licences[str(port.same_as)]
        assert (port.permits, port.copyleft, port.basis) == (base.permits, base.copyleft, base.basis)
        assert port.because.startswith(f"Port of {port.same_as} to ") and port.because.endswith(base.because)
        assert canonical(licence) == licence and canonical(licence.removeprefix("LicenseRef-")) is None
        assert TABLE.by_url[plain_address(f"{port.url}deed.nl")] == licence
