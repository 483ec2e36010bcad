"""Every reason code that the code can give has words of its own in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_curation.withdrawn import WITHDRAWN
from evaluation.words import _CURATION, CLAUSES, reason, word
from licensing.reasons import REASONS

ROOT = Path(__file__).parents[2]
OUTCOMES = {"admit", "review", "refuse", "keep", "remove"}
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
UNREADABLE = {"Unreadable": 0, "RowProblem": 0, "refused": 3, "_whole": 2}
"""Calls that say why a document could not be read, and at which place of theirs the code stands."""


def calls() -> Iterator[ast.Call]:
    for room in ("licensing", "data_curation"):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def said(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def codes() -> set[str]:
    """Codes that stand behind an outcome or in an argument named ``reason``, and those of unreadable documents."""
    found = {"duplicate-exact", "duplicate-near", "unreadable-outside-folder", "unreadable-not-a-file"}
    found |= {*WITHDRAWN, *REASONS}
    for call in calls():
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name in UNREADABLE and len(call.args) > UNREADABLE[name]:
            problem = said(call.args[UNREADABLE[name]])
            found |= {f"unreadable-{problem}"} if problem and CODE.fullmatch(problem) else set()
        if name in ("missing_parent", "Refusal") and call.args:
            found |= {code for code in [said(call.args[0])] if code}
        for outcome, code in zip(call.args, call.args[1:], strict=False):
            if said(outcome) in OUTCOMES and CODE.fullmatch(said(code) or "-"):
                found.add(str(said(code)))
        found |= {value for key in call.keywords if key.arg == "reason" and (value := said(key.value))}
    return {code for code in found if CODE.fullmatch(code)}


def clauses() -> set[str]:
    """Places that are words of ours: no article and no contract."""
    named = {said(key.value) for call in calls() for key in call.keywords if key.arg == "clause"}
    ours = {one for one in named if one and one != "the agreement"}
    text = (ROOT / "data_curation").rglob("*.py")
    return ours | {one for path in text for one in re.findall(r'"(policy\.[a-z_]+|withdrawal)"', path.read_text())}


def test_the_search_finds_what_it_should() -> None:
    some = {"licence-prose", "agreement-expired", "parent-cycle", "unreadable-not-json", "unreadable-bad-date"}
    assert some | {"native-id-repeated", "language-unsure", "parent-withdrawn", "reserved"} <= codes()


@pytest.mark.parametrize("code", sorted(codes()))
def test_each_code_has_words_of_its_own(code: str) -> None:
    assert code in REASONS or code in _CURATION
    english, dutch = reason(code, "en"), reason(code, "nl")
    assert english != dutch and f"“{code}”" not in english + dutch
    assert english.endswith(".") and dutch.endswith(".")


@pytest.mark.parametrize("clause", sorted(clauses()))
def test_each_clause_of_ours_has_words(clause: str) -> None:
    assert clause in CLAUSES
    assert word(CLAUSES, clause, "nl") != word(CLAUSES, clause, "en") != clause or clause == "fail closed"
