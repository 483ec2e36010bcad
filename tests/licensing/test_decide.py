from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from licensing.agreement import Agreement
from licensing.decide import REASONS, decide
from licensing.policy import Policy
from licensing.rights import Decision, Declared, Form, IntendedUse, Rights
from licensing.table import load_table

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
PERMISSIVE = {"Expat", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0", "0BSD"}


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


USES = (DEMO, COMMERCIAL_DATA, RESEARCH_OPEN, RESEARCH_CLOSED)


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
    assert decision.explanation.startswith("CC-BY-SA-3.0 and MPL-2.0 each ask")


def test_it_makes_no_difference_whether_one_statement_or_two_ask_for_both() -> None:
    for texts in (("CC-BY-SA-3.0 and MPL-2.0",), ("MPL-2.0", "CC-BY-SA-3.0 and MPL-2.0")):
        decision = by_several(*texts)
        assert (decision.outcome, decision.reason, decision.duties) == ("review", "licence-conflict", ())
        assert (decision.conflict is None) == (len(texts) == 1)


@pytest.mark.parametrize(
    ("texts", "wanted", "outcome", "reason", "duties"),
    [
        (("CC-BY-4.0", "CC-BY-NC-4.0"), DEMO, "refuse", "non-commercial", set()),
        (("CC-BY-4.0", "CC-BY-NC-4.0"), RESEARCH_OPEN, "admit", "licence-admitted", {"CC-BY-4.0", "CC-BY-NC-4.0"}),
        (("CC0-1.0", "CC-BY-4.0"), DEMO, "admit", "licence-admitted", {"CC-BY-4.0"}),
        (("public-domain", "CC-BY-ND-3.0"), RESEARCH_CLOSED, "review", "no-derivatives", set()),
        (("LicenseRef-all-rights-reserved", "CC0-1.0"), RESEARCH_CLOSED, "refuse", "use-not-permitted", set()),
        (("GPL-3+ or Expat", "Expat"), DEMO, "admit", "licence-admitted", {"MIT"}),
        (("GPL-3+ or Expat", "GPL-3+"), DEMO, "refuse", "strong-copyleft", set()),
        (("Expat", "Zlib", "CC-BY-NC-4.0"), DEMO, "refuse", "non-commercial", set()),
        (("Expat", "Zlib", "other"), DEMO, "review", "licence-unknown", set()),
    ],
)
def test_statements_that_differ(
    texts: tuple[str, ...], wanted: IntendedUse, outcome: str, reason: str, duties: set[str]
) -> None:
    for order in (texts, texts[::-1]):
        decision = by_several(*order, wanted=wanted)
        assert (decision.outcome, decision.reason) == (outcome, reason)
        assert {duty.value.split()[0] for duty in decision.duties} == duties
        assert decision.conflict and all(f"'{text}'" in decision.conflict for text in texts)


def test_too_many_alternatives_together_are_a_review_unless_one_statement_is_refused_anyway() -> None:
    first = " or ".join(f"GPL-{n}+" for n in (1, 2, 3)) + " or " + " or ".join(sorted(PERMISSIVE))
    second = first.replace("Expat", "ISC or Expat")
    assert by_several(first, second, first + " or MPL-2.0").reason == "licence-conflict"
    assert by_several(first, second, first + " or MPL-2.0").outcome == "review"
    refused = by_several(first, second, first + " or MPL-2.0", "CC-BY-NC-4.0")
    assert (refused.outcome, refused.reason) == ("refuse", "non-commercial")
    assert refused.conflict and "CC-BY-NC-4.0" in refused.conflict


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
        (date(2025, 12, 30), "admit"),
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
        ("2028-12-30", "agreement-admitted"),
        ("2028-12-31", "agreement-admitted"),
        ("2029-01-01", "agreement-expired"),
    ],
)
def test_the_day_before_and_after_the_use_period(as_of: str, reason: str) -> None:
    assert by_agreement(as_of).reason == reason


@pytest.mark.parametrize("as_of", ["2026-01-01", "2029-01-01", "2999-12-31"])
def test_a_use_period_without_an_end_never_expires(as_of: str) -> None:
    endless = KADE.model_copy(update={"use_period": KADE.use_period.model_copy(update={"until": None})})
    known = Rights(agreement=KADE.id, published=date(2020, 5, 1))
    decision = decide(known, DEMO, policy(as_of=as_of), TABLE, {KADE.id: endless}, "de-proef")
    assert decision.reason == "agreement-admitted"
    assert "expiry" not in {duty.kind for duty in decision.duties}


@pytest.mark.parametrize(
    ("as_of", "rights", "reason"),
    [
        ("2029-01-01", {"published": date(2026, 1, 1)}, "agreement-expired"),
        ("2029-01-01", {"published": None}, "agreement-expired"),
        ("2029-01-01", {"declared": (Declared("CC0-1.0", "column licence", "spdx"),)}, "agreement-expired"),
        ("2025-12-31", {"declared": (Declared("CC0-1.0", "column licence", "spdx"),)}, "agreement-not-begun"),
        ("2029-01-01", {"withdrawn": True}, "withdrawn"),
    ],
)
def test_nothing_else_heals_an_agreement_outside_its_period(as_of: str, rights: dict[str, Any], reason: str) -> None:
    decision = by_agreement(as_of, **rights)
    assert (decision.outcome, decision.reason, decision.duties) == ("refuse", reason, ())


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
