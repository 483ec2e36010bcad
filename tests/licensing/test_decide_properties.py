"""What must hold for every document: more strictness, more uses or less knowledge never admits more."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from licensing.agreement import Agreement
from licensing.decide import decide
from licensing.expression import canonical, joined, spdx
from licensing.policy import Policy
from licensing.rights import Decision, Declared, IntendedUse, Outcome, Rights
from licensing.table import Licence, LicenceTable, load_table
from licensing.verdict import SEVERITY

TABLE = load_table(Path(__file__).parents[2] / "configs" / "licences.yaml")
PROEF = Agreement.model_validate(yaml.safe_load((Path(__file__).parent / "de-proef.yaml").read_text(encoding="utf-8")))
LISTED = sorted(TABLE.licences)
UNJUDGED = ("Zlib", "GPL-2.0-only WITH Classpath-exception-2.0", f"LicenseRef-{PROEF.id}")
UNREADABLE = ("nonsense", "MIT OR", "CC-BY-SA", "")
MANY = " OR ".join(sorted(name for name in LISTED if "GPL" in name or name.startswith("GFDL")))
"""A choice among strong copyleft licences only: two of them have more alternatives together than are read."""

# Few names that differ in every way that counts come up often; the whole table comes up as well.
TELLING = ("MIT", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-SA-3.0", "CC-BY-ND-4.0", "MPL-2.0", "GPL-3.0-only")
names = st.one_of(st.sampled_from(TELLING), st.sampled_from(LISTED), st.sampled_from(UNJUDGED))
expressions = st.recursive(
    names,
    lambda inner: st.tuples(inner, st.sampled_from(("AND", "OR")), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    max_leaves=4,
)
outcomes = st.sampled_from(tuple(SEVERITY))


def declared(text: str, form: str = "spdx") -> Declared:
    return Declared(text, f"FILE, {form}", form)  # type: ignore[arg-type]


statements = st.one_of(
    expressions.map(declared),
    st.just(MANY).map(declared),
    st.sampled_from(LISTED).map(lambda name: declared(TABLE.licences[name].url, "url")),
    st.sampled_from(("GPL-2+", "Expat or GPL-3", "public-domain", "Artistic")).map(lambda text: declared(text, "dep5")),
    st.sampled_from(UNREADABLE).map(declared),
    st.sampled_from(("All rights reserved.", "Free to use.", "MIT")).map(lambda text: declared(text, "prose")),
)
uses = st.builds(
    IntendedUse,
    purpose=st.sampled_from(("commercial", "research")),
    weights_released=st.booleans(),
    data_released=st.booleans(),
    outputs_sold=st.booleans(),
)
policies = st.builds(
    Policy,
    as_of=st.sampled_from((date(2026, 7, 1), date(2025, 12, 31), date(2029, 1, 1))),
    share_alike=outcomes,
    strong_copyleft=outcomes,
    file_copyleft=outcomes,
    unsettled=outcomes,
    licences=st.dictionaries(st.sampled_from(TELLING), outcomes, max_size=2),
)
rights = st.builds(
    Rights,
    declared=st.lists(statements, max_size=3).map(tuple),
    agreement=st.sampled_from((None, None, PROEF.id, "nobody-2026")),
    published=st.sampled_from((None, date(2020, 5, 1), date(2014, 12, 31))),
    withdrawn=st.sampled_from((False, False, False, True)),
)
TODAY = date(2026, 7, 1)
COMMERCIAL = IntendedUse(purpose="commercial", weights_released=True, data_released=False, outputs_sold=True)
everyday = settings(deadline=None, max_examples=120)


def decided(known: Rights, use: IntendedUse, policy: Policy, table: LicenceTable = TABLE) -> Decision:
    return decide(known, use, policy, table, {PROEF.id: PROEF}, "de-proef")


def severity(decision: Decision) -> int:
    return SEVERITY[decision.outcome]


def stricter(draw: Any, outcome: Outcome) -> Outcome:
    return draw(st.sampled_from([other for other in SEVERITY if SEVERITY[other] >= SEVERITY[outcome]]))  # type: ignore[no-any-return]


@everyday
@given(rights, statements, st.integers(0, 3), uses, policies)
@example(
    Rights((declared("CC-BY-NC-4.0"), declared(MANY))), declared(f"{MANY} OR MIT"), 0, COMMERCIAL, Policy(as_of=TODAY)
)
def test_one_more_declaration_never_makes_a_decision_better(
    known: Rights, more: Declared, place: int, use: IntendedUse, policy: Policy
) -> None:
    assume(known.declared or known.agreement)  # the first statement is what a decision begins with
    longer = (*known.declared[:place], more, *known.declared[place:])
    before, after = decided(known, use, policy), decided(dataclasses.replace(known, declared=longer), use, policy)
    assert severity(after) >= severity(before)
    if after.outcome == "admit" and set(before.branch.split(" AND ")) <= set(after.branch.split(" AND ")):
        assert set(before.duties) <= set(after.duties)


@everyday
@given(rights, uses, policies, st.sampled_from(("weights_released", "data_released", "outputs_sold", "purpose")))
def test_wanting_more_never_admits_more(known: Rights, use: IntendedUse, policy: Policy, field: str) -> None:
    wider = use.model_copy(update={field: "commercial" if field == "purpose" else True})
    assert severity(decided(known, wider, policy)) >= severity(decided(known, use, policy))


@everyday
@given(rights, uses, policies, st.data())
def test_a_stricter_policy_never_admits_more(
    known: Rights, use: IntendedUse, policy: Policy, data: st.DataObject
) -> None:
    fields = ("share_alike", "strong_copyleft", "file_copyleft", "unsettled")
    by_name = {name: stricter(data.draw, outcome) for name, outcome in policy.licences.items()}
    by_name |= dict.fromkeys(data.draw(st.lists(st.sampled_from(LISTED), max_size=2)), "refuse")
    changed = {field: stricter(data.draw, getattr(policy, field)) for field in fields}
    harder = policy.model_copy(update={**changed, "licences": by_name})
    assert severity(decided(known, use, harder)) >= severity(decided(known, use, policy))


@everyday
@given(rights, uses, policies, st.data())
def test_a_stricter_table_never_admits_more(
    known: Rights, use: IntendedUse, policy: Policy, data: st.DataObject
) -> None:
    harder = {name: made_stricter(data.draw, TABLE.licences[name]) for name in TELLING}
    table = TABLE.model_copy(update={"licences": {**TABLE.licences, **harder}})
    assert severity(decided(known, use, policy, table)) >= severity(decided(known, use, policy))


def made_stricter(draw: Any, entry: Licence) -> Licence:
    order = ("yes", "unsettled", "no")
    answers = entry.permits.model_dump()
    harder = {use: draw(st.sampled_from(order[order.index(answer) :])) for use, answer in answers.items()}
    return entry.model_copy(update={"permits": type(entry.permits).model_validate(harder)})


@everyday
@given(rights, uses, policies, st.data())
def test_knowing_less_never_admits_more(known: Rights, use: IntendedUse, policy: Policy, data: st.DataObject) -> None:
    """A statement becomes prose, its licence unknown or unreadable, a date is lost, an agreement cannot be found."""
    losses = [{"published": None}] + ([{"agreement": "lost-2026"}] if known.agreement else [])
    for index, one in enumerate(known.declared):
        for lost in (dataclasses.replace(one, form="prose"), declared("LicenseRef-unknown"), declared("nonsense")):
            losses.append({"declared": (*known.declared[:index], lost, *known.declared[index + 1 :])})
    less = dataclasses.replace(known, **data.draw(st.sampled_from(losses)))
    if decided(less, use, policy).outcome == "admit":
        assert decided(known, use, policy).outcome == "admit"


@everyday
@given(st.lists(expressions, min_size=1, max_size=3), names, uses, policies)
@example(["CC-BY-SA-4.0", "CC-BY-SA-4.0 AND MPL-2.0"], "MPL-2.0", COMMERCIAL, Policy(as_of=TODAY, share_alike="admit"))
def test_one_more_licence_that_applies_never_admits_more(
    texts: list[str], more: str, use: IntendedUse, policy: Policy
) -> None:
    without = Rights(tuple(declared(text) for text in texts))
    added = Rights((declared(f"({texts[0]}) AND {more}"), *without.declared[1:]))
    assert severity(decided(added, use, policy)) >= severity(decided(without, use, policy))


@everyday
@given(st.lists(expressions, min_size=1, max_size=3), names, uses, policies)
def test_one_more_licence_to_choose_never_admits_less(
    texts: list[str], more: str, use: IntendedUse, policy: Policy
) -> None:
    without = Rights(tuple(declared(text) for text in texts))
    added = Rights((declared(f"({texts[0]}) OR {more}"), *without.declared[1:]))
    assume(joined(tuple(one.text for one in added.declared)))
    assert severity(decided(added, use, policy)) <= severity(decided(without, use, policy))


@everyday
@given(rights, uses, policies)
@example(Rights((declared("MIT"), declared("MIT OR CC0-1.0"))), COMMERCIAL, Policy(as_of=TODAY))
def test_the_order_of_statements_decides_nothing(known: Rights, use: IntendedUse, policy: Policy) -> None:
    backwards = dataclasses.replace(known, declared=known.declared[::-1])
    one, other = decided(known, use, policy), decided(backwards, use, policy)
    assert one.outcome == other.outcome
    assert set(one.branch.split(" AND ")) == set(other.branch.split(" AND "))
    assert set(one.duties) == set(other.duties)


@everyday
@given(rights, uses, policies)
def test_an_admission_names_its_licence_its_clause_and_all_duties(
    known: Rights, use: IntendedUse, policy: Policy
) -> None:
    decision = decided(known, use, policy)
    assert decision.explanation
    if decision.outcome != "admit":
        assert decision.duties == ()
    elif decision.agreement is None:
        branch = decision.branch.split(" AND ")
        due = {clause for name in branch for clause in TABLE.licences[name].duties.values()}
        assert decision.clause and canonical(decision.licence) == decision.licence
        assert {duty.clause for duty in decision.duties} == due
        assert all(spdx(one, TABLE.by_url) for one in known.declared)
