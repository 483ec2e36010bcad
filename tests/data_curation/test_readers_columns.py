from __future__ import annotations

from typing import Any

import pytest

from data_curation.readers.columns import Columns, document_of
from data_curation.readers.jsonl import JsonlSource

BY = "https://creativecommons.org/licenses/by/4.0/"
SOURCE = JsonlSource.model_validate(
    {"name": "s", "partner": "P", "reader": "jsonl", "path": "x", "columns": {"id": "i", "text": "t", "licence": "l"}}
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("cc-by-4.0", [("spdx", "cc-by-4.0")]),
        (BY, [("url", BY)]),
        (f"{BY} of vraag het ons", [("prose", f"{BY} of vraag het ons")]),
        ("CC BY 4.0", [("prose", "CC BY 4.0")]),
        (["MIT", "CC-BY-NC-4.0"], [("spdx", "MIT"), ("spdx", "CC-BY-NC-4.0")]),
        ({"name": "CC BY 4.0", "url": BY}, [("url", BY)]),
        ({"voorwaarden": "op aanvraag"}, [("prose", "{voorwaarden: op aanvraag}")]),
        (0, [("prose", "0")]),
        (False, [("prose", "False")]),
        ([], []),
        ("", []),
        (None, []),
        ("()", [("prose", "()")]),
    ],
)
def test_what_a_licence_column_declares(value: Any, expected: list[tuple[str, str]]) -> None:
    document = document_of(
        SOURCE, Columns(id="i", text="t", licence="l"), {"i": "1", "t": "x", "l": value}, "f:1", b"x"
    )
    assert [(one.form, one.text) for one in document.declared] == expected
    assert {one.where for one in document.declared} <= {"column l (f:1)"}
