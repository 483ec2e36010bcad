"""Evaluation files in their own forms; what cannot be read is an error that names file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from data_curation.contamination.items import Item, read_items
from data_curation.contamination.settings import ContaminationSettings, EvaluationSet
from licensing.errors import HerkomstError


def of(path: str, *fields: str, **keys: str) -> EvaluationSet:
    return EvaluationSet(name="quiz", path=path, fields=fields, **keys)  # type: ignore[arg-type]


def put(folder: Path, name: str, text: str | bytes) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def test_jsonl_with_nested_columns_and_lists(tmp_path: Path) -> None:
    row = {"n": 7, "q": "Who?", "a": {"first": "I", "all": ["you", "they", ""]}, "none": None}
    put(tmp_path, "quiz.jsonl", "\ufeff" + json.dumps(row) + "\n\n")
    found = list(read_items(of("quiz.jsonl", "q", "a.first", "a.all", "none", id="n"), tmp_path))
    assert found == [Item("quiz", "quiz:7", ("Who?", "I", "you", "they"))]


def test_csv_with_line_ends_in_cells_and_tsv_with_bare_quotation_marks(tmp_path: Path) -> None:
    put(tmp_path, "a/one.csv", 'id,text\nx,"two\nlines"\ny,"said ""so"""\n')
    put(tmp_path, "a/b/two.tsv", 'text\tid\n"so\tz\n')
    found = list(read_items(of("a", "text", id="id"), tmp_path))
    assert found == [
        Item("quiz", "b/two:z", ('"so',)),
        Item("quiz", "one:x", ("two\nlines",)),
        Item("quiz", "one:y", ('said "so"',)),
    ]


def test_text_by_pattern_without_its_numbers(tmp_path: Path) -> None:
    put(tmp_path, "w/b.dev.txt", "1 The one\n\n2 The other")
    put(tmp_path, "w/a.dev.txt", "1 First\n")
    put(tmp_path, "w/a.test.txt", "1 Not this\n")
    found = list(read_items(of("w/*.dev.txt", without=r"^\d+ "), tmp_path))
    assert [(item.id, item.texts[0].strip()) for item in found] == [
        ("a.dev:1", "First"),
        ("b.dev:1", "The one"),
        ("b.dev:3", "The other"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "fields", "told"),
    [
        ("x.jsonl", '{"q": "a"}\n{"q": \n', ("q",), r"x\.jsonl, line 2: is no JSON"),
        ("x.jsonl", '{"q": "a"}\n["b"]\n', ("q",), r"line 2: is no JSON object"),
        ("x.jsonl", '{"p": "a"}\n', ("q",), r"line 1: has no column 'q' \(but p\)"),
        ("x.jsonl", '{"q": {"r": "a"}}\n', ("q",), r"line 1: column 'q' holds no text"),
        ("x.jsonl", b'{"q": "a"}\n{"q": "\xff"}\n', ("q",), r"line 2: .*utf-8"),
        ("x.jsonl", "[" * 100_000, ("q",), r"line 1: is no JSON"),
        ("x.csv", "q,r\na,b\nc\n", ("q",), r"line 3: has 1 cells where the first line has 2"),
        ("x.csv", 'q,r\n"a"b,c\n', ("q",), r"line 2: "),
        ("x.csv", "q,r\n", ("q",), r"has no items"),
        ("x.txt", "\n", (), r"has no items"),
        ("x.txt", "a\n", ("q",), r"has no columns"),
        ("x.csv", "q\na\n", (), r"no fields are set"),
        ("x.dat", "q\na\n", ("q",), r"ending tells none of jsonl"),
    ],
)
def test_what_cannot_be_read(
    tmp_path: Path, name: str, content: str | bytes, fields: tuple[str, ...], told: str
) -> None:
    put(tmp_path, name, content)
    with pytest.raises(HerkomstError, match=told):
        list(read_items(of(name, *fields), tmp_path))


@pytest.mark.parametrize("path", ["gone.jsonl", "empty", "empty/*.jsonl", "gone/*.csv"])
def test_a_missing_file_is_never_taken_for_an_empty_set(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(HerkomstError, match=r"'quiz': there is no file .* go unchecked"):
        list(read_items(of(path, "q"), tmp_path))


def test_two_items_of_one_name_are_an_error(tmp_path: Path) -> None:
    put(tmp_path, "x.csv", "q,n\na,1\nb,1\n")
    with pytest.raises(HerkomstError, match=r"x\.csv, line 3: item '1' occurs twice"):
        list(read_items(of("x.csv", "q", id="n"), tmp_path))


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"sets": [{"name": "a", "path": "x", "fields": ["q"]}] * 2}, "a occur twice"),
        ({"sets": [{"name": "a", "path": "x", "format": "csv"}]}, "fields must name the columns"),
        ({"sets": [{"name": "a", "path": "x", "format": "txt", "id": "n"}]}, "has no columns"),
        ({"sets": [{"name": "a", "path": "x", "without": "("}]}, "no regular expression"),
        ({"least_words": 20}, "more than ngram"),
        ({"least_words": 4}, "near_ngram"),
        ({"sats": []}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_work(keys: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ContaminationSettings.model_validate(keys)
