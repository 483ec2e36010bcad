from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data_curation.settings import GROUNDS, DuplicatesSettings
from data_curation.survivor import MOST_QUALITY, rank
from licensing.errors import HerkomstError
from licensing.rights import Basis

SETTINGS = DuplicatesSettings()


@st.composite
def rules(draw: st.DrawFn) -> DuplicatesSettings:
    criteria = draw(st.permutations(["rights", "quality"]))[: draw(st.integers(0, 2))]
    order = draw(st.permutations(GROUNDS))
    return DuplicatesSettings.model_validate({"survivor": (*criteria, "digest"), "rights_order": order})


documents = st.tuples(
    st.sampled_from((*GROUNDS, "none")),
    st.integers(0, 40) | st.integers(0, 10**6),
    st.integers(0, MOST_QUALITY),
)


@given(rules(), documents, documents)
def test_ranks_compare_as_the_rule_says(
    settings: DuplicatesSettings, left: tuple[str, int, int], right: tuple[str, int, int]
) -> None:
    def wanted(basis: str, duties: int, quality: int) -> list[Any]:
        order = [*settings.rights_order, "none"]
        parts = {"rights": (order.index(basis), -min(duties, 999)), "quality": -quality}
        return [parts[name] for name in settings.survivor if name != "digest"]

    ranks = rank(*left, settings), rank(*right, settings)
    assert (ranks[0] < ranks[1]) == (wanted(*left) < wanted(*right))
    assert (ranks[0] == ranks[1]) == (wanted(*left) == wanted(*right))
    assert all(0 <= one < 10**7 for one in ranks)


def test_every_basis_of_a_decision_has_a_place() -> None:
    ranks = [rank(basis, 1, 500, SETTINGS) for basis in get_args(Basis)]
    assert len(set(ranks)) == len(ranks)
    assert {*GROUNDS, "none"} == set(get_args(Basis))


def test_the_surest_ground_stays_and_then_the_strictest_terms() -> None:
    order = [
        rank("agreement", 3, 0, SETTINGS),
        rank("agreement", 0, 1000, SETTINGS),
        rank("licence", 2, 0, SETTINGS),
        rank("licence", 1, 900, SETTINGS),
        rank("licence", 1, 899, SETTINGS),
        rank("public-domain", 9, 1000, SETTINGS),
    ]
    assert order == sorted(order) and len(set(order)) == len(order)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (("licence", -1, 0), "-1 duties"),
        (("licence", 0, 1001), "quality of 1001"),
        (("licence", 0, -1), "quality of -1"),
        (("rumour", 0, 0), "basis 'rumour' is in no order of rights"),
    ],
)
def test_what_cannot_be_ranked_is_refused(document: tuple[str, int, int], message: str) -> None:
    with pytest.raises(HerkomstError, match=message):
        rank(*document, SETTINGS)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("survivor", ["rights", "quality"], "must name each criterion once and end in digest"),
        ("survivor", ["digest", "rights"], "end in digest"),
        ("survivor", [], "end in digest"),
        ("survivor", ["rights", "rights", "digest"], "each criterion once"),
        ("survivor", ["age", "digest"], "Input should be"),
        ("rights_order", list(GROUNDS[1:]), "exactly once"),
        ("rights_order", [*GROUNDS, GROUNDS[0]], "exactly once"),
        ("rights_order", [*GROUNDS[1:], "none"], "Input should be"),
    ],
)
def test_a_rule_that_leaves_documents_without_a_place_is_refused(key: str, value: list[str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DuplicatesSettings.model_validate({key: value})
