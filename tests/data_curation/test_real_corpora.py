"""Every file of the real corpora, read by the readers and decided on: issue 3, "Shown by" 3."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from data_curation.readers import Source, read
from data_curation.received import Received
from licensing.decide import decide
from licensing.policy import Policy
from licensing.rights import Decision, IntendedUse, Rights
from licensing.table import LicenceTable, load_table

ROOT = Path(__file__).parents[2]
CORPORA = next(
    (place for place in (up / "shared" / "data" / "corpora" for up in ROOT.parents) if place.is_dir()),
    ROOT.parent / "shared" / "data" / "corpora",
)

pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the real corpora of ../shared/data are not here")

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)
COMMERCIAL = IntendedUse(purpose="commercial", weights_released=True, data_released=False, outputs_sold=True)
RESEARCH = IntendedUse(purpose="research", weights_released=False, data_released=False, outputs_sold=False)


def documents(path: Path, reader: str, **keys: Any) -> list[Received]:
    source = SOURCE.validate_python({"name": "x", "partner": "X", "reader": reader, "path": str(path)} | keys)
    return list(read(source, ROOT, ROOT / "unused"))


def decisions(found: list[Received], use: IntendedUse = COMMERCIAL, **policy: Any) -> list[Decision]:
    rules = Policy.model_validate({"as_of": "2026-11-01"} | policy)
    return [decide(Rights(declared=one.declared), use, rules, table(), {}, "x") for one in found]


def counted(found: list[Decision]) -> Counter[tuple[str, str, str]]:
    return Counter((one.outcome, one.reason, one.branch) for one in found)


@cache
def table() -> LicenceTable:
    return load_table(ROOT / "configs" / "licences.yaml")


def test_progit2_nl_is_never_admitted_on_its_prose_licence() -> None:
    found = documents(CORPORA / "progit2-nl", "text", include=["**/*.asc"])
    made = decisions(found)
    assert len(found) > 90 and {one.outcome for one in made} == {"review"}
    assert {one.reason for one in made} == {"licence-prose"}
    assert all(any("LICENSE.asc" in d.where or "license.asc" in d.where for d in one.declared) for one in found)
    assert any("NonCommercial" in decision.explanation for decision in made)


@pytest.mark.parametrize(
    "folder",
    ["eltec-slv", *(pytest.param(f"eltec-{one}", marks=pytest.mark.slow) for one in ("deu", "fra", "hun", "por"))],
)
def test_eltec_is_admitted_with_attribution_by_each_files_own_tag(folder: str) -> None:
    found = documents(CORPORA / folder, "tei")
    made = decisions(found)
    assert counted(made) == {("admit", "licence-admitted", "CC-BY-4.0"): len(found)}
    for document, decision in zip(found, made, strict=True):
        assert [one.form for one in document.declared] == ["url"]
        assert re.fullmatch(r".+\.xml:\d+ <availability>/<licence>", document.declared[0].where)
        assert "attribution" in [duty.kind for duty in decision.duties]


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["tei", "text"])
def test_an_edition_whose_licence_was_removed_waits_for_a_person(reader: str, tmp_path: Path) -> None:
    for path in sorted(CORPORA.glob("eltec-*/*.xml")):
        text = re.sub(r"<licence[^>]*?(/>|>.*?</licence>)", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    found = documents(tmp_path, reader)
    assert len(found) == 59 and all(document.text for document in found)
    assert {one.outcome for one in decisions(found)} == {"review"}


def test_algoritmekader_is_decided_by_the_text_of_the_eupl() -> None:
    """Its page on copyright says the same in prose; naming it sends everything to a person, who can read it."""
    path = CORPORA / "algoritmekader"
    found = documents(path, "text", include=["docs/**/*.md"])
    assert len(found) > 240
    assert {(one.text, one.where) for d in found for one in d.declared} == {
        ("EUPL-1.2", "LICENSE.md:1 (text of the licence)")
    }
    admitted, refused = decisions(found, share_alike="admit"), decisions(found, share_alike="refuse")
    assert {(one.outcome, one.branch) for one in admitted} == {("admit", "EUPL-1.2")}
    assert {(one.outcome, one.branch) for one in refused} == {("refuse", "EUPL-1.2")}
    assert all("share-alike" in {duty.kind for duty in one.duties} for one in admitted)
    page = "docs/over-het-algoritmekader/copyright.md"
    with_page = documents(path, "text", include=["docs/**/*.md"], licence_file=page)
    assert {one.outcome for one in decisions(with_page, share_alike="admit")} == {"review"}
    assert {one.outcome for one in decisions(with_page, share_alike="refuse")} == {"refuse"}


@pytest.mark.parametrize(
    ("include", "least"), [("b/**/*.md", 150), pytest.param("**/*.md", 1000, marks=pytest.mark.slow)]
)
def test_gesetze_by_the_text_of_the_unlicense(include: str, least: int) -> None:
    found = documents(CORPORA / "gesetze", "text", include=[include])
    assert len(found) > least
    assert counted(decisions(found)) == {("admit", "licence-admitted", "Unlicense"): len(found)}


@pytest.mark.slow
def test_dutchdracor_by_each_files_own_tag_and_by_its_licence_file() -> None:
    found = documents(CORPORA / "dutchdracor", "tei")
    assert counted(decisions(found)) == {("admit", "licence-admitted", "CC0-1.0"): 93}
    both = documents(CORPORA / "dutchdracor", "text", include=["*.xml"])
    assert counted(decisions(both)) == {("admit", "licence-admitted", "CC0-1.0"): 93}
    assert all({one.form for one in document.declared} == {"url", "spdx"} for document in both)


def test_a_changed_word_in_a_licence_file_sends_the_whole_corpus_to_a_person(tmp_path: Path) -> None:
    for name in ("LICENSE.md", "docs/over-het-algoritmekader/privacy.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CORPORA / "algoritmekader" / name, tmp_path / name)
    text = (tmp_path / "LICENSE.md").read_text(encoding="utf-8")
    (tmp_path / "LICENSE.md").chmod(0o644)
    (tmp_path / "LICENSE.md").write_text(text.replace("royalty-free", "royalty-bearing", 1), encoding="utf-8")
    made = decisions(documents(tmp_path, "text", include=["docs/**"]), RESEARCH, share_alike="admit")
    assert [(one.outcome, one.reason) for one in made] == [("review", "licence-prose")]
