from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from data_curation.readers import Source, inputs, read
from data_curation.received import Received

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)


def alto(text: str, confidence: float | None = None, language: str = "nl") -> str:
    sure = f' WC="{confidence}"' if confidence is not None else ""
    words = "<SP/>".join(f'<String CONTENT="{word}"{sure}/>' for word in text.split())
    return (
        f'<alto><Layout><Page><TextBlock language="{language}"><TextLine>{words}</TextLine></TextBlock></Page></Layout>'
        "</alto>"
    )


def run(folder: Path, **keys: Any) -> list[Received]:
    source = SOURCE.validate_python({"name": "krant", "partner": "K", "reader": "ocr", "path": "in"} | keys)
    return list(read(source, folder, folder / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "1900/p10.xml": alto("tiende blad", 0.5),
        "1900/p2.xml": alto("tweede blad", 0.9),
        "1900/LICENSE": "CC0-1.0",
        "1901/p1.xml": alto("ander jaar"),
    }.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(text)
    return tmp_path


def test_a_page_is_a_document_and_tells_how_sure_it_is(folder: Path) -> None:
    found = run(folder)
    assert [(one.native_id, one.text, one.language) for one in found] == [
        ("1900/p10.xml", "tiende blad", "nl"),
        ("1900/p2.xml", "tweede blad", "nl"),
        ("1901/p1.xml", "ander jaar", "nl"),
    ]
    assert found[0].detail == "Recognised with a confidence of 0.500 on average over 2 words."
    assert found[2].detail is None
    assert [one.text for one in found[0].declared] == ["CC0-1.0"] and found[2].declared == ()


def test_a_folder_is_an_issue_with_its_pages_in_the_order_of_their_numbers(folder: Path) -> None:
    found = run(folder, group_by="folder")
    assert [(one.native_id, one.text) for one in found] == [
        ("1900", "tweede blad\n\ntiende blad"),
        ("1901", "ander jaar"),
    ]
    sizes = [(folder / "in" / name).stat().st_size for name in ("1900/p2.xml", "1900/p10.xml")]
    assert found[0].received_bytes == sum(sizes)


def test_pages_recognised_badly_are_left_out_and_those_that_do_not_tell_stay(folder: Path) -> None:
    found = run(folder, least_confidence=0.8)
    assert [(one.native_id, one.problem) for one in found] == [
        ("1900/p10.xml", "ocr-confidence"),
        ("1900/p2.xml", None),
        ("1901/p1.xml", None),
    ]
    assert "0.500" in (found[0].detail or "") and found[0].text is None
    assert [one.problem for one in run(folder, least_confidence=0.7, group_by="folder")] == [None, None]


def test_a_broken_page_is_a_row_beside_its_issue(folder: Path) -> None:
    (folder / "in" / "1900" / "p3.xml").write_text("<alto><Layout>")
    found = run(folder, group_by="folder")
    assert [(one.native_id, one.problem) for one in found] == [
        ("1900/p3.xml", "not-xml"),
        ("1900", None),
        ("1901", None),
    ]


def test_an_issue_is_no_larger_than_a_document_may_be(folder: Path) -> None:
    size = (folder / "in" / "1900" / "p2.xml").stat().st_size
    found = run(folder, group_by="folder", largest_document=size + 10)
    assert [(one.native_id, one.problem) for one in found][:2] == [("1900/p10.xml", "too-large"), ("1900", None)]


def test_the_result_depends_on_pages_and_licence_files(folder: Path) -> None:
    source = SOURCE.validate_python({"name": "k", "partner": "K", "reader": "ocr", "path": "in"})
    assert [path.name for path in inputs(source, folder)] == ["LICENSE", "p10.xml", "p2.xml", "p1.xml"]
