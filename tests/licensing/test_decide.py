from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from licensing.agreement import Agreement
from licensing.decide import REASONS, decide
from licensing.policy import Policy
from licensing.rights import Decision, Declared, Form, IntendedUse, Rights
from licensing.table import LicenceTable, load_table
from licensing.verdict import SEVERITY

AGREEMENT = (Path(__file__).parent / "de-proef.yaml").read_text(encoding="utf-8")
TABLE = load_table(Path(__file__).parents[2] / "configs" / "licences.yaml")

KADE = Agreement.model_validate(yaml.safe_load(AGREEMENT))


def use(purpose: str = "commercial", weights: bool = True, data: bool = False, outputs: bool = True) -> IntendedUse:
    return IntendedUse.model_validate(
        {"purpose": purpose, "weights_released": weights, "data_released": data, "outputs_sold": outputs}
    )


def policy(**values: Any) -> Policy:
    return Policy.model_validate({"as_of": "2026-07-01", "share_alike": "admit", **values})


DEMO = use()
RESEARCH_OPEN = use("research", outputs=False)
RESEARCH_CLOSED = use("research", weights=False, outputs=False)
COMMERCIAL_DATA = use(data=True)


def by_licence(text: str, wanted: IntendedUse = DEMO, form: Form = "dep5", **values: Any) -> Decision:
    return decide(Rights((Declared(text, "copyright:7", form),)), wanted, policy(**values), TABLE, {}, "debian")


def by_several(*texts: str, wanted: IntendedUse = DEMO, **values: Any) -> Decision:
    declared = tuple(Declared(text, f"copyright:{line}", "dep5") for line, text in enumerate(texts, start=1))
    return decide(Rights(declared), wanted, policy(**values), TABLE, {}, "debian")


def by_agreement(
    as_of: str = "2026-07-01", wanted: IntendedUse = DEMO, source: str = "de-proef", **rights: Any
) -> Decision:
    known: dict[str, Any] = {"agreement": KADE.id, "published": date(2020, 5, 1), **rights}
    return decide(Rights(**known), wanted, policy(as_of=as_of), TABLE, {KADE.id: KADE}, source)


# Written by hand: licence, then the outcome for each use in the order below.
USES = (DEMO, COMMERCIAL_DATA, RESEARCH_OPEN, RESEARCH_CLOSED)
A, V, R = "admit", "review", "refuse"
TABLE_OF_OUTCOMES = [
    ("CC0-1.0", (A, A, A, A), "s. 2 and 3"),
    ("LicenseRef-public-domain", (A, A, A, A), "Directive 2006/116/EC art. 1"),
    ("LicenseRef-official-work", (A, A, A, A), "Berne Convention art. 2(4); in the Netherlands art. 11 Auteurswet"),
    ("LicenseRef-all-rights-reserved", (R, R, R, R), "Directive 2001/29/EC art. 2"),
    ("CC-BY-4.0", (A, A, A, A), "s. 3(a)"),
    ("CC-BY-3.0", (A, A, A, A), "s. 4(b)"),
    ("CC-BY-SA-3.0", (A, A, A, A), "s. 4(b)"),
    ("CC-BY-SA-4.0", (A, A, A, A), "s. 3(b)"),
    ("CC-BY-NC-4.0", (R, R, A, A), "s. 2(a)(1)"),
    ("CC-BY-NC-3.0", (R, R, A, A), "s. 4(b)"),
    ("CC-BY-NC-SA-3.0", (R, R, A, A), "s. 4(c), s. 4(b)"),
    ("CC-BY-ND-4.0", (V, V, V, A), "s. 2(a)(1)(B)"),
    ("CC-BY-ND-3.0", (V, V, V, V), "s. 3"),
    ("CC-BY-NC-ND-4.0", (R, R, V, A), "s. 2(a)(1), s. 2(a)(1)(B)"),
    ("ODbL-1.0", (A, A, A, A), "s. 4.3 and 4.4"),
    ("EUPL-1.2", (A, A, A, A), "art. 2 and 5"),
    ("OGL-UK-3.0", (A, A, A, A), "You are free to; You must"),
    ("DL-DE-BY-2.0", (A, A, A, A), "no. 1"),
    ("MPL-2.0", (A, A, A, A), "s. 2.1 and 3.3"),
    ("GFDL-1.3-or-later", (R, R, R, A), "s. 4"),
    ("GPL-2.0-only", (R, R, R, A), "s. 2(b)"),
    ("GPL-3.0-or-later", (R, R, R, A), "s. 5(c)"),
    ("LGPL-2.1-or-later", (R, R, R, A), "s. 2(c)"),
    ("AGPL-3.0-only", (R, R, R, A), "s. 5(c) and 13"),
    ("Apache-2.0", (A, A, A, A), "s. 2 and 4"),
    ("MIT", (A, A, A, A), "first and second paragraph"),
    ("Artistic-1.0", (V, V, V, A), "s. 3 and 5"),
]


@pytest.mark.parametrize(("licence", "outcomes", "clause"), TABLE_OF_OUTCOMES)
def test_decision_table(licence: str, outcomes: tuple[str, ...], clause: str) -> None:
    found = [by_licence(licence, wanted, "spdx") for wanted in USES]
    assert tuple(decision.outcome for decision in found) == outcomes
    assert found[0].clause == clause
    assert all(decision.licence == decision.branch == licence for decision in found)


@pytest.mark.parametrize(
    ("text", "form", "outcome", "reason", "branch"),
    [
        ("MPL-2.0", "dep5", "admit", "licence-admitted", "MPL-2.0"),
        ("GPL-2.0+ or CC-BY-SA-3.0", "dep5", "admit", "licence-admitted", "CC-BY-SA-3.0"),
        ("CC-BY-SA-3.0", "dep5", "admit", "licence-admitted", "CC-BY-SA-3.0"),
        ("GPL-3+", "dep5", "refuse", "strong-copyleft", "GPL-3.0-or-later"),
        ("GPL-2+", "dep5", "refuse", "strong-copyleft", "GPL-2.0-or-later"),
        ("Permission is granted to make verbatim copies", "prose", "review", "licence-prose", ""),
        ("other", "dep5", "review", "licence-unknown", ""),
        ("Zlib", "spdx", "review", "licence-not-in-table", "Zlib"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "spdx", "review", "licence-not-in-table", None),
        ("CC-BY-NC-4.0", "spdx", "refuse", "non-commercial", "CC-BY-NC-4.0"),
        ("CC-BY-ND-4.0", "spdx", "review", "no-derivatives", "CC-BY-ND-4.0"),
        ("Artistic", "dep5", "review", "use-unsettled", "Artistic-1.0"),
        ("LicenseRef-all-rights-reserved", "spdx", "refuse", "use-not-permitted", "LicenseRef-all-rights-reserved"),
        ("MIT AND GPL-3.0-only", "spdx", "refuse", "strong-copyleft", "MIT AND GPL-3.0-only"),
        ("MIT AND Zlib", "spdx", "review", "licence-not-in-table", "MIT AND Zlib"),
        ("GPL-3.0-only OR Zlib", "spdx", "review", "licence-not-in-table", "Zlib"),
        ("CC-BY-4.0 OR CC0-1.0 OR CC-BY-SA-4.0", "spdx", "admit", "licence-admitted", "CC0-1.0"),
        ("ISC OR MIT", "spdx", "admit", "licence-admitted", "ISC"),
        ("MIT OR ISC", "spdx", "admit", "licence-admitted", "ISC"),
    ],
)
def test_reasons_and_branches(text: str, form: Form, outcome: str, reason: str, branch: str | None) -> None:
    decision = by_licence(text, form=form)
    assert (decision.outcome, decision.reason) == (outcome, reason)
    assert decision.explanation
    if branch is not None:
        assert decision.branch == branch


def test_nothing_declared_is_refused() -> None:
    decision = decide(Rights(), DEMO, policy(), TABLE, {}, "debian")
    assert (decision.outcome, decision.reason, decision.licence) == ("refuse", "licence-absent", "NOASSERTION")


def test_withdrawn_goes_before_everything() -> None:
    decision = decide(Rights((Declared("MIT", "c:1", "spdx"),), withdrawn=True), DEMO, policy(), TABLE, {}, "debian")
    assert (decision.outcome, decision.reason) == ("refuse", "withdrawn")
    assert by_agreement(withdrawn=True).reason == "withdrawn"


@pytest.mark.parametrize(
    ("values", "licence", "outcome", "reason"),
    [
        ({"share_alike": "refuse"}, "CC-BY-SA-4.0", "refuse", "share-alike"),
        ({"share_alike": "review"}, "EUPL-1.2", "review", "share-alike"),
        ({"strong_copyleft": "review"}, "GPL-3.0-only", "review", "strong-copyleft"),
        ({"strong_copyleft": "admit"}, "GPL-3.0-only", "admit", "licence-admitted"),
        ({"file_copyleft": "refuse"}, "MPL-2.0", "refuse", "file-copyleft"),
        ({"unsettled": "admit"}, "CC-BY-ND-4.0", "admit", "licence-admitted"),
        ({"unsettled": "refuse"}, "CC-BY-ND-4.0", "refuse", "no-derivatives"),
        ({"licences": {"MIT": "refuse"}}, "MIT", "refuse", "policy-refused"),
        ({"licences": {"MIT": "review"}}, "MIT", "review", "policy-review"),
        ({"licences": {"CC-BY-NC-4.0": "admit"}}, "CC-BY-NC-4.0", "admit", "policy-admitted"),
        ({"licences": {"Zlib": "admit"}}, "Zlib", "review", "licence-not-in-table"),
    ],
)
def test_the_policy_decides_what_the_table_leaves_open(
    values: dict[str, Any], licence: str, outcome: str, reason: str
) -> None:
    decision = by_licence(licence, form="spdx", **values)
    assert (decision.outcome, decision.reason) == (outcome, reason)


def test_copyleft_binds_only_what_is_passed_on() -> None:
    closed = use("research", weights=False, outputs=False)
    assert by_licence("CC-BY-SA-4.0", closed, "spdx", share_alike="refuse").outcome == "admit"
    assert by_licence("MPL-2.0", closed, "spdx", file_copyleft="refuse").outcome == "admit"
    silent_company = use("commercial", weights=False, outputs=False)
    assert by_licence("GPL-3.0-only", silent_company, "spdx").outcome == "refuse"


def test_duties_travel_with_their_clauses_and_only_when_admitted() -> None:
    duties = by_licence("CC-BY-SA-3.0").duties
    assert [(duty.kind, duty.clause) for duty in duties] == [
        ("attribution", "s. 4(c)"),
        ("notice", "s. 4(a)"),
        ("share-alike", "s. 4(b)"),
    ]
    assert duties[0].value == "CC-BY-SA-3.0 (https://creativecommons.org/licenses/by-sa/3.0/)"
    assert by_licence("GPL-3+").duties == ()


@pytest.mark.parametrize("texts", [("MPL-2.0", "GPL-3+"), ("GPL-3+", "MPL-2.0")])
def test_of_two_declarations_the_stricter_stands_and_both_are_recorded(texts: tuple[str, str]) -> None:
    decision = by_several(*texts)
    assert (decision.outcome, decision.reason) == ("refuse", "strong-copyleft")
    assert decision.conflict == f"'{texts[0]}' (copyright:1); '{texts[1]}' (copyright:2)"


def test_equal_declarations_in_two_places_are_no_conflict() -> None:
    assert by_several("GPL-2+ or CC-BY-SA-3.0", "GPL-2.0+ or CC-BY-SA-3.0").conflict is None
    assert by_several("MPL-2.0", "MPL-2.0").outcome == "admit"


def test_when_both_would_be_admitted_the_duties_of_both_are_due() -> None:
    decision = by_several("Expat", "CC-BY-4.0")
    assert (decision.outcome, decision.licence) == ("admit", "MIT AND CC-BY-4.0")
    assert {(duty.kind, duty.value.split()[0]) for duty in decision.duties} == {
        ("notice", "MIT"),
        ("notice", "CC-BY-4.0"),
        ("attribution", "CC-BY-4.0"),
    }
    assert decision.conflict


def test_two_share_alike_licences_cannot_both_be_followed() -> None:
    decision = by_several("CC-BY-SA-3.0", "MPL-2.0")
    assert (decision.outcome, decision.reason) == ("review", "licence-conflict")
    assert decision.conflict and "copyright:2" in decision.conflict


def test_a_way_through_that_satisfies_every_declaration_is_taken() -> None:
    decision = by_several("CC-BY-SA-3.0 or Expat", "MPL-2.0")
    assert (decision.outcome, decision.branch) == ("admit", "MIT AND MPL-2.0")


@pytest.mark.parametrize(
    ("known", "outcome", "reason"), [("MPL-2.0", "review", "licence-unknown"), ("GPL-3+", "refuse", "strong-copyleft")]
)
def test_an_unreadable_declaration_beside_a_readable_one(known: str, outcome: str, reason: str) -> None:
    decision = by_several(known, "other")
    assert (decision.outcome, decision.reason) == (outcome, reason)
    assert decision.conflict == f"'{known}' (copyright:1); 'other' (copyright:2)"


def test_agreement_admits_with_its_duties() -> None:
    decision = by_agreement()
    assert (decision.outcome, decision.basis, decision.licence) == ("admit", "agreement", "LicenseRef-de-proef-2026")
    assert [(duty.kind, duty.value, duty.clause) for duty in decision.duties] == [
        ("attribution", "Bron: De Proef", "art. 5.1"),
        ("most-epochs", "4", "art. 4.2"),
        ("hold-out", "0.1", "art. 4.4"),
        ("verbatim-limit", "160", "art. 4.3"),
        ("deletion", "Delete all copies within 30 days of the end.", "art. 9.3"),
        ("expiry", "2028-12-31", "art. 9.1"),
    ]


@pytest.mark.parametrize(
    ("published", "outcome"),
    [
        (date(2014, 12, 31), "refuse"),
        (date(2015, 1, 1), "admit"),
        (date(2025, 12, 31), "admit"),
        (date(2026, 1, 1), "refuse"),
    ],
)
def test_the_day_before_and_after_the_content_period(published: date, outcome: str) -> None:
    decision = by_agreement(published=published)
    assert decision.outcome == outcome
    assert outcome == "admit" or (decision.reason, decision.clause) == ("agreement-period", "art. 2.2")


@pytest.mark.parametrize(
    ("as_of", "reason"),
    [
        ("2025-12-31", "agreement-not-begun"),
        ("2026-01-01", "agreement-admitted"),
        ("2028-12-31", "agreement-admitted"),
        ("2029-01-01", "agreement-expired"),
    ],
)
def test_the_day_before_and_after_the_use_period(as_of: str, reason: str) -> None:
    assert by_agreement(as_of).reason == reason


def test_what_an_agreement_does_not_cover() -> None:
    assert by_agreement(published=None).reason == "date-absent"
    assert by_agreement(published=None).outcome == "review"
    assert by_agreement(source="elsewhere").reason == "agreement-source"
    data = by_agreement(wanted=COMMERCIAL_DATA)
    assert (data.outcome, data.reason, data.clause) == ("refuse", "agreement-use", "art. 3.4")
    unknown = by_agreement(agreement="nobody-2026")
    assert (unknown.outcome, unknown.reason) == ("refuse", "agreement-unknown")


def test_a_document_that_contradicts_its_agreement_goes_to_a_person() -> None:
    foreign = by_agreement(declared=(Declared("© a third agency", "column rights", "prose"),))
    assert (foreign.outcome, foreign.reason, foreign.duties) == ("review", "licence-conflict", ())
    assert foreign.conflict == "'© a third agency' (column rights)"
    own = by_agreement(declared=(Declared("LicenseRef-de-proef-2026", "column licence", "spdx"),))
    assert own.outcome == "admit"
    assert by_agreement(declared=(Declared("CC-BY-4.0", "column licence", "spdx"),)).reason == "agreement-admitted"


def test_every_reason_has_a_sentence_in_both_languages() -> None:
    assert all(reason.en.endswith(".") and reason.nl.endswith(".") for reason in REASONS.values())
    met = {by_licence(name, wanted, "spdx").reason for name in TABLE.licences for wanted in USES}
    assert met < set(REASONS)


# Properties ---------------------------------------------------------------------------------------------------------

STRICTER = {"yes": ("yes", "unsettled", "no"), "unsettled": ("unsettled", "no"), "no": ("no",)}
NAMES = ("MIT", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "GPL-3.0-only", "MPL-2.0", "CC-BY-ND-4.0", "CC0-1.0")
texts = st.lists(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).flatmap(
        lambda names: st.sampled_from((" OR ", " AND ")).map(lambda operator: operator.join(names))
    ),
    min_size=1,
    max_size=3,
)
uses = st.builds(use, st.sampled_from(("commercial", "research")), st.booleans(), st.booleans(), st.booleans())
policies = st.builds(
    policy,
    share_alike=st.sampled_from(tuple(SEVERITY)),
    strong_copyleft=st.sampled_from(tuple(SEVERITY)),
    file_copyleft=st.sampled_from(tuple(SEVERITY)),
    unsettled=st.sampled_from(("admit", "review", "refuse")),
)


def made_stricter(draw: st.DrawFn) -> LicenceTable:
    entries = {}
    for name in NAMES:
        entry = TABLE.licences[name]
        values = {field: draw(st.sampled_from(STRICTER[value])) for field, value in entry.permits.model_dump().items()}
        entries[name] = entry.model_copy(update={"permits": type(entry.permits).model_validate(values)})
    return LicenceTable(licences=entries)


stricter_tables = st.composite(made_stricter)()


@settings(deadline=None)
@given(texts, uses, policies, stricter_tables)
def test_a_stricter_table_never_admits_more(
    declared: list[str], wanted: IntendedUse, chosen: Policy, stricter: LicenceTable
) -> None:
    rights = Rights(tuple(Declared(text, f"c:{n}", "spdx") for n, text in enumerate(declared)))
    before = decide(rights, wanted, chosen, TABLE, {}, "s")
    after = decide(rights, wanted, chosen, stricter, {}, "s")
    assert SEVERITY[after.outcome] >= SEVERITY[before.outcome]


@settings(deadline=None)
@given(texts, uses, policies, st.sampled_from((*NAMES, "Zlib", "nonsense")))
def test_one_more_declaration_never_admits_more(
    declared: list[str], wanted: IntendedUse, chosen: Policy, extra: str
) -> None:
    statements = tuple(Declared(text, f"c:{n}", "spdx") for n, text in enumerate(declared))
    more = (*statements, Declared(extra, "c:9", "spdx"))
    before = decide(Rights(statements), wanted, chosen, TABLE, {}, "s")
    after = decide(Rights(more), wanted, chosen, TABLE, {}, "s")
    assert SEVERITY[after.outcome] >= SEVERITY[before.outcome]


@settings(deadline=None)
@given(texts, uses, policies, st.sampled_from(("weights_released", "data_released", "outputs_sold", "purpose")))
def test_wanting_more_never_admits_more(declared: list[str], wanted: IntendedUse, chosen: Policy, field: str) -> None:
    rights = Rights(tuple(Declared(text, f"c:{n}", "spdx") for n, text in enumerate(declared)))
    wider = wanted.model_copy(update={field: "commercial" if field == "purpose" else True})
    before = decide(rights, wanted, chosen, TABLE, {}, "s")
    after = decide(rights, wider, chosen, TABLE, {}, "s")
    assert SEVERITY[after.outcome] >= SEVERITY[before.outcome]


@given(st.dates(date(2010, 1, 1), date(2030, 1, 1)), st.integers(-400, 400))
def test_a_decision_is_a_function_of_its_inputs(published: date, shift: int) -> None:
    as_of = (date(2027, 6, 1) + timedelta(days=shift)).isoformat()
    first, second = by_agreement(as_of, published=published), by_agreement(as_of, published=published)
    assert dataclasses.astuple(first) == dataclasses.astuple(second)
    inside = date(2015, 1, 1) <= published <= date(2025, 12, 31) and "2026-01-01" <= as_of <= "2028-12-31"
    assert (first.outcome == "admit") == inside
