"""Agreements as ODRL: nothing is lost on the way there and back, and nothing unread is passed over."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from licensing.agreement import ENFORCED, NOT_ENFORCED, Agreement, PermittedUses, load_agreement, load_agreements
from licensing.odrl import OdrlError, as_json, as_yaml, from_odrl, to_odrl
from licensing.reading import UnreadableFile

ROOT = Path(__file__).parents[2]
KADE_FILE = ROOT / "configs/agreements/de-kade.yaml"
KADE = load_agreement(KADE_FILE)

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
    lambda text: text.strip() != ""
)
days = st.dates(date(1990, 1, 1), date(2060, 1, 1))
periods = st.one_of(
    days.map(lambda day: {"from": day, "until": None}),
    st.tuples(days, days).map(lambda pair: {"from": min(pair), "until": max(pair)}),
)
FIELDS = (*ENFORCED, *NOT_ENFORCED, *(f"permitted_uses.{use}" for use in PermittedUses.model_fields))


@st.composite
def agreements(draw: st.DrawFn) -> Agreement:
    uses = {use: draw(st.booleans()) for use in PermittedUses.model_fields}
    return Agreement.model_validate(
        {
            "id": draw(st.from_regex(r"[a-z0-9][a-z0-9-]{0,12}", fullmatch=True)),
            "partner": draw(texts),
            "sources": draw(st.lists(texts, min_size=1, max_size=3)),
            "permitted_uses": uses,
            "purpose": draw(texts),
            "territory": draw(texts),
            "content_period": draw(periods),
            "use_period": draw(periods),
            "most_epochs": draw(st.none() | st.integers(1, 100)),
            "verbatim_limit": draw(st.none() | st.integers(0, 2000)),
            "hold_out_share": draw(st.floats(0, 0.5)),
            "attribution": draw(st.none() | texts),
            "deletion_duty": draw(st.none() | texts),
            "remuneration_key": draw(st.sampled_from(("tokens-scored", "documents", "distinct-documents", "none"))),
            "notice_period_days": draw(st.integers(0, 400)),
            "contact": draw(texts),
            "clauses": {field: draw(texts) for field in FIELDS if field in ENFORCED or draw(st.booleans())},
        }
    )


@settings(deadline=None, max_examples=100)
@given(agreements())
def test_every_field_comes_back_unchanged(agreement: Agreement) -> None:
    assert from_odrl(as_json(agreement).encode()) == agreement
    assert from_odrl(to_odrl(agreement)) == agreement


@settings(deadline=None, max_examples=40)
@given(agreements())
def test_yaml_comes_back_unchanged_too(agreement: Agreement) -> None:
    assert Agreement.model_validate(yaml.safe_load(as_yaml(agreement))) == agreement


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every object and list in a document."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    here = [path] if isinstance(value, dict | list) else []
    return here + [place for key, part in parts for place in places(part, (*path, key))]


def at(policy: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        policy = policy[key]
    return policy


POLICY = to_odrl(KADE)


@pytest.mark.parametrize("path", places(POLICY), ids=lambda path: ".".join(map(str, path)) or "policy")
def test_anything_added_anywhere_is_refused_with_its_place(path: tuple[str | int, ...]) -> None:
    policy = copy.deepcopy(POLICY)
    holder = at(policy, path)
    if isinstance(holder, dict):
        holder["remedy"] = {"action": "delete"}
    else:
        holder.append({"leftOperand": "recipient", "operator": "eq", "rightOperand": "nobody"})
    with pytest.raises(OdrlError) as told:
        from_odrl(policy)
    assert told.value.path.startswith("$") and (not path or str(path[0]) in told.value.path)


@settings(deadline=None, max_examples=100)
@given(agreements(), st.data())
def test_a_policy_with_a_part_left_out_never_permits_more(agreement: Agreement, data: st.DataObject) -> None:
    policy = json.loads(as_json(agreement))
    path = data.draw(st.sampled_from([place for place in places(policy) if place]))
    holder = at(policy, path[:-1])
    del holder[path[-1]]
    try:
        found = from_odrl(policy)
    except OdrlError:
        return
    assert all(getattr(agreement.permitted_uses, use) for use, given_ in found.permitted_uses if given_)
    assert (found.use_period, found.content_period) == (agreement.use_period, agreement.content_period)
    assert (found.sources, found.purpose, found.territory) == (
        agreement.sources,
        agreement.purpose,
        agreement.territory,
    )


def test_order_of_keys_and_rules_and_a_single_rule_do_not_matter() -> None:
    policy = copy.deepcopy({key: POLICY[key] for key in sorted(POLICY, reverse=True)})
    policy["permission"].reverse()
    for rule in policy["permission"]:
        rule["constraint"].reverse()
    assert from_odrl(policy) == KADE
    narrow = KADE.model_copy(
        update={"permitted_uses": PermittedUses(training=True, commercial=False, share_weights=False, share_data=False,
                                                sell_outputs=False)}
    )  # fmt: skip
    single = to_odrl(narrow)
    single["permission"] = single["permission"][0]
    assert from_odrl(single) == narrow


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    policy = copy.deepcopy(POLICY)
    change(policy)
    return policy


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda p: p.update({"conflict": "perm"}), "$.conflict"),
        (lambda p: p.pop("conflict"), "$.conflict"),
        (lambda p: p.update({"profile": "http://www.w3.org/ns/tdmrep"}), "$.profile"),
        (lambda p: p.update({"@type": "Offer"}), "$.@type"),
        (lambda p: p["@context"].append("https://elsewhere.example/terms.jsonld"), "$.@context"),
        (lambda p: p["@context"][1].update({"use": "herkomst:nothing"}), "$.@context[1].use"),
        (lambda p: p.update({"inheritFrom": "https://elsewhere.example/policy"}), "$.inheritFrom"),
        (lambda p: p.update({"uid": "https://elsewhere.example/policy"}), "$.uid"),
        (lambda p: p["permission"].append({"action": "sell"}), "$.permission[4]"),
        (lambda p: p["permission"][0]["constraint"].pop(), "$.permission[0].constraint"),
        (lambda p: p["permission"][0].update({"constraint": []}), "$.permission[0].constraint"),
        (lambda p: p["permission"][0].update({"duty": {"action": "obtainConsent"}}), "$.permission[0].duty"),
        (lambda p: p["permission"][2].update({"target": "https://elsewhere.example/all"}), "$.permission[2].target"),
        (lambda p: p["permission"][0]["constraint"][1].update({"operator": "neq"}), "$.permission[0].constraint[1]"),
        (lambda p: p["prohibition"].pop(0), "$.prohibition"),
        (lambda p: p["prohibition"].append({"action": "index"}), "$.prohibition[3]"),
        (lambda p: p["permission"].append({"action": "distribute"}), "$.permission"),
        (lambda p: p["target"]["refinement"].clear(), "$.target.refinement"),
        (lambda p: p["target"].pop("herkomst:sources"), "$.target.herkomst:sources"),
        (lambda p: p.pop("assigner"), "$.assigner"),
        (lambda p: p.update({"assigner": "https://partner.example"}), "$.assigner"),
        (lambda p: p.update({"herkomst:usePeriod": {"herkomst:from": "2026-01-01"}}), "$.herkomst:usePeriod"),
        (lambda p: p["prohibition"][1]["constraint"][0].update({"rightOperand": "4"}), "$"),
        (lambda p: p["obligation"][0]["constraint"][0].update({"operator": "lteq"}), "$.obligation[0].constraint[0]"),
        (lambda p: p["herkomst:clauses"].append({"herkomst:field": "contact", "herkomst:clause": "art. 1"}), "$"),
    ],
)  # fmt: skip
def test_what_cannot_be_represented_is_refused(change: Callable[[dict[str, Any]], object], path: str) -> None:
    with pytest.raises(OdrlError, match="no agreement is made of this policy") as told:
        from_odrl(changed(change))
    assert told.value.path.startswith(path)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"{", "cannot be read as JSON"),
        (b"[]", "is no JSON object"),
        (b'{"uid": 1, "uid": 2}', "key 'uid' stands twice"),
        (b'{"uid": NaN}', "NaN is no number"),
        (b"\xff", "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
    ],
)
def test_what_is_no_policy_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(OdrlError, match=told):
        from_odrl(data)


def test_standard_terms_are_used_where_they_exist() -> None:
    assert (POLICY["@context"][0], POLICY["@type"], POLICY["conflict"]) == (
        "http://www.w3.org/ns/odrl.jsonld", "Agreement", "prohibit",
    )  # fmt: skip
    training = POLICY["permission"][0]
    assert training["action"]["rdf:value"] == {"@id": "tdm:mine"} and training["herkomst:clause"] == "art. 3.1"
    assert {part["leftOperand"] for part in training["constraint"]} == {"dateTime", "purpose", "spatial"}
    assert POLICY["prohibition"][0]["action"] == "distribute"
    assert {rule["action"] for rule in POLICY["obligation"]} >= {"attribute", "delete", "compensate"}


@pytest.mark.parametrize("ending", [".jsonld", ".json"])
def test_a_run_reads_its_agreements_in_either_form(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"de-kade{ending}"
    path.write_text(as_json(KADE), encoding="utf-8")
    assert load_agreements([path]) == {KADE.id: KADE}
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(UnreadableFile, match=rf"de-kade\{ending} cannot be used.*\$\.uid: is missing"):
        load_agreement(path)
    with pytest.raises(UnreadableFile, match="nowhere"):
        load_agreement(tmp_path / f"nowhere{ending}")


def test_the_program_prints_the_other_form(tmp_path: Path) -> None:
    def run(path: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "licensing.odrl", str(path)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    policy = tmp_path / "policy.jsonld"
    policy.write_text(run(KADE_FILE).stdout, encoding="utf-8")
    assert json.loads(policy.read_text("utf-8")) == POLICY
    back = tmp_path / "back.yaml"
    back.write_text(run(policy).stdout, encoding="utf-8")
    assert load_agreement(back) == KADE
    policy.write_text("{}", encoding="utf-8")
    assert run(policy).returncode == 1 and "$.uid" in run(policy).stderr
