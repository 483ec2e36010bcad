"""Legal bases by hand: each basis x each intended use x each finding, with the clause it rests on."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from licensing.agreement import Agreement
from licensing.decide import decide
from licensing.policy import Policy
from licensing.reasons import REASONS
from licensing.reservations import Reservation, Signal
from licensing.reservations.signal import Value
from licensing.rights import Basis, Decision, Declared, IntendedUse, Rights
from licensing.table import load_table
from licensing.verdict import SEVERITY

TABLE = load_table(Path(__file__).parents[2] / "configs" / "licences.yaml")
KADE = Agreement.model_validate(yaml.safe_load((Path(__file__).parent / "de-proef.yaml").read_text(encoding="utf-8")))


def use(purpose: str, weights: bool = False, data: bool = False, outputs: bool = False) -> IntendedUse:
    return IntendedUse.model_validate(
        {"purpose": purpose, "weights_released": weights, "data_released": data, "outputs_sold": outputs}
    )


COMMERCIAL = use("commercial", weights=True, outputs=True)
COMMERCIAL_CLOSED = use("commercial")
RESEARCH = use("research")
RESEARCH_SOLD = use("research", outputs=True)
RESEARCH_WEIGHTS = use("research", weights=True)
RESEARCH_DATA = use("research", data=True)
USES = (COMMERCIAL, COMMERCIAL_CLOSED, RESEARCH, RESEARCH_SOLD, RESEARCH_WEIGHTS, RESEARCH_DATA)


def found(state: Value) -> Reservation:
    signal = Signal("tdmrep", state, "https://krant.example/.well-known/tdmrep.json", "rule", "0" * 64, "2026-11-01")
    return Reservation(state, (signal,), "2026-11-15")


def policy(**values: Any) -> Policy:
    return Policy.model_validate({"as_of": "2026-07-01", "share_alike": "admit", **values})


def decided(
    basis: Basis | None, wanted: IntendedUse, state: Value | None = None, evidence: str | None = "letter 7", **more: Any
) -> Decision:
    texts = more.pop("declared", ())
    rights = Rights(
        declared=tuple(Declared(text, f"page:{line}", "spdx") for line, text in enumerate(texts, start=1)),
        basis=basis,
        evidence=evidence,
        reservation=found(state) if state else None,
        **{name: more.pop(name) for name in ("agreement", "published", "withdrawn") if name in more},
    )
    return decide(rights, wanted, policy(**more), TABLE, {KADE.id: KADE}, "de-proef")


ART = "Directive (EU) 2019/790 art."
# By hand: basis, finding, then (outcome, reason, clause) for each of the uses above.
BY_HAND: list[tuple[Basis, Value | None, tuple[tuple[str, str, str], ...]]] = [
    ("dsm-art-3", "disallowed", (
        ("refuse", "art-3-commercial", f"{ART} 3"),
        ("refuse", "art-3-commercial", f"{ART} 3"),
        ("admit", "art-3-admitted", f"{ART} 3(1)"),
        ("refuse", "art-3-commercial", f"{ART} 3"),
        ("review", "art-3-release", f"{ART} 3(2)"),
        ("refuse", "art-3-sharing", f"{ART} 3(2)"),
    )),
    ("dsm-art-4", "allowed", (
        *(("admit", "art-4-admitted", f"{ART} 4(1)"),) * 5,
        ("refuse", "art-4-sharing", f"{ART} 4(2)"),
    )),
    ("dsm-art-4", "disallowed", (("refuse", "reserved", f"{ART} 4(3)"),) * 6),
    ("dsm-art-4", "unknown", (
        *(("review", "reservation-unknown", f"{ART} 4(3)"),) * 5,
        ("refuse", "art-4-sharing", f"{ART} 4(2)"),
    )),
    ("dsm-art-4", None, (
        *(("review", "reservation-unknown", f"{ART} 4(3)"),) * 5,
        ("refuse", "art-4-sharing", f"{ART} 4(2)"),
    )),
    ("own", "disallowed", (("admit", "own-admitted", "Directive 2001/29/EC art. 2"),) * 6),
    ("consent", None, (("admit", "consent-admitted", "Directive 2001/29/EC art. 2"),) * 6),
]  # fmt: skip


@pytest.mark.parametrize(("basis", "state", "expected"), BY_HAND)
def test_each_basis_for_each_use(basis: Basis, state: Value, expected: tuple[tuple[str, str, str], ...]) -> None:
    decisions = [decided(basis, wanted, state) for wanted in USES]
    assert tuple((one.outcome, one.reason, one.clause) for one in decisions) == expected
    for one in decisions:
        assert one.basis == basis and one.basis_evidence == "letter 7" and one.explanation
        assert (one.reservation.state if one.reservation else None) == state
        assert one.reason in REASONS


@pytest.mark.parametrize("basis", ["own", "consent", "dsm-art-3"])
def test_a_basis_without_evidence_waits_for_a_person(basis: Basis) -> None:
    decision = decided(basis, RESEARCH, evidence=None)
    assert (decision.outcome, decision.reason) == ("review", "basis-evidence-absent")


def test_art_4_lays_down_that_copies_are_deleted() -> None:
    (duty,) = decided("dsm-art-4", COMMERCIAL, "allowed").duties
    assert duty.kind == "deletion" and duty.clause == f"{ART} 4(2)"
    assert decided("dsm-art-4", COMMERCIAL, "unknown").duties == ()


def test_a_refusal_quotes_what_reserves() -> None:
    told = decided("dsm-art-4", COMMERCIAL, "disallowed").explanation
    assert "tdmrep 'rule' (https://krant.example/.well-known/tdmrep.json)" in told


@pytest.mark.parametrize(
    ("basis", "declared", "outcome", "reason", "conflict"),
    [
        ("own", ["Apache-2.0"], "admit", "own-admitted", False),
        ("own", ["CC-BY-NC-4.0"], "refuse", "non-commercial", True),
        ("own", ["CC-BY-ND-4.0"], "review", "no-derivatives", True),
        ("own", ["geen idee"], "review", "licence-unknown", True),
        ("consent", ["LicenseRef-all-rights-reserved"], "refuse", "use-not-permitted", True),
        ("dsm-art-4", ["CC-BY-NC-4.0"], "refuse", "non-commercial", True),
        ("dsm-art-4", ["CC-BY-4.0"], "admit", "art-4-admitted", False),
    ],
)
def test_a_contradicting_licence_is_recorded_and_the_stricter_stands(
    basis: Basis, declared: list[str], outcome: str, reason: str, conflict: bool
) -> None:
    decision = decided(basis, COMMERCIAL, "allowed", declared=declared)
    assert (decision.outcome, decision.reason, decision.basis) == (outcome, reason, basis)
    assert (decision.conflict == f"'{declared[0]}' (page:1)") is conflict


def test_a_basis_that_is_refused_stays_refused_whatever_is_declared() -> None:
    decision = decided("dsm-art-4", COMMERCIAL, "disallowed", declared=["CC-BY-ND-4.0"])
    assert (decision.outcome, decision.reason) == ("refuse", "reserved") and decision.conflict


def test_terms_do_not_take_art_3_away() -> None:
    decision = decided("dsm-art-3", RESEARCH, "disallowed", declared=["LicenseRef-all-rights-reserved"])
    assert decision.outcome == "admit" and decision.conflict == "'LicenseRef-all-rights-reserved' (page:1)"


@pytest.mark.parametrize(
    ("setting", "outcome", "reason"),
    [
        (None, "review", "licence-reserved"),
        ("review", "review", "licence-reserved"),
        ("refuse", "refuse", "licence-reserved"),
        ("admit", "admit", "licence-admitted"),
    ],
)
@pytest.mark.parametrize("basis", [None, "licence"])
def test_a_licence_beside_a_reservation(basis: Basis | None, setting: str | None, outcome: str, reason: str) -> None:
    chosen = {"reservations_on_licensed": setting} if setting else {}
    decision = decided(basis, COMMERCIAL, "disallowed", None, declared=["CC-BY-4.0"], **chosen)
    assert (decision.outcome, decision.reason, decision.licence) == (outcome, reason, "CC-BY-4.0")
    assert decision.conflict is not None and decision.conflict.startswith("reserved: tdmrep")
    assert bool(decision.duties) is (outcome == "admit")


@pytest.mark.parametrize("state", ["allowed", "unknown", None])
def test_a_licence_without_a_reservation_is_as_before(state: Value | None) -> None:
    decision = decided(None, COMMERCIAL, state, None, declared=["CC-BY-4.0"])
    assert decision.outcome == "admit" and decision.conflict is None


def test_a_refusal_by_licence_is_not_softened_by_a_reservation() -> None:
    assert decided(None, COMMERCIAL, "disallowed", declared=["CC-BY-NC-4.0"]).reason == "non-commercial"


@pytest.mark.parametrize("basis", ["public-domain", "official-work"])
def test_works_that_need_no_permission(basis: Basis) -> None:
    decision = decided(basis, COMMERCIAL, "disallowed", "gemeenteblad 2024, 12")
    assert (decision.outcome, decision.basis, decision.licence) == ("admit", basis, f"LicenseRef-{basis}")
    torn = decided(basis, COMMERCIAL, declared=["CC-BY-NC-4.0"])
    assert torn.outcome == "refuse" and "config: key basis (letter 7)" in (torn.conflict or "")


def test_an_agreement_goes_before_a_reservation_which_is_recorded() -> None:
    decision = decided(None, COMMERCIAL, "disallowed", None, agreement=KADE.id, published=date(2020, 5, 1))
    assert (decision.outcome, decision.reason) == ("admit", "agreement-admitted")
    assert decision.reservation is not None and decision.reservation.state == "disallowed"


def test_a_basis_of_agreement_without_one_is_refused() -> None:
    assert decided("agreement", COMMERCIAL).reason == "agreement-unknown"


def test_withdrawn_goes_before_every_basis() -> None:
    assert decided("own", COMMERCIAL, withdrawn=True).reason == "withdrawn"


STATES = st.sampled_from([None, "allowed", "unknown", "disallowed"])
_STRICT: dict[Any, int] = {"allowed": 0, "unknown": 1, None: 1, "disallowed": 2}


@given(
    st.sampled_from([None, "licence", "public-domain", "official-work", "dsm-art-3", "dsm-art-4", "own", "consent"]),
    st.sampled_from(USES),
    STATES,
    STATES,
    st.lists(st.sampled_from(["CC-BY-4.0", "CC-BY-NC-4.0", "MIT", "Zlib"]), max_size=2),
    st.sampled_from(["admit", "review", "refuse"]),
)
def test_a_stricter_finding_never_admits_more(
    basis: Any, wanted: IntendedUse, one: Any, other: Any, declared: list[str], setting: str
) -> None:
    mild, strict = sorted((one, other), key=_STRICT.__getitem__)
    outcomes = [
        SEVERITY[decided(basis, wanted, state, declared=declared, reservations_on_licensed=setting).outcome]
        for state in (mild, strict)
    ]
    assert outcomes[0] <= outcomes[1]


@given(
    st.sampled_from(USES), st.sampled_from([None, "unknown", "disallowed"]), st.lists(st.just("CC0-1.0"), max_size=1)
)
def test_art_4_admits_on_nothing_but_a_finding_of_allowed(wanted: IntendedUse, state: Any, declared: list[str]) -> None:
    assert decided("dsm-art-4", wanted, state, declared=declared).outcome != "admit"


@given(STATES, st.booleans(), st.booleans(), st.booleans(), st.sampled_from(["letter 7", None]))
def test_art_3_never_enters_a_commercial_run(
    state: Any, weights: bool, data: bool, outputs: bool, evidence: str | None
) -> None:
    decision = decided("dsm-art-3", use("commercial", weights, data, outputs), state, evidence)
    assert (decision.outcome, decision.reason) == ("refuse", "art-3-commercial")
