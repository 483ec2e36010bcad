"""Agreements as ODRL 2.2 JSON-LD, written and read without loss.

Every clause that ODRL has a term for is written with that term (W3C Recommendations of 15 February 2018: ODRL
Information Model 2.2 and ODRL Vocabulary & Expression 2.2); text and data mining is ``tdm:mine`` of the TDM Reservation
Protocol; for the rest this module's profile has terms of its own, all under `NAMESPACE`. Permitted uses are
permissions, those that are not permitted prohibitions, and ``conflict`` is ``prohibit``, so that a prohibition always
prevails:

======================  ==============================================================================================
agreement               policy
======================  ==============================================================================================
partner, contact        ``assigner``; the assignee is whoever runs the pipeline
sources                 ``target``, an AssetCollection; its ``refinement`` is the content period (so that it has a
                        ``source`` and no ``uid``, Information Model 2.5.5)
permitted_uses          ``tdm:mine`` for training and for a commercial purpose, ``distribute`` of the data, and
                        ``herkomst:shareWeights``, ``herkomst:sellOutputs``
content_period          stated a second time, so that nobody opens it by leaving out its end
use_period, purpose,    stated once, and as ``constraint`` (``dateTime``, ``purpose``, ``spatial``) of each permission
territory
most_epochs             prohibition of training beyond that ``count``
verbatim_limit          prohibition to ``reproduce`` passages of more characters
hold_out_share          obligation ``herkomst:setAside``
attribution             obligation ``attribute``
deletion_duty           obligation ``delete``
remuneration_key        obligation ``compensate``
notice_period_days      obligation ``herkomst:giveNotice``
clauses                 ``herkomst:clauses``, and ``herkomst:clause`` of each rule
======================  ==============================================================================================

Reading is closed: an agreement is read from the places above, written again, and must give the very policy that was
read, but for the order of keys and rules. Whatever else a policy says (a constraint, an action, a party, a context, a
strategy that lets permissions prevail) is a difference and is refused with its place, so that nothing that was not read
can widen what is permitted.

``python -m licensing.odrl FILE`` prints an agreement in its other form: YAML as JSON-LD, JSON-LD as YAML.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from licensing.agreement import ODRL_ENDINGS, Agreement, Period, PermittedUses, load_agreement
from licensing.errors import HerkomstError
from licensing.odrl_difference import OdrlError, Policy, difference, normal, parsed

ODRL_CONTEXT: Final = "http://www.w3.org/ns/odrl.jsonld"
PROFILE: Final = "https://herkomst.eu/odrl/v1"
NAMESPACE: Final = f"{PROFILE}#"
_UID: Final = "https://herkomst.eu/agreement/"


# ---- writing


def to_odrl(agreement: Agreement) -> Policy:
    """Return an agreement as an ODRL policy, ready for `json.dumps`; `from_odrl` gives it back unchanged."""
    uid = _UID + agreement.id
    return {
        "@context": [ODRL_CONTEXT, {"tdm": "http://www.w3.org/ns/tdmrep#", "herkomst": NAMESPACE}],
        "@type": "Agreement",
        "uid": uid,
        "profile": PROFILE,
        "conflict": "prohibit",
        "assigner": {
            "@type": "Party",
            "uid": f"{uid}#partner",
            "herkomst:name": agreement.partner,
            "herkomst:contact": agreement.contact,
        },
        "assignee": f"{uid}#operator",
        "target": {
            "@type": "AssetCollection",
            "source": f"{uid}#sources",
            "herkomst:sources": list(agreement.sources),
            "refinement": _days("herkomst:publicationDate", agreement.content_period),
        },
        "herkomst:purpose": agreement.purpose,
        "herkomst:territory": agreement.territory,
        "herkomst:usePeriod": _period(agreement.use_period),
        # Said twice: were its end said once, whoever left it out would have made it open.
        "herkomst:contentPeriod": _period(agreement.content_period),
        "permission": [_permission(agreement, use) for use in _uses(agreement, permitted=True)],
        "prohibition": _prohibitions(agreement),
        "obligation": _obligations(agreement),
        "herkomst:clauses": [
            {"herkomst:field": field, "herkomst:clause": clause} for field, clause in sorted(agreement.clauses.items())
        ],
    }


_ACTIONS: Final[Mapping[str, str]] = {
    "share_weights": "herkomst:shareWeights",
    "share_data": "distribute",
    "sell_outputs": "herkomst:sellOutputs",
}


def _action(use: str) -> Any:
    """The action of a permitted use; training, and that for a commercial purpose, is mining for that purpose."""
    if use in _ACTIONS:
        return _ACTIONS[use]
    refinement = {"leftOperand": "purpose", "operator": "eq", "rightOperand": {"@id": f"herkomst:{use}"}}
    return {"rdf:value": {"@id": "tdm:mine"}, "refinement": [refinement]}


def _uses(agreement: Agreement, *, permitted: bool) -> list[str]:
    return [use for use in PermittedUses.model_fields if getattr(agreement.permitted_uses, use) is permitted]


def _permission(agreement: Agreement, use: str) -> Policy:
    constraints = [
        *_days("dateTime", agreement.use_period),
        {"leftOperand": "purpose", "operator": "eq", "rightOperand": agreement.purpose},
        {"leftOperand": "spatial", "operator": "isPartOf", "rightOperand": agreement.territory},
    ]
    return {
        "action": _action(use),
        "constraint": constraints,
        "herkomst:clause": agreement.clause(f"permitted_uses.{use}"),
    }


def _prohibitions(agreement: Agreement) -> list[Policy]:
    rules: list[Policy] = [
        {"action": _action(use), "herkomst:clause": agreement.clause(f"permitted_uses.{use}")}
        for use in _uses(agreement, permitted=False)
    ]
    limits = (
        ("most_epochs", _action("training"), "count", "herkomst:epoch"),
        ("verbatim_limit", "reproduce", "herkomst:passageLength", "herkomst:character"),
    )
    for field, action, operand, unit in limits:
        value = getattr(agreement, field)
        if value is not None:
            beyond = {"leftOperand": operand, "operator": "gt", "rightOperand": value, "unit": unit}
            rules.append({"action": action, "constraint": [beyond], "herkomst:clause": agreement.clause(field)})
    return rules


def _obligations(agreement: Agreement) -> list[Policy]:
    share, notice = agreement.hold_out_share, agreement.notice_period_days
    duties: list[tuple[str, str, Policy | None]] = [
        ("hold_out_share", "herkomst:setAside", {"constraint": [_least("herkomst:share", share)]} if share else None),
        ("attribution", "attribute", _worded(agreement.attribution)),
        ("deletion_duty", "delete", _worded(agreement.deletion_duty)),
        ("remuneration_key", "compensate", _keyed(agreement.remuneration_key)),
        ("notice_period_days", "herkomst:giveNotice", {"constraint": [_least("herkomst:noticeDays", notice)]}),
    ]
    return [
        {"action": action, **said, "herkomst:clause": agreement.clause(field)} for field, action, said in duties if said
    ]


def _least(operand: str, value: float) -> Policy:
    return {"leftOperand": operand, "operator": "gteq", "rightOperand": value}


def _worded(words: str | None) -> Policy | None:
    return None if words is None else {"herkomst:words": words}


def _keyed(key: str) -> Policy | None:
    return None if key == "none" else {"herkomst:remunerationKey": key}


def _date(day: Any) -> Policy:
    return {"@value": day.isoformat(), "@type": "xsd:date"}


def _days(operand: str, period: Period) -> list[Policy]:
    days = [{"leftOperand": operand, "operator": "gteq", "rightOperand": _date(period.start)}]
    if period.until is not None:
        days.append({"leftOperand": operand, "operator": "lteq", "rightOperand": _date(period.until)})
    return days


def _period(period: Period) -> Policy:
    until = {} if period.until is None else {"herkomst:until": _date(period.until)}
    return {"herkomst:from": _date(period.start), **until}


# ---- reading


def from_odrl(policy: Mapping[str, Any] | bytes) -> Agreement:
    """Read an agreement from an ODRL policy, as JSON or already parsed.

    Raises:
        OdrlError: naming the place (``$.permission[0].constraint[2]``) of what is missing, unknown or different.
    """
    found = normal(parsed(policy) if isinstance(policy, bytes) else policy, "$")
    if not isinstance(found, dict):
        raise OdrlError("$", "is no JSON object")
    try:
        agreement = Agreement.model_validate(_fields(found))
    except ValidationError as error:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"]] or ["clauses"]
        told = f"the agreement's field {'.'.join(place)} would be wrong ({first['msg']})"
        raise OdrlError(_PLACES.get(place[0], "$.obligation"), told) from error
    different = difference(found, normal(to_odrl(agreement), "$"), "$")
    if different is not None:
        raise OdrlError(*different)
    return agreement


def _fields(found: Policy) -> dict[str, Any]:
    uid = _at(found, "$", "uid")
    if not isinstance(uid, str) or not uid.startswith(_UID):
        raise OdrlError("$.uid", f"{uid!r} does not begin with {_UID}")
    assigner, target = _at(found, "$", "assigner"), _at(found, "$", "target")
    permitted = [_first_of(rule) for rule in found["permission"]]
    period = _at(found, "$", "herkomst:usePeriod")
    return {
        "id": uid.removeprefix(_UID),
        "partner": _at(assigner, "$.assigner", "herkomst:name"),
        "contact": _at(assigner, "$.assigner", "herkomst:contact"),
        "sources": _at(target, "$.target", "herkomst:sources"),
        "permitted_uses": {use: _action(use) in permitted for use in PermittedUses.model_fields},
        "purpose": _at(found, "$", "herkomst:purpose"),
        "territory": _at(found, "$", "herkomst:territory"),
        "content_period": _content_period(target),
        "use_period": {"from": _day(period, "herkomst:from"), "until": _day(period, "herkomst:until")},
        "most_epochs": _limit(found, "prohibition", "count"),
        "verbatim_limit": _limit(found, "prohibition", "herkomst:passageLength"),
        "hold_out_share": _limit(found, "obligation", "herkomst:share") or 0,
        "notice_period_days": _limit(found, "obligation", "herkomst:noticeDays"),
        "attribution": _said(found, "attribute", "herkomst:words"),
        "deletion_duty": _said(found, "delete", "herkomst:words"),
        "remuneration_key": _said(found, "compensate", "herkomst:remunerationKey") or "none",
        "clauses": _clauses(_at(found, "$", "herkomst:clauses")),
    }


_PLACES: Final[Mapping[str, str]] = {
    "id": "$.uid",
    "partner": "$.assigner.herkomst:name",
    "contact": "$.assigner.herkomst:contact",
    "sources": "$.target.herkomst:sources",
    "content_period": "$.target.refinement",
    "use_period": "$.herkomst:usePeriod",
    "purpose": "$.herkomst:purpose",
    "territory": "$.herkomst:territory",
    "most_epochs": "$.prohibition",
    "verbatim_limit": "$.prohibition",
    "clauses": "$.herkomst:clauses",
}
"""Where a field stands; those that are not listed stand in ``$.obligation``."""


def _at(found: Any, path: str, key: str) -> Any:
    if not isinstance(found, dict):
        raise OdrlError(path, "is no JSON object")
    if key not in found:
        raise OdrlError(f"{path}.{key}", "is missing")
    return found[key]


def _first_of(rule: Any) -> Any:
    return rule.get("action") if isinstance(rule, dict) else None


def _constraints(holder: Any, key: str, operand: str) -> Iterable[Policy]:
    parts = holder.get(key, []) if isinstance(holder, dict) else []
    return (part for part in parts if isinstance(part, dict) and part.get("leftOperand") == operand)


def _limit(found: Policy, kind: str, operand: str) -> Any:
    """The value of a constraint; which of several it is does not matter, for a second one is a difference."""
    values = [part.get("rightOperand") for rule in found[kind] for part in _constraints(rule, "constraint", operand)]
    return values[0] if values else None


def _said(found: Policy, action: str, key: str) -> Any:
    said = [rule.get(key) for rule in found["obligation"] if isinstance(rule, dict) and rule.get("action") == action]
    return said[0] if said else None


def _content_period(target: Any) -> dict[str, Any]:
    days = {
        str(part.get("operator")): part.get("rightOperand")
        for part in _constraints(target, "refinement", "herkomst:publicationDate")
    }
    if "gteq" not in days:
        raise OdrlError("$.target.refinement", "has no herkomst:publicationDate with the operator gteq")
    return {"from": _day(days, "gteq"), "until": _day(days, "lteq")}


def _day(holder: Any, key: str) -> Any:
    value = holder.get(key) if isinstance(holder, dict) else None
    return value.get("@value") if isinstance(value, dict) else value


def _clauses(listed: Any) -> dict[Any, Any]:
    pairs = [part for part in listed if isinstance(part, dict)]
    return {str(part.get("herkomst:field")): part.get("herkomst:clause") for part in pairs}


# ---- as a program


def as_yaml(agreement: Agreement) -> str:
    """Return an agreement as the YAML that `licensing.agreement.load_agreement` reads."""
    values = agreement.model_dump(by_alias=True) | {"sources": list(agreement.sources)}
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120)
    if yaml.safe_load(text) == values:
        return text
    # PyYAML writes some line ends of Unicode (NEL) bare and reads them as blanks; escaped, they come back.
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=False, width=120)


def as_json(agreement: Agreement) -> str:
    """Return an agreement as ODRL JSON-LD, indented for people."""
    return json.dumps(to_odrl(agreement), ensure_ascii=False, indent=2) + "\n"


def main(arguments: list[str]) -> int:
    """Print the other form of the agreement in the file that is named; the exit code is 0 only if it was read."""
    if len(arguments) != 1:
        print(
            "usage: python -m licensing.odrl FILE    (YAML gives JSON-LD, .json and .jsonld give YAML)", file=sys.stderr
        )
        return 2
    path = Path(arguments[0])
    try:
        agreement = load_agreement(path)
    except HerkomstError as error:
        print(error, file=sys.stderr)
        return 1
    print(as_yaml(agreement) if path.suffix.lower() in ODRL_ENDINGS else as_json(agreement), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
